"""Runs read back as data, for tables and pictures of many: what a directory tells, and which of them are meant.

Needs no TensorFlow. A directory may be half written, damaged or no run at all: what cannot be read is left out, and
said.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from .. import files
from ..claim import is_claimed
from ..errors import UserError, suggestion

STATES = ("completed", "running", "interrupted", "killed", "timed_out", "diverged", "failed", "unknown")
_NOT_OPTIONS = {"_target_", "requires", "name", "rerun", "seed", "sweep", "continued_from", "time_limit"}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    config = read_yaml(path / ".hydra" / "config.yaml")
    status, result = mapping(files.read_json(path / "status.json")), mapping(files.read_json(path / "result.json"))
    state = status.get("state") if status.get("state") in STATES else "unknown"
    if state == "running" and not is_claimed(path):
        state = "interrupted"
    whole = isinstance(config, dict) and {"seed", "rerun"} <= set(config)  # they stand at the file's end
    unread = {
        "its configuration cannot be read (.hydra/config.yaml)": not whole,
        "its state cannot be read (status.json)": state == "unknown",
        "its result cannot be read (result.json)": state == "completed" and not result,
    }
    told = [plain(status.get("message") or ""), *(problem for problem, there in unread.items() if there)]
    seed = flat(config).get("seed", "") if whole else ""
    return Run(
        path,
        options_of(config) if whole else {},
        seed,
        str(state),
        "; ".join(filter(None, told)),
        plain(status.get("changed", "")),
        result,
    )


def read_yaml(path: Path) -> Any:
    """What a YAML file holds, as plain values; `None` if it is missing or no YAML."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except (OSError, ValueError, yaml.YAMLError):
        return None


def options_of(config: dict[Any, Any]) -> dict[str, str]:
    """What decides a run's result, as it would be typed; without the seed."""
    return {key: value for key, value in flat(config).items() if _NOT_OPTIONS.isdisjoint(key.split("."))}


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


def flat(config: dict[Any, Any], prefix: str = "") -> dict[str, str]:
    """A configuration's options as they would be typed.

    >>> flat({"cell": {"name": "lstm", "units": 64, "projection_units": None}, "seed": 1})
    {'cell': 'lstm', 'cell.units': '64', 'cell.projection_units': 'null', 'seed': '1'}
    """
    options: dict[str, str] = {}
    for key, value in config.items():
        name = plain(f"{prefix}{key}")
        if isinstance(value, dict):
            options |= flat(value, f"{name}.")
        else:
            options[prefix.rstrip(".") if key == "name" and prefix else name] = typed(value)
    return options


def typed(value: Any) -> str:
    """A value as it would be typed.

    >>> typed([True, None, 0.5, "h"])
    '[true,null,0.5,h]'
    """
    if isinstance(value, list):
        return f"[{','.join(map(typed, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else plain(value)


def plain(value: Any) -> str:
    """Anything as text of one line that any screen and any file can take."""
    return "".join(character if character.isprintable() else " " for character in str(value))


def number(value: Any) -> float | None:
    """A finite number, or `None`."""
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if real and abs(value) <= sys.float_info.max else None


def mapping(value: Any) -> dict[str, Any]:
    """A dictionary, or an empty one."""
    return value if isinstance(value, dict) else {}


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
