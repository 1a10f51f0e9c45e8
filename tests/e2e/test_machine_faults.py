"""Whatever happens to a machine: a sweep ends with its table, and the same command completes it."""

import csv
import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from rnnscope.experiments.runs import checkpoint
from rnnscope.experiments.runs.directory import RunDirectory
from tests.e2e.conftest import ONE_BY_ONE, SMALL_ADDING, TRAIN, run_train
from tests.e2e.machines import ELSEWHERE, Clock, Disk, little_memory, skip_unless
from tests.e2e.processes import Commands
from tests.e2e.test_resume import assert_ended_alike

RUN = [*SMALL_ADDING, "cell=rnn", "telemetry.every=10", "trainer.epochs=40", "name=runs"]
SWEEP = ["-m", *RUN, "seed=1,2"]
YEAR = 360 * 24 * 3600
HOLD = """
import sys, time
from pathlib import Path
from rnnscope.experiments.runs.lease import claim
with claim(Path(sys.argv[1])) as ours:
    print(ours, flush=True)
    time.sleep(300)
"""
LIMIT = 2_500_000_000
"""Bytes for a whole sweep of two small runs at a time."""


def runs_of(folder):
    return sorted(path for path in folder.iterdir() if path.is_dir())


def rows_of(run):
    path = run / "metrics.csv"
    return list(csv.DictReader(path.open())) if path.exists() else []


