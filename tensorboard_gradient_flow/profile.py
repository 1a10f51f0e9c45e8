"""Numbers that sum up one profile: the gradient norm at every timestep, `[T]`."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

REACH = 0.01
"""A step is within reach while its norm is above this share of the largest one."""
RECORDS = 10
"""How many of the last records a run is judged by: single batches differ a lot."""


def horizon(norms: Any, backward: bool = False) -> int:
    """How many steps back from the last one read the norm stays above 1 % of its largest value.

    Steps that no example has (a norm of exactly 0 at the end, behind padding) are not counted as steps. Where padding
    is read first, as by a backward layer over padding at the end, its zeros do count as steps that were not reached:
    from norms alone they are like those of a gradient that has vanished.

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


def per_step_factor(norms: Any, backward: bool = False) -> float | None:
    """By what factor the norm changes with every step back: below 1 it shrinks on its way, above 1 it grows.

    The exponential of the least-squares slope of log norms against distance from the last step read. Fitted are the
    steps up to the horizon: what lies behind it is mostly rounding, and would outvote the steps that count. Where the
    last step itself is below 1 % of the largest norm (it grows, going back), all steps above that are fitted. At least
    two finite positive steps are taken; `None` where there are no two.

    >>> round(per_step_factor([0.125, 0.25, 0.5, 1.0]), 6)
    0.5
    """
    last_first = np.asarray(norms, dtype=np.float64)[:: 1 if backward else -1]
    (usable,) = np.nonzero(np.isfinite(last_first) & (last_first > 0))
    if usable.size < 2:
        return None
    within = last_first[usable] > REACH * last_first[usable].max()
    distance = usable[within]
    if within[0]:
        distance = distance[distance <= usable[0] + horizon(norms, backward)]
    if distance.size < 2:
        distance = usable[:2]
    logarithms = np.log(last_first[distance])
    centred = distance - distance.mean()
    return float(np.exp(centred @ logarithms / (centred @ centred)))


@dataclass(frozen=True)
class Verdict:
    """What a profile means for learning.

    Attributes:
        name: `vanishing`, `healthy` or `exploding`.
        explanation: one sentence, with the numbers that decided.
        factor: see `per_step_factor`.
        horizon: see `horizon`.
        steps: the largest horizon that there could be.
    """

    name: Literal["vanishing", "healthy", "exploding"]
    explanation: str
    factor: float | None
    horizon: int
    steps: int


def verdict(norms: Any, backward: bool = False) -> Verdict:
    """Whether the gradient vanishes or explodes on its way back through time.

    - *exploding*: a norm is not finite, or the largest is a hundred times that of the last step read, where the way
      back begins. A hundred is the reciprocal of `REACH`: growing is judged as shrinking is.
    - *vanishing*: the horizon is shorter than half the sequence. What stands in the half that was read first then has
      no say in training, and long-range problems (adding, copying) keep what must be remembered there.
    - *healthy*: neither.

    The horizon decides rather than the factor, because the same factor is harmless over ten steps and fatal over a
    thousand; the factor says what a longer sequence would meet.

    Args:
        norms: `[T]`, in the order of the layer's input.
        backward: whether the layer reads its input from the end.

    >>> verdict([1e-6, 1e-4, 1e-2, 1.0]).name
    'vanishing'
    """
    norms = np.asarray(norms, dtype=np.float64)
    last_first = norms[:: 1 if backward else -1]
    finite = np.isfinite(last_first)
    present = np.flatnonzero(last_first)
    steps = max(int(last_first.size - present[0]) - 1, 0) if present.size else max(int(norms.size) - 1, 0)
    factor, reached = per_step_factor(norms, backward), horizon(norms, backward)

    def given(name: Literal["vanishing", "healthy", "exploding"], explanation: str) -> Verdict:
        per_step = "" if factor is None else f" (× {factor:.3g} per step)"
        return Verdict(name, f"{explanation}{per_step}.", factor, reached, steps)

    if not finite.all():
        where = int(np.flatnonzero(~np.isfinite(norms))[-1 if not backward else 0])
        return given("exploding", f"The norm is no longer finite: {norms[where]} at timestep {where}")
    if not present.size:
        return given("vanishing" if steps else "healthy", "No gradient arrives at any timestep")
    growth = float(last_first.max() / last_first[present[0]])
    if growth >= 1 / REACH:
        return given("exploding", f"On its way back the norm grows to {growth:.3g} times that of the last step read")
    reach = f"{reached} of {steps} steps back before it falls below {REACH:.0%} of its largest norm"
    if 2 * reached < steps:
        return given("vanishing", f"The gradient reaches {reach}")
    if reached < steps:
        return given("healthy", f"The gradient reaches {reach}")
    return given("healthy", f"The gradient reaches every step, up to {steps} back")


def root_mean_square(profiles: Any) -> np.ndarray:
    """Profiles of several batches `[N, T]` as one `[T]`: the root mean square over all their examples.

    A batch none of whose examples has a step (its norm there is exactly 0, behind padding) does not count at that step.

    >>> root_mean_square([[3.0, 0.0], [3.0, 2.0]])
    array([3., 2.])
    """
    squares = np.square(np.asarray(profiles, dtype=np.float64))
    root: np.ndarray = np.sqrt(squares.sum(axis=0) / np.maximum((squares != 0).sum(axis=0), 1))
    return root
