"""Gated recurrent unit."""

from typing import Unpack

import keras
from keras import ops

from .. import checks
from ..arguments import Activation, Config, Constraint, Initializer, LayerArguments, Regularizer, Tensor, UpdateGate
from .base import GatedCell
from .step import NOTHING_DROPPED, Masks, dropped


@keras.saving.register_keras_serializable(package="rnnscope")
class GRUCell(GatedCell):
    r"""GRU (Cho et al. 2014, *Learning phrase representations using RNN encoder–decoder*).

        z = σ(x_t W_z + h_{t-1} U_z + b_z)
        r = σ(x_t W_r + h_{t-1} U_r + b_r)
        n = φ(x_t W_h + b_h + r ⊙ (h_{t-1} U_h + b'_h))     reset_after=True   (cuDNN's form, Keras's default)
        n = φ(x_t W_h + b_h + (r ⊙ h_{t-1}) U_h)            reset_after=False  (the paper's)
        h_t = z ⊙ h_{t-1} + (1 − z) ⊙ n                     update_gate="keep"  (Keras)
        h_t = (1 − z) ⊙ h_{t-1} + z ⊙ n                     update_gate="write" (Chung et al. 2014)

    Since 1 − σ(a) = σ(−a), negating the update gate's weights turns one meaning of z into the other.

    Parameters: 3H(I + H + 1), with `reset_after` 3H more.

    Weights: `kernel` `[I, 3H]`, `recurrent_kernel` `[H, 3H]`, `bias` `[3H]`, with `reset_after` `[2, 3H]`
    (input and recurrent biases); blocks in the order z, r, h.

    Args:
        units, activation, recurrent_activation, …: see `Cell` and `GatedCell`.
        reset_after: whether the reset gate acts after the recurrent product or before it.
        update_gate: `"keep"` or `"write"`: what z is the share of.

    Raises:
        ValueError: an unknown `update_gate`.

    >>> import numpy as np
    >>> from rnnscope import RNN, GRUCell
    >>> RNN(GRUCell(4, reset_after=False))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        *,
        layer_normalization: bool = False,
        candidate_dropout: float = 0.0,
        update_gate: UpdateGate = "keep",
        implementation: int = 2,
        **kwargs: Unpack[LayerArguments],
    ):
        arguments = checks.arguments(locals(), without=["reset_after", "update_gate"])
        checks.check_choice("update_gate", update_gate, ("keep", "write"))
        super().__init__(**arguments)
        self.reset_after = checks.boolean("reset_after", reset_after)
        self.update_gate = update_gate

    def bias_shape(self) -> tuple[int, ...]:
        """`[3H]`, or input and recurrent biases `[2, 3H]`."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def normalised_blocks(self) -> tuple[int, ...]:
        """Both gates together, and the candidate by itself."""
        return (2, 1)

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """inputs `[..., I]` → `[..., 3H]`; whatever bias does not meet the reset gate is added here."""
        projected = self.input_product(inputs)
        if self.bias is None:
            return projected
        if not self.reset_after:
            return ops.add(projected, self.bias)
        of_gates = ops.concatenate([self.bias[1, : 2 * self.units], ops.zeros_like(self.bias[1, : self.units])])
        return ops.add(projected, self.bias[0] + of_gates)

    def candidate_bias(self) -> Tensor:
        """b'_h `[H]`, the one bias inside the reset gate's product; zero where there is none."""
        if self.bias is None or not self.reset_after:
            return ops.zeros((self.units,), dtype=self.compute_dtype)
        return ops.convert_to_tensor(self.bias[1, 2 * self.units :])

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, 3H]`, states `[h]` → h, `[h]`."""
        (h,) = states
        h_in = dropped(h, masks.state)
        x_zr, x_h = ops.split(projected, [2 * self.units], axis=-1)
        a_z, a_r = ops.split(x_zr + self.recurrent_product(h_in, 0, 2), 2, axis=-1)
        z, r = (self.observe(name, self.recurrent_activation(a)) for name, a in (("z", a_z), ("r", a_r)))
        if self.reset_after:
            n = self.activation(x_h + r * (self.recurrent_product(h_in, 2, 3) + self.candidate_bias()))
        else:
            n = self.activation(x_h + self.recurrent_product(r * h_in, 2, 3))
        keep = z if self.update_gate == "keep" else 1 - z
        h = self.observe("h", keep * h + (1 - keep) * dropped(n, masks.candidate))
        return h, [h]

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        return {
            **super().get_config(),
            "reset_after": self.reset_after,
            "update_gate": self.update_gate,
        }
