"""Files that are whole or not there: written under another name, then renamed."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a temporary file beside `path`, then moves it there in one step."""
    # The suffix stays: some writers go by it. The rest does not: TensorBoard would read what is half an event file.
    temporary = path.with_name(f".{os.getpid()}.tmp{path.suffix}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_halves(directory: Path) -> None:
    """Removes what processes were writing when they were killed; for whoever alone writes in a directory."""
    for path in directory.rglob(".*.tmp*"):
        path.unlink()


def write_text(path: Path, text: str) -> None:
    """Writes text as UTF-8."""
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Writes plain values as JSON; NaN and Inf, which JSON does not have, become null."""
    write_text(path, json.dumps(_finite(value), indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """What a JSON file holds; `None` if it is missing or no JSON."""
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
