"""Linear recurrences, `h_t = a_t ⊙ h_{t-1} + b_t`, all steps at once.

Two steps in a row are one step of the same kind, `(a, b)` then `(a', b')` being `(a' a, a' b + b')`, so that a scan of
logarithmic depth computes all of them. The way back is the same recurrence from the end:

    dh_t = d_t + a_{t+1} ⊙ dh_{t+1}        (d_t: what arrives from the output of step t)
    db_t = dh_t        da_t = dh_t ⊙ h_{t-1}        dh_0 = a_1 ⊙ dh_1
"""

from typing import Any

from keras import ops

from ..backend import compiled, custom_gradient, scan
from ..probes import norms
from .products import before, constant, first_derivatives_only


def through_time(a: Any, b: Any, states: list, mask: Any, taps: dict[str, Any]) -> tuple[Any, list]:
    """h at every step `[T, B, H]`, and the last state.

    Args:
        a, b: `[T, B, H]`.
        states: the initial state h_0 `[B, H]`, in a list.
        mask: boolean `[T, B, 1]` or `None`; a masked step has a = 1 and b = 0.
        taps: zero vectors `[T]` by signal, of which there is `h` at most.
    """
    if mask is not None:
        a, b = ops.where(mask, a, ops.ones_like(a)), ops.where(mask, b, ops.zeros_like(b))

    @custom_gradient
    def recurrence(*tensors):
        a, b, h_0, present, *tap = constant(tensors)
        h = constant(_scan(a, ops.concatenate([(b[0] + a[0] * h_0)[None], b[1:]], axis=0)))

        def gradient(*upstream):
            after = ops.concatenate([a[1:], ops.zeros_like(a[:1])], axis=0)
            d_h = constant(upstream[0])
            dh = ops.flip(constant(_scan(ops.flip(after, axis=0), ops.flip(d_h, axis=0))), axis=0)
            derivatives = (dh * before(h_0, h), dh, a[0] * dh[0], *[_norms(dh, present)] * len(tap))
            of_a, of_b, of_h_0, *measured = first_derivatives_only(derivatives, (upstream, tensors))
            return of_a, of_b, of_h_0, None, *measured

        return h, gradient

    present = None if mask is None else ops.cast(mask, "float32")
    h = recurrence(a, b, ops.copy(states[0]), present, *taps.values())
    return h, [h[-1]]


@compiled
def _scan(a, b):
    """`h_t = a_t h_{t-1} + b_t` with `h_0 = 0`, over the leading axis.

    After the pass with shift s every step stands for the 2s steps that end with it (Hillis & Steele 1986). Where T is
    not known beforehand there is no telling how many passes it takes, and the steps are done one by one.
    """
    length = a.shape[0]
    if length is None:
        step = lambda h, slices: (slices[0] * h + slices[1],) * 2
        return scan(step, ops.zeros_like(b[0]), (a, b))[1]
    shift = 1
    while shift < length:
        b = ops.concatenate([b[:shift], a[shift:] * b[:-shift] + b[shift:]], axis=0)
        a = ops.concatenate([a[:shift], a[shift:] * a[:-shift]], axis=0)
        shift *= 2
    return b


def _norms(dh, present):
    """Norms `[T]` of the total derivatives `[T, B, H]`, masked steps (zeros in present `[T, B, 1]`) left out."""
    squares, count = ops.square(ops.cast(dh, "float32")), None
    if present is not None:
        squares, count = squares * present, ops.sum(present, axis=(1, 2))
    return norms(ops.sum(squares, axis=(1, 2)), ops.shape(dh)[1], count)
