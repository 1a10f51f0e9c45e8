"""Private parts of Ray and of Hydra's launcher for it, and no other code. Seen in ray 2.60.0, hydra-ray-launcher 1.2.2.

Hydra does not import a plugin module whose name begins with an underscore, and Ray takes seconds to import.
"""

import ray

from hydra_plugins.hydra_ray_launcher._launcher_util import launch_job_on_ray, start_ray

__all__ = ["launch_job_on_ray", "show_logs_of_workers", "start_ray"]
"""The launcher's public class waits for the jobs in turn, and gives up all of them where Ray has lost one."""


def show_logs_of_workers(shown: bool) -> None:
    """Choose whether Ray prints about every worker that it lost, a page each; no public option turns that off."""
    ray._private.worker._worker_logs_enabled = shown
