"""Whatever happens to a sweep's processes and files: the same command completes it, as if nothing had happened."""

import os
import random
import shutil
import signal
import time
from collections import Counter

import pytest

from rnnscope.experiments.runs.directory import RunDirectory
from tests.e2e.conftest import ONE_BY_ONE, SMALL_ADDING, TRAIN, run_command, run_train
from tests.e2e.processes import Commands, kill, watching
from tests.e2e.test_resume import assert_ended_alike, assert_same_result

SWEEP = ["-m", *SMALL_ADDING, "cell=rnn", "telemetry.every=10", "trainer.epochs=40", "seed=range(1,7)", "name=sweep"]
KILLS = {"command": 3, "worker": 3, "forkserver": 4, "run": 10}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The folder of a sweep that was left alone."""
    folder = tmp_path_factory.mktemp("reference")
    ended = run_train(folder, *SWEEP, ONE_BY_ONE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder / "runs" / "sweep"


def runs_of(folder):
    return sorted(path for path in folder.iterdir() if path.is_dir())


def assert_can_be_summed_up(folder):
    ended = run_command(folder, "summary", folder)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


def assert_same_sweep(folder, reference):
    assert [run.name for run in runs_of(folder)] == [run.name for run in runs_of(reference)]
    for run, expected in zip(runs_of(folder), runs_of(reference), strict=True):
        assert RunDirectory(run).state == "completed"
        assert_ended_alike(run, expected)
        assert not list(run.rglob(".*.tmp*"))


def test_processes_killed_at_random_moments_cost_no_run_and_change_no_figure(reference, tmp_path):
    rows = [row.split(",")[0] for row in (runs_of(reference)[0] / "metrics.csv").read_text().splitlines()]
    assert rows == ["epoch", *map(str, range(1, 41))]
    chance = random.Random(6)
    to_kill = list(Counter(KILLS).elements())
    chance.shuffle(to_kill)
    commands = Commands(tmp_path)
    typed = 0
    with watching(commands) as seen:
        while True:
            command, typed = commands.start(*SWEEP), typed + 1
            while to_kill and command.poll() is None:
                time.sleep(chance.uniform(0, 1.5))
                if found := commands.by_kind()[to_kill[-1]]:
                    kill([chance.choice(found)])
                    to_kill.pop()
            if command.wait(300) == 0:
                break
            assert typed < 30, commands.output
        assert not to_kill
        deadline = time.monotonic() + 30
        while left := commands.by_kind():
            assert time.monotonic() < deadline, left
            time.sleep(0.1)
    print(f"killed {KILLS}, typed {typed} times, processes by run {[len(each) for each in seen.values()]}")
    assert all(len(together) == 1 for each in seen.values() for together in each)
    assert_same_sweep(tmp_path / "runs" / "sweep", reference)


_IMPATIENT = f"""
import runpy
from rnnscope.experiments.sweeps import launch
launch._STILL = 10.0
runpy.run_path({str(TRAIN)!r}, run_name="__main__")
"""


def test_a_sweep_whose_workers_hang_is_started_again_and_completes(reference, tmp_path):
    """Both of joblib's workers are stopped: the runs under way end, and nobody hears of it or begins another."""
    script = tmp_path / "impatient.py"  # one that waits for ten seconds, not a minute
    script.write_text(_IMPATIENT)
    commands = Commands(tmp_path, script=script)
    environment = {"PYTHONPATH": str(TRAIN.parent)}
    four = [argument.replace("range(1,7)", "range(1,5)") for argument in SWEEP]
    command = commands.start(*four, **environment)
    while len(list(tmp_path.glob("runs/sweep/*/metrics.csv"))) < 2:
        assert command.poll() is None, commands.output
        time.sleep(0.1)
    workers = commands.by_kind()["worker"]
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    assert command.wait(200) == 0, commands.output
    runs = runs_of(tmp_path / "runs" / "sweep")
    assert len(runs) == 4
    for run in runs:
        assert RunDirectory(run).state == "completed"
        assert_ended_alike(run, reference / run.name)
    assert not set(workers) & set(commands.processes())


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A sweep in which the first three runs were killed after some epochs: exit status, output, folder."""
    commands = Commands(tmp_path_factory.mktemp("killed"))
    command = commands.start(*SWEEP)
    left = ["rnn-adding-s1", "rnn-adding-s2", "rnn-adding-s3"]
    while command.poll() is None:
        for run, processes in commands.at_work().items():
            name = run.name.rpartition("-")[0]
            metrics = run / "metrics.csv"
            if name in left and metrics.exists() and len(metrics.read_text().splitlines()) > 5:
                kill(processes)
                left.remove(name)
        time.sleep(0.02)
    assert not left
    return command.returncode, commands.output, commands.folder


def test_a_run_that_is_killed_is_said_to_be_and_the_others_complete(killed):
    status, output, folder = killed
    assert status == 1
    states = [RunDirectory(run).state for run in runs_of(folder / "runs" / "sweep")]
    assert states == ["killed"] * 3 + ["completed"] * 3
    reason = "killed: its process was ended by SIGKILL (as the system does where memory runs out)"
    for run in runs_of(folder / "runs" / "sweep")[:3]:
        assert f"runs/sweep/{run.name}: {reason}" in output
    rows = [line.split() for line in output.splitlines() if line.startswith("│")]
    assert [row[3] for row in rows] == states
    assert "Traceback" not in output


def test_damaged_files_of_interrupted_and_of_completed_runs_are_made_up_for(reference, killed, tmp_path):
    folder = tmp_path / "damaged" / "runs" / "sweep"
    shutil.copytree(killed[2], tmp_path / "damaged")
    killed_0, killed_1, killed_2, completed_0, completed_1, completed_2 = runs_of(folder)
    events = lambda run: next(run.glob("events.*"))
    for path in (
        killed_0 / "checkpoint.npz",
        events(killed_1),
        completed_0 / "result.json",
        completed_1 / "status.json",
    ):
        path.write_bytes(path.read_bytes()[:-9])
    for path in (killed_1 / "metrics.csv", killed_2 / "status.json", completed_1 / "result.json", events(completed_1)):
        path.write_bytes(b"")
    for path in (
        killed_2 / "metrics.csv",
        events(killed_2),
        completed_2 / "status.json",
        completed_2 / "checkpoint.npz",
    ):
        path.unlink()
    assert_can_be_summed_up(folder)
    ended = run_train(tmp_path / "damaged", *SWEEP, ONE_BY_ONE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert_can_be_summed_up(folder)
    for run, expected in zip(runs_of(folder), runs_of(reference), strict=True):
        assert RunDirectory(run).state == "completed"
        same = assert_same_result if run == killed_1 else assert_ended_alike  # of its events some are gone
        same(run, expected)


def test_two_sweeps_of_one_name_started_together_do_every_run_once(reference, tmp_path):
    commands = Commands(tmp_path)
    three = [argument.replace("range(1,7)", "range(1,4)") for argument in SWEEP]
    with watching(commands) as seen:
        both = [commands.start(*three, ONE_BY_ONE) for _ in range(2)]
        statuses = sorted(command.wait(300) for command in both)
    assert statuses in ([0, 0], [0, 1]), commands.outputs  # the first to end may leave a run to the other
    assert "Traceback" not in commands.outputs
    assert [len(together) for run in seen.values() for together in run] == [1] * 3
    runs = runs_of(tmp_path / "runs" / "sweep")
    assert [run.name for run in runs] == [run.name for run in runs_of(reference)[:3]]
    for run in runs:
        assert_ended_alike(run, reference / run.name)
