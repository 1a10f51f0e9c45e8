"""A Hydra launcher for Slurm, with or without accounting: `hydra/launcher=slurm`.

Hydra imports this module whenever it starts, so what is large is imported where it is used. Of Hydra's own launcher for
Slurm, only this module uses what is not documented: `submitit_launcher.SlurmLauncher`, called as a job, and
`config.BaseQueueConf`. Seen in hydra-submitit-launcher 1.2.0 with submitit 1.5.4.
"""

import contextlib
import dataclasses
import io
import os
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

LONGEST_PAUSE = 15.0
"""Seconds between two questions to Slurm's controller, once nothing has happened for a while."""


class SlurmLauncher(Launcher):
    """Submits all runs as submitit's launcher does, but asks `squeue` whether they are over.

    submitit asks `sacct`, which knows nothing where Slurm keeps no accounts, and then waits for ever for a job that was
    killed. Here a job is over when `squeue` does not list it any more; one that is requeued stays listed.

    Args:
        options: what conf/hydra/launcher/slurm.yaml holds.
    """

    def __init__(self, **options: Any) -> None:
        self.options = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from hydra_plugins.hydra_submitit_launcher import submitit_launcher

        self.job = submitit_launcher.SlurmLauncher(**self.options)  # what runs on the node
        self.job.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """Runs the jobs; one that vanished is returned as failed. An interruption cancels those that are not over."""
        from rnnscope.experiments.common.errors import UserError

        try:
            with contextlib.redirect_stderr(io.StringIO()):  # what sbatch says is in the exception too
                jobs = self._submit(job_overrides, initial_job_idx)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise UserError(
                f"hydra/launcher=slurm: {reason}; start where sbatch works, with hydra.launcher.… as it asks for"
            ) from error
        try:
            _wait(jobs)
        except KeyboardInterrupt:
            subprocess.run(["scancel", *{job.job_id.partition("_")[0] for job in jobs}], check=False)
            _wait(jobs)  # their runs are given a moment to stop cleanly
            raise
        return [_returned(job, overrides) for job, overrides in zip(jobs, job_overrides, strict=True)]

    def _submit(self, job_overrides: Sequence[Sequence[str]], first: int) -> list[Any]:
        import submitit

        from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf

        options = dict(self.job.params)
        executor = submitit.AutoExecutor(
            options.pop("submitit_folder"), cluster="slurm", slurm_max_num_timeout=options.pop("max_num_timeout")
        )
        of_any_cluster = {field.name for field in dataclasses.fields(BaseQueueConf)}
        executor.update_parameters(
            **{name if name in of_any_cluster else f"slurm_{name}": value for name, value in options.items()}
        )
        arguments = [
            (list(overrides), "hydra.sweep.dir", number, f"job_id_for_{number}", Singleton.get_state())
            for number, overrides in enumerate(job_overrides, first)
        ]
        return executor.map_array(self.job, *zip(*arguments, strict=True))


def _wait(jobs: Sequence[Any]) -> None:
    """Returns once `squeue` lists none of the jobs; asks it again when one has ended, otherwise less and less often."""
    pause = 1.0
    while _any_listed(jobs):
        ended, asked = _count_results(jobs), time.monotonic()
        while time.monotonic() - asked < pause and _count_results(jobs) == ended:
            time.sleep(1)
        pause = 1.0 if _count_results(jobs) > ended else min(1.25 * pause, LONGEST_PAUSE)


def _any_listed(jobs: Sequence[Any]) -> bool:
    # By user: asked for a job that it has forgotten, squeue answers with an error.
    command = ["squeue", "--noheader", "--array", "--format=%i", f"--user={os.getuid()}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:  # the controller does not answer, so nobody knows
        return True
    return not {job.job_id for job in jobs}.isdisjoint(answer.stdout.split())


def _count_results(jobs: Sequence[Any]) -> int:
    return sum(job.paths.result_pickle.exists() for job in jobs)


def _returned(job: Any, overrides: Sequence[str]) -> JobReturn:
    """What the job returned; without a result, or if it could not even start the run, a failure that says so."""
    try:
        if job.paths.result_pickle.exists():
            return job.results()[0]
        raise RuntimeError(
            f"Slurm's job {job.job_id} ended without a result: it was cancelled or killed, or its node was lost; "
            f"what it wrote: {job.paths.stderr}"
        )
    except RuntimeError as error:
        failure = JobReturn(overrides=list(overrides), status=JobStatus.FAILED)
        failure.return_value = error
        return failure
