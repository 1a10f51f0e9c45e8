"""Numbers that sum up one profile: the gradient norm at every timestep, `[T]`."""

from typing import Any

import numpy as np

REACH = 0.01
"""A step is within reach while its norm is above this share of the largest one."""


def horizon(norms: Any, backward: bool = False) -> int:
    """How many steps back from the last one read the norm stays above 1 % of its largest value.

    Steps that no example has (a norm of exactly 0 at the end, behind padding) are not counted as steps.

    Args:
        norms: `[T]`, in the order of the layer's input.
        backward: whether the layer reads its input from the end.

    Returns:
        Between 0 (only the last step, or nothing at all) and T − 1 (the first step too).

    >>> horizon([0.001, 0.02, 0.5, 1.0])
    2
    """
    last_first = np.asarray(norms, dtype=np.float64)[:: 1 if backward else -1]
    present = np.flatnonzero(last_first)
    if present.size == 0 or not np.isfinite(last_first).all():
        return 0
    within = last_first[present[0] :] > REACH * last_first.max()
    return max(int(within.size if within.all() else np.argmin(within)) - 1, 0)


def first_to_last(norms: Any) -> float | None:
    """Norm at the first timestep over the norm at the last; `None` where that is no number.

    >>> first_to_last([0.25, 0.5, 1.0])
    0.25
    """
    norms = np.asarray(norms, dtype=np.float64)
    if norms.size == 0 or norms[-1] == 0 or not np.isfinite(norms[[0, -1]]).all():
        return None
    return float(norms[0] / norms[-1])


def root_mean_square(profiles: Any) -> np.ndarray:
    """Profiles of several batches `[N, T]` as one `[T]`: the root mean square over all their examples."""
    return np.sqrt(np.mean(np.square(np.asarray(profiles, dtype=np.float64)), axis=0))
