"""Minimal gated unit."""

import keras
from keras import ops

from ..arguments import Tensor
from .base import GatedCell
from .step import NOTHING_DROPPED, Masks, dropped


@keras.saving.register_keras_serializable(package="rnnscope")
class MGUCell(GatedCell):
    r"""MGU (Zhou, Wu, Zhang & Zhou 2016, *Minimal gated unit for recurrent neural networks*): one gate for all.

        f = σ(x_t W_f + h_{t-1} U_f + b_f)
        n = φ(x_t W_h + (f ⊙ h_{t-1}) U_h + b_h)
        h_t = (1 − f) ⊙ h_{t-1} + f ⊙ n

    Parameters: 2H(I + H + 1).

    Weights: `kernel` `[I, 2H]`, `recurrent_kernel` `[H, 2H]`, `bias` `[2H]`; blocks in the order f, h.

    Every argument is described in `Cell` and `GatedCell`.

    >>> import numpy as np
    >>> from rnnscope import RNN, MGUCell
    >>> RNN(MGUCell(4))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    gates = 2

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, 2H]`, states `[h]` → h, `[h]`."""
        (h,) = states
        h_in = dropped(h, masks.state)
        x_f, x_h = ops.split(projected, 2, axis=-1)
        f = self.observe("f", self.recurrent_activation(x_f + self.recurrent_product(h_in, 0, 1)))
        n = self.activation(x_h + self.recurrent_product(f * h_in, 1, 2))
        h = self.observe("h", (1 - f) * h + f * dropped(n, masks.candidate))
        return h, [h]
