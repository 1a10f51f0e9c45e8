"""Runs and sweeps in a Python that lacks what Windows lacks; see `simulated_windows.py` for what that is."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from rnnscope.experiments.runs.directory import RunDirectory
from tests.e2e.conftest import SMALL_ADDING
from tests.e2e.processes import Commands, kill

pytestmark = pytest.mark.slow
COMMAND = Path(sysconfig.get_path("scripts"), "rnnscope")
LONG = [*SMALL_ADDING, "cell=rnn", "dataset.train_size=320", "trainer.epochs=60"]
"""Long enough for something to happen to a run."""


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    """The environment of a process that is to run as on Windows, with the encoding of files and pipes there."""
    folder = tmp_path_factory.mktemp("windows")
    shutil.copy(Path(__file__).with_name("simulated_windows.py"), folder / "sitecustomize.py")
    return {"PYTHONPATH": str(folder), "PYTHONIOENCODING": "cp1252"}


def run(folder, environment, *arguments):
    return subprocess.run(
        [sys.executable, COMMAND, "train", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="cp1252",
        check=False,
        timeout=300,
    )


def assert_completed(ended, folder, runs):
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert [RunDirectory(path).state for path in folder.glob("runs/*/*-*")] == ["completed"] * runs


@pytest.fixture
def begun(windows, tmp_path):
    """A command in its own process group, and its run, which has trained an epoch; ended when the test ends."""
    command = subprocess.Popen(
        [sys.executable, COMMAND, "train", *LONG],
        cwd=tmp_path,
        env={**os.environ, **windows},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="cp1252",
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not (found := list(tmp_path.glob("runs/default/*/checkpoint.npz"))):
            assert command.poll() is None, command.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield command, RunDirectory(found[0].parent)
    finally:
        command.kill()
        command.communicate()


def epochs(run_directory):
    return len((run_directory.path / "metrics.csv").read_text(encoding="utf-8").splitlines()) - 1


def test_the_simulation_reaches_every_process_that_python_starts(windows, tmp_path):
    code = """
import multiprocessing, os, signal
def missing():
    return [name for name in ("SIGKILL", "SIGUSR2") if hasattr(signal, name)], hasattr(os, "fork")
if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        print(missing(), pool.apply(missing), multiprocessing.get_all_start_methods())
"""
    (tmp_path / "script.py").write_text(code)
    shown = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env={**os.environ, **windows}, capture_output=True, text=True
    )
    assert shown.stdout == "([], False) ([], False) ['spawn']\n", shown.stderr


def test_a_run_completes(windows, tmp_path):
    assert_completed(run(tmp_path, windows, *SMALL_ADDING, "trainer.epochs=1"), tmp_path, runs=1)


def test_a_sweep_of_two_runs_at_a_time_completes(windows, tmp_path):
    arguments = ["-m", *SMALL_ADDING, "trainer.epochs=1", "cell=rnn,gru", "hydra.launcher.n_jobs=2"]
    assert_completed(run(tmp_path, windows, *arguments), tmp_path, runs=2)


def test_a_killed_run_is_recorded_as_killed_and_resumes(begun, windows, tmp_path):
    command, directory = begun
    os.kill(directory.status["process"], signal.SIGKILL)
    output, _ = command.communicate(timeout=60)
    assert command.returncode == 1
    assert directory.state == "killed"
    assert "killed: its process was ended by signal 9" in output
    trained = (directory.path / "metrics.csv").read_text(encoding="utf-8")
    assert_completed(run(tmp_path, windows, *LONG), tmp_path, runs=1)
    assert (directory.path / "metrics.csv").read_text(encoding="utf-8").startswith(trained)


def test_ctrl_c_which_reaches_all_processes_leaves_the_run_time_to_save_its_state(begun):
    command, directory = begun
    os.killpg(command.pid, signal.SIGINT)
    output, _ = command.communicate(timeout=60)
    assert command.returncode == 130, output
    assert directory.status["state"] == "interrupted"
    assert "Traceback" not in output


def test_a_run_stops_when_its_command_is_killed(begun):
    command, directory = begun
    command.kill()
    deadline = time.monotonic() + 30
    while directory.status["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert directory.status["state"] == "interrupted"


_IMPATIENT = """
import sys
from rnnscope.experiments.commands.main import main
from rnnscope.experiments.sweeps import launch
launch._STILL = 10.0
if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
"""


def test_a_sweep_whose_workers_hang_is_restarted_by_a_command_that_waits_for_the_new_one(windows, tmp_path):
    script = tmp_path / "impatient.py"  # one that waits for ten seconds, not for a minute
    script.write_text(_IMPATIENT)
    commands = Commands(tmp_path, script=script)
    command = commands.start(
        *("-m", *SMALL_ADDING, "cell=rnn", "seed=1,2,3,4", "hydra.launcher.n_jobs=2"), PYTHONPATH=windows["PYTHONPATH"]
    )
    try:
        while not list(tmp_path.glob("runs/default/*/result.json")):
            assert command.poll() is None, commands.output
            time.sleep(0.05)
        workers = commands.by_kind()["worker"]
        assert len(workers) == 2
        kill(workers, signal.SIGSTOP)
        assert command.wait(200) == 0, commands.output
        runs = [RunDirectory(path) for path in tmp_path.glob("runs/default/*-*")]
        assert [each.state for each in runs] == ["completed"] * 4
        assert "of 4 runs were complete already" in commands.output  # printed by the new command
        assert not set(workers) & set(commands.processes())
    finally:
        commands.kill_all()
