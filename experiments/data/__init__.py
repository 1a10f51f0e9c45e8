"""Datasets: one family per file, each a function that returns a `Task`."""

from typing import Any

from hydra.utils import get_method

from .task import Split, Task

__all__ = ["Split", "Task", "load"]


def load(config: Any, seed: int) -> Task:
    """The task that a dataset's configuration describes.

    Args:
        config: a group `dataset` of the configuration; `_target_` names the function, which gets all fields but
            `name` and `requires`, and the seed.
        seed: the run's seed.
    """
    options = {key: config[key] for key in config if key not in ("_target_", "name", "requires")}
    return get_method(config["_target_"])(seed=seed, **options)
