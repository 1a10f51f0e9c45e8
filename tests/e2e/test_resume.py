"""A run that is stopped or killed goes on where it was, and ends as if nothing had happened."""

import json
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import rnnscope  # noqa: F401  (its classes are needed to load a model)
from tensorboard_gradient_flow.reader import read
from tests.e2e.conftest import SMALL, SMALL_ADDING, TRAIN, run_train

RANDOMLY = ["cell.dropout=0.2", "cell.recurrent_dropout=0.2", "architecture.zoneout=0.1", "dataset.train_size=2000"]
CASES = {
    "dropout and zoneout": [*SMALL, *SMALL_ADDING, "trainer.epochs=10", *RANDOMLY],
    "stateful, without telemetry": [
        *SMALL, "dataset=tunes", "dataset.stateful=true", "dataset.train_size=800", "trainer.epochs=5",
        "telemetry.every=0", "optimizer=sgd",
    ],
    "patience": [
        *SMALL, *SMALL_ADDING, "trainer.epochs=40", "trainer.patience=2", "dataset.train_size=2000",
        "optimizer.learning_rate=0.1",
    ],
}  # fmt: skip


def only_run(folder):
    (run,) = [path for path in folder.glob("runs/*/*") if path.is_dir()]
    return run


def killed(folder, overrides, number=signal.SIGKILL, rows=2):
    """Starts a run and sends it a signal once it has done some epochs."""
    process = subprocess.Popen([sys.executable, str(TRAIN), *overrides], cwd=folder, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        (*found,) = folder.glob("runs/*/*/metrics.csv")
        if found and len(found[0].read_text().splitlines()) > rows:
            break
        time.sleep(0.01)
    assert process.poll() is None
    process.send_signal(number)
    process.wait(60)


def assert_same_result(run, reference):
    assert (run / "metrics.csv").read_text() == (reference / "metrics.csv").read_text()
    one, other = (keras.models.load_model(path / "model.keras").get_weights() for path in (run, reference))
    for mine, expected in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, expected)
    mine, expected = (json.loads((path / "result.json").read_text()) for path in (run, reference))
    for result in (mine, expected):
        del result["seconds"], result["speed"]
    assert mine == expected


def assert_ended_alike(run, reference):
    assert_same_result(run, reference)
    mine, expected = read(run), read(reference)
    assert mine.keys() == expected.keys()
    for tag in mine:
        assert mine[tag].steps == expected[tag].steps
        np.testing.assert_array_equal(mine[tag].norms, expected[tag].norms)


@pytest.mark.parametrize(
    ("case", "signals"),
    [
        ("dropout and zoneout", [signal.SIGINT, signal.SIGKILL]),
        ("stateful, without telemetry", [signal.SIGKILL]),
        ("patience", [signal.SIGKILL]),
    ],
)
def test_a_run_that_is_stopped_by_ctrl_c_or_killed_ends_like_one_that_was_left_alone(tmp_path, case, signals):
    """Some epochs are between two signals, and between the last signal and the end."""
    overrides = CASES[case]
    folders = tmp_path / "disturbed", tmp_path / "alone"
    for folder in folders:
        folder.mkdir()
    before = ""
    for number in signals:
        killed(folders[0], overrides, number, rows=len(before.splitlines()) or 2)
        run = only_run(folders[0])
        assert not (run / "result.json").exists()
        rows = (run / "metrics.csv").read_text()
        assert rows.startswith(before)
        assert rows != before
        before = rows
    for folder in folders:
        ended = run_train(folder, *overrides)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (run / "metrics.csv").read_text().startswith(before)
    assert_ended_alike(run, only_run(folders[1]))


def test_a_second_process_leaves_a_run_to_the_first_and_takes_it_over_when_that_is_gone(tmp_path):
    overrides = [*SMALL, *SMALL_ADDING, "trainer.epochs=100000"]
    first = subprocess.Popen([sys.executable, str(TRAIN), *overrides], cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        while not list(tmp_path.glob("runs/*/*/checkpoint.npz")):
            assert first.poll() is None
            time.sleep(0.05)
        second = run_train(tmp_path, *overrides)
        assert second.returncode == 1
        assert "running: another process is at work on it" in second.stdout
        assert first.poll() is None
        rows = len((only_run(tmp_path) / "metrics.csv").read_text().splitlines())
    finally:
        first.kill()
        first.wait()
    killed(tmp_path, overrides, signal.SIGINT, rows + 5)
    run = only_run(tmp_path)
    assert json.loads((run / "status.json").read_text())["state"] == "interrupted"
    epochs = [int(row.split(",")[0]) for row in (run / "metrics.csv").read_text().splitlines()[1:]]
    assert epochs == list(range(1, len(epochs) + 1))
    assert len(epochs) > rows
