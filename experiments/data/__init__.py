"""Datasets: one family per file, each of its functions returns a `Task`. Needs no TensorFlow."""

import inspect
from typing import Any

from hydra.utils import get_method
from omegaconf import OmegaConf

from .split import SPLITS, Split
from .task import Signature, Task

__all__ = ["SPLITS", "Loader", "Signature", "Split", "Task", "load"]


class Loader:
    """Loads one task after another; what differs from the last only in how much is kept is not made or read again."""

    def __init__(self) -> None:
        self._last: tuple[Any, ...] = ()
        self._whole: Task

    def load(self, config: Any, seed: int) -> Task:
        """As `load`."""
        function = get_method(config["_target_"])
        given = {**OmegaConf.to_container(OmegaConf.create(config), resolve=True), "seed": seed}  # type: ignore
        options = {name: given[name] for name in inspect.signature(function).parameters}
        if self._last != (function, options):
            self._whole, self._last = function(**options), (function, options)
        return self._whole.reduced(given["train_size"], given["train_fraction"]).scaled()


def load(config: Any, seed: int) -> Task:
    """The task that a dataset's configuration describes.

    Args:
        config: a group `dataset` of the configuration; `_target_` names the function, which gets those of the fields
            that it has a parameter for, and the seed if it has one for that.
        seed: the run's seed.

    Raises:
        UserError: data that are not as they should be, or less than asked for.
    """
    return Loader().load(config, seed)
