"""LSTM: `c_t = f ⊙ c_{t-1} + i ⊙ g`, `h_t = o ⊙ τ` with `τ = φ(c_t)`.

dc_t += dh_t ⊙ o ⊙ φ'(c_t)
δ_i = dc_t ⊙ g ⊙ σ'(a_i)            δ_f = dc_t ⊙ c_{t-1} ⊙ σ'(a_f)
δ_c = dc_t ⊙ i ⊙ φ'(a_c)            δ_o = dh_t ⊙ τ ⊙ σ'(a_o)
dc_{t-1} = dc_t ⊙ f                 dh_{t-1} ← [δ_i δ_f δ_c δ_o] Uᵀ
dU = Σ_t h_{t-1}ᵀ [δ_i δ_f δ_c δ_o]
"""

from typing import Any, NamedTuple

from keras import activations, ops

from ..backend import compiled, scan
from ..cells.step import dropped
from .products import before, keep_masked, split_masked, square, sum_of_products
from .slopes import slope


class Options(NamedTuple):
    activation: Any
    recurrent_activation: Any


def options(cell: Any) -> Options:
    return Options(cell.activation, cell.recurrent_activation)


def weights(cell: Any) -> list:
    return [cell.recurrent_kernel]


def _activate(a, options):
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
def forward(projected, states, weights, mask, dropout_mask, options):
    """projected `[T, B, 4H]`, h_0, c_0 `[B, H]`, U `[H, 4H]` → h `[T, B, H]`, c_T, (c, i f g o, τ)."""
    (h_0, c_0), (U,) = states, weights

    def step(carry, slices):
        h, c = carry
        x, present = slices
        gates = _activate(x + ops.matmul(dropped(h, dropout_mask), U), options)
        i, f, g, o = ops.split(gates, 4, axis=-1)
        c = keep_masked(present, f * c + i * g, c)
        tau = options.activation(c)
        h = keep_masked(present, o * tau, h)
        return (h, c), (h, c, gates, tau)

    (_, c_last), (h, c, gates, tau) = scan(step, (h_0, c_0), (projected, mask))
    return h, (c_last,), (c, gates, tau)


@compiled
def backward(d_h, d_last, states, weights, h, kept, mask, dropout_mask, options, measured):
    """d_h `[T, B, H]`, dc_T `[B, H]` → δ `[T, B, 4H]`, [dh_0, dc_0], [`Σ‖dh_t‖²`, `Σ‖dc_t‖²`] `[T]`."""
    (h_0, c_0), (U,), (c, gates, tau) = states, weights, kept
    U_T = ops.transpose(U)
    phi, sigma = options.activation, options.recurrent_activation

    def step(carry, slices):
        dh_next, dc_next = carry
        dh, c_before, gates, tau, present = slices
        i, f, g, o = ops.split(gates, 4, axis=-1)
        dh, past_h = split_masked(present, dh + dh_next)
        dc, past_c = split_masked(present, dc_next)
        dc = dc + dh * o * slope(phi, tau)
        delta = ops.concatenate(
            [
                dc * g * slope(sigma, i),
                dc * c_before * slope(sigma, f),
                dc * i * slope(phi, g),
                dh * tau * slope(sigma, o),
            ],
            axis=-1,
        )
        dh_before = dropped(ops.matmul(delta, U_T), dropout_mask) + past_h
        return (dh_before, dc * f + past_c), (delta, [square(dh), square(dc)] if measured else [])

    xs = (d_h, before(c_0, c), gates, tau, mask)
    (dh_0, dc_0), (deltas, squares) = scan(step, (ops.zeros_like(h_0), d_last[0]), xs, reverse=True)
    return deltas, [dh_0, dc_0], squares


def factors(deltas, states, h, kept, dropout_mask, options):
    """[(h_{t-1}, δ)]."""
    return [(dropped(before(states[0], h), dropout_mask), deltas)]


def weight_gradients(factors, options):
    """[dU]."""
    return [sum_of_products(factors)]
