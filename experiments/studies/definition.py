"""Reading and validation of study files, `conf/study/<name>.yaml`."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from ..common.errors import UserError, suggestion
from ..common.values import typed
from ..configuration.composition import CONF
from . import metrics
from .study import SIGNALS, Figure, Profile, Published, Rule, Study


def study_files(folders: Sequence[Path] = ()) -> dict[str, Path]:
    """Return the files of all studies by name.

    Args:
        folders: additional configuration folders, as given by `--config-dir`. Their studies replace built-in studies of
            the same name.
    """
    paths = [path for folder in (CONF, *folders) for path in sorted((folder / "study").glob("*.yaml"))]
    return {path.stem: path for path in paths}


def read_study(path: Path) -> Study:
    """Read a study from a file.

    Raises:
        UserError: the file cannot be read or is not YAML, or a field is missing, unknown or invalid.
    """
    place = f"study/{path.name}"
    try:
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{place}: cannot be read ({error.strerror})") from error
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{place}: is no YAML: {' '.join(str(error).split())}") from error
    return study_of(definition, place)


def study_of(definition: Any, place: str) -> Study:
    """Build a study from the content of its file.

    Args:
        definition: parsed YAML, as dictionaries, lists and scalars.
        place: location of the definition, for error messages.

    Raises:
        UserError: a field is missing, unknown or invalid.
    """
    study: Study = _built(Study, definition, place)
    if len(study.smoke) not in (1, len(study.grids)):
        raise UserError(f"{place}: smoke: {len(study.smoke)} for {len(study.grids)} grids; expected one, or as many")
    for number, rule in enumerate(study.rules, start=1):
        least = {"difference": 0.0, "ratio": 1.0}[rule.scale]
        for name, by in (("by", rule.by), ("within", rule.within)):
            if by is not None and by < least:
                raise UserError(
                    f"{place}: rules[{number}]: {name}: {by:g}: expected a {rule.scale} of at least {least:g}"
                )
        if rule.by is not None and rule.within is not None:
            raise UserError(f"{place}: rules[{number}]: by and within: expected one of the two")
        if rule.scale == "ratio" and isinstance(rule.against, float) and rule.against <= 0:
            raise UserError(f"{place}: rules[{number}]: against: {rule.against:g}: a ratio needs a number above 0")
    for number, figure in enumerate(study.figures, start=1):
        if isinstance(figure, Figure) and figure.baselines and not metrics.of_baseline("", figure.metric):
            raise UserError(
                f"{place}: figures[{number}]: baselines: they have no {figure.metric}; expected score or metrics.…"
            )
    return study


def _built(kind: type, value: Any, place: str) -> Any:
    """Build a dataclass from a mapping. Each field is validated and converted by its function in `_READ`."""
    given = _mapping(value, place)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in given:
        if name not in fields:
            raise UserError(f"{place}: {name}: there is no such field; {suggestion(name, fields)}")
    for name, field in fields.items():
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and name not in given:
            raise UserError(f"{place}: {name} is missing; expected all of {', '.join(fields)}")
    return kind(**{name: _READ[name](each, f"{place}: {name}") for name, each in given.items()})


# ------------------------------------------------------------- types of values


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{place}: {_shown(value)}: expected text")
    return " ".join(value.split())


def _number(value: Any, place: str) -> float:
    try:  # YAML parses 1e-3 as text
        number = math.nan if isinstance(value, bool) else float(value)
    except (ValueError, TypeError):
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{place}: {_shown(value)}: expected a number")
    return number


def _yes_or_no(value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise UserError(f"{place}: {_shown(value)}: expected true or false")
    return value


def _positive(value: Any, place: str) -> float:
    number = _number(value, place)
    if number <= 0:
        raise UserError(f"{place}: {_shown(value)}: expected a number above 0")
    return number


def _metric(value: Any, place: str) -> str:
    name = _text(value, place)
    try:
        metrics.find(name)
    except UserError as error:
        raise UserError(f"{place}: {error}") from error
    return name


def _options(value: Any, place: str) -> dict[str, str]:
    """Read options with their values as on the command line. A list contains several values of one option."""
    for key, each in _mapping(value, place).items():
        if isinstance(each, Mapping) or each == []:
            raise UserError(f"{place}.{key}: {_shown(each)}: expected a value, or a list of several")
    return {key: ",".join(map(typed, each)) if isinstance(each, list) else typed(each) for key, each in value.items()}


def _conditions(value: Any, place: str) -> dict[str, str]:
    """Read options, each with the single value that a run must have."""
    for key, each in _mapping(value, place).items():
        if isinstance(each, list | Mapping):
            raise UserError(f"{place}.{key}: {_shown(each)}: expected one value, or smallest or largest")
    return {key: typed(each) for key, each in value.items()}


def _conditions_or_number(value: Any, place: str) -> dict[str, str] | float:
    return _conditions(value, place) if isinstance(value, Mapping) else _number(value, place)


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise UserError(f"{place}: {_shown(value)}: expected name: value, as in cell: lstm")
    return value


def _one_or_several_options(value: Any, place: str) -> tuple[dict[str, str], ...]:
    return _list_of(_options)(value, place) if isinstance(value, list) else (_options(value, place),)


def _figure(value: Any, place: str) -> Figure | Profile:
    figure: Figure | Profile = _built(Profile if "signal" in _mapping(value, place) else Figure, value, place)
    return figure


def _or_null(read: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    return lambda value, place: None if value is None else read(value, place)


def _one_of(*choices: str) -> Callable[[Any, str], str]:
    def read(value: Any, place: str) -> str:
        if value not in choices:
            raise UserError(f"{place}: {_shown(value)}: {suggestion(str(value), choices)}")
        return str(value)

    return read


def _list_of(read: Callable[[Any, str], Any], at_least: int = 1) -> Callable[[Any, str], tuple[Any, ...]]:
    def read_all(value: Any, place: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) < at_least:
            raise UserError(f"{place}: {_shown(value)}: expected a list{' of at least one' * bool(at_least)}")
        return tuple(read(each, f"{place}[{number}]") for number, each in enumerate(value, start=1))

    return read_all


def _shown(value: Any) -> str:
    text = typed(value) if isinstance(value, str | int | float | bool | None) else str(value)
    return " ".join(text.split()) or "nothing"


_READ: dict[str, Callable[[Any, str], Any]] = {
    "claim": _text,
    "source": _text,
    "minutes": _or_null(_positive),
    "measured": _or_null(_text),
    "grids": _list_of(_options),
    "smoke": _one_or_several_options,
    "rules": _list_of(lambda value, place: _built(Rule, value, place)),
    "figures": _list_of(_figure, at_least=0),
    "signal": _one_of(*SIGNALS),
    "metric": _metric,
    "of": _conditions,
    "against": _conditions_or_number,
    "direction": _one_of("higher", "lower"),
    "where": _conditions,
    "scale": _one_of("difference", "ratio"),
    "by": _or_null(_number),
    "within": _or_null(_number),
    "floor": _or_null(_positive),
    "x": _text,
    "lines": _text,
    "log": _list_of(_one_of("x", "y"), at_least=0),
    "baselines": _list_of(_text, at_least=0),
    "ranked": _yes_or_no,
    "published": _list_of(lambda value, place: _built(Published, value, place), at_least=0),
    "value": _number,
    "differs": _text,
}
"""Function that validates and converts a field, by the name of the field."""
