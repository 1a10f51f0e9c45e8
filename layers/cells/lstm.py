"""Long short-term memory."""

from typing import Any

import keras
from keras import ops

from .base import GatedCell, dropped


@keras.saving.register_keras_serializable(package="rnnscope")
class LSTMCell(GatedCell):
    r"""LSTM (Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000).

        i = σ(x_t W_i + h_{t-1} U_i + b_i)
        f = σ(x_t W_f + h_{t-1} U_f + b_f)
        g = φ(x_t W_c + h_{t-1} U_c + b_c)
        o = σ(x_t W_o + h_{t-1} U_o + b_o)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(c_t)

    Parameters: 4H(I + H + 1).

    Weights: `kernel` `[I, 4H]`, `recurrent_kernel` `[H, 4H]`, `bias` `[4H]`; blocks in the order i, f, c, o.

    Args:
        units, activation, recurrent_activation, …: see `Cell` and `GatedCell`.
        unit_forget_bias: what b_f starts at. `True` is 1, as in Keras (Jozefowicz et al. 2015 recommend it);
            `False` leaves it to `bias_initializer`; any other number is taken as it is.

    >>> import numpy as np
    >>> from layers import RNN, LSTMCell
    >>> h, h_T, c_T = RNN(LSTMCell(4), return_sequences=True, return_state=True)(np.ones((2, 7, 3), "float32"))
    >>> h.shape, h_T.shape, c_T.shape
    (TensorShape([2, 7, 4]), TensorShape([2, 4]), TensorShape([2, 4]))
    """

    gates = 4
    state_names = ("h", "c")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool | float = True,
        **kwargs: Any,
    ):
        initializers = kernel_initializer, recurrent_initializer, bias_initializer
        super().__init__(units, activation, recurrent_activation, use_bias, *initializers, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """The bias before training, with the forget gate's block set apart."""
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        H = self.units
        forget = ops.full((H,), float(self.unit_forget_bias), dtype=dtype)
        before, after = (self.bias_initializer((n,), dtype=dtype) for n in (H, 2 * H))
        return ops.concatenate([before, forget, after])

    def advance(self, projected: Any, states: list, dropout_mask: Any = None) -> tuple[Any, list]:
        """projected `[B, 4H]`, states `[h, c]` → h, `[h, c]`."""
        h, c = states
        h_in = dropped(h, dropout_mask)
        a_i, a_f, a_c, a_o = ops.split(projected + ops.matmul(h_in, self.recurrent_kernel), 4, axis=-1)
        i, f, o = (self.recurrent_activation(a) for a in (a_i, a_f, a_o))
        g = self.activation(a_c)
        c = self.observe("c", f * c + i * g)
        h = self.observe("h", o * self.activation(c))
        return h, [h, c]

    def get_config(self) -> dict:
        """The constructor's arguments, serialised."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}
