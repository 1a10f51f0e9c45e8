"""A network's metrics on a part of a task: by the run that trained it, and by whoever wants to know again."""

import dataclasses

import keras
from omegaconf import DictConfig

from ..data import Split, Task
from ..data.outputs import score
from .batches import in_streams, network_inputs

_AT_A_TIME = 512
"""Examples that are evaluated at once."""


def arranged(task: Task, batch_size: int) -> Task:
    """The task, its parts as streams side by side where each example goes on where another ended."""
    if not task.stateful:
        return task
    train, validation, test = (in_streams(part, batch_size) for part in task.parts)
    return dataclasses.replace(task, train=train, validation=validation, test=test)


def evaluation_batch_size(config: DictConfig, task: Task) -> int:
    """How many examples are evaluated at a time."""
    return config.trainer.batch_size if task.stateful else _AT_A_TIME


def scores(network: keras.Model, task: Task, part: Split, batch_size: int) -> dict[str, float]:
    """The network's metrics on a part."""
    if task.stateful:
        network.get_layer("stack").reset_state()
    predict = lambda chunk: network.predict_on_batch(network_inputs(chunk, task.output))
    return score(task.output, predict, part.chunks(batch_size))
