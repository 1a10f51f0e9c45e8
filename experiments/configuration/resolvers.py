"""Resolvers that configuration files can use as `${name:argument}`."""

from collections.abc import Callable
from pathlib import Path

from omegaconf import OmegaConf

from ..data.outputs import HIGHER_IS_BETTER


def register(choices: Callable[[], str]) -> None:
    """Register the resolvers for this process.

    `${runs_folder:…}` is the folder of the runs with the same name. `${at_once:2}` is the number of runs with two
    threads that this machine can execute in parallel. `${better:loss}` is Optuna's direction of optimization for a
    metric. `${choices:}` is the list of groups and choices on the help page.

    Args:
        choices: a function that returns this list.
    """
    OmegaConf.register_new_resolver("runs_folder", runs_folder, replace=True)
    OmegaConf.register_new_resolver("at_once", at_once, replace=True)
    OmegaConf.register_new_resolver("better", better, replace=True)
    OmegaConf.register_new_resolver("choices", choices, replace=True)


def runs_folder(cwd: str, runs_dir: str, name: str) -> str:
    """Return the folder of the runs with the same name. A relative `runs_dir` starts at `cwd`.

    >>> runs_folder("/home/ada", "runs", "default"), runs_folder("/home/ada", "/data/runs", "default")
    ('/home/ada/runs/default', '/data/runs/default')
    """
    return (Path(cwd) / Path(runs_dir).expanduser() / name).as_posix()


def at_once(threads: int) -> int:
    """Return the number of runs with `threads` threads each that this machine can execute in parallel."""
    from joblib import cpu_count  # respects the CPU limit of a container

    return max(1, cpu_count() // threads)


def better(metric: str) -> str:
    """Return Optuna's direction of optimization for a metric.

    >>> better("accuracy"), better("loss")
    ('maximize', 'minimize')
    """
    return "maximize" if metric in HIGHER_IS_BETTER else "minimize"
