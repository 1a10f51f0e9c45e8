"""Conversion of values from untrusted files to values that are safe to display and to compute with."""

import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file as plain values, or `None` if it is missing or not valid YAML."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except (OSError, ValueError, yaml.YAMLError):
        return None


def typed(value: Any) -> str:
    """Return a value as on the command line.

    >>> typed([True, None, 0.5, "h"])
    '[true,null,0.5,h]'
    """
    if isinstance(value, list):
        return f"[{','.join(map(typed, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else plain(value)


def plain(value: Any) -> str:
    """Return any value as one line of printable text."""
    return "".join(character if character.isprintable() else " " for character in str(value))


def number(value: Any) -> float | None:
    """Return the value as a float, or `None` if it is not a finite number."""
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if real and abs(value) <= sys.float_info.max else None


def mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is a dictionary, otherwise an empty dictionary."""
    return value if isinstance(value, dict) else {}
