"""What is to be learnt: the parts of the data, the kind of output, and what answers without learning would score."""

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
    """What goes into a network and what comes out; enough to build one.

    Attributes:
        steps: T.
        features: F, numbers a step; of symbols, how many there are.
        output: the kind of output.
        symbols: what each input symbol stands for; empty where inputs are numbers.
        masked: whether the inputs come with a mask.
        input_mean, input_scale: what is taken from each feature, and by what it is divided then; empty for nothing.
        stateful: whether a sequence goes on where the one before it ended.
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
        """Plain values, for a file."""
        return {**asdict(self), "output": {"kind": type(self.output).__name__, **asdict(self.output)}}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Signature":
        """The signature that `as_json` described."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**{**plain, "output": output_from_json(plain["output"])})


@dataclass(frozen=True)
class Task:
    """A dataset, ready to be learnt. Data are in their own units; what scales them is part of the network.

    Attributes:
        train, validation, test: the three parts; no example is in two of them.
        output: the kind of output.
        baselines: answers without a network.
        symbols: what each input symbol stands for; empty where inputs are numbers.
        features: what the numbers of a step are called.
        standardise: whether inputs and values are to be brought to mean 0 and standard deviation 1.
        ordered: whether the examples follow one another in time.
        stateful: whether each example goes on where the one before it ended.
        solved: a metric of the validation part, and the value at which people say that the task is solved.
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
        """Training, validation and test part."""
        return self.train, self.validation, self.test

    @property
    def signature(self) -> Signature:
        """What a network for this task reads and writes."""
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
        """The task with less to learn from: `size` examples, or a fraction of them; validation and test stay.

        Of an ordered task the last are kept, next to what is to be predicted; of any other one some at random,
        always the same, and those of a smaller choice are among those of a larger one.

        Raises:
            UserError: there are not so many.
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
        """The task with means and standard deviations of its training part, if it wants them."""
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
        """What every baseline scores on a part, by its name; without what is infinite."""
        metrics = {}
        for baseline in self.baselines:
            scores = score(self.output, baseline.fit(self.train), part.chunks(_CHUNK))
            metrics[baseline.name] = {name: value for name, value in scores.items() if math.isfinite(value)}
        return metrics


_CHUNK = 1024
"""Examples that are scored at a time."""


def _moments(values: np.ndarray, there: np.ndarray | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each last-dimension entry; a constant is not stretched."""
    rows = values.reshape(-1, values.shape[-1]) if there is None else values[there]
    rows = rows.astype("float64")
    scale = rows.std(axis=0)
    return tuple(rows.mean(axis=0).tolist()), tuple(np.where(scale > 0, scale, 1.0).tolist())
