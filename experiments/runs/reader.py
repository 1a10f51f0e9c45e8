"""Reading of run directories as data for tables and plots, and selection of runs by conditions.

This module does not need TensorFlow. A directory may be incomplete, damaged or not a run at all. Contents that cannot
be read are left out and reported.
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
"""States of runs, in the order in which tables count them."""


@dataclass(frozen=True)
class Run:
    """The contents of one run directory.

    Attributes:
        path: the directory.
        options: the flat configuration without the seed, with values as on the command line.
        seed: the seed as on the command line.
        state: one of `STATES`.
        message: why the run failed, or which of its files cannot be read.
        changed: when its state last changed.
        result: contents of `result.json`; empty if the file cannot be read.
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
        """Options and seed, which conditions can name."""
        return self.options | {"seed": self.seed}

    @property
    def metric(self) -> str:
        """Name of the primary metric; empty if it is not known."""
        return plain(self.result.get("headline", ""))

    @property
    def value(self) -> float | None:
        """Primary metric on the test split."""
        return number(mapping(self.result.get("metrics")).get(self.metric))

    @property
    def baselines(self) -> dict[str, float]:
        """Primary metric of each baseline for which it is known."""
        found = mapping(self.result.get("baselines")).items()
        values = {plain(name): number(mapping(scores).get(self.metric)) for name, scores in found}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def seconds_per_epoch(self) -> float | None:
        """Total seconds of the run divided by the number of epochs."""
        seconds, epochs = number(self.result.get("seconds")), number(self.result.get("epochs"))
        return seconds / epochs if seconds is not None and epochs else None

    @property
    def horizon(self) -> tuple[float, float] | None:
        """Gradient horizon of the layer where it is largest, and the largest possible horizon of that layer."""
        layers = map(mapping, mapping(self.result.get("gradient")).values())
        reached = [(number(layer.get("horizon")), number(layer.get("steps"))) for layer in layers]
        return max(((far, steps) for far, steps in reached if far is not None and steps is not None), default=None)


def read_runs(folder: Path) -> list[Run]:
    """Return all runs in a folder, sorted by name.

    Raises:
        UserError: the folder cannot be read, contains no runs, or is itself a run.
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
    """Return whether a directory belongs to a run, even to one that did not start."""
    try:
        return any((path / name).exists() for name in (".hydra/config.yaml", "status.json", "result.json"))
    except OSError:  # no permission to read the directory
        return False


def read_run(path: Path) -> Run:
    """Read one run directory as far as possible."""
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
    """Return the options that distinguish runs in tables, as on the command line, without the seed."""
    return as_text(counting(flatten(config), "summary"))


def swept(runs: Iterable[dict[str, str]]) -> list[str]:
    """Return the options that distinguish runs, given the options of each run.

    An option of a cell, a dataset or an optimizer is returned only if it differs between runs with the same cell,
    dataset or optimizer, because other differences follow from that choice. Runs without an option are ignored when the
    option is compared.
    """
    values: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for options in runs:
        for key, value in options.items():
            choice, dot, _ = key.partition(".")
            values[key][options.get(choice, "") if dot else ""].add(value)
    return [key for key, by_choice in values.items() if any(len(found) > 1 for found in by_choice.values())]


# -------------------------------------------------------------------- choosing


def conditions_of(given: Iterable[str]) -> dict[str, str]:
    """Parse conditions: `["cell=lstm"]` becomes `{"cell": "lstm"}`.

    Raises:
        UserError: a condition does not have this form, or an option is given twice.
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
    """Return the runs that meet every condition. A run whose configuration cannot be read meets no condition.

    Raises:
        UserError: no run has an option, no run has a value, or no run meets all conditions.
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
    """Return whether two values are equal as text, as numbers (0.10, 0.1) or as constants (True, true)."""
    if value is None or asked == value:
        return asked == value
    try:
        return float(asked) == float(value)
    except ValueError:
        return asked in ("True", "False", "None") and typed({"True": True, "False": False}.get(asked)) == value
