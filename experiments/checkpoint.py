"""Where a run goes on after an interruption: all that decides what comes next, kept at the end of every epoch.

The order of an epoch's examples follows from the seed and the epoch. What is left to keep are the variables (weights,
states of dropout, the optimiser's), the best weights so far, and what callbacks remember. One NumPy archive, written as
a whole, read without pickle.
"""

import json
import time
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from . import files

_ARRAY, _STATE = "variable_{}", "state"


class Remembering(Protocol):
    """A callback that takes something from epoch to epoch.

    Its state is made of plain values and lists of arrays.
    """

    def get_state(self) -> dict[str, Any]:
        """What it remembers."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Remembers it again; called when training begins."""


class Checkpoint(keras.callbacks.Callback):
    """Keeps a run's checkpoint, and goes on from the one that is there. The last of a run's callbacks.

    Args:
        path: the file.
        model: a built and compiled model.
        callbacks: those that remember something, by name.
        began: when the run began, or went on, by `time.perf_counter`.

    Attributes:
        epoch: how many epochs are done.
        stopped: whether training had ended by itself.
        seconds: how long the run had taken before it was interrupted.
    """

    def __init__(self, path: Path, model: keras.Model, callbacks: dict[str, Remembering], began: float):
        super().__init__()
        self.path, self.callbacks, self._began = path, callbacks, began
        model.optimizer.build(model.trainable_variables)
        self._kept = _read(path, len(_variables(model)))
        self.epoch: int = self._kept["epoch"] if self._kept else 0
        self.stopped: bool = self._kept["stopped"] if self._kept else False
        self.seconds: float = self._kept["seconds"] if self._kept else 0.0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Brings back what was kept; after the other callbacks, which begin afresh."""
        if self._kept is None:
            return
        for variable, value in zip(_variables(self.model), self._kept["variables"], strict=True):
            variable.assign(value)
        for name, callback in self.callbacks.items():
            callback.set_state(self._kept["callbacks"][name])

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keeps the state after an epoch."""
        self.epoch = epoch + 1
        states = {name: callback.get_state() for name, callback in self.callbacks.items()}
        variables = [variable.numpy() for variable in _variables(self.model)]
        seconds = self.seconds + time.perf_counter() - self._began
        ends = {"epoch": self.epoch, "stopped": self.model.stop_training, "seconds": seconds}
        _write(self.path, {**ends, "variables": variables, "callbacks": states})


def step_of(path: Path) -> int | None:
    """The training step at which a checkpoint was written; `None` if there is none that can be used."""
    kept = _read(path)
    return None if kept is None else int(kept["callbacks"]["rows"]["rows"][-1]["step"])


def _variables(model: keras.Model) -> list[Any]:
    """All that training changes, but for metrics, which every epoch begins anew."""
    return [*model.variables, *model.optimizer.variables]


def _write(path: Path, state: dict[str, Any]) -> None:
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


def _read(path: Path, variables: int | None = None) -> dict[str, Any] | None:
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
