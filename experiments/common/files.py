"""Atomic writing of files: each file is written under a temporary name and then renamed."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .platform import replace


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file next to `path`, then rename it to `path` in one step."""
    # The suffix stays, because some writers infer the format from it. The rest of the name is replaced, because
    # TensorBoard would read an incomplete event file.
    temporary = path.with_name(f".{os.getpid()}.tmp{path.suffix}")
    try:
        write(temporary)
        replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_halves(directory: Path) -> None:
    """Remove the temporary files of processes that were killed while they were writing.

    The caller must be the only process that writes to the directory.
    """
    for path in directory.rglob(".*.tmp*"):
        path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8."""
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write plain values as JSON. NaN and infinity, which JSON does not support, become null."""
    write_text(path, json.dumps(_finite(value), indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, or `None` if it is missing or not valid JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
