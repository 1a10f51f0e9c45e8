"""What is to be learnt: arrays, the kind of output, and what an answer without learning would score."""

import dataclasses
from typing import Literal

import numpy as np


@dataclasses.dataclass(frozen=True)
class Split:
    """One part of the data.

    Attributes:
        inputs: float32 `[N, T, F]`.
        targets: `[N]` of int32 for classes, `[N, V]` of float32 for values.
    """

    inputs: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)


@dataclasses.dataclass(frozen=True)
class Task:
    """A dataset, ready to be learnt.

    Attributes:
        train, validation, test: the three parts; no example is in two of them.
        output: `class` (one of `size` classes) or `value` (`size` numbers), one a sequence.
        size: how many classes, or numbers.
        baseline: what the answer without learning is called.
        baseline_metrics: what it scores on the test part, by metric: `loss`, and `accuracy` or `mae`.
    """

    train: Split
    validation: Split
    test: Split
    output: Literal["class", "value"]
    size: int
    baseline: str
    baseline_metrics: dict[str, float]


def classification(parts: tuple[Split, Split, Split], classes: int) -> Task:
    """A task with one class a sequence, from its training, validation and test part.

    The baseline always answers the class that is most frequent in the training part; its loss is the
    cross-entropy of the training part's class frequencies (natural logarithm).
    """
    train, validation, test = parts
    frequencies = np.bincount(train.targets, minlength=classes) / len(train)
    with np.errstate(divide="ignore"):
        losses = -np.log(frequencies[test.targets])
    metrics = {"accuracy": float(np.mean(test.targets == frequencies.argmax())), "loss": float(losses.mean())}
    return Task(train, validation, test, "class", classes, "majority class", metrics)


def regression(parts: tuple[Split, Split, Split]) -> Task:
    """A task with one or several values a sequence, from its training, validation and test part.

    The baseline always answers the training part's mean.
    """
    train, validation, test = parts
    errors = test.targets - train.targets.mean(axis=0)
    metrics = {"mae": float(np.abs(errors).mean()), "loss": float(np.square(errors).mean())}
    return Task(train, validation, test, "value", test.targets.shape[1], "training mean", metrics)
