"""Generated problems whose answer lies far back in the sequence."""

import numpy as np

from ..seeds import stream
from .task import Split, Task, regression


def adding(
    seed: int, length: int = 100, train_size: int = 4000, validation_size: int = 500, test_size: int = 1000
) -> Task:
    """The adding problem (Hochreiter & Schmidhuber 1997; this form: Le, Jaitly & Hinton 2015).

    Each step shows a number from U(0, 1) and a marker. One marker is set in each half of the sequence; the target
    is the sum of the two marked numbers. Always answering 1 has an expected squared error of 1/6.

    Args:
        seed: the run's seed; each draws data of its own.
        length: T, at least 2.
        train_size, validation_size, test_size: how many sequences.
    """
    random = stream(seed, "data")
    train, validation, test = (_adding(random, size, length) for size in (train_size, validation_size, test_size))
    return regression((train, validation, test))


def _adding(random: np.random.Generator, size: int, length: int) -> Split:
    values = random.random((size, length), dtype=np.float32)
    first, second = random.integers(0, length // 2, size), random.integers(length // 2, length, size)
    markers = np.zeros_like(values)
    rows = np.arange(size)
    markers[rows, first] = markers[rows, second] = 1
    targets = values[rows, first] + values[rows, second]
    return Split(np.stack([values, markers], axis=-1), targets[:, None])
