"""What one run wrote of one signal, as the tab asks for it: a few training steps, a few timesteps, or a summary."""

import json
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from . import profile


@dataclass(frozen=True)
class Part:
    """Some of a series' records.

    Attributes:
        steps: training steps.
        lengths: number of timesteps of each record as it was logged.
        every: only each so-manieth timestep is in `values`, counted from the last one read.
        values: one float32 vector a step.
    """

    steps: list[int]
    lengths: list[int]
    every: int
    values: list[np.ndarray]


class Series:
    """All records of one tag in one run, by training step; of records of the same step the one written last.

    Args:
        steps: training steps, in the order they were written.
        vectors: one float32 vector `[T]` a step.
        backward: whether the layer reads its input from the end, so that its last step is timestep 0.
        limit: how many records TensorBoard keeps of a tag; 0 if all.
    """

    def __init__(self, steps: Sequence[int], vectors: Sequence[np.ndarray], backward: bool = False, limit: int = 0):
        self.backward = backward
        by_step = dict(zip(steps, vectors, strict=True))
        self.steps = np.array(sorted(by_step), dtype=np.int64)
        self.vectors = [by_step[step] for step in self.steps.tolist()]
        self.dropped = _dropped(self.steps) if 0 < limit <= len(steps) else 0

    @cached_property
    def size(self) -> int:
        """Bytes of all vectors."""
        return sum(vector.nbytes for vector in self.vectors)

    def at(self, steps: Sequence[int], rows: int | None = None) -> Part:
        """The records at these training steps, or the last one before each; the first one where there is none."""
        found = np.maximum(np.searchsorted(self.steps, np.asarray(steps, dtype=np.int64), side="right") - 1, 0)
        return self._part(np.unique(found) if len(self.steps) else found[:0], rows)

    def between(self, first: int | None, last: int | None, columns: int | None, rows: int | None) -> Part:
        """The records from one training step to another, both included.

        Args:
            first: where to begin; `None` for the first.
            last: where to end; `None` for the last.
            columns: at most so many records, evenly spread, the first and the last among them; `None` for all.
            rows: at most so many timesteps of each, evenly spread, the last among them; `None` for all.
        """
        low = 0 if first is None else int(np.searchsorted(self.steps, first))
        high = len(self.steps) if last is None else int(np.searchsorted(self.steps, last, side="right"))
        chosen = np.arange(low, high)
        if columns is not None and len(chosen) > max(columns, 1):
            chosen = chosen[np.unique(np.linspace(0, len(chosen) - 1, max(columns, 1)).round().astype(int))]
        return self._part(chosen, rows)

    def horizons(self, smooth: bool = False) -> Part:
        """One number a record: its horizon; NaN where a norm is not finite. `lengths` are the records' own.

        Args:
            smooth: whether the horizon is that of the record and the nine before it together, as in a verdict.
        """
        profiles = [self._last(index + 1) for index in range(len(self.vectors))] if smooth else self.vectors
        values = [
            np.array([profile.horizon(norms, self.backward) if np.isfinite(norms).all() else np.nan], np.float32)
            for norms in profiles
        ]
        return Part(self.steps.tolist(), [len(vector) for vector in self.vectors], 1, values)

    def verdict(self) -> profile.Verdict | None:
        """The verdict on the last ten records."""
        return profile.verdict(self._last(len(self.vectors)), self.backward) if self.vectors else None

    def _last(self, end: int) -> np.ndarray:
        """Root mean square of the last ten records before an index, as far as they are as long as the last of them."""
        last = self.vectors[max(end - profile.RECORDS, 0) : end]
        return profile.root_mean_square([vector for vector in last if len(vector) == len(last[-1])])

    @cached_property
    def longest(self) -> int:
        """The largest number of timesteps of a record."""
        return max((len(vector) for vector in self.vectors), default=0)

    @cached_property
    def range(self) -> list[float]:
        """The smallest and the largest of all positive finite values; empty if there are none."""
        return _range(self.vectors)

    @cached_property
    def relative_range(self) -> list[float]:
        """The same of all values over that of the last step read that is not 0."""
        relative = []
        for vector in self.vectors:
            last_first = vector[:: 1 if self.backward else -1]
            present = np.flatnonzero(last_first)
            if present.size and np.isfinite(last_first[present[0]]):
                relative.append(vector / last_first[present[0]])
        return _range(relative)

    def _part(self, chosen: np.ndarray, rows: int | None) -> Part:
        vectors = [self.vectors[index] for index in chosen.tolist()]
        longest = max(map(len, vectors), default=1)
        every = 1 if rows is None else max(1, -(-longest // max(rows, 1)))
        values = [vector[::every] if self.backward else vector[::-1][::every][::-1] for vector in vectors]
        return Part(self.steps[chosen].tolist(), [len(vector) for vector in vectors], every, values)


class Memory:
    """Keeps the series asked for last, until new records arrive, within a number of bytes.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[Hashable, Series]] = OrderedDict()
        self._lock = threading.Lock()
        self._reading: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: Hashable, stamp: Hashable, read: Callable[[], Series]) -> Series:
        """The series under a key; read anew where `stamp` is not the one that it was read under.

        The page asks several things of a series at once: whoever comes second waits for the first one's reading.
        """
        with self._lock:
            reading = self._reading[key]
        with reading:
            with self._lock:
                kept = self._kept.get(key)
                if kept is not None and kept[0] == stamp:
                    self._kept.move_to_end(key)
                    return kept[1]
            series = read()
            with self._lock:
                self._kept[key] = (stamp, series)
                self._kept.move_to_end(key)
                while len(self._kept) > 1 and sum(kept.size for _, kept in self._kept.values()) > self._limit:
                    self._kept.popitem(last=False)
            return series


def encode(parts: dict[str, tuple[Series, Part]]) -> bytes:
    """Parts of several runs' series as one answer: a length, a JSON header of that length, and float32 values.

    The length is an unsigned 32-bit number, little-endian as everything here; the header is padded with spaces, so that
    what follows is aligned. Its `series` say of each run: `steps`; `lengths` (one number where all are equal); `every`;
    and of all its records how many there are, how many TensorBoard dropped, how long the longest is, and between what
    limits the values lie. The values follow in the same order, ⌈length / every⌉ of each step, or one of each step where
    one number sums a step up.

    Args:
        parts: by run, its series and what is to be sent of it.
    """
    header = json.dumps({"series": [_about(run, *sent) for run, sent in parts.items()]}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 4)
    values = [vector for _, part in parts.values() for vector in part.values]
    body = np.concatenate(values).astype("<f4", copy=False).tobytes() if values else b""
    return len(header).to_bytes(4, "little") + header + body


def _about(run: str, series: Series, part: Part) -> dict[str, Any]:
    return {
        "run": run,
        "steps": part.steps,
        "lengths": part.lengths[0] if len(set(part.lengths)) == 1 else part.lengths,
        "every": part.every,
        "records": len(series.steps),
        "dropped": series.dropped,
        "first": int(series.steps[0]) if len(series.steps) else None,
        "longest": series.longest,
        "range": series.range,
        "relative": series.relative_range,
    }


def _range(vectors: list[np.ndarray]) -> list[float]:
    values = np.concatenate(vectors) if vectors else np.empty(0)
    values = values[np.isfinite(values) & (values > 0)]
    return [float(values.min()), float(values.max())] if values.size else []


def _dropped(steps: np.ndarray) -> int:
    """How many records are missing between the first and the last, were they written at the smallest distance seen.

    TensorBoard does not say how many it left out; it keeps the last and an even choice of the others.

    >>> _dropped(np.array([10, 20, 50, 100]))
    6
    """
    if len(steps) < 2:
        return 0
    return max(int((steps[-1] - steps[0]) // np.diff(steps).min()) + 1 - len(steps), 1)
