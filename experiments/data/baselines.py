"""Baselines: predictions without a network, fitted to the training split and scored like the network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .outputs import Predict
from .split import Split


@dataclass(frozen=True)
class Baseline:
    """A prediction without a network.

    Attributes:
        name: name of the baseline.
        fit: a function that takes the training split and returns a prediction function. This maps a split to
            predictions in the format of the network's head.
    """

    name: str
    fit: Callable[[Split], Predict]


def majority(classes: int, name: str = "majority class", added: float = 0) -> Baseline:
    """Return a baseline that always predicts the most frequent class of the training split.

    The class frequencies are its probabilities.

    Args:
        classes: number of classes.
        name: name of the baseline.
        added: number that is added to the count of each class, if the training split may lack a class of the other
            splits.
    """

    def fit(train: Split) -> Predict:
        counts = np.bincount(train.targets[train.asked], minlength=classes) + added
        with np.errstate(divide="ignore"):
            logits = np.log(counts / counts.sum())
        return lambda part: np.broadcast_to(logits, (*part.targets.shape, classes))

    return Baseline(name, fit)


def majority_by_step(classes: int, name: str = "majority by step") -> Baseline:
    """Return a baseline that predicts the most frequent class of each timestep in the training split.

    One is added to each count. At a timestep without scored targets in the training split, all classes are equally
    likely.
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
    """Return a baseline that always predicts the mean of the training split."""

    def fit(train: Split) -> Predict:
        average = train.targets.mean(axis=tuple(range(train.targets.ndim - 1)), where=train.asked[..., None])
        return lambda part: np.broadcast_to(average, part.targets.shape)

    return Baseline(name, fit)


def marginal(name: str = "marginal per label") -> Baseline:
    """Return a baseline that predicts each label with its frequency in the training split.

    0.5 is added to the number of examples with the label, and to the number without it.
    """

    def fit(train: Split) -> Predict:
        due = train.targets[train.asked]
        frequencies = (due.sum(axis=0) + 0.5) / (len(due) + 1.0)
        return lambda part: np.broadcast_to(np.log(frequencies / (1 - frequencies)), part.targets.shape)

    return Baseline(name, fit)


def bigram(symbols: int, name: str = "bigram") -> Baseline:
    """Return a baseline that predicts the next symbol with its frequency after the current symbol.

    The counts are those of the training split, plus one each. The targets of the task must be the symbols that follow
    its inputs.
    """

    def fit(train: Split) -> Predict:
        counts = np.ones((symbols, symbols))
        np.add.at(counts, (train.inputs[train.asked], train.targets[train.asked]), 1)
        logits = np.log(counts / counts.sum(axis=1, keepdims=True))
        return lambda part: logits[part.inputs]

    return Baseline(name, fit)


def naive_bayes(symbols: int, classes: int, name: str = "naive Bayes") -> Baseline:
    """Return a naive Bayes classifier, which predicts the class of a sequence from its symbols without their order.

    The counts are those of the training split, plus one each.
    """

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
    """Return a baseline that predicts each label from the same label at the current timestep.

    The counts are those of the training split, plus 0.5 each. The targets of the task must be the labels that follow
    its inputs.
    """

    def fit(train: Split) -> Predict:
        now, then = train.inputs[train.asked] > 0.5, train.targets[train.asked] > 0.5
        on, off = (((then & here).sum(axis=0) + 0.5) / (here.sum(axis=0) + 1.0) for here in (now, ~now))
        return lambda part: np.where(part.inputs > 0.5, np.log(on / (1 - on)), np.log(off / (1 - off)))

    return Baseline(name, fit)


def certain(name: str, answer: Callable[[Split], np.ndarray], classes: int) -> Baseline:
    """Return a baseline that predicts classes `[N]` or `[N, T]` by a rule, with probability 1.

    The loss of a wrong prediction is infinite, so the loss of such a baseline is not reported.
    """

    def fit(train: Split) -> Predict:
        return lambda part: np.where(np.eye(classes, dtype=bool)[answer(part)], 0.0, -np.inf)

    return Baseline(name, fit)


def rule(name: str, answer: Predict) -> Baseline:
    """Return a baseline that predicts by a fixed rule, such as persistence of the last input."""
    return Baseline(name, lambda train: answer)