def wait_for_rows(command, folder, number, runs=1):
    """Waits until so many runs of a command have done some epochs."""
    deadline = time.monotonic() + 120
    while sum(len(rows_of(run)) >= number for run in folder.glob("runs/runs/*-*")) < runs:
        assert command.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The folder of a sweep that was left alone."""
    folder = tmp_path_factory.mktemp("reference")
    ended = run_train(folder, *SWEEP, ONE_BY_ONE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder / "runs" / "runs"


def assert_same_sweep(folder, reference):
    for run, expected in zip(runs_of(folder), runs_of(reference), strict=True):
        assert RunDirectory(run).state == "completed"
        assert_ended_alike(run, expected)


# ------------------------------------------- on another machine, beside the other tests


@pytest.fixture(scope="module", autouse=True)
def found_here(tmp_path_factory):
    """A story with half a minute of waiting in it, told beside the other tests; see there."""
    with ThreadPoolExecutor() as pool:
        yield pool.submit(found_here_what_was_elsewhere, tmp_path_factory.mktemp("moved"))


def found_here_what_was_elsewhere(folder):
    """A run is killed on another machine, where then, for one of two copies, somebody goes on with it. Here it is asked
    for in both, `dead` and `alive`: returns for each exit status, output, epochs before, and the run's directory."""
    dead, alive = folder / "dead", folder / "alive"
    there = Commands(dead, ELSEWHERE)
    wait_for_rows(there.start(*RUN, "seed=1"), dead, 5)
    there.kill_all()
    shutil.copytree(dead, alive)
    runs = [next((copy / "runs" / "runs").glob("rnn-*")) for copy in (dead, alive)]
    before = [len(rows_of(run)) for run in runs]
    hold = [*ELSEWHERE, sys.executable, "-c", HOLD, str(runs[1])]
    with subprocess.Popen(hold, cwd=TRAIN.parent, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "True\n"
            here = [Commands(copy) for copy in (dead, alive)]
            statuses = [command.wait(300) for command in [each.start(*RUN, "seed=1") for each in here]]
            assert holder.poll() is None
        finally:
            holder.kill()
    return list(zip(statuses, [each.output for each in here], before, runs, strict=True))


# --------------------------------------------------------------------------- memory


def test_a_run_that_takes_too_much_memory_is_killed_and_the_others_complete(tmp_path):
    with little_memory(LIMIT) as group:
        commands = Commands(tmp_path, ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"])
        try:
            status = commands.run("-m", *RUN, "cell.units=6,15000", "cell.recurrent_initializer=identity")
        finally:
            commands.kill_all()
        events = "memory.events" if (group / "memory.events").exists() else "memory.oom_control"
        assert "oom_kill 0" not in (group / events).read_text().splitlines()
    assert status == 1
    states = [line.split()[3] for line in commands.output.splitlines() if line.startswith("│")]
    assert states == ["completed", "killed"]
    assert "killed: its process was ended by SIGKILL (as the system does where memory runs out)" in commands.output
    assert "Traceback" not in commands.output


# ----------------------------------------------------------------------------- disk


def assert_whole(folder):
    """No file that anybody reads is half there."""
    for run in runs_of(folder):
        for path in run.glob("*.json"):
            json.loads(path.read_text())
        assert not (run / "checkpoint.npz").exists() or checkpoint.read(run / "checkpoint.npz") is not None
        assert all(None not in row.values() for row in rows_of(run))
        assert not list(run.rglob(".*.tmp*"))


def test_a_sweep_on_a_full_disk_ends_with_its_table_and_goes_on_when_there_is_room(reference, tmp_path):
    with Disk(tmp_path / "runs", "60k") as disk:
        commands = Commands(tmp_path, disk.before)
        for size in ("60k", "200k"):
            assert disk.remount(f"size={size}")
            assert commands.run(*SWEEP) == 1, commands.output
            assert "No space left on device" in commands.output
            assert "Traceback" not in commands.output
            assert "failed" not in commands.output
            assert_whole(disk.seen / "runs")
        assert disk.remount("size=10m")
        assert commands.run(*SWEEP, ONE_BY_ONE) == 0, commands.output
        assert_same_sweep(disk.seen / "runs", reference)


def test_a_disk_that_becomes_read_only_costs_no_run(reference, tmp_path):
    with Disk(tmp_path / "runs", "10m") as disk:
        commands = Commands(tmp_path, disk.before)
        one_by_one = [*SWEEP, ONE_BY_ONE]
        command = commands.start(*one_by_one)
        while not commands.at_work():
            assert command.poll() is None
            time.sleep(0.02)
        while not disk.remount("ro"):  # not possible while a run has files open
            assert command.poll() is None
        assert command.wait(300) == 1
        assert "Traceback" not in commands.output
        assert "Read-only file system" in commands.output
        assert [RunDirectory(run).state for run in runs_of(disk.seen / "runs")] == ["completed"]
        assert commands.run(*one_by_one) == 2
        (line,) = commands.output.splitlines()
        assert "cannot be written (Read-only file system)" in line
        assert disk.remount("rw")
        assert commands.run(*one_by_one) == 0, commands.output
        assert_same_sweep(disk.seen / "runs", reference)


# ---------------------------------------------------------------------------- clock


def test_a_clock_that_jumps_costs_no_run_and_no_record(reference, tmp_path):
    clock = Clock(tmp_path / "clock")
    commands = Commands(tmp_path)
    one = [*RUN, "seed=1"]  # alone: time.sleep, which joblib needs, fails with this clock
    clock.set("+1h")
    command = commands.start(*one, **clock.environment)
    wait_for_rows(command, tmp_path, 5)
    clock.set("-1y")
    wait_for_rows(command, tmp_path, 15)
    commands.kill_all()
    command = commands.start(*one, **clock.environment)
    wait_for_rows(command, tmp_path, 25)
    clock.set("+2h")
    assert command.wait(300) == 0, commands.output
    (run,) = runs_of(tmp_path / "runs" / "runs")
    assert_ended_alike(run, runs_of(reference)[0])
    events = [event for file in sorted(run.glob("events.*")) for event in EventFileLoader(str(file)).Load()]
    between = np.diff([event.wall_time for event in events])
    assert between.min() < -YEAR < YEAR < between.max()


# ------------------------------------------------ on another machine: how it went


def test_a_run_whose_machine_is_gone_is_taken_over(found_here, reference):
    skip_unless("a name space for host names", ["unshare", "--uts", "true"])
    status, output, before, run = found_here.result()[0]
    assert before < 40
    assert status == 0, output
    assert_ended_alike(run, runs_of(reference)[0])


def test_a_run_that_another_machine_is_at_work_on_is_left_to_it(found_here):
    skip_unless("a name space for host names", ["unshare", "--uts", "true"])
    status, output, before, run = found_here.result()[1]
    assert status == 1
    assert "running: another process is at work on it" in output
    assert len(rows_of(run)) == before
