"""One run, a straight road: configuration → dataset → model → training with telemetry → record."""

import logging
import math
import re
import time
from pathlib import Path
from textwrap import shorten
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from tensorboard_gradient_flow.summaries import write_layout
from tensorboard_gradient_flow.writer import RunWriter

from . import data, files, hparams, interruption
from .data import Task
from .model import build_network, build_optimizer, compile_arguments
from .progress import TrainingProgress
from .record import RunDirectory, State
from .report import console, line
from .seeds import number
from .telemetry import Curves, GradientTelemetry, LookInside
from .training import MeasuredModel, Measurements, batches, steps_per_epoch

log = logging.getLogger(__name__)
_EVALUATION_BATCH = 512


class DivergedError(Exception):
    """The loss, or a gradient, is no longer finite."""


def run_here(config: DictConfig) -> None:
    """Runs a configuration in Hydra's output directory; every end that it can come to is recorded there."""
    directory = RunDirectory(Path(HydraConfig.get().runtime.output_dir))
    directory.begin(config.seed)
    with RunWriter(directory.path) as writer:
        state: State = "failed"
        message = ""
        try:
            hparams.write_start(writer, OmegaConf.to_container(config, resolve=True))  # type: ignore[arg-type]
            directory.write_result(train(config, directory, writer))
            state = "completed"
        except DivergedError as error:
            state, message = "diverged", str(error)
        except KeyboardInterrupt:
            state, message = "interrupted", "stopped from the keyboard"
            raise
        except Exception as error:
            message = f"{_in_one_line(error)} (the traceback is in train.log)"
            log.exception("the run failed")
        finally:
            directory.set_state(state, message)
            hparams.write_end(writer, state)
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        console().print(line(directory.path), markup=False, highlight=False, soft_wrap=True)


def _in_one_line(error: Exception) -> str:
    """An exception's type and message, without line breaks and terminal codes, in at most 300 characters."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", f"{type(error).__name__}: {error}")
    return shorten(plain, 300, placeholder=" …")


def train(config: DictConfig, directory: RunDirectory, writer: RunWriter) -> dict[str, Any]:
    """Trains one model and measures it.

    Args:
        config: a composed and checked configuration.
        directory: where metrics and the model are kept.
        writer: the run's event file.

    Returns:
        What `result.json` holds.

    Raises:
        DivergedError: the loss or a weight's gradient became NaN or infinite.
    """
    began = time.perf_counter()
    keras.backend.clear_session()
    keras.utils.set_random_seed(number(config.seed, "initialisation"))
    tf.config.experimental.enable_op_determinism()
    task = data.load(config.dataset, config.seed)
    network = build_network(config, task)
    write_layout(writer)
    writer.text("configuration", _as_markdown(config, network))

    measurements = Measurements(config.telemetry.signals) if config.telemetry.every else None
    history, gradient = _fit(config, task, network, measurements, directory, writer)
    files.write_whole(directory.path / "model.keras", lambda path: network.save(path))

    metrics = _evaluate(network, task)
    step = int(history[-1]["step"])
    for name, value in metrics.items():
        writer.scalar(f"test/{name}", value, step)
    if gradient:
        writer.scalar("gradient_norm/horizon", max(layer["horizon"] for layer in gradient.values()), step)
    return {
        "metrics": metrics,
        "baseline": {"name": task.baseline, **task.baseline_metrics},
        "parameters": network.count_params(),
        "epochs": len(history),
        "steps": step,
        "seconds": round(time.perf_counter() - began, 3),
        "gradient": gradient,
    }


def _fit(
    config: DictConfig,
    task: Task,
    network: keras.Model,
    measurements: Measurements | None,
    directory: RunDirectory,
    writer: RunWriter,
) -> tuple[list[dict[str, float]], dict[str, Any]]:
    """Trains the network; returns one row of metrics an epoch, and what the gradient came to."""
    trainer = config.trainer
    model = MeasuredModel(network.inputs, network.outputs, name=network.name)
    model.measurements = measurements
    model.compile(build_optimizer(config.optimizer), **compile_arguments(task))
    steps = steps_per_epoch(task.train, trainer.batch_size)
    title = f"{config.cell.name} on {config.dataset.name}"
    progress = TrainingProgress(console(), title, trainer.epochs, steps)
    metrics = _MetricsFile(directory)
    best = keras.callbacks.EarlyStopping(
        "val_loss", patience=trainer.patience or trainer.epochs, restore_best_weights=True
    )
    callbacks = [StopInTime(measurements), progress, metrics, Curves(writer), best]
    telemetry = None
    if measurements is not None:
        telemetry = GradientTelemetry(writer, measurements, config.telemetry.every, title)
        callbacks.append(telemetry)
    if config.telemetry.inspect_every:
        examples = task.validation.inputs[: config.telemetry.inspect_examples]
        callbacks.append(LookInside(writer, examples, config.telemetry.inspect_every))
    try:
        model.fit(
            batches(task.train, trainer.batch_size, trainer.epochs, config.seed),
            epochs=trainer.epochs,
            steps_per_epoch=steps,
            validation_data=(task.validation.inputs, task.validation.targets),
            validation_batch_size=_EVALUATION_BATCH,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    finally:
        progress.stop()
    return metrics.rows, telemetry.summary() if telemetry is not None else {}


def _evaluate(network: keras.Model, task: Task) -> dict[str, float]:
    """Metrics on the test part."""
    network.compile(**compile_arguments(task))
    metrics = network.evaluate(
        task.test.inputs, task.test.targets, batch_size=_EVALUATION_BATCH, verbose=0, return_dict=True
    )
    return {name: float(value) for name, value in metrics.items()}


class _MetricsFile(keras.callbacks.Callback):
    """Keeps `metrics.csv`, a row an epoch."""

    def __init__(self, directory: RunDirectory):
        super().__init__()
        self.directory = directory
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        step = int(self.model.optimizer.iterations)
        self.rows.append({"epoch": epoch + 1, "step": step, **{k: float(v) for k, v in (logs or {}).items()}})
        self.directory.write_metrics(self.rows)


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


def _as_markdown(config: DictConfig, network: keras.Model) -> str:
    """The weights and the configuration, for TensorBoard's text page."""
    rows = [f"| {w.path} | {' × '.join(map(str, w.shape))} | {math.prod(w.shape):,} |" for w in network.weights]
    table = "\n".join(["| weight | shape | parameters |", "|---|---|---:|", *rows])
    yaml = OmegaConf.to_yaml(config, resolve=True)
    return f"{network.count_params():,} parameters\n\n{table}\n\n```yaml\n{yaml}```"
