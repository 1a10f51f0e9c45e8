"""GRU: `h_t = z ⊙ h_{t-1} + (1 − z) ⊙ n`; where z is the share written, 1 − z stands for z, and δ_z changes its sign.

    δ_h = dh_t ⊙ (1 − z) ⊙ φ'(a_h)                   δ_z = dh_t ⊙ (h_{t-1} − n) ⊙ σ'(a_z)

With the reset gate after the product, `m = h_{t-1} U_h + b'_h`:

    δ_r = δ_h ⊙ m ⊙ σ'(a_r)                          dh_{t-1} ← dh_t ⊙ z + [δ_z δ_r δ_h⊙r] Uᵀ
    dU = Σ_t h_{t-1}ᵀ [δ_z δ_r δ_h⊙r]                db'_h = Σ_t δ_h ⊙ r

With the reset gate before it, `q = δ_h U_hᵀ`:

    δ_r = q ⊙ h_{t-1} ⊙ σ'(a_r)                      dh_{t-1} ← dh_t ⊙ z + [δ_z δ_r] [U_z U_r]ᵀ + q ⊙ r
    d[U_z U_r] = Σ_t h_{t-1}ᵀ [δ_z δ_r]              dU_h = Σ_t (r ⊙ h_{t-1})ᵀ δ_h
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
    recurrent_activation: Any
    reset_after: bool
    update_gate: str


def options(cell: Any) -> Options:
    return Options(cell.activation, cell.recurrent_activation, cell.reset_after, cell.update_gate)


def weights(cell: Any) -> list[Tensor]:
    return [cell.recurrent_kernel, cell.candidate_bias()]


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
    """projected `[T, B, 3H]`, h_0 `[B, H]`, U, b'_h `[H]` → h and, for training, (z, r, n, m), all `[T, B, H]`."""
    (h_0,), (U, bias) = states, weights
    H = h_0.shape[-1]

    def step(h: Tensor, slices: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        x, present = slices
        h_in = dropped(h, dropout_mask)
        if options.reset_after:
            recurrent = ops.matmul(h_in, U)
            z_r, m = recurrent[:, : 2 * H], recurrent[:, 2 * H :] + bias
        else:
            z_r = ops.matmul(h_in, U[:, : 2 * H])
        z, r = ops.split(options.recurrent_activation(x[:, : 2 * H] + z_r), 2, axis=-1)
        if options.reset_after:
            n = options.activation(x[:, 2 * H :] + r * m)
        else:
            m = r * h_in
            n = options.activation(x[:, 2 * H :] + ops.matmul(m, U[:, 2 * H :]))
        keep = z if options.update_gate == "keep" else 1 - z
        h = keep_masked(present, keep * h + (1 - keep) * n, h)
        if not training:
            return h, (h, r)  # r, because of a step with a single output XLA makes loops that take twice as long
        return h, (h, z, r, n, m)

    _, (h, *residuals) = scan(step, h_0, (projected, mask))
    return h, (), tuple(residuals)


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
    """d_h `[T, B, H]` → δ `[T, B, 3H]`, [dh_0], [`Σ‖dh_t‖²` `[T]`]."""
    (h_0,), (U, _) = states, weights
    H = h_0.shape[-1]
    phi, sigma = options.activation, options.recurrent_activation
    U_T = ops.transpose(U)

    def step(dh_next: Tensor, slices: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, list[Tensor]]]:
        dh, h_before, z, r, n, m, present = slices
        dh, past = split_masked(present, dh + dh_next)
        keep, sign = (z, 1) if options.update_gate == "keep" else (1 - z, -1)
        delta_h = dh * (1 - keep) * slope(phi, n)
        delta_z = sign * dh * (h_before - n) * slope(sigma, z)
        if options.reset_after:
            delta_r = delta_h * m * slope(sigma, r)
            through = ops.matmul(ops.concatenate([delta_z, delta_r, delta_h * r], axis=-1), U_T)
        else:
            q = ops.matmul(delta_h, U_T[2 * H :])
            delta_r = q * dropped(h_before, dropout_mask) * slope(sigma, r)
            through = ops.matmul(ops.concatenate([delta_z, delta_r], axis=-1), U_T[: 2 * H]) + q * r
        dh_before = dh * keep + dropped(through, dropout_mask) + past
        return dh_before, (ops.concatenate([delta_z, delta_r, delta_h], axis=-1), [square(dh)] if measured else [])

    xs = (d_h, before(h_0, h), *residuals, mask)
    dh_0, (deltas, squares) = scan(step, ops.zeros_like(h_0), xs, reverse=True)
    return deltas, [dh_0], squares


def factors(
    deltas: Tensor,
    states: list[Tensor],
    h: Tensor,
    residuals: tuple[Tensor, ...],
    dropout_mask: Tensor | None,
    options: Options,
) -> Factors:
    """[(h_{t-1}, [δ_z δ_r δ_h⊙r])]; with the reset gate before it [(h_{t-1}, [δ_z δ_r]), (r⊙h_{t-1}, δ_h)]."""
    _, r, _, m = residuals
    of_gates, of_candidate = ops.split(deltas, [2 * r.shape[-1]], axis=-1)
    h_in = dropped(before(states[0], h), dropout_mask)
    if options.reset_after:
        return [(h_in, ops.concatenate([of_gates, of_candidate * r], axis=-1))]
    return [(h_in, of_gates), (m, of_candidate)]


def weight_gradients(factors: Factors, options: Options) -> list[Tensor]:
    """[dU, db'_h]."""
    *_, (m, of_candidate) = factors
    H = m.shape[-1]
    bias = ops.sum(of_candidate[..., -H:], axis=(0, 1))
    return [sum_of_products(factors), bias if options.reset_after else ops.zeros_like(bias)]
