"""Cells whose gates see the input alone, so that all steps can be computed at once."""

from typing import Any, Unpack

import keras
from keras import ops

from ..arguments import Config, Initializer, Tensor, WeightArguments
from .base import Cell
from .step import NOTHING_DROPPED, Masks


class LinearCell(Cell):
    """A cell that is linear in its state, `h_t = a_t ⊙ h_{t-1} + b_t`, with a and b from x_t alone.

    Such a recurrence is associative: `(a, b)` of two steps make the `(a, b)` of both together. A sequence layer
    can therefore compute all steps by a scan of logarithmic depth instead of a loop (`set_parallel_scan`).

    There is no recurrent kernel, no activation (φ is the identity) and no recurrent dropout.
    """

    has_recurrent_kernel = False
    _WITHOUT = ("activation", "recurrent_initializer", "recurrent_regularizer", "recurrent_constraint")

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        **kwargs: Unpack[WeightArguments],
    ):
        for name in self._WITHOUT:
            if name in kwargs:
                raise ValueError(f"{name}: expected no such argument for a cell that is linear in its state, got one")
        if kwargs.get("recurrent_dropout"):
            raise ValueError("recurrent_dropout: expected 0, since the state enters no product")
        super().__init__(units, "linear", use_bias, kernel_initializer, "zeros", bias_initializer, **kwargs)

    def coefficients(self, projected: Tensor) -> tuple[Tensor, Any]:
        """a_t and b_t, each `[..., H]`, from `project(x_t)` `[..., gates*H]`."""
        raise NotImplementedError

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, gates*H]`, states `[h]` → h, `[h]`."""
        (h,) = states
        a, b = self.coefficients(projected)
        h = self.observe("h", a * h + b)
        return h, [h]

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        return {name: value for name, value in super().get_config().items() if name not in self._WITHOUT}


@keras.saving.register_keras_serializable(package="rnnscope")
class MinGRUCell(LinearCell):
    r"""minGRU (Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, *Were RNNs all we needed?*).

        z = σ(x_t W_z + b_z)
        ñ = x_t W_h + b_h
        h_t = (1 − z) ⊙ h_{t-1} + z ⊙ ñ

    Parameters: 2H(I + 1).

    Weights: `kernel` `[I, 2H]`, `bias` `[2H]`; blocks in the order z, h. The scan keeps products of 1 − z ∈ (0, 1)
    only, which underflow to 0 at worst, so it needs no logarithms.

    Args:
        units, use_bias, …: see `Cell`.

    >>> import numpy as np
    >>> from rnnscope import RNN, MinGRUCell
    >>> RNN(MinGRUCell(4))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    gates = 2

    def coefficients(self, projected: Tensor) -> tuple[Tensor, Any]:
        """1 − z and z ⊙ ñ."""
        a_z, n = ops.split(projected, 2, axis=-1)
        return ops.sigmoid(-a_z), ops.sigmoid(a_z) * n


@keras.saving.register_keras_serializable(package="rnnscope")
class MinLSTMCell(LinearCell):
    r"""minLSTM (Feng et al. 2024), with gates that add up to one.

        f = σ(x_t W_f + b_f)        f' = f / (f + i)
        i = σ(x_t W_i + b_i)        i' = i / (f + i)
        g = x_t W_h + b_h
        h_t = f' ⊙ h_{t-1} + i' ⊙ g

    Parameters: 3H(I + 1).

    Weights: `kernel` `[I, 3H]`, `bias` `[3H]`; blocks in the order i, f, h. f' is computed as
    `σ(log f − log i)`, which neither divides nor overflows.

    Args:
        units, use_bias, …: see `Cell`.

    >>> import numpy as np
    >>> from rnnscope import RNN, MinLSTMCell
    >>> RNN(MinLSTMCell(4))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    gates = 3

    def coefficients(self, projected: Tensor) -> tuple[Tensor, Any]:
        """f' and i' ⊙ g."""
        a_i, a_f, g = ops.split(projected, 3, axis=-1)
        log_ratio = ops.log_sigmoid(a_f) - ops.log_sigmoid(a_i)
        return ops.sigmoid(log_ratio), ops.sigmoid(-log_ratio) * g
