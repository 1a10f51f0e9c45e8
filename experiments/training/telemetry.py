"""Callbacks that write curves, gradient norms and inspections of a run for TensorBoard."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from rnnscope.callbacks import described, write_inspection
from rnnscope.probes import Signal
from tensorboard_gradient_flow import profile
from tensorboard_gradient_flow.format import PLUGIN_NAME
from tensorboard_gradient_flow.reader import read
from tensorboard_gradient_flow.summaries import write_gradient
from tensorboard_gradient_flow.writer import RunWriter

from .measured_model import Measurements
from .plots import gradient_heatmap

_HEATMAPS = 4
"""Number of times in a run that the heatmaps are drawn."""


class Curves(keras.callbacks.Callback):
    """Callback that writes training and validation curves by training step: `loss/train`, `loss/validation`, …

    Args:
        writer: writer of the run's event file.
        baselines: metrics of each baseline on the validation split, by name. Each becomes a horizontal line in the
            chart of its metric, such as `loss/baseline_majority_class`.
    """

    def __init__(self, writer: RunWriter, baselines: dict[str, dict[str, float]]):
        super().__init__()
        self.writer = writer
        self.lines = {
            f"{metric}/baseline_{re.sub('[^a-z0-9]+', '_', name.lower())}": value
            for name, metrics in baselines.items()
            for metric, value in metrics.items()
        }

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Write the epoch's metrics."""
        step = int(self.model.optimizer.iterations)
        for name, value in (logs or {}).items():
            metric, part = (name[4:], "validation") if name.startswith("val_") else (name, "train")
            self.writer.scalar(f"{metric}/{part}", value, step)
        for tag, value in self.lines.items():
            if tag.partition("/")[0] in (logs or {}):
                self.writer.scalar(tag, value, step)
        self.writer.flush()


class GradientTelemetry(keras.callbacks.Callback):
    """Callback that writes gradient norms per timestep: as vectors, as heatmaps, and as a few scalars.

    The scalars are for TensorBoard without the plugin.

    Args:
        writer: writer of the run's event file.
        measurements: where the training step stores its measurements.
        title: description of the run, for the titles of the heatmaps.
    """

    def __init__(self, writer: RunWriter, measurements: Measurements, title: str):
        super().__init__()
        self.writer = writer
        self.measurements = measurements
        self.title = title
        self.steps: list[int] = []
        self.norms: dict[str, list[np.ndarray]] = defaultdict(list)
        self._drawn, self._seen = -1, 0

    def go_on(self, directory: Path) -> None:
        """Restore the records of an interrupted run from its event files."""
        records = {tag: record for tag, record in read(directory).items() if record.metadata["kind"] == "gradient"}
        whole = min((len(record.steps) for record in records.values()), default=0)  # a damaged file may lack records
        for tag, record in records.items():
            key, of = tag.removeprefix(f"{PLUGIN_NAME}/"), record.metadata
            self.steps, self.norms[key] = record.steps[:whole], record.norms[:whole]
            signal = Signal(of["layer"], of["signal"], of["direction"], of["cell"], of["units"])
            self.measurements.signals[key] = signal  # needed if no training step is left that would set it

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Note the training step at which the epoch starts."""
        self._seen = int(self.model.optimizer.iterations)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Record the measured step, if a step was measured since the last call."""
        step, every = int(self.model.optimizer.iterations), self.measurements.every
        due, self._seen = step // every > self._seen // every, step
        if due:
            self._record(step // every * every)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Draw the heatmaps a few times per run."""
        if (epoch + 1) % max(1, -(-self.params["epochs"] // _HEATMAPS)) == 0:
            self.draw()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Draw the heatmaps of the whole run."""
        self.draw()

    def _record(self, step: int) -> None:
        self.steps.append(step)
        self.writer.scalar("gradient_norm/global", float(np.linalg.norm(self.model.weight_norms)), step)
        for key, norms in self.measurements.read().items():
            signal = self.measurements.signals[key]
            self.norms[key].append(norms)
            write_gradient(self.writer, signal.layer, signal.name, norms, step, **described(signal))

    def draw(self) -> None:
        """Write the current heatmap of each signal."""
        if not self.steps or self._drawn == self.steps[-1]:
            return
        self._drawn = self.steps[-1]
        for key, norms in self.norms.items():
            signal = self.measurements.signals[key]
            picture = gradient_heatmap(self.steps, norms, f"{self.title}: {signal.layer}", signal.name)
            self.writer.image(f"gradient_heatmap/{key}", picture, self._drawn)
        self.writer.flush()

    def summary(self) -> dict[str, dict[str, Any]]:
        """Return, for each layer, a summary of the gradient norm with respect to h at the end of training.

        It consists of the gradient horizon, the largest possible horizon, the ratio of the norms at the first and the
        last timestep, the factor per timestep, and the verdict with its explanation. All are computed from the root
        mean square of the last ten records. The result is empty if nothing was recorded.
        """
        summary = {}
        for key, norms in self.norms.items():
            signal = self.measurements.signals[key]
            if signal.name == "h":
                last = profile.root_mean_square(norms[-profile.RECORDS :])
                verdict = profile.verdict(last, backward=signal.direction == "backward")
                summary[signal.layer] = {
                    "horizon": verdict.horizon,
                    "steps": len(last) - 1,
                    "first_to_last": profile.first_to_last(last),
                    "per_step_factor": verdict.factor,
                    "verdict": verdict.name,
                    "explanation": verdict.explanation,
                }
        return summary


class LookInside(keras.callbacks.Callback):
    """Callback that regularly inspects the layers on a fixed batch: Jacobians, gates and activations at every timestep.

    Args:
        writer: writer of the run's event file.
        inputs: the batch.
        every: number of epochs from one inspection to the next.
    """

    def __init__(self, writer: RunWriter, inputs: np.ndarray, every: int):
        super().__init__()
        self.writer, self.inputs, self.every = writer, inputs, every

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Inspect the layers if an inspection is due."""
        if (epoch + 1) % self.every == 0:
            write_inspection(self.writer, self.model, self.inputs, int(self.model.optimizer.iterations))
