"""The command line as a user types it, in an empty folder."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TRAIN = Path(__file__).parents[2] / "train.py"
ONE_BY_ONE = "hydra.launcher.n_jobs=1"
"""For a sweep of which nothing but its runs is looked at: TensorFlow is imported once."""
SMALL = ("cell.units=6", "trainer.epochs=2", "trainer.batch_size=16", "telemetry.every=2")
SMALL_ADDING = (
    *SMALL,
    "dataset=adding",
    "dataset.length=12",
    "dataset.train_size=64",
    "dataset.validation_size=16",
    "dataset.test_size=16",
)


def run_train(folder: Path, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """`rnnscope train …` started in a folder."""
    command = [sys.executable, str(TRAIN), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=timeout)


@pytest.fixture
def train(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`train("cell=gru")` in the test's own folder."""
    return lambda *arguments: run_train(tmp_path, *arguments)


@pytest.fixture(scope="session")
def sweep(tmp_path_factory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One small sweep that several tests look at: what it printed, and its folder."""
    folder = tmp_path_factory.mktemp("sweep")
    ended = run_train(folder, "-m", "cell=rnn,lstm,gru", *SMALL_ADDING, ONE_BY_ONE, "name=small")
    return ended, folder / "runs" / "small"
