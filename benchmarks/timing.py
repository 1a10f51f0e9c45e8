"""Candidates in turn, round by round, in one process, so that a machine's moods reach all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np


def rounds(candidates: Mapping[str, Callable[[], object]], count: int, seconds: float = 0.0) -> dict[str, list[float]]:
    """Times every candidate once a round, in its second call: in the first it may meet threads of the one before, which
    go on spinning for a while.

    Args:
        candidates: what to call, by name. Each has been called before and returns when it is done.
        count: rounds, at least.
        seconds: go on until so many have passed.

    Returns:
        Seconds of every call, by name.
    """
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    began = time.perf_counter()
    done = 0
    while done < count or time.perf_counter() - began < seconds:
        for name, call in candidates.items():
            call()
            start = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - start)
        done += 1
    return taken


def minimum_and_median(taken: Sequence[float]) -> tuple[float, float]:
    """In milliseconds."""
    return 1e3 * min(taken), 1e3 * float(np.median(taken))
