"""Vanilla RNN: `a_t = x_t W + h_{t-1} U + b`, `h_t = φ(a_t)`.

δ_t = dh_t ⊙ φ'(a_t)        dh_{t-1} ← δ_t Uᵀ        dU = Σ_t h_{t-1}ᵀ δ_t
"""

from typing import Any, NamedTuple

from keras import ops

from ..arguments import Tensor
from ..backend import compiled, scan
from ..cells.step import dropped
from .family import Factors
from .products import before, keep_masked, split_masked, square, sum_of_products
from .slopes import slope


class Options(NamedTuple):
    activation: Any


def options(cell: Any) -> Options:
    return Options(cell.activation)


def weights(cell: Any) -> list[Tensor]:
    return [cell.recurrent_kernel]


@compiled
def forward(
    projected: Tensor,
    states: list[Tensor],
    weights: list[Tensor],
    mask: Tensor | None,
    dropout_mask: Tensor | None,
    options: Options,
    training: bool,
) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """projected `[T, B, H]`, h_0 `[B, H]`, U `[H, H]` → h `[T, B, H]`; the outputs are all the way back needs."""
    (h_0,), (U,) = states, weights

    def step(h: Tensor, slices: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        x, present = slices
        a = x + ops.matmul(dropped(h, dropout_mask), U)
        h = keep_masked(present, options.activation(a), h)
        return h, h

    _, h = scan(step, h_0, (projected, mask))
    return h, (), ()


@compiled
def backward(
    d_h: Tensor,
    d_last: list[Tensor],
    states: list[Tensor],
    weights: list[Tensor],
    h: Tensor,
    residuals: tuple[Tensor, ...],
    mask: Tensor | None,
    dropout_mask: Tensor | None,
    options: Options,
    measured: bool,
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """d_h `[T, B, H]` → δ `[T, B, H]`, [dh_0] `[B, H]`, [`Σ‖dh_t‖²` `[T]`]."""
    (h_0,), (U,) = states, weights
    U_T = ops.transpose(U)

    def step(dh_next: Tensor, slices: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, list[Tensor]]]:
        dh, h, present = slices
        dh, past = split_masked(present, dh + dh_next)
        delta = dh * slope(options.activation, h)
        return dropped(ops.matmul(delta, U_T), dropout_mask) + past, (delta, [square(dh)] if measured else [])

    dh_0, (deltas, squares) = scan(step, ops.zeros_like(h_0), (d_h, h, mask), reverse=True)
    return deltas, [dh_0], squares


def factors(
    deltas: Tensor,
    states: list[Tensor],
    h: Tensor,
    residuals: tuple[Tensor, ...],
    dropout_mask: Tensor | None,
    options: Options,
) -> Factors:
    """[(h_{t-1}, δ)]."""
    return [(dropped(before(states[0], h), dropout_mask), deltas)]


def weight_gradients(factors: Factors, options: Options) -> list[Tensor]:
    """[dU]."""
    return [sum_of_products(factors)]
