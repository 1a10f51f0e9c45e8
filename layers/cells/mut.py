"""The three cells that an evolutionary search found."""

import keras
from keras import ops

from ..arguments import Tensor
from .base import GatedCell
from .step import NOTHING_DROPPED, Masks, dropped


class _MUTCell(GatedCell):
    """What the three have in common: `h_t = φ(n) ⊙ z + h_{t-1} ⊙ (1 − z)`, and where the paper's raw x goes.

    Where x itself meets a vector of size H (`tanh(x)` in MUT1, `x` in MUT2), I must equal H. Where it does not, x is
    projected by one more block of the kernel, `x W_x`, which the paper does not have.
    """

    kernel_blocks: int
    """Blocks of the kernel, without the one that projects a raw x."""
    recurrent_blocks: int
    raw_input = True
    gates = 3  # of the bias: z, r, h

    def kernel_shape(self, inputs: int) -> tuple[int, ...]:
        """`[I, nH]`; one block more where a raw x has to be projected."""
        projected = self.raw_input and inputs != self.units
        return (inputs, (self.kernel_blocks + projected) * self.units)

    def recurrent_kernel_shape(self) -> tuple[int, ...]:
        """`[H, nH]`."""
        return (self.units, self.recurrent_blocks * self.units)

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """inputs `[..., I]` → what z, r and n have of x, with their biases, `[..., 3H]`."""
        projected = ops.concatenate(self.project_blocks(inputs), axis=-1)
        return projected if self.bias is None else ops.add(projected, self.bias)

    def project_blocks(self, inputs: Tensor) -> list[Tensor]:
        """What z, r and n have of x, without biases, each `[..., H]`."""
        raise NotImplementedError

    def split_inputs(self, inputs: Tensor) -> tuple[list[Tensor], Tensor]:
        """The kernel's blocks applied to the inputs, and x in H dimensions."""
        blocks = ops.split(self.input_product(inputs), self.kernel.shape[-1] // self.units, axis=-1)
        if len(blocks) > self.kernel_blocks:
            return blocks[:-1], blocks[-1]
        return blocks, inputs

    def mix(self, z: Tensor, n: Tensor, h: Tensor, masks: Masks) -> tuple[Tensor, list[Tensor]]:
        """The output and the new states."""
        h = self.observe("h", dropped(self.activation(n), masks.candidate) * z + h * (1 - z))
        return h, [h]


@keras.saving.register_keras_serializable(package="rnnscope")
class MUT1Cell(_MUTCell):
    r"""MUT1 (Jozefowicz, Zaremba & Sutskever 2015, *An empirical exploration of recurrent network architectures*).

        z = σ(x_t W_z + b_z)
        r = σ(x_t W_r + h_{t-1} U_r + b_r)
        n = (r ⊙ h_{t-1}) U_h + tanh(x_t) + b_h
        h_t = φ(n) ⊙ z + h_{t-1} ⊙ (1 − z)

    Parameters: H(2I + 2H + 3), and HI where I ≠ H.

    Where I ≠ H, `tanh(x_t W_x)` stands for `tanh(x_t)`. Weights: `kernel` `[I, 2H]` (z, r) or `[I, 3H]` (z, r, x),
    `recurrent_kernel` `[H, 2H]` (r, h), `bias` `[3H]` (z, r, h).

    Every argument is described in `Cell` and `GatedCell`.

    >>> import numpy as np
    >>> from rnnscope import RNN, MUT1Cell
    >>> RNN(MUT1Cell(4))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    kernel_blocks = 2
    recurrent_blocks = 2

    def project_blocks(self, inputs: Tensor) -> list[Tensor]:
        """x_z, x_r, tanh(x)."""
        (x_z, x_r), x = self.split_inputs(inputs)
        return [x_z, x_r, ops.tanh(x)]

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, 3H]`, states `[h]` → h, `[h]`."""
        (h,) = states
        h_in = dropped(h, masks.state)
        x_z, x_r, x_h = ops.split(projected, 3, axis=-1)
        z = self.observe("z", self.recurrent_activation(x_z))
        r = self.observe("r", self.recurrent_activation(x_r + self.recurrent_product(h_in, 0, 1)))
        n = self.recurrent_product(r * h_in, 1, 2) + x_h
        return self.mix(z, n, h, masks)


@keras.saving.register_keras_serializable(package="rnnscope")
class MUT2Cell(_MUTCell):
    r"""MUT2 (Jozefowicz, Zaremba & Sutskever 2015).

        z = σ(x_t W_z + h_{t-1} U_z + b_z)
        r = σ(x_t + h_{t-1} U_r + b_r)
        n = (r ⊙ h_{t-1}) U_h + x_t W_h + b_h
        h_t = φ(n) ⊙ z + h_{t-1} ⊙ (1 − z)

    Parameters: H(2I + 3H + 3), and HI where I ≠ H.

    Where I ≠ H, `x_t W_x` stands for the bare `x_t`. Weights: `kernel` `[I, 2H]` (z, h) or `[I, 3H]` (z, h, x),
    `recurrent_kernel` `[H, 3H]` and `bias` `[3H]` (z, r, h).

    Every argument is described in `Cell` and `GatedCell`.

    >>> import numpy as np
    >>> from rnnscope import RNN, MUT2Cell
    >>> RNN(MUT2Cell(4))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    kernel_blocks = 2
    recurrent_blocks = 3

    def project_blocks(self, inputs: Tensor) -> list[Tensor]:
        """x_z, x, x_h."""
        (x_z, x_h), x = self.split_inputs(inputs)
        return [x_z, x, x_h]

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, 3H]`, states `[h]` → h, `[h]`."""
        (h,) = states
        h_in = dropped(h, masks.state)
        x_z, x_r, x_h = ops.split(projected, 3, axis=-1)
        z = self.observe("z", self.recurrent_activation(x_z + self.recurrent_product(h_in, 0, 1)))
        r = self.observe("r", self.recurrent_activation(x_r + self.recurrent_product(h_in, 1, 2)))
        n = self.recurrent_product(r * h_in, 2, 3) + x_h
        return self.mix(z, n, h, masks)


@keras.saving.register_keras_serializable(package="rnnscope")
class MUT3Cell(_MUTCell):
    r"""MUT3 (Jozefowicz, Zaremba & Sutskever 2015).

        z = σ(x_t W_z + tanh(h_{t-1}) U_z + b_z)
        r = σ(x_t W_r + h_{t-1} U_r + b_r)
        n = (r ⊙ h_{t-1}) U_h + x_t W_h + b_h
        h_t = φ(n) ⊙ z + h_{t-1} ⊙ (1 − z)

    Parameters: 3H(I + H + 1).

    Weights: `kernel` `[I, 3H]`, `recurrent_kernel` `[H, 3H]`, `bias` `[3H]`, blocks in the order z, r, h.

    Every argument is described in `Cell` and `GatedCell`.

    >>> import numpy as np
    >>> from rnnscope import RNN, MUT3Cell
    >>> RNN(MUT3Cell(4))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    kernel_blocks = 3
    recurrent_blocks = 3
    raw_input = False

    def project_blocks(self, inputs: Tensor) -> list[Tensor]:
        """x_z, x_r, x_h."""
        return self.split_inputs(inputs)[0]

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, 3H]`, states `[h]` → h, `[h]`."""
        (h,) = states
        h_in = dropped(h, masks.state)
        x_z, x_r, x_h = ops.split(projected, 3, axis=-1)
        z = self.observe("z", self.recurrent_activation(x_z + self.recurrent_product(ops.tanh(h_in), 0, 1)))
        r = self.observe("r", self.recurrent_activation(x_r + self.recurrent_product(h_in, 1, 2)))
        n = self.recurrent_product(r * h_in, 2, 3) + x_h
        return self.mix(z, n, h, masks)
