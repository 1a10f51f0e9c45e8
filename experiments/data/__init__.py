"""Datasets: one family per file, each of its functions returns a `Task`. Needs no TensorFlow."""

import inspect
from typing import Any

from hydra.utils import get_method
from omegaconf import OmegaConf

from .split import Split
from .task import Signature, Task

__all__ = ["Signature", "Split", "Task", "load"]


def load(config: Any, seed: int) -> Task:
    """The task that a dataset's configuration describes.

    Args:
        config: a group `dataset` of the configuration; `_target_` names the function, which gets those of the fields
            that it has a parameter for, and the seed if it has one for that.
        seed: the run's seed.

    Raises:
        UserError: data that are not as they should be, or less than asked for.
    """
    function = get_method(config["_target_"])
    given = {**OmegaConf.to_container(OmegaConf.create(config), resolve=True), "seed": seed}  # type: ignore[dict-item]
    options = {name: given[name] for name in inspect.signature(function).parameters}
    return function(**options).reduced(given["train_size"], given["train_fraction"]).scaled()
