"""Checkpoints of runs: the complete state of training, from which an interrupted run resumes.

A checkpoint is written at the end of every epoch. It contains the variables (weights, dropout states, optimizer
variables), the best weights so far, and the states of the callbacks. The order of the examples is not stored,
because it follows from the seed and the epoch. A checkpoint is one NumPy archive. It is written atomically, and is
read without pickle and without TensorFlow. `callbacks.Checkpoint` writes it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..common import files

_ARRAY, _STATE = "variable_{}", "state"


def copy(path: Path, to: Path) -> None:
    """Copy another run's checkpoint so that training can continue from it, even if early stopping ended that run."""
    kept = read(path)
    if kept is not None:
        best = {**kept["callbacks"]["best"], "wait": 0}
        write(to, {**kept, "stopped": False, "callbacks": {**kept["callbacks"], "best": best}})


def epoch_of(path: Path) -> int | None:
    """Return the number of finished epochs in a checkpoint; `None` if there is no usable checkpoint."""
    kept = read(path)
    return None if kept is None else int(kept["epoch"])


def step_of(path: Path) -> int | None:
    """Return the training step at which a checkpoint was written; `None` if there is no usable checkpoint."""
    kept = read(path)
    return None if kept is None else int(kept["callbacks"]["rows"]["rows"][-1]["step"])


@dataclass(frozen=True)
class BestSoFar:
    """The best weights in a checkpoint.

    Attributes:
        epoch: number of finished epochs.
        weights: weights of the best of these epochs.
    """

    epoch: int
    weights: list[np.ndarray]


def best_so_far(path: Path) -> BestSoFar | None:
    """Return the best weights in a checkpoint; `None` if there is no usable checkpoint."""
    kept = read(path)
    try:
        return None if kept is None else BestSoFar(int(kept["epoch"]), list(kept["callbacks"]["best"]["weights"]))
    except (KeyError, TypeError, ValueError):  # an archive that this module did not write
        return None


def write(path: Path, state: dict[str, Any]) -> None:
    """Write a state that consists of plain values and arrays."""
    arrays: list[np.ndarray] = []

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            arrays.append(np.asarray(value))
            return {"array": len(arrays) - 1}
        if isinstance(value, dict):
            return {name: plain(item) for name, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, list) else value

    text = json.dumps(plain(state))
    named: dict[str, Any] = {_ARRAY.format(number): array for number, array in enumerate(arrays)}
    named[_STATE] = np.array(text)
    files.write_whole(path, lambda temporary: np.savez(temporary, **named))


def read(path: Path, variables: int | None = None) -> dict[str, Any] | None:
    """Return the stored state; `None` if the file is missing, is damaged or belongs to another network.

    Args:
        path: the checkpoint.
        variables: expected number of variables, by which another network is recognized; `None` accepts any.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        kept = _filled(json.loads(str(arrays[_STATE])), arrays)
    except Exception:  # a damaged file can raise any exception
        return None
    return kept if variables in (None, len(kept["variables"])) else None


def _filled(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value with its references to arrays replaced by the arrays, the inverse of `plain` in `write`."""
    if isinstance(value, dict):
        if value.keys() == {"array"}:
            return arrays[_ARRAY.format(value["array"])]
        return {name: _filled(item, arrays) for name, item in value.items()}
    return [_filled(item, arrays) for item in value] if isinstance(value, list) else value
