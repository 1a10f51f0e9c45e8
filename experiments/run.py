"""One run, a straight road: configuration → dataset → model → training with telemetry → record."""

import dataclasses
import logging
import re
import time
from pathlib import Path
from textwrap import shorten
from typing import Any

import keras
import tensorflow as tf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from tensorboard_gradient_flow.summaries import write_layout
from tensorboard_gradient_flow.trim import trim
from tensorboard_gradient_flow.writer import RunWriter

from . import data, files, hparams
from .callbacks import Best, DivergedError, FreshStates, MetricsFile, Solved, StopInTime, Waiting
from .checkpoint import Checkpoint, Remembering, step_of
from .data import Split, Task
from .data.outputs import score
from .errors import UserError
from .model import build_network, build_optimizer, weights_table
from .objectives import compile_arguments
from .progress import TrainingProgress
from .record import RunDirectory, State
from .report import console, line
from .seeds import number
from .telemetry import Curves, GradientTelemetry, LookInside
from .training import (
    MeasuredModel,
    Measurements,
    batches,
    examples,
    in_streams,
    network_inputs,
    steps_per_epoch,
)

log = logging.getLogger(__name__)
_EVALUATION_BATCH = 512


def run_here(config: DictConfig) -> None:
    """Runs a configuration in Hydra's output directory; every end that it can come to is recorded there."""
    directory = RunDirectory(Path(HydraConfig.get().runtime.output_dir))
    resumed = _resume(directory) if not config.rerun else False
    if not resumed:
        directory.begin(config.seed)
    with RunWriter(directory.path) as writer:
        state: State = "failed"
        message = ""
        try:
            if not resumed:
                hparams.write_start(writer, OmegaConf.to_container(config, resolve=True))  # type: ignore[arg-type]
            directory.write_result(train(config, directory, writer))
            state = "completed"
        except DivergedError as error:
            state, message = "diverged", str(error)
        except KeyboardInterrupt:
            state, message = "interrupted", "stopped from the keyboard"
            raise
        except UserError as error:
            message = str(error)
        except Exception as error:
            message = f"{_in_one_line(error)} (the traceback is in train.log)"
            log.exception("the run failed")
        finally:
            directory.set_state(state, message)
            hparams.write_end(writer, state)
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        console().print(line(directory.path), markup=False, highlight=False, soft_wrap=True)


def _resume(directory: RunDirectory) -> bool:
    """Makes an interrupted run's directory as it was at its last checkpoint, if there is one to go on from."""
    if directory.state not in ("running", "interrupted"):
        return False
    step = step_of(directory.checkpoint)
    if step is None:
        return False
    trim(directory.path, step, keep=hparams.is_of_a_run_under_way)
    directory.set_state("running")
    return True


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
    task = _arranged(data.load(config.dataset, config.seed), config.trainer.batch_size)
    signature = task.signature
    network = build_network(config, signature, config.trainer.batch_size if task.stateful else None)
    directory.write_task(signature)
    if not directory.checkpoint.exists():
        yaml = OmegaConf.to_yaml(config, resolve=True)
        table = f"{network.count_params():,} parameters\n\n{weights_table(network)}"
        write_layout(writer, ("loss", task.output.headline))
        writer.text("configuration", f"{table}\n\n```yaml\n{yaml}```")
    training = _fit(config, task, network, directory, writer, began)
    files.write_whole(directory.path / "model.keras", lambda path: network.save(path))

    metrics = _scores(network, task, task.test, _batch_size(config, task))
    for name, value in metrics.items():
        writer.scalar(f"test/{name}", value, training["steps"])
    if training["gradient"]:
        horizon = max(layer["horizon"] for layer in training["gradient"].values())
        writer.scalar("gradient_norm/horizon", horizon, training["steps"])
    return {
        "metrics": metrics,
        "headline": task.output.headline,
        "baselines": task.baseline_metrics(task.test),
        "parameters": network.count_params(),
        **training,
        "seconds": round(training["seconds"] + time.perf_counter() - began, 3),
    }


def _arranged(task: Task, batch_size: int) -> Task:
    """The task, its parts as streams side by side where each example goes on where another ended."""
    if not task.stateful:
        return task
    train, validation, test = (in_streams(part, batch_size) for part in task.parts)
    return dataclasses.replace(task, train=train, validation=validation, test=test)


def _batch_size(config: DictConfig, task: Task) -> int:
    """How many examples are evaluated at a time."""
    return config.trainer.batch_size if task.stateful else _EVALUATION_BATCH


def _fit(
    config: DictConfig, task: Task, network: keras.Model, directory: RunDirectory, writer: RunWriter, began: float
) -> dict[str, Any]:
    """Trains the network, from its last checkpoint on; returns what `result.json` says of it."""
    trainer = config.trainer
    model = MeasuredModel.around(network)
    model.measurements = measurements = Measurements(config.telemetry.signals) if config.telemetry.every else None
    model.compile(build_optimizer(config.optimizer), **compile_arguments(task.output))
    steps = steps_per_epoch(task.train, trainer.batch_size)
    title = f"{config.cell.name} on {config.dataset.name}"
    progress = TrainingProgress(console(), title, trainer.epochs, steps)
    rows, solved, waiting = MetricsFile(directory), Solved(task), Waiting()
    best = Best(task.output.monitor, trainer.patience)
    remembering: dict[str, Remembering] = {"rows": rows, "solved": solved, "best": best, "waiting": waiting}
    checkpoint = Checkpoint(directory.checkpoint, model, remembering, began)
    curves = Curves(writer, task.baseline_metrics(task.validation))
    callbacks = [waiting, StopInTime(measurements), progress, rows, curves, solved, best]
    telemetry = None
    if measurements is not None:
        telemetry = GradientTelemetry(writer, measurements, config.telemetry.every, title)
        if checkpoint.epoch:
            telemetry.go_on(directory.path)
        callbacks.append(telemetry)
    if config.telemetry.inspect_every:
        looked_at = network_inputs(task.validation[: config.telemetry.inspect_examples], task.output)
        callbacks.append(LookInside(writer, looked_at, config.telemetry.inspect_every))
    if task.stateful:
        callbacks.append(FreshStates())
    callbacks.append(checkpoint)
    seed = None if task.stateful else config.seed
    first = trainer.epochs if checkpoint.stopped else checkpoint.epoch
    try:
        model.fit(
            batches(task.train, task.output, trainer.batch_size, range(first, trainer.epochs), seed),
            initial_epoch=first,
            epochs=trainer.epochs,
            steps_per_epoch=steps,
            validation_data=examples(task.validation, task.output),
            validation_batch_size=_batch_size(config, task),
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    finally:
        progress.stop()
    return {
        "epochs": len(rows.rows),
        "steps": int(rows.rows[-1]["step"]),
        "seconds": checkpoint.seconds,
        "solved_at_step": solved.step,
        "waiting_for_data": waiting.share,
        "gradient": telemetry.summary() if telemetry is not None else {},
    }


def _scores(network: keras.Model, task: Task, part: Split, batch_size: int) -> dict[str, float]:
    """The network's metrics on a part."""
    if task.stateful:
        network.get_layer("stack").reset_state()
    predict = lambda chunk: network.predict_on_batch(network_inputs(chunk, task.output))
    return score(task.output, predict, part.chunks(batch_size))
