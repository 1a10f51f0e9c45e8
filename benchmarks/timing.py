"""Timing of several functions in turn, round by round, so that changes of the machine load affect all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np


def rounds(candidates: Mapping[str, Callable[[], object]], count: int, seconds: float = 0.0) -> dict[str, list[float]]:
    """Time every candidate once per round.

    In each round a candidate is called twice, and only the second call is timed. During the first call, threads of the
    previous candidate may still be spinning.

    Args:
        candidates: functions to time, by name. Each has been called before, and returns when its work is finished.
        count: minimum number of rounds.
        seconds: minimum total duration.

    Returns:
        The seconds of each timed call, by name.
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
    """Return the minimum and the median in milliseconds, from times in seconds."""
    return 1e3 * min(taken), 1e3 * float(np.median(taken))
