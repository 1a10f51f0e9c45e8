"""A Hydra launcher for Ray, on this machine or on a cluster: `hydra/launcher=ray`.

Hydra imports this module whenever it starts, so what is large is imported where it is used.
"""

import os
import signal
from collections.abc import Sequence
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

SECONDS_TO_STOP = 30.0
"""How long runs may take to stop cleanly after Ctrl-C."""


class RayLauncher(Launcher):
    """Hands all runs to Ray as the launcher of Hydra does, but one that is lost does not take the others with it.

    A Ray of this machine's own listens on loopback only. An interruption reaches the runs, which may stop cleanly.

    Args:
        ray: what conf/hydra/launcher/ray.yaml holds.
    """

    def __init__(self, ray: DictConfig) -> None:
        self.options = ray

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """Runs the jobs; one that was lost, again and again, is returned as failed."""
        ray = self._start()
        runs = [self._submit(overrides, number) for number, overrides in enumerate(job_overrides, initial_job_idx)]
        try:
            ray.wait(runs, num_returns=len(runs))
            return [_returned(run, overrides) for run, overrides in zip(runs, job_overrides, strict=True)]
        except KeyboardInterrupt:
            for run in runs:
                ray.cancel(run)
            ray.wait(runs, num_returns=len(runs), timeout=SECONDS_TO_STOP)
            raise

    @property
    def _is_local(self) -> bool:
        return self.options.init.address == "local"

    def _check(self) -> None:
        """Ray would wait for ever for cores that this machine does not have; a cluster may yet grow."""
        from rnnscope.experiments.common.errors import UserError

        cores = self.options.init.num_cpus or os.cpu_count()
        if self._is_local and self.options.remote.num_cpus > cores:
            raise UserError(
                f"hydra.launcher.ray.remote.num_cpus={self.options.remote.num_cpus}: a run needs more cores than "
                f"there are ({cores}); choose fewer with trainer.threads=…"
            )

    def _start(self) -> Any:
        self._check()
        if self._is_local:
            # The name tells of other systems, on which Ray does so anyway: only loopback is used.
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        import ray

        from hydra_plugins._rnnscope_ray import show_logs_of_workers, start_ray

        handler = signal.getsignal(signal.SIGTERM)
        start_ray(self.options.init)
        signal.signal(signal.SIGTERM, handler)  # Ray has put its own there
        show_logs_of_workers(bool(self.options.init.log_to_driver))
        return ray

    def _submit(self, overrides: Sequence[str], number: int) -> Any:
        from hydra_plugins._rnnscope_ray import launch_job_on_ray

        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = f"job_id_for_{number}"
            config.hydra.job.num = number
        return launch_job_on_ray(
            self.hydra_context, self.options.remote, config, self.task_function, Singleton.get_state()
        )


def _returned(run: Any, overrides: Sequence[str]) -> JobReturn:
    """What the job returned; a failure if Ray has lost it, or it could not even start the run."""
    import ray

    try:
        return ray.get(run)
    except ray.exceptions.RayError as error:
        failure = JobReturn(overrides=list(overrides), status=JobStatus.FAILED)
        failure.return_value = error
        return failure
