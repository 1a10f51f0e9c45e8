"""Conversion of exceptions from Hydra and OmegaConf to errors of one line."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException, ValidationError

from ..common.errors import UserError, suggestion
from . import schema
from .validation import unknown_option


@contextmanager
def explained() -> Iterator[None]:
    """Convert exceptions from Hydra and OmegaConf to a `UserError` of one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(_explain(error)) from error


def _explain(error: Exception) -> str:
    for kind, explain in _EXPLANATIONS.items():
        found = _in_chain(error, kind)
        if found is not None:
            return explain(found)
    return " ".join(str(error).split())


def _in_chain(error: BaseException | None, kind: type) -> Any:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error


def _missing_choice(error: MissingConfigException) -> str:
    group, _, choice = (error.missing_cfg_file or "").rpartition("/")
    if not group or not error.options:
        return f"{error.missing_cfg_file}: no such configuration file"
    options = [option for option in error.options if option != "schema"]
    return f"{group}={choice}: there is no such choice; {suggestion(choice, options)}"


def _unknown_key(error: ConfigKeyError | ConfigAttributeError) -> str:
    parents = str(error.full_key).rpartition(".")[0]
    schema_of_parent = error.object_type if dataclasses.is_dataclass(error.object_type) else schema.Config
    return unknown_option(parents, str(error.key), schema_of_parent)


def _unreadable(error: OverrideParseException) -> str:
    name, equals, value = error.override.partition("=")
    quoted = f"; a value with signs such as ~ or ( is quoted twice: \"{name}='{value}'\"" if equals else ""
    return f"{error.override}: expected name=value, as in cell.units=64{quoted}"


def _wrong_type(error: ValidationError) -> str:
    try:
        fields = dataclasses.fields(error.object_type)  # type: ignore[arg-type]
        field = next(field for field in fields if field.name == error.key)
        value = "null" if error.value is None else error.value
        return f"{error.full_key}={value}: expected {_IN_WORDS[str(field.type)]}"
    except (TypeError, StopIteration, KeyError):
        return f"{error.full_key}: {str(error.msg or error).splitlines()[0]}"


_IN_WORDS = {
    str(kind): words
    for kind, words in {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a name",
        float | None: "a number, or null",
        int | None: "a whole number, or null",
        str | None: "a name, or null",
        list[str]: "a list of names, as in [h,c]",
        list[str] | None: "a list of names, as in [a,b], or null",
        list[int]: "a list of whole numbers, as in [64]",
    }.items()
}


_EXPLANATIONS: dict[type, Callable[[Any], str]] = {
    MissingConfigException: _missing_choice,
    ConfigKeyError: _unknown_key,
    ConfigAttributeError: _unknown_key,
    ValidationError: _wrong_type,
    OverrideParseException: _unreadable,
    ConfigCompositionException: lambda error: " ".join(str(error).split()),
}
