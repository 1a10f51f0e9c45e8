"""LSTM: `c_t = f ⊙ c_{t-1} + i ⊙ g`, `h_t = o ⊙ τ` with `τ = φ(c_t)`.

    dc_t += dh_t ⊙ p                    p = o ⊙ φ'(c_t)
    δ = [dc_t dc_t dc_t dh_t] ⊙ K       K = [g ⊙ σ'(a_i)  c_{t-1} ⊙ σ'(a_f)  i ⊙ φ'(a_c)  τ ⊙ σ'(a_o)]
    dc_{t-1} = dc_t ⊙ f                 dh_{t-1} ← δ Uᵀ
    dU = Σ_t h_{t-1}ᵀ δ

The forward pass computes p, K and f, because it has all that they are made of. They are the residuals.
"""

from typing import Any, NamedTuple

from keras import activations, ops

from ..arguments import Tensor
from ..backend import compiled, scan
from ..cells.step import dropped
from .family import Factors
from .products import before, keep_masked, split_masked, square, sum_of_products
from .slopes import slope


class Options(NamedTuple):
    activation: Any
    recurrent_activation: Any


def options(cell: Any) -> Options:
    return Options(cell.activation, cell.recurrent_activation)


def weights(cell: Any) -> list[Tensor]:
    return [cell.recurrent_kernel]


def _activate(a: Tensor, options: Options) -> Tensor:
    """a `[B, 4H]` → i, f, g, o side by side `[B, 4H]`.

    `σ(a) = ½ tanh(½a) + ½`, so one tanh serves the whole block; XLA would otherwise compute the activations
    of the four parts over again wherever they are used.
    """
    if options == Options(activations.tanh, activations.sigmoid):
        half = ops.repeat(ops.convert_to_tensor([0.5, 0.5, 1.0, 0.5], dtype=a.dtype), a.shape[-1] // 4)
        return ops.tanh(a * half) * half + (1 - half)
    a_i, a_f, a_c, a_o = ops.split(a, 4, axis=-1)
    i, f, o = (options.recurrent_activation(gate) for gate in (a_i, a_f, a_o))
    return ops.concatenate([i, f, options.activation(a_c), o], axis=-1)


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
    """projected `[T, B, 4H]`, h_0, c_0 `[B, H]`, U `[H, 4H]` → h `[T, B, H]`, c_T, (K, p, f) for training."""
    (h_0, c_0), (U,) = states, weights
    phi, sigma = options.activation, options.recurrent_activation

    def step(carry: tuple[Tensor, Tensor], slices: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...]]:
        h, c = carry
        x, present = slices
        gates = _activate(x + ops.matmul(dropped(h, dropout_mask), U), options)
        i, f, g, o = ops.split(gates, 4, axis=-1)
        c_new = f * c + i * g
        tau = phi(c_new)
        h_new, c_new = keep_masked(present, o * tau, h), keep_masked(present, c_new, c)
        if not training:
            return (h_new, c_new), (h_new,)
        K = [g * slope(sigma, i), c * slope(sigma, f), i * slope(phi, g), tau * slope(sigma, o)]
        K = split_masked(present, ops.concatenate(K, axis=-1))[0]
        return (h_new, c_new), (h_new, K, o * slope(phi, tau), keep_masked(present, f, ops.ones_like(f)))

    (_, c_last), (h, *residuals) = scan(step, (h_0, c_0), (projected, mask))
    return h, (c_last,), tuple(residuals)


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
    """d_h `[T, B, H]`, dc_T `[B, H]` → δ `[T, B, 4H]`, [dh_0, dc_0], [`Σ‖dh_t‖²`, `Σ‖dc_t‖²`] `[T]`."""
    (h_0, _), (U,) = states, weights
    U_T = ops.transpose(U)

    def step(carry: tuple[Tensor, Tensor], slices: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, list[Tensor]]]:
        dh_next, dc_next = carry
        dh, K, p, f, present = slices
        dh, past = split_masked(present, dh + dh_next)
        dc = dc_next + dh * p
        delta = ops.concatenate([dc, dc, dc, dh], axis=-1) * K
        squares = [square(dh), square(split_masked(present, dc)[0])] if measured else []
        return (dropped(ops.matmul(delta, U_T), dropout_mask) + past, dc * f), (delta, squares)

    (dh_0, dc_0), (deltas, squares) = scan(
        step, (ops.zeros_like(h_0), d_last[0]), (d_h, *residuals, mask), reverse=True
    )
    return deltas, [dh_0, dc_0], squares


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
