"""Answers without a network, to be scored beside it. Each learns what it needs from the training part alone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .outputs import Predict
from .split import Split


@dataclass(frozen=True)
class Baseline:
    """One such answer.

    Attributes:
        name: what it is called.
        fit: from the training part to what answers, in the form of the network's head.
    """

    name: str
    fit: Callable[[Split], Predict]


def majority(classes: int, name: str = "majority class", added: float = 0) -> Baseline:
    """Always the class that is most frequent in the training part, with the frequencies as probabilities.

    Args:
        classes: how many there are.
        name: what the baseline is called.
        added: to each class's count, where a class of the other parts may not be there in the training part.
    """

    def fit(train: Split) -> Predict:
        counts = np.bincount(train.targets[train.asked], minlength=classes) + added
        with np.errstate(divide="ignore"):
            logits = np.log(counts / counts.sum())
        return lambda part: np.broadcast_to(logits, (*part.targets.shape, classes))

    return Baseline(name, fit)


def majority_by_step(classes: int, name: str = "majority by step") -> Baseline:
    """At each step the class that is most frequent there in the training part (one is added to each count).

    A step that nobody is asked for in the training part has all classes alike.
    """

    def fit(train: Split) -> Predict:
        counts = 1.0 + np.stack(
            [
                np.bincount(targets[asked], minlength=classes)
                for targets, asked in zip(train.targets.T, train.asked.T, strict=True)
            ]
        )
        logits = np.log(counts / counts.sum(axis=1, keepdims=True))
        return lambda part: np.broadcast_to(logits, (len(part), *logits.shape))

    return Baseline(name, fit)


def mean(name: str = "training mean") -> Baseline:
    """Always the training part's mean."""

    def fit(train: Split) -> Predict:
        average = train.targets.mean(axis=tuple(range(train.targets.ndim - 1)), where=train.asked[..., None])
        return lambda part: np.broadcast_to(average, part.targets.shape)

    return Baseline(name, fit)


def marginal(name: str = "marginal per label") -> Baseline:
    """Every label with its own frequency in the training part (half an example is added on either side)."""

    def fit(train: Split) -> Predict:
        due = train.targets[train.asked]
        frequencies = (due.sum(axis=0) + 0.5) / (len(due) + 1.0)
        return lambda part: np.broadcast_to(np.log(frequencies / (1 - frequencies)), part.targets.shape)

    return Baseline(name, fit)


def bigram(symbols: int, name: str = "bigram") -> Baseline:
    """The next symbol from the current one, by the training part's counts (one is added to each).

    Of a task whose targets are the symbols that follow its inputs.
    """

    def fit(train: Split) -> Predict:
        counts = np.ones((symbols, symbols))
        np.add.at(counts, (train.inputs[train.asked], train.targets[train.asked]), 1)
        logits = np.log(counts / counts.sum(axis=1, keepdims=True))
        return lambda part: logits[part.inputs]

    return Baseline(name, fit)


def naive_bayes(symbols: int, classes: int, name: str = "naive Bayes") -> Baseline:
    """The class of a sequence from how often each symbol is in it (one is added to each count), whatever the order."""

    def fit(train: Split) -> Predict:
        counts = np.ones((symbols, classes))
        there = np.ones(train.inputs.shape, bool) if train.mask is None else train.mask
        class_of_step = np.broadcast_to(train.targets[:, None], there.shape)
        np.add.at(counts, (train.inputs[there], class_of_step[there]), 1)
        evidence = np.log(counts / counts.sum(axis=0))
        prior = np.log((np.bincount(train.targets, minlength=classes) + 1) / (len(train) + classes))

        def predict(part: Split) -> np.ndarray:
            of_steps = evidence[part.inputs]
            return prior + of_steps.sum(axis=1, where=True if part.mask is None else part.mask[..., None])

        return predict

    return Baseline(name, fit)


def markov(name: str = "Markov chain per label") -> Baseline:
    """Every label from whether it is there now, by the training part's counts (half an example is added either side).

    Of a task whose targets are the labels that follow its inputs.
    """

    def fit(train: Split) -> Predict:
        now, then = train.inputs[train.asked] > 0.5, train.targets[train.asked] > 0.5
        on, off = (((then & here).sum(axis=0) + 0.5) / (here.sum(axis=0) + 1.0) for here in (now, ~now))
        return lambda part: np.where(part.inputs > 0.5, np.log(on / (1 - on)), np.log(off / (1 - off)))

    return Baseline(name, fit)


def certain(name: str, answer: Callable[[Split], np.ndarray], classes: int) -> Baseline:
    """Classes `[N]` or `[N, T]` that follow from the inputs by a rule, without a doubt; hence without a loss."""

    def fit(train: Split) -> Predict:
        return lambda part: np.where(np.eye(classes, dtype=bool)[answer(part)], 0.0, -np.inf)

    return Baseline(name, fit)


def rule(name: str, answer: Predict) -> Baseline:
    """What follows from the inputs by a rule, such as: tomorrow will be as today."""
    return Baseline(name, lambda train: answer)
