"""Linear recurrences, `h_t = a_t ⊙ h_{t-1} + b_t`, by a scan: of all steps at once, or one by one.

Two steps in a row are one step of the same kind, `(a, b)` then `(a', b')` being `(a' a, a' b + b')`, so that a scan of
logarithmic depth computes all of them, where there are processors enough. The way back is the same recurrence from the
end:

    dh_t = d_t + a_{t+1} ⊙ dh_{t+1}        (d_t: what arrives from the output of step t)
    db_t = dh_t        da_t = dh_t ⊙ h_{t-1}        dh_0 = a_1 ⊙ dh_1
"""

from typing import Any

from keras import ops

from ..arguments import Tensor
from ..backend import Gradient, compiled, custom_gradient, loops_are_slow, scan
from ..probes import norms
from .products import before, constant, first_derivatives_only

_chosen: bool | None = None


def set_parallel_scan(enabled: bool | None) -> None:
    """Chooses how cells that are linear in their state (minGRU, minLSTM) walk over a sequence.

    Args:
        enabled: true for a scan of all steps at once, which computes log₂ T times as much in log₂ T passes; false for a
            loop over the steps; `None` (the default) for the loop where it is compiled and runs on a CPU (where it was
            measured to be the faster one at every length, docs/performance.md), and the scan elsewhere. A function or
            model compiled before keeps its way; a sequence of a length not known beforehand is always walked through.

    >>> from rnnscope import set_parallel_scan
    >>> set_parallel_scan(True)
    >>> set_parallel_scan(None)
    """
    global _chosen
    _chosen = None if enabled is None else bool(enabled)


def through_time(
    a: Tensor, b: Tensor, states: list[Tensor], mask: Tensor | None, taps: dict[str, Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """h at every step `[T, B, H]`, and the last state.

    Args:
        a, b: `[T, B, H]`.
        states: the initial state h_0 `[B, H]`, in a list.
        mask: boolean `[T, B, 1]` or `None`; a masked step has a = 1 and b = 0.
        taps: zero vectors `[T]` by signal, of which there is `h` at most.
    """
    if mask is not None:
        a, b = ops.where(mask, a, ops.ones_like(a)), ops.where(mask, b, ops.zeros_like(b))

    parallel = loops_are_slow() if _chosen is None else _chosen

    @custom_gradient
    def recurrence(*tensors: Tensor) -> tuple[Tensor, Gradient]:
        a, b, h_0, present, *tap = constant(tensors)
        h = constant(_scan(a, b, h_0, parallel, reverse=False))

        def gradient(*upstream: Tensor) -> tuple[Any, ...]:
            after = ops.concatenate([a[1:], ops.zeros_like(a[:1])], axis=0)
            dh = constant(_scan(after, constant(upstream[0]), ops.zeros_like(h_0), parallel, reverse=True))
            derivatives = (dh * before(h_0, h), dh, a[0] * dh[0], *[_norms(dh, present)] * len(tap))
            of_a, of_b, of_h_0, *measured = first_derivatives_only(derivatives, (upstream, tensors))
            return of_a, of_b, of_h_0, None, *measured

        return h, gradient

    present = None if mask is None else ops.cast(mask, "float32")
    h = recurrence(a, b, ops.copy(states[0]), present, *taps.values())
    return h, [h[-1]]


@compiled
def _scan(a: Tensor, b: Tensor, h_0: Tensor, parallel: bool, reverse: bool) -> Tensor:
    """`h_t = a_t h_{t-1} + b_t` over the leading axis; in reverse `h_t = a_t h_{t+1} + b_t`."""
    if parallel and a.shape[0] is not None:
        if reverse:
            return ops.flip(_all_at_once(ops.flip(a, axis=0), ops.flip(b, axis=0), h_0), axis=0)
        return _all_at_once(a, b, h_0)

    def step(h: Tensor, slices: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        a, b = slices
        h = a * h + b
        return h, h

    return scan(step, h_0, (a, b), reverse=reverse)[1]


def _all_at_once(a: Tensor, b: Tensor, h_0: Tensor) -> Tensor:
    """After the pass with shift s every step stands for the 2s steps that end with it (Hillis & Steele 1986)."""
    b = ops.concatenate([(b[0] + a[0] * h_0)[None], b[1:]], axis=0)
    shift = 1
    while shift < a.shape[0]:
        b = ops.concatenate([b[:shift], a[shift:] * b[:-shift] + b[shift:]], axis=0)
        a = ops.concatenate([a[:shift], a[shift:] * a[:-shift]], axis=0)
        shift *= 2
    return b


def _norms(dh: Tensor, present: Tensor | None) -> Tensor:
    """Norms `[T]` of the total derivatives `[T, B, H]`, masked steps (zeros in present `[T, B, 1]`) left out."""
    squares, count = ops.square(ops.cast(dh, "float32")), None
    if present is not None:
        squares, count = squares * present, ops.sum(present, axis=(1, 2))
    return norms(ops.sum(squares, axis=(1, 2)), ops.shape(dh)[1], count)
