"""Metrics of a run by name, computed from the files in its directory. Does not import TensorFlow."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tensorboard_gradient_flow.profile import first_to_last, horizon, per_step_factor

from ..common.errors import UserError, suggestion
from ..common.values import mapping, number
from ..data.outputs import HIGHER_IS_BETTER, best_baseline
from ..runs.reader import Run

_RESULT = ("metrics", "validation", "baselines", "parameters", "epochs", "steps", "seconds", "speed", "solved_at_step")
"""Keys of `result.json` that contain numbers."""


@dataclass(frozen=True)
class Metric:
    """A number that is computed for a run.

    Attributes:
        name: name of the metric in a study file.
        label: axis label with the unit.
        of: function from a run to the number, or to `None` if the run does not have it.
    """

    name: str
    label: str
    of: Callable[[Run], float | None]


def find(name: str) -> Metric:
    """Return the metric with a given name.

    Args:
        name: one of the following:

            - a named metric, such as `score` or `horizon`
            - `epochs_to val_mae 0.1`: the first epoch in which a column of `metrics.csv` reaches a value
            - `skill` or `skill mae_last`: the improvement over the best baseline, as a fraction of the largest possible
              improvement
            - `baseline` and the name of a baseline: the primary metric of this baseline
            - the path of a number in `result.json`, such as `metrics.accuracy`

    Raises:
        UserError: the metric does not exist.
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
    """Return the names of the layers of a run, sorted by gradient horizon, longest first."""
    layers = {name: number(mapping(of).get("horizon")) for name, of in mapping(run.result.get("gradient")).items()}
    known = {name: reached for name, reached in layers.items() if reached is not None}
    return sorted(known, key=lambda name: -known[name])


def _of_layer(name: str) -> Callable[[Run], float | None]:
    """Return a function that reads a gradient statistic of the layer with the longest gradient horizon."""

    def of(run: Run) -> float | None:
        layers = layers_by_reach(run)
        return _at(run, ["gradient", layers[0], name]) if layers else None

    return of


def _at_start(measure: Callable[[Any], float | None]) -> Callable[[Run], float | None]:
    """Return a function that computes a statistic of the gradient before training.

    The statistic is computed from the first recorded gradient norms, in the layer with the longest gradient horizon.
    """

    def of(run: Run) -> float | None:
        from ..runs.events import first_profiles

        found = first_profiles(run.path).values()  # in reverse order, last timestep first
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
    """Return whether a run has ended. A diverged run has ended too, because divergence is a result."""
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
"""Label and function of each named metric."""


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
        # A run that does not reach the goal counts as if the next epoch did, which is the lowest possible value.
        return float(table["epoch"][reached.argmax()] if reached.any() else table["epoch"][-1] + 1)

    return Metric(name, f"epochs to {column.replace('val_', 'validation ')} {threshold} (epochs)", of)


def _skill(name: str) -> Metric:
    """Return the skill: the improvement over the best baseline, as a fraction of the largest possible improvement."""
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
    """Return the name of a metric for a baseline, or an empty string if baselines do not have the metric.

    >>> of_baseline("climatology", "metrics.mae_last")
    'baselines.climatology.mae_last'
    """
    if name == "score":
        return f"baseline {baseline}"
    return f"baselines.{baseline}.{name.removeprefix('metrics.')}" if name.startswith("metrics.") else ""
