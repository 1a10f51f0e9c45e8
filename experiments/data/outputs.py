"""Kinds of output of a network, and their metrics. TensorFlow is not imported.

A metric is a mean over the scored targets. It is computed as a sum and a count, so that chunks of any size can be
combined. The network and the baselines are scored by the same code.
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
"""Metrics for which a higher value is better. For all other metrics, a lower value is better."""


def is_better(metric: str, value: float, other: float) -> bool:
    """Return whether a value of a metric is better than another value."""
    return value > other if metric in HIGHER_IS_BETTER else value < other


def best_baseline(metric: str, baselines: dict[str, dict[str, float]]) -> float | None:
    """Return the best value of a metric over all baselines, or `None` if no baseline has the metric."""
    scores = [scores[metric] for scores in baselines.values() if metric in scores]
    return (max if metric in HIGHER_IS_BETTER else min)(scores, default=None)


@dataclass(frozen=True)
class Output:
    """The base class of all kinds of output.

    Attributes:
        size: number of outputs of the network's head, per sequence or per timestep.
        per_step: whether there is a prediction at every timestep, instead of one per sequence.
    """

    size: int
    per_step: bool = False
    headline: ClassVar[str] = "accuracy"
    """The primary metric."""
    monitor: ClassVar[str] = "loss"
    """The metric on the validation split that selects the best network."""

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """Return, for each metric, its sum over the scored targets and their number.

        Args:
            predictions: output of the network's head, `[N, size]` or `[N, T, size]`.
            part: the examples, with their targets.
        """
        raise NotImplementedError

    def derived(self, means: dict[str, float]) -> dict[str, float]:
        """Return metrics that are computed from the means of other metrics."""
        return {}


@dataclass(frozen=True)
class Classes(Output):
    """An output that is one of `size` classes. The head computes logits.

    Metrics: `loss`, the cross-entropy in nats; `accuracy`.

    Attributes:
        names: names of the classes.
        silent: a class that does not count in the accuracy, such as the blank of the copy memory problem. Timesteps
            with this target count in the loss only.
    """

    names: tuple[str, ...] = ()
    silent: int | None = None

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """Return sums and counts, see `Output.measure`."""
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
    """An output that is the next symbol at every timestep, as in a language model.

    Metrics: those of `Classes`, and `bits_per_character` and `perplexity`, which are computed from the loss.
    """

    per_step: bool = True
    headline: ClassVar[str] = "bits_per_character"

    def derived(self, means: dict[str, float]) -> dict[str, float]:
        """Return derived metrics, see `Output.derived`."""
        return {"bits_per_character": means["loss"] / math.log(2), "perplexity": float(np.exp(means["loss"]))}


@dataclass(frozen=True)
class Sequences(Classes):
    """An output that is a sequence of symbols, written by a decoder that reads its own previous predictions.

    Metrics: `loss` and `accuracy` per symbol; `exact_match`, the fraction of sequences without an error;
    `edit_distance`, the mean number of symbols to insert, delete or replace (Levenshtein 1966) up to the first `stop`.

    Attributes:
        stop: the symbol that ends a sequence; `None` if all sequences have the same length.
    """

    per_step: bool = True
    stop: int | None = None
    headline: ClassVar[str] = "exact_match"
    monitor: ClassVar[str] = "accuracy"  # in the loss, one wrong symbol is penalized again at every later timestep

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """Return sums and counts, see `Output.measure`."""
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
    """An output of one or more numbers, such as several series, or one series at several timesteps.

    Metrics: `loss`, the squared error divided by `scale²`; `mse` and `mae` in the units of the data; `mae_first` and
    `mae_last`, the `mae` of the first and of the last number, if there are several; with a tolerance also `correct`,
    the fraction of predictions in which the errors of all numbers are smaller than the tolerance.

    Attributes:
        names: names of the numbers.
        unit: unit of the numbers.
        offset, scale: mean and standard deviation of the targets in the training split. The network multiplies its
            output by `scale` and adds `offset`. Both are empty if the data have a natural scale.
        tolerance: limit of the error for the metric `correct`; `None` for no such metric.
    """

    names: tuple[str, ...] = ()
    unit: str = ""
    offset: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    tolerance: float | None = None
    headline: ClassVar[str] = "mae"

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """Return sums and counts, see `Output.measure`."""
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
    """An output of `size` labels at every timestep, any number of which can be true, such as the keys of a piano.

    The head computes one logit per label.

    Metrics: `loss`, also called `nll`, the negative log-likelihood in nats, summed over labels and averaged over
    timesteps (Boulanger-Lewandowski, Bengio & Vincent 2012); `accuracy`, the number of correctly predicted labels
    divided by the number of labels that are predicted or in the target (Bay, Ehmann & Downie 2009).
    """

    per_step: bool = True
    names: tuple[str, ...] = ()
    headline: ClassVar[str] = "nll"

    def measure(self, predictions: np.ndarray, part: Split) -> Sums:
        """Return sums and counts, see `Output.measure`."""
        logits, due, asked = np.asarray(predictions, "float64"), part.targets > 0.5, part.asked
        losses = np.logaddexp(0, np.where(due, -logits, logits)).sum(axis=-1)
        given = logits > 0
        right = (given & due & asked[..., None]).sum()
        return {
            "loss": _sums(losses, asked),
            "accuracy": (float(right), float(((given | due) & asked[..., None]).sum())),
        }

    def derived(self, means: dict[str, float]) -> dict[str, float]:
        """Return derived metrics, see `Output.derived`."""
        return {"nll": means["loss"]}


def output_from_json(values: dict[str, Any]) -> Output:
    """Return the output with this kind and these fields."""
    kinds: dict[str, type[Output]] = {kind.__name__: kind for kind in (Classes, Symbols, Sequences, Values, Labels)}
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kinds[plain.pop("kind")](**plain)


def score(output: Output, predict: Predict, chunks: Iterable[Split]) -> dict[str, float]:
    """Return all metrics of a prediction function over all chunks together."""
    totals: dict[str, np.ndarray] = {}
    for part in chunks:
        for name, sums in output.measure(predict(part), part).items():
            totals[name] = totals.get(name, np.zeros(2)) + sums
    means = {name: float(total / count) if count else math.nan for name, (total, count) in totals.items()}
    return means | output.derived(means)


def _sums(values: np.ndarray, asked: np.ndarray) -> tuple[float, float]:
    return float(np.sum(values, where=asked)), float(asked.sum())
