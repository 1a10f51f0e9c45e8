"""The vanilla recurrent network."""

import keras

from ..arguments import Tensor
from .base import Cell
from .step import NOTHING_DROPPED, Masks, dropped


@keras.saving.register_keras_serializable(package="rnnscope")
class SimpleRNNCell(Cell):
    r"""Vanilla RNN (Elman 1990, *Finding structure in time*).

        a_t = x_t W + h_{t-1} U + b
        h_t = φ(a_t)

    Parameters: H(I + H + 1).

    Weights: `kernel` W `[I, H]`, `recurrent_kernel` U `[H, H]`, `bias` b `[H]`.

    Every argument is described in `Cell`.

    >>> import numpy as np
    >>> from rnnscope import RNN, SimpleRNNCell
    >>> RNN(SimpleRNNCell(4, activation="relu"))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, H]`, states `[h]` → h, `[h]`."""
        (h,) = states
        h_in = dropped(h, masks.state)
        h = self.observe("h", self.activation(projected + self.recurrent_product(h_in)))
        return h, [h]
