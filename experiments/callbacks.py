"""What happens while a network trains, beside what TensorBoard shows: rows kept, ends found, waiting timed."""

import math
import time

import keras
import numpy as np

from . import interruption
from .data import Task
from .data.outputs import HIGHER_IS_BETTER
from .record import RunDirectory
from .training import Measurements


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
        if not np.isfinite(norms).all():
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


class Waiting(keras.callbacks.Callback):
    """Takes the time of all training steps but the first, in which the step is traced.

    Attributes:
        share: of that time, what they have waited for their data.
    """

    def __init__(self) -> None:
        super().__init__()
        self.share: float | None = None
        self._began = self._took = self._waited = 0.0
        self._first = True

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if not self._first:
            self._took += time.perf_counter() - self._began
            self._waited += self.model.waited
            self.share = self._waited / self._took
        self._first = False
        self.model.waited = 0.0

    def get_state(self) -> dict:
        """Times so far."""
        return {"took": self._took, "waited": self._waited}

    def set_state(self, state: dict) -> None:
        """Takes times over."""
        self._took, self._waited = state["took"], state["waited"]
        self.share = self._waited / self._took if self._took else None


class FreshStates(keras.callbacks.Callback):
    """Lets a stateful network start every pass over a part of the data from zero."""

    def _reset(self, *arguments: object) -> None:
        self.model.get_layer("stack").reset_state()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._reset()

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._reset()
