"""What can be measured of a run: a number by its name, out of the run's directory. No TensorFlow."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tensorboard_gradient_flow.profile import first_to_last, horizon, per_step_factor

from ..common.errors import UserError, suggestion
from ..common.values import mapping, number
from ..data.outputs import HIGHER_IS_BETTER, best_baseline
from ..runs.reader import Run

_RESULT = ("metrics", "validation", "baselines", "parameters", "epochs", "steps", "seconds", "speed", "solved_at_step")
"""What `result.json` has numbers in."""


@dataclass(frozen=True)
class Metric:
    """A number that a run has.

    Attributes:
        name: as it is written in a study's file.
        label: what it is, with its unit.
        of: gives it; `None` where a run does not have it.
    """

    name: str
    label: str
    of: Callable[[Run], float | None]


def find(name: str) -> Metric:
    """The metric of a name.

    Args:
        name: one of those with a name of their own; `epochs_to val_mae 0.1`, which is the first epoch at which a column
            of `metrics.csv` is as good as that; `skill` or `skill mae_last`, how far a score is ahead of the baselines;
            or a number of `result.json` by its path, as in `metrics.accuracy`.

    Raises:
        UserError: there is no such metric.
    """
    if name in _NAMED:
        return Metric(name, *_NAMED[name])
    if name.partition(" ")[0] == "epochs_to":
        return _epochs_to(name)
    if name.partition(" ")[0] == "skill":
        return _skill(name)
    if name.partition(" ")[0] == "baseline":
        return Metric(name, f"headline metric of the {name}", lambda run: run.baselines.get(name.partition(" ")[2]))
    path = name.split(".")
    if path[0] not in _RESULT:
        raise UserError(
            f"{name}: there is no such metric; {suggestion(name, [*_NAMED, 'epochs_to', 'skill', *_RESULT])}"
        )
    unit = {"seconds": " (s)"}.get(name, "")
    return Metric(
        name, f"{' '.join(path).replace('_', ' ').replace('metrics', 'test')}{unit}", lambda run: _at(run, path)
    )


def _at(run: Run, path: list[str]) -> float | None:
    value: Any = run.result
    for part in path:
        value = mapping(value).get(part)
    return number(value)


def layers_by_reach(run: Run) -> list[str]:
    """The names of a run's layers, that whose gradient reaches furthest back first."""
    layers = {name: number(mapping(of).get("horizon")) for name, of in mapping(run.result.get("gradient")).items()}
    known = {name: reached for name, reached in layers.items() if reached is not None}
    return sorted(known, key=lambda name: -known[name])


def _of_layer(name: str) -> Callable[[Run], float | None]:
    """Of the layer whose gradient reaches furthest back."""

    def of(run: Run) -> float | None:
        layers = layers_by_reach(run)
        return _at(run, ["gradient", layers[0], name]) if layers else None

    return of


def _at_start(measure: Callable[[Any], float | None]) -> Callable[[Run], float | None]:
    """Of the first gradient that the run recorded, in the layer where it reached furthest."""

    def of(run: Run) -> float | None:
        from ..runs.events import first_profiles

        found = first_profiles(run.path).values()  # from the last step read backwards
        furthest = max((norms[::-1] for norms in found), key=horizon, default=None)
        return None if furthest is None else number(measure(furthest))

    return of


def _diverged(run: Run) -> float | None:
    return {"completed": 0.0, "diverged": 1.0}.get(run.state)


def _solved(run: Run) -> float | None:
    return float(_at(run, ["solved_at_step"]) is not None) if is_over(run) else None


def _largest_gradient_norm(run: Run) -> float | None:
    from ..runs.events import largest

    return largest(run.path, "gradient_norm/global") if is_over(run) else None


def _sequences_to_solve(run: Run) -> float | None:
    steps, size = number(run.result.get("solved_at_step")), run.options.get("trainer.batch_size", "")
    return steps * int(size) if steps is not None and size.isdecimal() else None


def is_over(run: Run) -> bool:
    """Whether a run has come to its end: completed, or diverged, which is an outcome too."""
    return run.state == "diverged" or (run.state == "completed" and bool(run.result))


_NAMED: dict[str, tuple[str, Callable[[Run], float | None]]] = {
    "score": ("headline metric of the test part", lambda run: run.value),
    "horizon": ("horizon (steps back)", _of_layer("horizon")),
    "first_to_last": ("gradient norm, first over last step", _of_layer("first_to_last")),
    "per_step_factor": ("gradient's factor (per step back)", _of_layer("per_step_factor")),
    "horizon_at_start": ("horizon before training (steps back)", _at_start(horizon)),
    "first_to_last_at_start": ("gradient norm before training, first over last step", _at_start(first_to_last)),
    "per_step_factor_at_start": ("gradient's factor before training (per step back)", _at_start(per_step_factor)),
    "sequences_to_solve": ("sequences trained on until solved", _sequences_to_solve),
    "seconds_per_epoch": ("time (s per epoch)", lambda run: run.seconds_per_epoch),
    "diverged": ("share of runs that diverged", _diverged),
    "solved": ("share of runs that solved the task", _solved),
    "largest_gradient_norm": ("largest gradient norm (before clipping)", _largest_gradient_norm),
}
"""By name: label, and what gives it."""


def _epochs_to(name: str) -> Metric:
    try:
        _, column, threshold = name.split()
        goal = float(threshold)
    except ValueError:
        raise UserError(f"{name}: expected a column of metrics.csv and a value, as in epochs_to val_mae 0.1") from None
    higher = column.removeprefix("val_") in HIGHER_IS_BETTER

    def of(run: Run) -> float | None:
        from ..runs.history import metrics_of

        table = metrics_of(run.path)
        if run.state != "completed" or column not in table:
            return None
        reached = table[column] >= goal if higher else table[column] <= goal
        # One that does not come so far counts as if the next epoch did: the least that it can be.
        return float(table["epoch"][reached.argmax()] if reached.any() else table["epoch"][-1] + 1)

    return Metric(name, f"epochs to {column.replace('val_', 'validation ')} {threshold} (epochs)", of)


def _skill(name: str) -> Metric:
    """How much of the way from the best baseline to a perfect score is gone."""
    try:
        asked = name.split()[1:]
        (metric,) = asked or ("",)
    except ValueError:
        raise UserError(f"{name}: expected skill, or skill and a metric, as in skill mae_last") from None

    def of(run: Run) -> float | None:
        judged = metric or run.metric
        baselines = {name: _at(run, ["baselines", name, judged]) for name in mapping(run.result.get("baselines"))}
        known = {name: {judged: score} for name, score in baselines.items() if score is not None}
        score, reference = _at(run, ["metrics", judged]), best_baseline(judged, known)
        perfect = 1.0 if judged in HIGHER_IS_BETTER else 0.0
        if score is None or reference is None or reference == perfect:
            return None
        return (score - reference) / (perfect - reference)

    return Metric(name, f"skill{f' in {metric}' * bool(metric)} (1: perfect, 0: the best baseline)", of)


def of_baseline(baseline: str, name: str) -> str:
    """The name of what a baseline has of a metric; empty where no baseline has it.

    >>> of_baseline("climatology", "metrics.mae_last")
    'baselines.climatology.mae_last'
    """
    if name == "score":
        return f"baseline {baseline}"
    return f"baselines.{baseline}.{name.removeprefix('metrics.')}" if name.startswith("metrics.") else ""
