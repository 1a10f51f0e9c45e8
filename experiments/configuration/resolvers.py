"""What configuration files may ask for beside other options: `${name:argument}`."""

from collections.abc import Callable
from pathlib import Path

from omegaconf import OmegaConf

from ..data.outputs import HIGHER_IS_BETTER


def register(choices: Callable[[], str]) -> None:
    """Makes the resolvers known; once a process.

    `${runs_folder:…}` is the folder of the runs of one name, `${at_once:2}` how many runs of two threads this machine
    has room for, `${better:loss}` Optuna's word for what is better, `${choices:}` the help page's list.

    Args:
        choices: makes that list.
    """
    OmegaConf.register_new_resolver("runs_folder", runs_folder, replace=True)
    OmegaConf.register_new_resolver("at_once", at_once, replace=True)
    OmegaConf.register_new_resolver("better", better, replace=True)
    OmegaConf.register_new_resolver("choices", choices, replace=True)


def runs_folder(cwd: str, runs_dir: str, name: str) -> str:
    """The folder of the runs of one name; a relative `runs_dir` starts where the command was given.

    >>> runs_folder("/home/ada", "runs", "default"), runs_folder("/home/ada", "/data/runs", "default")
    ('/home/ada/runs/default', '/data/runs/default')
    """
    return (Path(cwd) / Path(runs_dir).expanduser() / name).as_posix()


def at_once(threads: int) -> int:
    """How many runs of so many threads there are cores for."""
    from joblib import cpu_count  # knows what a container is given

    return max(1, cpu_count() // threads)


def better(metric: str) -> str:
    """Optuna's word for what is better.

    >>> better("accuracy"), better("loss")
    ('maximize', 'minimize')
    """
    return "maximize" if metric in HIGHER_IS_BETTER else "minimize"
