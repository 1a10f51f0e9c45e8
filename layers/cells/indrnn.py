"""Independently recurrent network."""

from typing import Unpack

import keras
from keras import ops

from ..arguments import Activation, Config, Initializer, Tensor, WeightArguments
from ..probes import observe_product
from .base import Cell, check_size
from .step import NOTHING_DROPPED, Masks, dropped


@keras.saving.register_keras_serializable(package="rnnscope")
class MaxAbs(keras.constraints.Constraint):
    """Keeps every entry of a weight within ±`limit`."""

    def __init__(self, limit: float):
        self.limit = limit

    def __call__(self, w: Tensor) -> Tensor:
        """The weight, clipped."""
        return ops.clip(w, -self.limit, self.limit)

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {"limit": self.limit}


@keras.saving.register_keras_serializable(package="rnnscope")
class IndRNNCell(Cell):
    r"""IndRNN (Li, Li, Cook, Zhu & Gao 2018, *Independently recurrent neural network*): each unit sees only itself.

        h_t = φ(x_t W + u ⊙ h_{t-1} + b)

    The gradient of a unit grows or shrinks by u φ' a step, so `|u| ≤ 2^{1/T}` keeps it below 2 over T steps.

    Parameters: H(I + 2).

    Weights: `kernel` W `[I, H]`, `recurrent_kernel` u `[H]`, `bias` b `[H]`.

    Args:
        units, use_bias, …: see `Cell`.
        activation: φ; relu in the paper, hence by default.
        recurrent_initializer: of u; from U(−1, 1) by default.
        max_steps: T, to keep `|u| ≤ 2^{1/T}` while training, through a `recurrent_constraint`; `None` sets no limit.

    Raises:
        ValueError: `max_steps` is below 1, or is given together with a `recurrent_constraint`.

    >>> import numpy as np
    >>> from rnnscope import RNN, IndRNNCell
    >>> RNN(IndRNNCell(4, max_steps=7))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        units: int,
        activation: Activation = "relu",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = None,
        bias_initializer: Initializer = "zeros",
        *,
        max_steps: int | None = None,
        **kwargs: Unpack[WeightArguments],
    ):
        check_size("max_steps", max_steps, optional=True)
        if max_steps is not None:
            if kwargs.get("recurrent_constraint") is not None:
                raise ValueError("max_steps: expected None beside a recurrent_constraint; it sets one itself")
            kwargs["recurrent_constraint"] = MaxAbs(2 ** (1 / max_steps))
        if recurrent_initializer is None:
            recurrent_initializer = keras.initializers.RandomUniform(-1.0, 1.0)
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, **kwargs
        )
        self.max_steps = max_steps

    def recurrent_kernel_shape(self) -> tuple[int, ...]:
        """`[H]`: a diagonal."""
        return (self.units,)

    def recurrent_product(self, h: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """u ⊙ h `[B, H]`."""
        return observe_product(h, ops.convert_to_tensor(self.recurrent_kernel))

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, H]`, states `[h]` → h, `[h]`."""
        (h,) = states
        h_in = dropped(h, masks.state)
        h = self.observe("h", self.activation(projected + self.recurrent_product(h_in)))
        return h, [h]

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        config = {**super().get_config(), "max_steps": self.max_steps}
        if self.max_steps is not None:
            config["recurrent_constraint"] = None
        return config
