"""Splits of a dataset as arrays, and functions that create them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..common.seeds import fixed_stream

SPLITS = ("train", "validation", "test")
"""The names of a task's splits, in order."""


@dataclass(frozen=True)
class Split:
    """N examples as arrays, whose first dimension is N.

    Attributes:
        inputs: float32 `[N, T, F]`, or int32 `[N, T]` for symbols.
        targets: int32 for classes and symbols, `[N]` or `[N, T']`; float32 for values and labels, `[N, V]` or
            `[N, T', V]`.
        mask: boolean `[N, T]`, false for padding; `None` if there is no padding.
        target_mask: boolean `[N, T']`, true for scored targets; `None` if all are scored, or for one target per
            sequence.
        times: `datetime64` `[N]`, time of the first target; `None` if it is unknown.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray | None = None
    target_mask: np.ndarray | None = None
    times: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, chosen: slice | np.ndarray) -> "Split":
        """Return a subset of the examples, selected by a slice or by an array of indices."""
        arrays: dict[str, Any] = {}
        for field in fields(self):
            array = getattr(self, field.name)
            arrays[field.name] = None if array is None else array[chosen]
        return Split(**arrays)

    def chunks(self, size: int) -> Iterator["Split"]:
        """Yield chunks of `size` examples, in order. The last chunk may be smaller."""
        return (self[start : start + size] for start in range(0, len(self), size))

    @property
    def asked(self) -> np.ndarray:
        """The mask of the scored targets, `[N]` or `[N, T']`. All values or labels of a timestep share one entry."""
        if self.target_mask is not None:
            return self.target_mask
        symbols = np.issubdtype(self.targets.dtype, np.integer)
        return np.ones(self.targets.shape if symbols else self.targets.shape[:-1], bool)


def padded(sequences: Sequence[np.ndarray], targets: np.ndarray, steps: int) -> Split:
    """Return sequences of different lengths, padded at the end with zeros, and their mask.

    Args:
        sequences: N sequences, `[number of timesteps, ...]` each.
        targets: `[N]`.
        steps: T, at least the length of the longest sequence.
    """
    mask = np.arange(steps) < np.array([len(sequence) for sequence in sequences])[:, None]
    inputs = np.zeros((*mask.shape, *sequences[0].shape[1:]), sequences[0].dtype)
    inputs[mask] = np.concatenate(sequences)
    return Split(inputs, targets, mask)


def held_out(part: Split, one_in: int) -> tuple[Split, Split]:
    """Split off every n-th example of each class, in a random order that is the same in every run.

    Args:
        part: examples with one class each.
        one_in: n.

    Returns:
        The remaining examples, and those split off.
    """
    shuffled = fixed_stream("split").permutation(len(part))
    by_class = shuffled[np.argsort(part.targets[shuffled], kind="stable")]
    chosen = np.zeros(len(part), bool)
    chosen[by_class[::one_in]] = True
    return part[~chosen], part[chosen]
