"""Datasets. Each module of `datasets` contains functions that return a `Task`. TensorFlow is not imported."""

import inspect
from typing import Any

from hydra.utils import get_method
from omegaconf import OmegaConf

from .split import SPLITS, Split
from .task import Signature, Task

__all__ = ["SPLITS", "Loader", "Signature", "Split", "Task", "load"]


class Loader:
    """A loader of tasks that reuses the data of the last task if the dataset is the same.

    The dataset is the same if its function has the same arguments. Options that only reduce the size of the training
    split are not among them.
    """

    def __init__(self) -> None:
        self._last: tuple[Any, ...] = ()
        self._whole: Task

    def load(self, config: Any, seed: int) -> Task:
        """Return the task of a dataset configuration, as the function `load` does."""
        function = get_method(config["_target_"])
        given = {**OmegaConf.to_container(OmegaConf.create(config), resolve=True), "seed": seed}  # type: ignore
        options = {name: given[name] for name in inspect.signature(function).parameters}
        if self._last != (function, options):
            self._whole, self._last = function(**options), (function, options)
        return self._whole.reduced(given["train_size"], given["train_fraction"]).scaled()


def load(config: Any, seed: int) -> Task:
    """Return the task that the configuration of a dataset describes.

    Args:
        config: the group `dataset` of a configuration. `_target_` is the name of a function, which is called with the
            fields that are among its parameters, and with `seed` if it has such a parameter.
        seed: seed of the run.

    Raises:
        UserError: the data are invalid, or there are fewer examples than requested.
    """
    return Loader().load(config, seed)
