"""Runs read back as data, for tables and pictures of many: what a directory tells, and which of them are meant.

Needs no TensorFlow. A directory may be half written, damaged or no run at all: what cannot be read is left out, and
said.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common.errors import UserError, suggestion
from ..common.values import mapping, number, plain, typed
from ..configuration.flattening import as_text, counting, flatten
from .directory import RunDirectory

STATES = ("completed", "running", "interrupted", "killed", "timed_out", "diverged", "failed", "unknown")
"""In the order in which tables count them."""


@dataclass(frozen=True)
class Run:
    """What one run's directory tells.

    Attributes:
        path: the directory.
        options: the configuration, flat, as it would be typed; without the seed.
        seed: as it would be typed.
        state: one of `STATES`.
        message: why it failed, or what of it cannot be read.
        changed: when its state last changed.
        result: what `result.json` holds; empty if there is none.
    """

    path: Path
    options: dict[str, str]
    seed: str
    state: str
    message: str
    changed: str
    result: dict[str, Any]

    @property
    def options_and_seed(self) -> dict[str, str]:
        """What can be asked for in a condition."""
        return self.options | {"seed": self.seed}

    @property
    def metric(self) -> str:
        """The headline metric; empty if not known."""
        return plain(self.result.get("headline", ""))

    @property
    def value(self) -> float | None:
        """The headline metric of the test part."""
        return number(mapping(self.result.get("metrics")).get(self.metric))

    @property
    def baselines(self) -> dict[str, float]:
        """The headline metric of every baseline that has it."""
        found = mapping(self.result.get("baselines")).items()
        values = {plain(name): number(mapping(scores).get(self.metric)) for name, scores in found}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def seconds_per_epoch(self) -> float | None:
        """All of a run's seconds over its epochs."""
        seconds, epochs = number(self.result.get("seconds")), number(self.result.get("epochs"))
        return seconds / epochs if seconds is not None and epochs else None

    @property
    def horizon(self) -> tuple[float, float] | None:
        """How far back the gradient reaches in the layer where it reaches furthest, and out of how many steps."""
        layers = map(mapping, mapping(self.result.get("gradient")).values())
        reached = [(number(layer.get("horizon")), number(layer.get("steps"))) for layer in layers]
        return max(((far, steps) for far, steps in reached if far is not None and steps is not None), default=None)


def read_runs(folder: Path) -> list[Run]:
    """All runs of a folder, by name.

    Raises:
        UserError: there is no such folder, or no run in it.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror}); expected a folder of runs, runs/…") from error
    runs = [read_run(path) for path in paths if is_run(path)]
    if not runs and is_run(folder):
        raise UserError(f"{folder}: is a single run; expected the folder that holds it, {folder.parent}")
    if not runs:
        raise UserError(f"{folder}: there is no run in it; expected a folder of runs, runs/…")
    return runs


def is_run(path: Path) -> bool:
    """Whether a directory is, or was to be, a run's."""
    try:
        return any((path / name).exists() for name in (".hydra/config.yaml", "status.json", "result.json"))
    except OSError:  # one that may not be looked into
        return False


def read_run(path: Path) -> Run:
    """One run's directory, as far as it can be read."""
    run = RunDirectory(path)
    config, status, result, state = run.configuration, run.status, mapping(run.result), run.state
    unread = {
        "its configuration cannot be read (.hydra/config.yaml)": config is None,
        "its state cannot be read (status.json)": state is None,
        "its result cannot be read (result.json)": run.was_completed and not result,
    }
    told = [plain(status.get("message") or ""), *(problem for problem, there in unread.items() if there)]
    seed = mapping(config).get("seed")
    return Run(
        path,
        options_of(config or {}),
        "" if seed is None else typed(seed),
        state or "unknown",
        "; ".join(filter(None, told)),
        plain(status.get("changed", "")),
        result,
    )


def options_of(config: Mapping[Any, Any]) -> dict[str, str]:
    """What tells a run from others in tables, as it would be typed; without the seed."""
    return as_text(counting(flatten(config), "summary"))


def swept(runs: Iterable[dict[str, str]]) -> list[str]:
    """What tells runs apart, given the options of each.

    An option of a cell, a dataset or an optimiser is one if it differs between runs of the same cell, dataset or
    optimiser: what comes with the choice is told by its name. Where a run does not have an option, it says nothing.
    """
    values: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for options in runs:
        for key, value in options.items():
            choice, dot, _ = key.partition(".")
            values[key][options.get(choice, "") if dot else ""].add(value)
    return [key for key, by_choice in values.items() if any(len(found) > 1 for found in by_choice.values())]


# -------------------------------------------------------------------- choosing


def conditions_of(given: Iterable[str]) -> dict[str, str]:
    """`["cell=lstm"]` → `{"cell": "lstm"}`.

    Raises:
        UserError: one that is not of that form, or an option given twice.
    """
    conditions: dict[str, str] = {}
    for condition in given:
        key, equals, value = condition.partition("=")
        if not equals:
            raise UserError(f"{condition}: expected option=value, as in cell=lstm")
        if key in conditions:
            raise UserError(f"{condition}: {key} is given twice; expected one value")
        conditions[key] = value
    return conditions


def where(runs: Sequence[Run], conditions: dict[str, str]) -> list[Run]:
    """Those of the runs that meet every condition; of runs whose configuration cannot be read none.

    Raises:
        UserError: an option that no run has, a value that none has, or values that none has together.
    """
    if not conditions:
        return list(runs)
    all_options = [run.options_and_seed for run in runs if run.options]
    for key, value in conditions.items():
        values = {options[key] for options in all_options if key in options}
        if not values:
            known = {name for options in all_options for name in options}
            raise UserError(f"{key}={value}: no run has this option; {suggestion(key, known)}")
        if not any(same(value, other) for other in values):
            raise UserError(f"{key}={value}: no run has this value; {suggestion(value, values)}")
    meets = lambda options: all(same(value, options.get(key)) for key, value in conditions.items())
    chosen = [run for run in runs if meets(run.options_and_seed)]
    if not chosen:
        given = " ".join(f"{key}={value}" for key, value in conditions.items())
        raise UserError(f"{given}: no run has all of them; leave one out")
    return chosen


def same(asked: str, value: str | None) -> bool:
    """Whether two values are one, as texts or as numbers: 0.10 and 0.1."""
    if value is None or asked == value:
        return asked == value
    try:
        return float(asked) == float(value)
    except ValueError:
        return asked in ("True", "False", "None") and typed({"True": True, "False": False}.get(asked)) == value
