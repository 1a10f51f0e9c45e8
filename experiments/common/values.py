"""Values out of files that anybody may have written, made safe to show and to calculate with."""

import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """What a YAML file holds, as plain values; `None` if it is missing or no YAML."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except (OSError, ValueError, yaml.YAMLError):
        return None


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
