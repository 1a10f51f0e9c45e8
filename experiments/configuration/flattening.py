"""Flattening of a configuration to dotted options, and selection of the options for a role."""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

from ..common.options import Role
from ..common.values import plain, typed
from .schema import SCHEMAS, Config


def flatten(config: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """Return the options of a configuration by their dotted names. The `name` of a group is the value of the group.

    >>> flatten({"cell": {"name": "lstm", "units": 64, "projection_units": None}, "seed": 1})
    {'cell': 'lstm', 'cell.units': 64, 'cell.projection_units': None, 'seed': 1}
    """
    options: dict[str, Any] = {}
    for key, value in config.items():
        name = plain(f"{prefix}{key}")
        if isinstance(value, Mapping):
            options |= flatten(value, f"{name}.")
        else:
            options[prefix.rstrip(".") if key == "name" and prefix else name] = value
    return options


def as_text(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the options with their values as on a command line.

    >>> as_text({"cell.projection_units": None, "architecture.bidirectional": True})
    {'cell.projection_units': 'null', 'architecture.bidirectional': 'true'}
    """
    return {name: typed(value) for name, value in options.items()}


def counting(options: Mapping[str, Any], role: Role) -> dict[str, Any]:
    """Return the flat options that count for a role.

    >>> counting({"cell.units": 64, "seed": 1, "sweep.seeds": 5, "trainer.time_limit": 9.0}, "identity")
    {'cell.units': 64, 'seed': 1}
    """
    left_out = _left_out(role)
    return {name: value for name, value in options.items() if left_out.isdisjoint(_with_parents(name))}


def counts(name: str, role: Role) -> bool:
    """Return whether the option with a dotted name counts for a role."""
    return _left_out(role).isdisjoint(_with_parents(name))


def _with_parents(name: str) -> Iterator[str]:
    """Yield a dotted name and its parents: `a.b.c`, `a.b`, `a`."""
    while name:
        yield name
        name = name.rpartition(".")[0]


@functools.cache
def _left_out(role: Role) -> frozenset[str]:
    """Return the dotted names of the options and groups that do not count for a role, according to their fields."""
    return frozenset(name for name, roles in _roles_of(Config, "") if role in roles)


def _roles_of(schema: type, prefix: str) -> Iterator[tuple[str, tuple[Role, ...]]]:
    types = get_type_hints(schema)
    for field in dataclasses.fields(schema):
        name = f"{prefix}{field.name}"
        yield name, field.metadata.get("not_for", ())
        groups = SCHEMAS.get(name, {}).values() if not prefix else ()
        for group in (types[field.name], *groups):
            if dataclasses.is_dataclass(group):
                yield from _roles_of(group, f"{name}.")  # type: ignore[arg-type]
