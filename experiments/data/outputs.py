"""Kinds of output: what a network is asked for, and how an answer is scored. Needs no TensorFlow.

A score is a mean over what was asked for, so it is kept as a sum and a count: parts of any size can be put together.
The network, and every baseline, is scored by the same lines.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .split import Split

Sums = dict[str, tuple[float, float]]
Predict = Callable[[Split], np.ndarray]

HIGHER_IS_BETTER = {"accuracy", "correct", "exact_match"}
"""Metrics of which more is better; of all others less is."""


def is_better(metric: str, value: float, other: float) -> bool:
    """Whether a value of a metric is better than another."""
    return value > other if metric in HIGHER_IS_BETTER else value < other


def best_baseline(metric: str, baselines: dict[str, dict[str, float]]) -> float | None:
    """The best that any baseline scores; `None` where none has the metric."""
    scores = [scores[metric] for scores in baselines.values() if metric in scores]
    return (max if metric in HIGHER_IS_BETTER else min)(scores, default=None)


@dataclass(frozen=True)
class Output:
    """What every kind has.

    Attributes:
        size: numbers that the network's head gives, a sequence or a step.
        per_step: whether there is an answer at every step.
    """

    size: int
    per_step: bool = False
    headline: ClassVar[str] = "accuracy"
    """The metric by which people judge."""
    monitor: ClassVar[str] = "loss"
    """The metric of the validation part by which the best network is kept."""

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """By metric, sum and count over what was asked for.

        Args:
            predictions: what the network's head says, `[N, size]` or `[N, T, size]`.
            part: what was asked.
        """
        raise NotImplementedError

    def derived(self, means: dict[str, float]) -> dict[str, float]:
        """Metrics that follow from the means of others."""
        return {}


@dataclass(frozen=True)
class Classes(Output):
    """One of `size` classes; the head gives logits.

    Metrics: `loss`, cross-entropy in nats; `accuracy`.

    Attributes:
        names: what the classes are called.
        silent: a class that asks for nothing, as the blanks of the copy task: where it is the target, the step
            counts for the loss alone.
    """

    names: tuple[str, ...] = ()
    silent: int | None = None

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """See `Output`."""
        targets, asked = part.targets, part.asked
        logits = np.asarray(predictions, "float64")
        largest = logits.max(axis=-1)
        normaliser = largest + np.log(np.exp(logits - largest[..., None]).sum(axis=-1))
        losses = normaliser - np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
        right = logits.argmax(axis=-1) == targets
        spoken = asked if self.silent is None else asked & (targets != self.silent)
        return {"loss": _sums(losses, asked), "accuracy": _sums(right, spoken)}


@dataclass(frozen=True)
class Symbols(Classes):
    """The next symbol, at every step: a language model.

    Metrics: those of `Classes`, and `bits_per_character` and `perplexity`, which are the loss in other words.
    """

    per_step: bool = True
    headline: ClassVar[str] = "bits_per_character"

    def derived(self, means: dict[str, float]) -> dict[str, float]:
        """See `Output`."""
        return {"bits_per_character": means["loss"] / math.log(2), "perplexity": float(np.exp(means["loss"]))}


@dataclass(frozen=True)
class Sequences(Classes):
    """Another sequence of symbols, written by a network that reads back what it has written itself.

    Metrics: `loss` and `accuracy` a symbol; `exact_match`, the share of sequences without a fault; `edit_distance`,
    the mean number of symbols to insert, delete or replace (Levenshtein 1966) up to the first `stop`.

    Attributes:
        stop: the symbol that ends a sequence; `None` where all are of one length.
    """

    per_step: bool = True
    stop: int | None = None
    headline: ClassVar[str] = "exact_match"
    monitor: ClassVar[str] = "accuracy"  # the loss of what is written freely punishes one slip at every later step

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """See `Output`."""
        from rapidfuzz.distance import Levenshtein

        written = predictions.argmax(axis=-1)
        faults = (written != part.targets) & part.asked
        edits = sum(
            Levenshtein.distance(self._up_to_stop(mine), self._up_to_stop(target[asked]))
            for mine, target, asked in zip(written, part.targets, part.asked, strict=True)
        )
        exact = {"exact_match": (float(np.sum(~faults.any(axis=1))), len(part)), "edit_distance": (edits, len(part))}
        return super().measure(predictions, part) | exact

    def _up_to_stop(self, symbols: np.ndarray) -> list[int]:
        listed = symbols.tolist()
        return listed[: listed.index(self.stop)] if self.stop in listed else listed


@dataclass(frozen=True)
class Values(Output):
    """Numbers; of one series at several times, or of several.

    Metrics: `loss`, the squared error divided by `scale²`; `mse` and `mae` in the data's own units; where there are
    several numbers also `mae_first` and `mae_last`, of the first and the last of them; with a tolerance `correct`,
    the share of answers none of whose numbers is off by as much.

    Attributes:
        names: what the numbers are.
        unit: in what they are measured.
        offset, scale: mean and standard deviation in the training part, by which the network's answer is shifted and
            stretched; empty where the data have a natural scale of their own.
        tolerance: see above.
    """

    names: tuple[str, ...] = ()
    unit: str = ""
    offset: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    tolerance: float | None = None
    headline: ClassVar[str] = "mae"

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """See `Output`."""
        errors = np.asarray(predictions, "float64") - part.targets
        asked = np.broadcast_to(part.asked[..., None], errors.shape)
        absolute = np.abs(errors)
        sums = {
            "loss": _sums(np.square(errors / (np.array(self.scale) if self.scale else 1.0)), asked),
            "mse": _sums(np.square(errors), asked),
            "mae": _sums(absolute, asked),
        }
        if self.size > 1:
            sums["mae_first"] = _sums(absolute[..., 0], part.asked)
            sums["mae_last"] = _sums(absolute[..., -1], part.asked)
        if self.tolerance is not None:
            sums["correct"] = _sums((absolute < self.tolerance).all(axis=-1), part.asked)
        return sums


@dataclass(frozen=True)
class Labels(Output):
    """Any number of `size` labels at every step, as the keys of a piano; the head gives a logit for each.

    Metrics: `loss`, also called `nll`, the negative log-likelihood in nats, summed over labels and averaged over
    steps (Boulanger-Lewandowski, Bengio & Vincent 2012); `accuracy`, labels rightly given over labels given or due
    (Bay, Ehmann & Downie 2009).
    """

    per_step: bool = True
    names: tuple[str, ...] = ()
    headline: ClassVar[str] = "nll"

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """See `Output`."""
        logits, due, asked = np.asarray(predictions, "float64"), part.targets > 0.5, part.asked
        losses = np.logaddexp(0, np.where(due, -logits, logits)).sum(axis=-1)
        given = logits > 0
        right = (given & due & asked[..., None]).sum()
        return {
            "loss": _sums(losses, asked),
            "accuracy": (float(right), float(((given | due) & asked[..., None]).sum())),
        }

    def derived(self, means: dict[str, float]) -> dict[str, float]:
        """See `Output`."""
        return {"nll": means["loss"]}


def output_from_json(values: dict[str, Any]) -> Output:
    """The output whose kind and fields these are."""
    kinds: dict[str, type[Output]] = {kind.__name__: kind for kind in (Classes, Symbols, Sequences, Values, Labels)}
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kinds[plain.pop("kind")](**plain)


def score(output: Output, predict: Predict, chunks: Iterable[Split]) -> dict[str, float]:
    """All metrics of an answer, over all chunks together."""
    totals: dict[str, np.ndarray] = {}
    for part in chunks:
        for name, sums in output.measure(predict(part), part).items():
            totals[name] = totals.get(name, np.zeros(2)) + sums
    means = {name: float(total / count) if count else math.nan for name, (total, count) in totals.items()}
    return means | output.derived(means)


def _sums(values: np.ndarray, asked: np.ndarray) -> tuple[float, float]:
    return float(np.sum(values, where=asked)), float(asked.sum())
