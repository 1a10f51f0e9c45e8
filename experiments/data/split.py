"""One part of the data, as arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..common.seeds import fixed_stream

SPLITS = ("train", "validation", "test")
"""The names of a task's splits, in order."""


@dataclass(frozen=True)
class Split:
    """Examples; the first dimension N of every array.

    Attributes:
        inputs: float32 `[N, T, F]`, or int32 `[N, T]` for symbols.
        targets: int32 for classes and symbols, `[N]` or `[N, T']`; float32 for values and labels, `[N, V]` or
            `[N, T', V]`.
        mask: boolean `[N, T]`, which steps are there; `None` for all.
        target_mask: boolean `[N, T']`, which steps are asked for; `None` for all, or where there is one answer a
            sequence.
        times: `[N]` `datetime64`, the time of the first target, where the data have one.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray | None = None
    target_mask: np.ndarray | None = None
    times: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, chosen: slice | np.ndarray) -> "Split":
        """Some of the examples, by a slice or by their numbers."""
        arrays: dict[str, Any] = {}
        for field in fields(self):
            array = getattr(self, field.name)
            arrays[field.name] = None if array is None else array[chosen]
        return Split(**arrays)

    def chunks(self, size: int) -> Iterator["Split"]:
        """The examples in order, so many at a time; the last chunk may have fewer."""
        return (self[start : start + size] for start in range(0, len(self), size))

    @property
    def asked(self) -> np.ndarray:
        """Boolean, `[N]` or `[N, T']`: where an answer counts. Values and labels have one for all of a step's."""
        if self.target_mask is not None:
            return self.target_mask
        symbols = np.issubdtype(self.targets.dtype, np.integer)
        return np.ones(self.targets.shape if symbols else self.targets.shape[:-1], bool)


def padded(sequences: Sequence[np.ndarray], targets: np.ndarray, steps: int) -> Split:
    """Sequences of their own lengths, each followed by zeros; the mask tells which is which.

    Args:
        sequences: N of them, `[its steps, ...]` each.
        targets: `[N]`.
        steps: T, at least the length of the longest.
    """
    mask = np.arange(steps) < np.array([len(sequence) for sequence in sequences])[:, None]
    inputs = np.zeros((*mask.shape, *sequences[0].shape[1:]), sequences[0].dtype)
    inputs[mask] = np.concatenate(sequences)
    return Split(inputs, targets, mask)


def held_out(part: Split, one_in: int) -> tuple[Split, Split]:
    """All but every n-th example of each class, and every n-th; which these are was drawn once and for all.

    Args:
        part: examples with one class each.
        one_in: n.
    """
    shuffled = fixed_stream("split").permutation(len(part))
    by_class = shuffled[np.argsort(part.targets[shuffled], kind="stable")]
    chosen = np.zeros(len(part), bool)
    chosen[by_class[::one_in]] = True
    return part[~chosen], part[chosen]
