"""Where a run goes on after an interruption: all that decides what comes next, kept at the end of every epoch.

The order of an epoch's examples follows from the seed and the epoch. What is left to keep are the variables (weights,
states of dropout, the optimiser's), the best weights so far, and what callbacks remember. One NumPy archive, written as
a whole, read without pickle, and without TensorFlow. `callbacks.Checkpoint` keeps it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..common import files

_ARRAY, _STATE = "variable_{}", "state"


def copy(path: Path, to: Path) -> None:
    """Keeps another run's checkpoint as one from which training goes on, also if it had ended there by itself."""
    kept = read(path)
    if kept is not None:
        best = {**kept["callbacks"]["best"], "wait": 0}
        write(to, {**kept, "stopped": False, "callbacks": {**kept["callbacks"], "best": best}})


def epoch_of(path: Path) -> int | None:
    """How many epochs a checkpoint stands for; `None` if there is none that can be used."""
    kept = read(path)
    return None if kept is None else int(kept["epoch"])


def step_of(path: Path) -> int | None:
    """The training step at which a checkpoint was written; `None` if there is none that can be used."""
    kept = read(path)
    return None if kept is None else int(kept["callbacks"]["rows"]["rows"][-1]["step"])


@dataclass(frozen=True)
class BestSoFar:
    """What a checkpoint knows of a network.

    Attributes:
        epoch: how many epochs are done.
        weights: those of the best of them.
    """

    epoch: int
    weights: list[np.ndarray]


def best_so_far(path: Path) -> BestSoFar | None:
    """The best weights that a checkpoint holds; `None` if there is none that can be used."""
    kept = read(path)
    try:
        return None if kept is None else BestSoFar(int(kept["epoch"]), list(kept["callbacks"]["best"]["weights"]))
    except (KeyError, TypeError, ValueError):  # an archive that we did not write
        return None


def write(path: Path, state: dict[str, Any]) -> None:
    """Keeps a state: plain values and arrays."""
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
    """What was kept; `None` if the file is not there, is damaged, or belongs to another network."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        kept = _filled(json.loads(str(arrays[_STATE])), arrays)
    except Exception:  # whatever a damaged file makes the reader say
        return None
    return kept if variables in (None, len(kept["variables"])) else None


def _filled(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The inverse of what `_write` makes plain."""
    if isinstance(value, dict):
        if value.keys() == {"array"}:
            return arrays[_ARRAY.format(value["array"])]
        return {name: _filled(item, arrays) for name, item in value.items()}
    return [_filled(item, arrays) for item in value] if isinstance(value, list) else value
