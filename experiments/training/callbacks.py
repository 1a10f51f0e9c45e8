"""Callbacks for status files, stopping, timing, profiling and checkpoints; `telemetry` has those for TensorBoard."""

import math
import time
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from ..common import interruption
from ..data import Task
from ..data.outputs import HIGHER_IS_BETTER
from ..runs import checkpoint
from ..runs.directory import RunDirectory
from .measured_model import Measurements
from .telemetry import GradientTelemetry


class DivergedError(Exception):
    """Error for a loss or a gradient that is no longer finite."""


class MetricsFile(keras.callbacks.Callback):
    """Callback that writes `metrics.csv`, one row per epoch."""

    def __init__(self, directory: RunDirectory):
        super().__init__()
        self.directory = directory
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        step = int(self.model.optimizer.iterations)
        self.rows.append({"epoch": epoch + 1, "step": step, **{k: float(v) for k, v in (logs or {}).items()}})
        self.directory.write_metrics(self.rows)

    def get_state(self) -> dict:
        """Return the rows."""
        return {"rows": self.rows}

    def set_state(self, state: dict) -> None:
        """Restore the rows, and write them to the file."""
        self.rows = state["rows"]
        self.directory.write_metrics(self.rows)


class StatusFile(keras.callbacks.Callback):
    """Callback that writes the progress of a run to `status.json`.

    Args:
        directory: the run directory.
        headline: the primary metric.
        telemetry: source of the gradient horizon; `None` without telemetry.
    """

    def __init__(self, directory: RunDirectory, headline: str, telemetry: GradientTelemetry | None):
        super().__init__()
        self.directory, self.metric, self.telemetry = directory, f"val_{headline}", telemetry
        self._done = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Write the epoch, the primary metric, the gradient horizon and the estimated time left."""
        self._done += 1
        epochs = self.params["epochs"]
        seconds_left = (time.perf_counter() - self._began) / self._done * (epochs - epoch - 1)
        progress: dict[str, Any] = {"epoch": epoch + 1, "epochs": epochs, "seconds_left": round(seconds_left, 1)}
        if self.metric in (logs or {}):
            progress |= {"metric": self.metric.removeprefix("val_"), "value": float(logs[self.metric])}  # type: ignore
        layers = self.telemetry.summary() if self.telemetry is not None else {}
        if layers:
            furthest = max(layers.values(), key=lambda layer: layer["horizon"])
            progress |= {key: furthest[key] for key in ("horizon", "steps", "verdict")}
        self.directory.set_progress(progress)


class Best(keras.callbacks.EarlyStopping):
    """Early stopping that always restores the weights of the best epoch.

    Args:
        metric: validation metric that determines the best epoch.
        patience: number of epochs without improvement after which training ends; `None` disables early stopping.
    """

    _REMEMBERED = ("wait", "best", "best_epoch", "stopped_epoch")

    def __init__(self, metric: str, patience: int | None):
        mode = "max" if metric in HIGHER_IS_BETTER else "min"
        never = patience is None
        super().__init__(f"val_{metric}", mode=mode, patience=2**31 if never else patience, restore_best_weights=True)

    def get_state(self) -> dict:
        """Return the best weights and the number of epochs since they were found."""
        state = {name: getattr(self, name) for name in self._REMEMBERED}
        return {**state, "best": None if state["best"] is None else float(state["best"]), "weights": self.best_weights}

    def set_state(self, state: dict) -> None:
        """Restore the best weights and the number of epochs since they were found."""
        for name in self._REMEMBERED:
            setattr(self, name, state[name])
        self.best_weights = state["weights"]


class StopInTime(keras.callbacks.Callback):
    """Callback that raises `DivergedError` at the first step with a loss or gradient that is not finite.

    It also raises `KeyboardInterrupt` if Python has discarded an earlier one.
    """

    def __init__(self, measurements: Measurements | None):
        super().__init__()
        self.measurements = measurements

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        interruption.check()
        step = int(self.model.optimizer.iterations)
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise DivergedError(f"the loss became {loss} at step {step}{self._where()}")
        norms = self.model.weight_norms.numpy()
        if not self.model.may_skip_steps and not np.isfinite(norms).all():
            worst = int(np.argmin(np.isfinite(norms)))
            weight = self.model.trainable_weights[worst].path
            raise DivergedError(f"the gradient of {weight} became {norms[worst]} at step {step}{self._where()}")

    def _where(self) -> str:
        """Return a text with the layer and timestep at which the gradient first became non-finite."""
        for key, norms in (self.measurements.read() if self.measurements else {}).items():
            lost = np.flatnonzero(~np.isfinite(norms))
            if lost.size:
                backward = self.measurements.signals[key].direction == "backward"  # type: ignore[union-attr]
                return f"; the gradient, on its way back, at timestep {lost[0 if backward else -1]} of {key}"
        return ""


class Solved(keras.callbacks.Callback):
    """Callback that notes the training step at which the validation split first met the task's criterion.

    Attributes:
        step: the last training step of that epoch; `None` until the criterion is met.
    """

    def __init__(self, task: Task):
        super().__init__()
        self.criterion = task.solved
        self.step: int | None = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Compare the epoch's validation metric with the criterion."""
        if self.criterion is None or self.step is not None:
            return
        name, threshold = self.criterion
        value = (logs or {})[f"val_{name}"]
        if value >= threshold if name in HIGHER_IS_BETTER else value <= threshold:
            self.step = int(self.model.optimizer.iterations)

    def get_state(self) -> dict:
        """Return the step."""
        return {"step": self.step}

    def set_state(self, state: dict) -> None:
        """Restore the step."""
        self.step = state["step"]


