"""One sweep, sequential, parallel, on Ray and on Slurm, where runs and nodes are lost: always the same results."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnscope.experiments.runs.directory import RunDirectory
from tests.e2e.conftest import ONE_BY_ONE, SMALL_ADDING, TRAIN, run_train
from tests.e2e.ray_cluster import ray_cluster  # noqa: F401
from tests.e2e.slurm import slurm  # noqa: F401
from tests.e2e.test_resume import assert_ended_alike

SWEEP = ["-m", "cell=rnn,lstm,gru", *SMALL_ADDING, "trainer.epochs=30", "dataset.train_size=1280", "name=same"]
"""Long enough for something to happen to a run that is under way."""
SHORT = [*SWEEP, "trainer.epochs=3"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The runs of both sweeps, one after another: by epochs, their directories."""
    folder = tmp_path_factory.mktemp("basic")
    ended = run_train(folder, *SWEEP, "trainer.epochs=3,30", "hydra/launcher=basic")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    runs = [RunDirectory(path.parent) for path in folder.glob("runs/same/*/result.json")]
    return {epochs: [run.path for run in runs if run.result["epochs"] == epochs] for epochs in (3, 30)}


def started(folder, *arguments, environment=None):
    command = [sys.executable, str(TRAIN), *SWEEP, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes)


def under_way(folder, count=1, epochs=5, seconds=120, beside=()):
    """The runs, beside some, that have trained some epochs and are not over, once there are so many."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        runs = [RunDirectory(path.parent) for path in folder.glob("runs/same/*/status.json")]
        runs = [run for run in runs if run.path not in [each.path for each in beside]]
        busy = [run for run in runs if run.status.get("progress", {}).get("epoch", 0) >= epochs]
        busy = [run for run in busy if run.status["state"] == "running"]
        if len(busy) >= count:
            return busy
        time.sleep(0.05)
    raise TimeoutError


def kill(run):
    os.kill(run.status["process"], signal.SIGKILL)


def assert_same_results(folder, expected):
    runs = folder / "runs" / "same"
    assert len(expected) == 3
    assert {path.name for path in runs.iterdir() if path.is_dir() and path.name[0] != "."} == {
        path.name for path in expected
    }
    for path in expected:
        assert_ended_alike(runs / path.name, path)


def test_side_by_side_on_this_machine(alone, tmp_path):
    ended = run_train(tmp_path, *SHORT, fresh=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert_same_results(tmp_path, alone[3])


def test_on_ray(alone, tmp_path):
    pytest.importorskip("ray", reason='needs Ray: pip install -e ".[ray]"')
    ended = run_train(tmp_path, *SHORT, "hydra/launcher=ray", fresh=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert_same_results(tmp_path, alone[3])


def test_on_a_ray_cluster_that_loses_a_node_and_a_run(alone, tmp_path, ray_cluster):  # noqa: F811
    arguments = ["hydra/launcher=ray", f"hydra.launcher.ray.init.address={ray_cluster.address}"]
    sweep = started(tmp_path, *arguments, environment=ray_cluster.environment)
    under_way(tmp_path, count=2)
    ray_cluster.lose_a_node()
    (left,) = under_way(tmp_path, epochs=10)[:1]
    kill(left)
    said, _ = sweep.communicate(timeout=240)
    assert sweep.returncode == 1, said
    assert "killed: its process was ended by SIGKILL" in said
    states = [RunDirectory(path.parent).state for path in tmp_path.glob("runs/same/*/status.json")]
    assert sorted(states) == ["completed", "completed", "killed"]  # the lost node's run went on elsewhere
    again = run_train(tmp_path, *SWEEP, ONE_BY_ONE)  # on this machine
    assert again.returncode == 0, again.stdout
    assert_same_results(tmp_path, alone[30])


def test_on_slurm_where_a_job_is_requeued_a_run_is_killed_and_a_job_is_gone(alone, tmp_path, slurm):  # noqa: F811
    """The job that is gone ends without a word, and is waited for no longer."""
    sweep = started(tmp_path, "hydra/launcher=slurm", "hydra.launcher.mem_gb=1", environment=slurm)
    one, other = under_way(tmp_path, count=2)[:2]
    jobs = job_of(one)
    kill(other)
    subprocess.run(["scontrol", "requeue", jobs], env=slurm, check=True)
    (third,) = under_way(tmp_path, beside=(one, other))
    os.kill(parent(parent(third.status["process"])), signal.SIGKILL)  # what waits for the run, and returns its result
    said, _ = sweep.communicate(timeout=240)
    assert sweep.returncode == 1, said
    assert one.state == "completed", said  # it went on
    assert other.state == "killed"
    assert third.state == "interrupted"
    assert "ended without a result: it was cancelled or killed" in said
    again = run_train(
        tmp_path, *SWEEP, "hydra/launcher=slurm", "hydra.launcher.mem_gb=1", fresh=True, environment=slurm
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert_same_results(tmp_path, alone[30])


def parent(process):
    stat = Path(f"/proc/{process}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def job_of(run):
    """Slurm's number for the job whose process works on a run."""
    told = Path(f"/proc/{run.status['process']}/environ").read_text().split("\0")
    variables = dict(variable.partition("=")[::2] for variable in told)
    return f"{variables['SLURM_ARRAY_JOB_ID']}_{variables['SLURM_ARRAY_TASK_ID']}"
