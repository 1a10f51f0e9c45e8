"""Long short-term memory."""

from collections.abc import Sequence
from typing import Any, Unpack

import keras
from keras import ops

from .. import checks
from ..arguments import Activation, Config, Constraint, DType, Initializer, LayerArguments, Regularizer, Shape, Tensor
from .base import GatedCell, check_size, normalised
from .step import NOTHING_DROPPED, Masks, dropped


class LSTMFamily(GatedCell):
    """A gated cell with a cell state beside the hidden state: what `LSTMCell` and `PeepholeLSTMCell` share.

    Args:
        units, activation, recurrent_activation, …: see `Cell` and `GatedCell`. `layer_normalization` also normalises
            c_t on its way to h_t, with weights `state_gain` and `state_bias` `[H]` (Ba, Kiros & Hinton 2016).
        unit_forget_bias: what b_f starts at. `True` is 1, as in Keras (Jozefowicz et al. 2015 recommend it);
            `False` leaves it to `bias_initializer`; any other number is taken as it is.
        projection_units: P, to project h_t from H to P dimensions before it goes up and back,
            `h_t = (o ⊙ φ(c_t)) W_p`: with P < H a large memory at the price of a small recurrent kernel `[P, 4H]`
            (Sak, Senior & Beaufays 2014, *Long short-term memory recurrent neural network architectures for large
            scale acoustic modeling*); weight `projection_kernel` `[H, P]`. `None`: no projection. Differentiated
            automatically.
    """

    state_names: tuple[str, ...] = ("h", "c")

    def __init__(
        self,
        units: int,
        *args: Any,
        unit_forget_bias: bool | float = True,
        projection_units: int | None = None,
        **kwargs: Any,
    ):
        check_size("projection_units", projection_units, optional=True)
        super().__init__(units, *args, **kwargs)
        checks.check_number("unit_forget_bias", unit_forget_bias, "True, False or a number")
        self.unit_forget_bias = unit_forget_bias
        self.projection_units = None if projection_units is None else int(projection_units)

    @property
    def output_size(self) -> int:
        """P, or H where nothing is projected."""
        return self.projection_units or self.units

    @property
    def state_size(self) -> list[int]:
        """Size of each state: of h as it comes out, of all others H."""
        return [self.output_size, *[self.units] * (len(self.state_names) - 1)]

    def build(self, input_shape: Shape) -> None:
        """Creates the weights."""
        super().build(input_shape)
        if self.projection_units is not None:
            self.projection_kernel = self.add_weight(
                shape=(self.units, self.projection_units),
                name="projection_kernel",
                initializer=self.kernel_initializer,
                regularizer=self.recurrent_regularizer,
                constraint=self.recurrent_constraint,
            )
        if self.layer_normalization:
            self.state_gain = self.add_weight((self.units,), "ones", name="state_gain")
            self.state_bias = self.add_weight((self.units,), "zeros", name="state_bias")

    def recurrent_kernel_shape(self) -> tuple[int, ...]:
        """`[H, nH]`, or `[P, nH]`."""
        return (self.output_size, self.gates * self.units)

    def normalised_blocks(self) -> Sequence[int]:
        """All together."""
        return (self.gates,)

    def seen_state(self, c: Tensor) -> Tensor:
        """c_t `[B, H]` as the output sees it."""
        return normalised(c, self.state_gain) + self.state_bias if self.layer_normalization else c

    def project_output(self, value: Tensor) -> Tensor:
        """Return h_t from `o ⊙ φ(c_t)`: `[B, H]` → `[B, H]` or `[B, P]`."""
        if self.projection_units is not None:
            value = ops.matmul(value, self.projection_kernel)
        return self.observe("h", value)

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        return {
            **super().get_config(),
            "unit_forget_bias": self.unit_forget_bias,
            "projection_units": self.projection_units,
        }


@keras.saving.register_keras_serializable(package="rnnscope")
class LSTMCell(LSTMFamily):
    r"""LSTM (Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000).

        i = σ(x_t W_i + h_{t-1} U_i + b_i)
        f = σ(x_t W_f + h_{t-1} U_f + b_f)
        g = φ(x_t W_c + h_{t-1} U_c + b_c)
        o = σ(x_t W_o + h_{t-1} U_o + b_o)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(c_t)

    Parameters: 4H(I + H + 1); with `projection_units` 4H(I + P + 1) + HP; with `layer_normalization` 10H more.

    Weights: `kernel` `[I, 4H]`, `recurrent_kernel` `[H, 4H]`, `bias` `[4H]`; blocks in the order i, f, c, o.

    Every argument is described in `Cell`, `GatedCell` and `LSTMFamily`.

    >>> import numpy as np
    >>> from rnnscope import RNN, LSTMCell
    >>> h, h_T, c_T = RNN(LSTMCell(4), return_sequences=True, return_state=True)(np.ones((2, 7, 3), "float32"))
    >>> h.shape, h_T.shape, c_T.shape
    (TensorShape([2, 7, 4]), TensorShape([2, 4]), TensorShape([2, 4]))
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        unit_forget_bias: bool | float = True,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        layer_normalization: bool = False,
        candidate_dropout: float = 0.0,
        projection_units: int | None = None,
        implementation: int = 2,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**checks.arguments(locals()))

    def initial_bias(self, shape: tuple[int, ...], dtype: DType = None) -> Tensor:
        """The bias before training, with the forget gate's block set apart."""
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        H = self.units
        forget = ops.full((H,), float(self.unit_forget_bias), dtype=dtype)
        before, after = (self.bias_initializer((n,), dtype=dtype) for n in (H, 2 * H))
        return ops.concatenate([before, forget, after])

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, 4H]`, states `[h, c]` → h, `[h, c]`."""
        h, c = states
        h_in = dropped(h, masks.state)
        a_i, a_f, a_c, a_o = ops.split(projected + self.recurrent_product(h_in), 4, axis=-1)
        gates = {"i": a_i, "f": a_f, "o": a_o}
        i, f, o = (self.observe(name, self.recurrent_activation(a)) for name, a in gates.items())
        g = dropped(self.activation(a_c), masks.candidate)
        c = self.observe("c", f * c + i * g)
        h = self.project_output(o * self.activation(self.seen_state(c)))
        return h, [h, c]