class Stopwatch(keras.callbacks.Callback):
    """Timer of training steps, without validation and the ends of epochs. It must be the run's first callback.

    The first execution is not counted, because it includes tracing.

    Args:
        timesteps: number of timesteps in all sequences of one training step.
    """

    def __init__(self, timesteps: int) -> None:
        super().__init__()
        self.timesteps = timesteps
        self.seconds = {"data": 0.0, "step": 0.0, "logging": 0.0}
        self.steps = 0
        self._traced = False
        self._began = self._ended = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Forget when the last step ended, so that the time between epochs is not counted."""
        self._ended = 0.0

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Add the time that Keras and the callbacks have taken since the last step."""
        self._began, self._first = time.perf_counter(), batch
        if self._ended:
            self.seconds["logging"] += self._began - self._ended

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Add the time of one step, or of several steps that are executed together."""
        now = time.perf_counter()
        if self._traced:
            waited = float(self.model.waited)
            self.seconds["data"] += waited
            self.seconds["step"] += now - self._began - waited
            self.steps += min(batch + 1, self.params["steps"]) - self._first
            self._ended = now
        self._traced = True
        self.model.waited.assign(0.0)

    def summary(self) -> dict[str, float]:
        """Return steps and timesteps per second, and the fractions of time for data, steps and logging."""
        total = sum(self.seconds.values())
        if not total:
            return {}
        return {"steps_per_second": self.steps / total, "timesteps_per_second": self.timesteps * self.steps / total} | {
            f"share_{name}": taken / total for name, taken in self.seconds.items()
        }

    def get_state(self) -> dict:
        """Return the times so far."""
        return {"seconds": self.seconds, "steps": self.steps}

    def set_state(self, state: dict) -> None:
        """Restore the times."""
        self.seconds, self.steps = dict(state["seconds"]), state["steps"]


class Profile(keras.callbacks.Callback):
    """Callback that profiles the start of the second epoch, or of the only epoch, for TensorBoard's Profile tab.

    Args:
        directory: where the profile is written.
        epochs: number of epochs.
    """

    _EXECUTIONS = 10

    def __init__(self, directory: Path, epochs: int):
        super().__init__()
        self.directory, self._epoch = directory, min(1, epochs - 1)
        self._left = 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start profiling if this is the epoch to profile."""
        if epoch == self._epoch:
            self._left = self._EXECUTIONS
            tf.profiler.experimental.start(str(self.directory))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Stop profiling after `_EXECUTIONS` executions."""
        self._left -= 1
        if self._left == 0:
            tf.profiler.experimental.stop()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stop profiling if the epoch has fewer executions."""
        if self._left > 0:
            self._left = 0
            tf.profiler.experimental.stop()


class FreshStates(keras.callbacks.Callback):
    """Callback that resets the states of a stateful network to zero before every pass over a split."""

    def _reset(self, *arguments: object) -> None:
        self.model.get_layer("stack").reset_state()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._reset()

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._reset()


class Remembering(Protocol):
    """A callback whose state is saved in the checkpoint.

    The state consists of plain values and lists of arrays.
    """

    def get_state(self) -> dict[str, Any]:
        """Return the state."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state; called at the start of training."""


class Checkpoint(keras.callbacks.Callback):
    """Callback that writes a run's checkpoint and resumes from an existing one. It must be the run's last callback.

    Args:
        path: the file.
        model: a built and compiled model.
        callbacks: callbacks whose states are saved, by name.
        began: value of `time.perf_counter` when the run started or resumed.

    Attributes:
        epoch: number of finished epochs.
        stopped: whether early stopping had ended training.
        seconds: how long the run had taken before it was interrupted.
    """

    def __init__(self, path: Path, model: keras.Model, callbacks: dict[str, Remembering], began: float):
        super().__init__()
        self.path, self.callbacks, self._began = path, callbacks, began
        model.optimizer.build(model.trainable_variables)
        self._kept = checkpoint.read(path, len(_variables(model)))
        self.epoch: int = self._kept["epoch"] if self._kept else 0
        self.stopped: bool = self._kept["stopped"] if self._kept else False
        self.seconds: float = self._kept["seconds"] if self._kept else 0.0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Restore the checkpoint, after the other callbacks have reset their states."""
        if self._kept is None:
            return
        for variable, value in zip(_variables(self.model), self._kept["variables"], strict=True):
            variable.assign(value)
        for name, callback in self.callbacks.items():
            callback.set_state(self._kept["callbacks"][name])

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Write the checkpoint after an epoch."""
        self.epoch = epoch + 1
        states = {name: callback.get_state() for name, callback in self.callbacks.items()}
        variables = [variable.numpy() for variable in _variables(self.model)]
        seconds = self.seconds + time.perf_counter() - self._began
        ends = {"epoch": self.epoch, "stopped": self.model.stop_training, "seconds": seconds}
        checkpoint.write(self.path, {**ends, "variables": variables, "callbacks": states})


def _variables(model: keras.Model) -> list[Any]:
    """Return all variables that training changes, except for metrics, which are reset in every epoch."""
    return [*model.variables, *model.optimizer.variables]
