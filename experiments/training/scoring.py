"""Metrics of a network on a split, computed after training and by later evaluations."""

import dataclasses

import keras
from omegaconf import DictConfig

from ..data import Split, Task
from ..data.outputs import score
from .batches import in_streams, network_inputs

_AT_A_TIME = 512
"""Number of examples that are evaluated at once."""


def arranged(task: Task, batch_size: int) -> Task:
    """Return the task, with its splits in the order in which a network reads them.

    The splits of a stateful task are rearranged into parallel streams of consecutive examples.
    """
    if not task.stateful:
        return task
    train, validation, test = (in_streams(part, batch_size) for part in task.parts)
    return dataclasses.replace(task, train=train, validation=validation, test=test)


def evaluation_batch_size(config: DictConfig, task: Task) -> int:
    """Return the number of examples that are evaluated at once."""
    return config.trainer.batch_size if task.stateful else _AT_A_TIME


def scores(network: keras.Model, task: Task, part: Split, batch_size: int) -> dict[str, float]:
    """Return the network's metrics on a split."""
    if task.stateful:
        network.get_layer("stack").reset_state()
    predict = lambda chunk: network.predict_on_batch(network_inputs(chunk, task.output))
    return score(task.output, predict, part.chunks(batch_size))
