"""Tasks: the splits of a dataset with their kind of output and their baselines."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..common.errors import UserError
from ..common.seeds import fixed_stream
from .baselines import Baseline
from .outputs import Output, Values, output_from_json, score
from .split import Split


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of a network, as needed to build it.

    Attributes:
        steps: T.
        features: F, the number of inputs per timestep, or the number of different symbols.
        output: kind of output.
        symbols: text of each input symbol; empty if the inputs are numbers.
        masked: whether the inputs have a mask.
        input_mean, input_scale: `input_mean` is subtracted from each feature, and the difference is divided by
            `input_scale`. Both are empty if the inputs are not scaled.
        stateful: whether each sequence continues the sequence before it.
    """

    steps: int
    features: int
    output: Output
    symbols: tuple[str, ...] = ()
    masked: bool = False
    input_mean: tuple[float, ...] = ()
    input_scale: tuple[float, ...] = ()
    stateful: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the signature as plain values for a JSON file."""
        return {**asdict(self), "output": {"kind": type(self.output).__name__, **asdict(self.output)}}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Signature":
        """Return the signature from the values of `as_json`."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**{**plain, "output": output_from_json(plain["output"])})


@dataclass(frozen=True)
class Task:
    """A dataset with its splits, kind of output, and baselines.

    The data are in their original units. The network scales them.

    Attributes:
        train, validation, test: the three splits; no example is in two of them.
        output: kind of output.
        baselines: predictions without a network.
        symbols: text of each input symbol; empty if the inputs are numbers.
        features: names of the inputs of a timestep.
        standardise: whether to scale inputs and target values to mean 0 and standard deviation 1.
        ordered: whether the examples are in the order of time.
        stateful: whether each example continues the example before it.
        solved: a metric on the validation split, and its value at which the task is considered solved.
        input_mean, input_scale: see `Signature`.
    """

    train: Split
    validation: Split
    test: Split
    output: Output
    baselines: tuple[Baseline, ...]
    symbols: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    standardise: bool = False
    ordered: bool = False
    stateful: bool = False
    solved: tuple[str, float] | None = None
    input_mean: tuple[float, ...] = ()
    input_scale: tuple[float, ...] = ()

    @property
    def parts(self) -> tuple[Split, Split, Split]:
        """The training, validation and test split."""
        return self.train, self.validation, self.test

    @property
    def signature(self) -> Signature:
        """The inputs and outputs of a network for this task."""
        return Signature(
            self.train.inputs.shape[1],
            len(self.symbols) or self.train.inputs.shape[2],
            self.output,
            self.symbols,
            self.train.mask is not None,
            self.input_mean,
            self.input_scale,
            self.stateful,
        )

    def reduced(self, size: int | None, fraction: float) -> "Task":
        """Return the task with a smaller training split. The validation and test splits do not change.

        In an ordered task, the last examples remain, which are closest in time to the other splits. Otherwise, a random
        subset remains. It is the same in every run, and contains all smaller subsets.

        Args:
            size: number of training examples; `None` for all.
            fraction: fraction of these examples to use.

        Raises:
            UserError: the training split has fewer than `size` examples.
        """
        there = len(self.train)
        if size is not None and size > there:
            raise UserError(f"dataset.train_size={size}: expected at most {there}, the size of the training part")
        kept = math.ceil((size or there) * fraction)
        if kept == there:
            return self
        chosen = slice(there - kept, there) if self.ordered else fixed_stream("subset").permutation(there)[:kept]
        return replace(self, train=self.train[chosen])

    def scaled(self) -> "Task":
        """Return the task with the means and standard deviations of its training split, if `standardise` is set."""
        if not self.standardise:
            return self
        task = self
        if not self.symbols:
            mean, scale = _moments(self.train.inputs, self.train.mask)
            task = replace(self, input_mean=mean, input_scale=scale)
        if not isinstance(self.output, Values):
            return task
        offset, scale = _moments(self.train.targets, self.train.target_mask)
        return replace(task, output=replace(self.output, offset=offset, scale=scale))

    def baseline_metrics(self, part: Split) -> dict[str, dict[str, float]]:
        """Return the metrics of each baseline on a split, without infinite values."""
        metrics = {}
        for baseline in self.baselines:
            scores = score(self.output, baseline.fit(self.train), part.chunks(_CHUNK))
            metrics[baseline.name] = {name: value for name, value in scores.items() if math.isfinite(value)}
        return metrics


_CHUNK = 1024
"""Number of examples that are scored at a time."""


def _moments(values: np.ndarray, there: np.ndarray | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and the standard deviation of each entry of the last dimension.

    A standard deviation of 0 is replaced by 1.
    """
    rows = values.reshape(-1, values.shape[-1]) if there is None else values[there]
    rows = rows.astype("float64")
    scale = rows.std(axis=0)
    return tuple(rows.mean(axis=0).tolist()), tuple(np.where(scale > 0, scale, 1.0).tolist())
