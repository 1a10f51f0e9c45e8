"""A run that raises, hangs or crashes ends alone, with what it said in its directory; the sweep goes on."""

import os
import signal
import subprocess
import sys
import time

from rnnscope.experiments.runs.directory import RunDirectory
from tests.e2e.conftest import ONE_BY_ONE, SMALL_ADDING, TRAIN, run_train
from tests.e2e.test_resume import assert_ended_alike

SWEEP = ["-m", *SMALL_ADDING, "trainer.epochs=60", "dataset.train_size=320", "cell=rnn", "name=some"]

TOO_MANY = 10**19
"""Units, for a tensor: raises at once. (Where there are merely too many for the memory, TensorFlow tries for 10 s.)"""


def begun(folder, *arguments):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, str(TRAIN), *SWEEP, *arguments], cwd=folder, **pipes)


def run_of(folder, start, seconds=120):
    """The run whose directory's name begins like that, once it has trained an epoch."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for path in folder.glob(f"runs/some/{start}*/checkpoint.npz"):
            return RunDirectory(path.parent)
        time.sleep(0.02)
    raise TimeoutError


def states(folder):
    return sorted(RunDirectory(path.parent).state for path in folder.glob("runs/some/*/status.json"))


def test_runs_that_raise_hang_or_crash_leave_the_others_alone(tmp_path):
    """More units than can be counted raise; a stopped process hangs."""
    arguments = [f"cell.units=6,{TOO_MANY}", "seed=1,2,3", "trainer.time_limit=45", "hydra.launcher.n_jobs=2"]
    sweep = begun(tmp_path, *arguments)
    crashing = run_of(tmp_path, "rnn-adding-s1")
    os.kill(crashing.status["process"], signal.SIGSEGV)
    hanging = run_of(tmp_path, "rnn-adding-s2")
    os.kill(hanging.status["process"], signal.SIGSTOP)
    while sum(state != "running" for state in states(tmp_path)) < 5 and sweep.poll() is None:
        time.sleep(0.1)
    alone = tmp_path / "alone"  # while nothing happens but waiting for the one that hangs
    alone.mkdir()
    assert run_train(alone, *SWEEP, "cell.units=6", "seed=1,2", "hydra/launcher=basic").returncode == 0
    stdout, stderr = sweep.communicate(timeout=200)
    assert sweep.returncode == 1
    assert "Traceback" not in stdout + stderr
    assert states(tmp_path) == ["completed", "failed", "failed", "failed", "failed", "timed_out"], stdout
    assert crashing.status["message"] == "its process crashed, SIGSEGV (what it said is in train.log)"
    assert "Segmentation fault" in (crashing.path / "train.log").read_text()  # and where each thread was
    assert hanging.status["message"] == "it took longer than trainer.time_limit=45 seconds"
    assert f"{hanging.path.relative_to(tmp_path)}: timed_out: it took longer" in stdout
    assert stdout.startswith("6 runs, 2 at a time, 1 thread each (hydra.launcher.n_jobs, trainer.threads)\n")
    for path in tmp_path.glob("runs/some/*"):
        run = RunDirectory(path)
        if run.state == "failed" and path != crashing.path:
            assert f"{path.relative_to(tmp_path)}: failed: ValueError: Can't convert" in stdout
            assert "Traceback" in (path / "train.log").read_text()

    rows = (hanging.path / "metrics.csv").read_text()
    again = run_train(tmp_path, *SWEEP, "cell.units=6", "seed=1,2,3")
    assert again.returncode == 1
    assert "2 had ended badly and were not tried again; sweep.retry_failed=true does." in again.stdout
    again = run_train(tmp_path, *SWEEP, "cell.units=6", "seed=1,2,3", "sweep.retry_failed=true", ONE_BY_ONE)
    assert again.returncode == 0, again.stdout
    assert (hanging.path / "metrics.csv").read_text().startswith(rows)
    for run in (crashing, hanging):  # one from the start, one from where it hung
        assert_ended_alike(run.path, alone / run.path.relative_to(tmp_path))


def test_a_single_run_that_fails_is_shown_again_and_tried_again_when_asked(train, tmp_path):
    ended = train(*SMALL_ADDING, f"cell.units={TOO_MANY}")
    assert ended.returncode == 1
    assert "failed: " in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    (run,) = (RunDirectory(path.parent) for path in tmp_path.glob("runs/default/*/status.json"))
    before = run.status
    ended = train(*SMALL_ADDING, f"cell.units={TOO_MANY}")
    assert ended.returncode == 1
    assert "sweep.retry_failed=true" in ended.stdout
    assert run.status == before
    assert train(*SMALL_ADDING, f"cell.units={TOO_MANY}", "sweep.retry_failed=true").returncode == 1
    assert run.status["process"] != before["process"]


def test_when_the_sweep_is_killed_its_runs_end_too_and_the_same_command_goes_on(tmp_path):
    arguments = ["cell.units=6", "seed=1,2", "hydra/launcher=basic"]
    sweep = begun(tmp_path, *arguments)
    run = run_of(tmp_path, "rnn-adding-s1")
    process = run.status["process"]
    sweep.kill()
    sweep.communicate()
    deadline = time.monotonic() + 30
    while os.path.exists(f"/proc/{process}"):  # noqa: PTH110
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert run.state == "interrupted"
    ended = run_train(tmp_path, *SWEEP, *arguments)
    assert ended.returncode == 0, ended.stdout
    assert states(tmp_path) == ["completed", "completed"]
