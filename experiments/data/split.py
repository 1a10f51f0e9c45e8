"""One part of the data, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np


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
