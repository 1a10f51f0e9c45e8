"""What happens while a network trains, beside what TensorBoard shows: rows kept, ends found, waiting timed."""

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
    """The loss, or a gradient, is no longer finite."""


class MetricsFile(keras.callbacks.Callback):
    """Keeps `metrics.csv`, a row an epoch."""

    def __init__(self, directory: RunDirectory):
        super().__init__()
        self.directory = directory
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        step = int(self.model.optimizer.iterations)
        self.rows.append({"epoch": epoch + 1, "step": step, **{k: float(v) for k, v in (logs or {}).items()}})
        self.directory.write_metrics(self.rows)

    def get_state(self) -> dict:
        """The rows."""
        return {"rows": self.rows}

    def set_state(self, state: dict) -> None:
        """Takes rows over."""
        self.rows = state["rows"]
        self.directory.write_metrics(self.rows)


class StatusFile(keras.callbacks.Callback):
    """Says in `status.json` how far the run is, for whoever watches it.

    Args:
        directory: the run's.
        headline: the metric by which people judge.
        telemetry: what knows how far back the gradient reaches, if anything does.
    """

    def __init__(self, directory: RunDirectory, headline: str, telemetry: GradientTelemetry | None):
        super().__init__()
        self.directory, self.metric, self.telemetry = directory, f"val_{headline}", telemetry
        self._done = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Says what is done, what it gave, and how long the rest will take."""
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
    """Keeps the weights of the best epoch, and ends training where it has long been a better one.

    Args:
        metric: by which an epoch is better, of the validation part.
        patience: epochs without a better one after which training ends; `None` for never.
    """

    _REMEMBERED = ("wait", "best", "best_epoch", "stopped_epoch")

    def __init__(self, metric: str, patience: int | None):
        mode = "max" if metric in HIGHER_IS_BETTER else "min"
        never = patience is None
        super().__init__(f"val_{metric}", mode=mode, patience=2**31 if never else patience, restore_best_weights=True)

    def get_state(self) -> dict:
        """The best weights, and how long ago they were found."""
        state = {name: getattr(self, name) for name in self._REMEMBERED}
        return {**state, "best": None if state["best"] is None else float(state["best"]), "weights": self.best_weights}

    def set_state(self, state: dict) -> None:
        """Takes them over."""
        for name in self._REMEMBERED:
            setattr(self, name, state[name])
        self.best_weights = state["weights"]


class StopInTime(keras.callbacks.Callback):
    """Raises `DivergedError` at the first step whose loss, or whose gradient, is not finite; and what was lost of an
    interruption."""

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
        """The layer and timestep at which, on the way back, the gradient was first not finite."""
        for key, norms in (self.measurements.read() if self.measurements else {}).items():
            lost = np.flatnonzero(~np.isfinite(norms))
            if lost.size:
                backward = self.measurements.signals[key].direction == "backward"  # type: ignore[union-attr]
                return f"; the gradient, on its way back, at timestep {lost[0 if backward else -1]} of {key}"
        return ""


class Solved(keras.callbacks.Callback):
    """Notes the training step at which the validation part first met the task's criterion.

    Attributes:
        step: that step, the last of its epoch; `None` as long as there is none.
    """

    def __init__(self, task: Task):
        super().__init__()
        self.criterion = task.solved
        self.step: int | None = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Looks at the epoch's validation metrics."""
        if self.criterion is None or self.step is not None:
            return
        name, threshold = self.criterion
        value = (logs or {})[f"val_{name}"]
        if value >= threshold if name in HIGHER_IS_BETTER else value <= threshold:
            self.step = int(self.model.optimizer.iterations)

    def get_state(self) -> dict:
        """The step."""
        return {"step": self.step}

    def set_state(self, state: dict) -> None:
        """Takes a step over."""
        self.step = state["step"]


class Stopwatch(keras.callbacks.Callback):
    """Takes the time of training steps, validation and ends of epochs left out. The first of a run's callbacks.

    The first execution, in which the step is traced, does not count.

    Args:
        timesteps: of all sequences of one training step.
    """

    def __init__(self, timesteps: int) -> None:
        super().__init__()
        self.timesteps = timesteps
        self.seconds = {"data": 0.0, "step": 0.0, "logging": 0.0}
        self.steps = 0
        self._traced = False
        self._began = self._ended = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Forgets when the last step ended."""
        self._ended = 0.0

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Adds what the callbacks of the last step, and Keras, have taken."""
        self._began, self._first = time.perf_counter(), batch
        if self._ended:
            self.seconds["logging"] += self._began - self._ended

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Adds a step, or several that are executed together."""
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
        """Steps and timesteps per second, and the shares of data, step and logging in the time that steps take."""
        total = sum(self.seconds.values())
        if not total:
            return {}
        return {"steps_per_second": self.steps / total, "timesteps_per_second": self.timesteps * self.steps / total} | {
            f"share_{name}": taken / total for name, taken in self.seconds.items()
        }

    def get_state(self) -> dict:
        """Times so far."""
        return {"seconds": self.seconds, "steps": self.steps}

    def set_state(self, state: dict) -> None:
        """Takes times over."""
        self.seconds, self.steps = dict(state["seconds"]), state["steps"]


class Profile(keras.callbacks.Callback):
    """Profiles the first executions of steps of the second epoch, or of the only one, for TensorBoard's Profile tab.

    Args:
        directory: where the profile is written.
        epochs: how many there are.
    """

    _EXECUTIONS = 10

    def __init__(self, directory: Path, epochs: int):
        super().__init__()
        self.directory, self._epoch = directory, min(1, epochs - 1)
        self._left = 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Begins, if it is time."""
        if epoch == self._epoch:
            self._left = self._EXECUTIONS
            tf.profiler.experimental.start(str(self.directory))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Ends after some of them."""
        self._left -= 1
        if self._left == 0:
            tf.profiler.experimental.stop()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Ends where the epoch has fewer."""
        if self._left > 0:
            self._left = 0
            tf.profiler.experimental.stop()


class FreshStates(keras.callbacks.Callback):
    """Lets a stateful network start every pass over a part of the data from zero."""

    def _reset(self, *arguments: object) -> None:
        self.model.get_layer("stack").reset_state()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._reset()

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._reset()


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
        self._kept = checkpoint.read(path, len(_variables(model)))
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
        checkpoint.write(self.path, {**ends, "variables": variables, "callbacks": states})


def _variables(model: keras.Model) -> list[Any]:
    """All that training changes, but for metrics, which every epoch begins anew."""
    return [*model.variables, *model.optimizer.variables]
