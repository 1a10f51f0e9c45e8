"""The command line as a user runs it, in an empty folder."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.server import ROOT, server

TRAIN = ROOT / "train.py"
RNNSCOPE = (sys.executable, "-m", "rnnscope.experiments")
ONE_BY_ONE = "hydra.launcher.n_jobs=1"
"""Runs of a sweep one after another, all of them forked from one process that has imported TensorFlow."""
SMALL = ("cell.units=6", "trainer.epochs=2", "trainer.batch_size=16", "telemetry.every=2")
SMALL_ADDING = (
    *SMALL,
    "dataset=adding",
    "dataset.length=12",
    "dataset.train_size=64",
    "dataset.validation_size=16",
    "dataset.test_size=16",
)


def run_command(
    folder: Path,
    *arguments: object,
    fresh: bool = False,
    environment: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run `rnnscope …` in a folder, and wait for it.

    Args:
        folder: working directory of the command.
        arguments: those after `rnnscope`.
        fresh: whether a new Python process runs the command, as it does for a user. Otherwise the command runs in a
            child of a process that has imported TensorFlow. Parallel runs gain nothing from that: joblib's workers are
            new processes.
        environment: of the command; that of this process by default.
        timeout: seconds after which the command is killed.
    """
    texts = [str(argument) for argument in arguments]
    if not fresh:
        return server().run(folder, texts, environment=environment, timeout=timeout)
    command = [sys.executable, str(TRAIN), *texts[1:]] if texts[0] == "train" else [*RNNSCOPE, *texts]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=timeout
    )


def run_train(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `rnnscope train …` in a folder; the options are those of `run_command`."""
    return run_command(folder, "train", *arguments, **options)


@pytest.fixture
def train(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`train("cell=gru")` in the test's own folder."""
    return lambda *arguments, **options: run_train(tmp_path, *arguments, **options)


@pytest.fixture(scope="session")
def sweep(tmp_path_factory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One small sweep, two runs at a time, that several tests inspect: what it printed, and its folder."""
    folder = tmp_path_factory.mktemp("sweep")
    ended = run_train(folder, "-m", "cell=rnn,lstm,gru", *SMALL_ADDING, "name=small", fresh=True)
    return ended, folder / "runs" / "small"
