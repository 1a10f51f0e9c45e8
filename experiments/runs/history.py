"""Metrics of a run by epoch, read from `metrics.csv`."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def metrics_of(path: Path) -> dict[str, np.ndarray]:
    """Return the columns of a run's `metrics.csv` without incomplete rows; empty if the file cannot be read."""
    try:
        with (path / "metrics.csv").open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        whole = np.array([[float(value) for value in row] for row in rows if _is_whole(row, len(header))])
    except (OSError, ValueError, csv.Error):
        return {}
    return dict(zip(header, whole.T, strict=True)) if whole.size else {}


def _is_whole(row: Sequence[str], columns: int) -> bool:
    try:
        return len(row) == columns and bool([float(value) for value in row])
    except ValueError:
        return False
