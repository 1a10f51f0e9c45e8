"""Execution of one run: configuration → dataset → model → training with telemetry → results."""

import errno
import logging
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import keras
import tensorflow as tf
from omegaconf import DictConfig, OmegaConf

from tensorboard_gradient_flow.summaries import write_layout
from tensorboard_gradient_flow.trim import trim
from tensorboard_gradient_flow.writer import RunWriter

from .. import data
from ..common import files
from ..common.console import console
from ..common.errors import UserError
from ..common.seeds import number
from ..data import Task
from ..runs import checkpoint, hparams
from ..runs.directory import TO_GO_ON, RunDirectory, State
from .batches import batches, network_inputs, one_pass, steps_per_epoch
from .callbacks import (
    Best,
    Checkpoint,
    DivergedError,
    FreshStates,
    MetricsFile,
    Profile,
    Remembering,
    Solved,
    StatusFile,
    StopInTime,
    Stopwatch,
)
from .losses import compile_arguments
from .measured_model import MeasuredModel, Measurements
from .model import build_network, build_optimizer, weights_table
from .precision import precision
from .progress import TrainingProgress
from .scoring import arranged, evaluation_batch_size, scores
from .telemetry import Curves, GradientTelemetry, LookInside

log = logging.getLogger(__name__)
_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.ESTALE)
"""Errors of the machine, not of the run. The run can resume once their cause is fixed."""


def run(config: DictConfig, directory: RunDirectory, overrides: Sequence[str], alone: bool) -> None:
    """Execute a run and record its outcome, also after an error or an interruption.

    Args:
        config: a composed and validated configuration.
        directory: the run directory, claimed by this process.
        overrides: the overrides from which the configuration was composed.
        alone: whether this is the only run, which may show its progress.

    Raises:
        KeyboardInterrupt: the run was interrupted.
    """
    state: State = "failed"
    message = ""
    resumed = not config.rerun and _resume(directory)
    if not resumed:
        directory.begin(config, overrides)
        if config.continued_from is not None:
            _take_over(RunDirectory(Path(config.continued_from)), directory)
    try:
        with RunWriter(directory.path) as writer:
            try:
                if not resumed:
                    hparams.write_start(writer, OmegaConf.to_container(config, resolve=True))  # type: ignore[arg-type]
                with precision(config.trainer.precision):
                    directory.write_result(train(config, directory, writer, alone))
                state = "completed"
            finally:
                hparams.write_end(writer, state)
    except DivergedError as error:
        state, message = "diverged", str(error)
    except KeyboardInterrupt:
        state, message = "interrupted", "stopped by Ctrl-C, or asked to end"
        raise
    except UserError as error:
        message = str(error)
    except Exception as error:
        of_machine = isinstance(error, OSError) and error.errno in _OF_THE_MACHINE
        state = "interrupted" if of_machine else "failed"
        message = f"{_in_one_line(error)} (the traceback is in train.log)"
        log.exception("the run failed")
    finally:
        directory.set_state(state, message)


def _resume(directory: RunDirectory) -> bool:
    """Restore an interrupted run's directory to its last checkpoint, and return whether this was possible."""
    step = checkpoint.step_of(directory.checkpoint)
    if step is None or directory.state not in (*TO_GO_ON, "timed_out"):
        return False
    trim(directory.path, step, keep=lambda tag: not hparams.is_of_the_end(tag))
    directory.set_state("running")
    return True


def _take_over(origin: RunDirectory, directory: RunDirectory) -> None:
    """Copy the checkpoint and the event files of a run to the directory of a run that continues from it."""
    checkpoint.copy(origin.checkpoint, directory.checkpoint)
    for path in origin.path.glob("events.out.tfevents.*"):
        shutil.copy(path, directory.path)
    step = checkpoint.step_of(directory.checkpoint)
    trim(directory.path, step or 0, keep=lambda tag: not hparams.is_of_one_run(tag))


def _in_one_line(error: Exception) -> str:
    """Return an exception's type and message in one line of at most 300 characters, without terminal codes."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", f"{type(error).__name__}: {error}")
    return shorten(plain, 300, placeholder=" …")


def train(config: DictConfig, directory: RunDirectory, writer: RunWriter, alone: bool) -> dict[str, Any]:
    """Train one model and evaluate it.

    Args:
        config: a composed and validated configuration.
        directory: where metrics and the model are saved.
        writer: writer of the run's event file.
        alone: whether to show progress.

    Returns:
        The contents of `result.json`.

    Raises:
        DivergedError: the loss or the gradient of a weight became NaN or infinite.
    """
    began = time.perf_counter()
    keras.backend.clear_session(free_memory=False)  # nothing to free, and the search for it is slow
    keras.utils.set_random_seed(number(config.seed, "initialisation"))
    tf.config.experimental.enable_op_determinism()
    task = arranged(data.load(config.dataset, config.seed), config.trainer.batch_size)
    signature = task.signature
    network = build_network(config, signature, config.trainer.batch_size if task.stateful else None)
    directory.write_task(signature)
    if not directory.checkpoint.exists():
        yaml = OmegaConf.to_yaml(config, resolve=True)
        table = f"{network.count_params():,} parameters\n\n{weights_table(network)}"
        write_layout(writer, ("loss", task.output.headline))
        writer.text("configuration", f"{table}\n\n```yaml\n{yaml}```")
    training = _fit(config, task, network, directory, writer, began, alone)
    files.write_whole(directory.path / "model.keras", lambda path: network.save(path))

    validation, metrics = (scores(network, task, part, evaluation_batch_size(config, task)) for part in task.parts[1:])
    for name, value in metrics.items():
        writer.scalar(f"test/{name}", value, training["steps"])
    if training["gradient"]:
        horizon = max(layer["horizon"] for layer in training["gradient"].values())
        writer.scalar("gradient_norm/horizon", horizon, training["steps"])
    return {
        "metrics": metrics,
        "validation": validation,
        "headline": task.output.headline,
        "baselines": task.baseline_metrics(task.test),
        "parameters": network.count_params(),
        **training,
        "seconds": round(training["seconds"] + time.perf_counter() - began, 3),
    }


def _fit(
    config: DictConfig,
    task: Task,
    network: keras.Model,
    directory: RunDirectory,
    writer: RunWriter,
    began: float,
    alone: bool,
) -> dict[str, Any]:
    """Train the network, starting from its last checkpoint, and return its entries of `result.json`."""
    trainer = config.trainer
    model = MeasuredModel.around(network)
    every = config.telemetry.every
    model.measurements = measurements = Measurements(config.telemetry.signals, every) if every else None
    model.compile(
        build_optimizer(config.optimizer),
        jit_compile={"True": True, "False": False}.get(trainer.jit_compile, "auto"),
        steps_per_execution=min(trainer.steps_per_execution, every or trainer.steps_per_execution),
        **compile_arguments(task.output),
    )
    model.steps_per_epoch = steps = steps_per_epoch(task.train, trainer.batch_size)
    title = f"{config.cell.name} on {config.dataset.name}"
    rows, solved = MetricsFile(directory), Solved(task)
    stopwatch = Stopwatch(trainer.batch_size * task.signature.steps)
    best = Best(task.output.monitor, trainer.patience)
    remembering: dict[str, Remembering] = {"rows": rows, "solved": solved, "best": best, "stopwatch": stopwatch}
    kept = Checkpoint(directory.checkpoint, model, remembering, began)
    curves = Curves(writer, task.baseline_metrics(task.validation))
    callbacks = [stopwatch, StopInTime(measurements), rows, curves, solved, best]
    telemetry = None
    if measurements is not None:
        telemetry = GradientTelemetry(writer, measurements, title)
        if kept.epoch:
            telemetry.go_on(directory.path)
        callbacks.append(telemetry)
    if config.telemetry.inspect_every:
        looked_at = network_inputs(task.validation[: config.telemetry.inspect_examples], task.output)
        callbacks.append(LookInside(writer, looked_at, config.telemetry.inspect_every))
    if task.stateful:
        callbacks.append(FreshStates())
    if trainer.profile:
        callbacks.append(Profile(directory.path, trainer.epochs))
    callbacks += [StatusFile(directory, task.output.headline, telemetry), kept]
    progress = TrainingProgress(console(), title, trainer.epochs, steps)
    if alone:
        callbacks.append(progress)
    seed = None if task.stateful else config.seed
    first = trainer.epochs if kept.stopped else kept.epoch
    try:
        model.fit(
            batches(task.train, task.output, trainer.batch_size, range(first, trainer.epochs), seed),
            initial_epoch=first,
            epochs=trainer.epochs,
            steps_per_epoch=steps,
            validation_data=one_pass(task.validation, task.output, evaluation_batch_size(config, task)),
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    finally:
        progress.stop()
    return {
        "epochs": len(rows.rows),
        "steps": int(rows.rows[-1]["step"]),
        "seconds": kept.seconds,
        "solved_at_step": solved.step,
        "speed": stopwatch.summary(),
        "gradient": telemetry.summary() if telemetry is not None else {},
    }
