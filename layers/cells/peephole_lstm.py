"""LSTM whose gates see the cell state, and its eight ablations."""

from typing import Any, Unpack

import keras
from keras import ops

from .. import checks
from ..arguments import Activation, Config, DType, Initializer, Shape, Tensor, WeightArguments
from .lstm import LSTMFamily
from .step import NOTHING_DROPPED, Masks, dropped


@keras.saving.register_keras_serializable(package="rnnscope")
class PeepholeLSTMCell(LSTMFamily):
    r"""Peephole LSTM (Gers & Schmidhuber 2000) and the variants of Greff et al. 2016, *LSTM: A search space odyssey*.

        i = σ(x_t W_i + h_{t-1} U_i + p_i ⊙ c_{t-1} + b_i)
        f = σ(x_t W_f + h_{t-1} U_f + p_f ⊙ c_{t-1} + b_f)
        g = φ(x_t W_c + h_{t-1} U_c + b_c)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        o = σ(x_t W_o + h_{t-1} U_o + p_o ⊙ c_t + b_o)
        h_t = o ⊙ φ(c_t)

    The switches, and what each changes:

        NIG   input_gate=False            i = 1
        NFG   forget_gate=False           f = 1
        NOG   output_gate=False           o = 1
        NIAF  input_activation=False      g without φ
        NOAF  output_activation=False     h_t = o ⊙ c_t
        CIFG  coupled_gates=True          f = 1 − i
        NP    peepholes=False             no p: the LSTM of LSTMCell
        FGR   full_gate_recurrence=True   every gate sees i, f, o of the step before

    A gate that is not there has no weights. Parameters: n H(I + H + 1) with n blocks (4, one fewer for each gate that
    is missing or coupled), H for each peephole, and 9H² for full gate recurrence. `projection_units` and
    `layer_normalization` change it as in `LSTMCell`, with n blocks for 4.

    Weights: `kernel` `[I, nH]`, `recurrent_kernel` `[H, nH]`, `bias` `[nH]`, blocks in the order i, f, c, o; then
    `peephole_kernel` `[n−1, H]` and `gate_kernel` `[3H, 3H]` (rows and columns in the order i, f, o).

    Args:
        units, activation, recurrent_activation, …: see `Cell`, `GatedCell` and `LSTMFamily`.
        input_gate, forget_gate, output_gate: whether the gate is there.
        input_activation, output_activation: whether φ is applied to the candidate, to the cell state.
        coupled_gates: whether the forget gate is what the input gate leaves.
        peepholes: whether gates see the cell state.
        full_gate_recurrence: whether gates see the gates of the step before (two to three states more).

    Raises:
        ValueError: switches that contradict one another.

    >>> import numpy as np
    >>> from rnnscope import RNN, PeepholeLSTMCell
    >>> RNN(PeepholeLSTMCell(4, coupled_gates=True))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

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
        projection_units: int | None = None,
        *,
        input_gate: bool = True,
        forget_gate: bool = True,
        output_gate: bool = True,
        input_activation: bool = True,
        output_activation: bool = True,
        coupled_gates: bool = False,
        peepholes: bool = True,
        full_gate_recurrence: bool = False,
        candidate_dropout: float = 0.0,
        **kwargs: Unpack[WeightArguments],
    ):
        super().__init__(**checks.arguments(locals(), without=self._SWITCHES))
        if coupled_gates and not (input_gate and forget_gate):
            raise ValueError("coupled_gates: expected input_gate=True and forget_gate=True, of which one follows")
        if full_gate_recurrence and not (input_gate and forget_gate and output_gate and not coupled_gates):
            raise ValueError("full_gate_recurrence: expected all three gates, none of them coupled")
        self.input_gate, self.forget_gate, self.output_gate = input_gate, forget_gate, output_gate
        self.input_activation, self.output_activation = input_activation, output_activation
        self.coupled_gates = coupled_gates
        self.peepholes = peepholes
        self.full_gate_recurrence = full_gate_recurrence
        for name in self._SWITCHES:
            checks.boolean(name, getattr(self, name))

    _SWITCHES = ("input_gate", "forget_gate", "output_gate", "input_activation", "output_activation", "coupled_gates",
                 "peepholes", "full_gate_recurrence")  # fmt: skip

    @property
    def gate_names(self) -> tuple[str, ...]:
        """The gates that have weights."""
        there = {"i": self.input_gate, "f": self.forget_gate and not self.coupled_gates, "o": self.output_gate}
        return tuple(name for name, present in there.items() if present)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The kernels' blocks of columns: the gates and the candidate, in the order i, f, c, o."""
        return tuple(name for name in "ifco" if name == "c" or name in self.gate_names)

    @property
    def gates(self) -> int:  # type: ignore[override]
        """How many blocks of `units` columns the kernels have."""
        return len(self.blocks)

    @property
    def state_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """h and c; with full gate recurrence also the gates of the step before."""
        return ("h", "c", "i", "f", "o") if self.full_gate_recurrence else ("h", "c")

    def build(self, input_shape: Shape) -> None:
        """Creates the weights."""
        super().build(input_shape)
        if self.peepholes and self.gate_names:
            self.peephole_kernel = self.add_weight(
                shape=(len(self.gate_names), self.units), name="peephole_kernel", initializer=self.kernel_initializer
            )
        if self.full_gate_recurrence:
            self.gate_kernel = self.add_weight(
                shape=(3 * self.units, 3 * self.units),
                name="gate_kernel",
                initializer=self.recurrent_initializer,
                regularizer=self.recurrent_regularizer,
                constraint=self.recurrent_constraint,
            )

    def initial_bias(self, shape: tuple[int, ...], dtype: DType = None) -> Tensor:
        """The bias before training, with the forget gate's block set apart."""
        blocks = [self.bias_initializer((self.units,), dtype=dtype) for _ in self.blocks]
        if self.unit_forget_bias and "f" in self.blocks:
            blocks[self.blocks.index("f")] = ops.full((self.units,), float(self.unit_forget_bias), dtype=dtype)
        return ops.concatenate(blocks)

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected `[B, nH]`, states `[h, c]` (and i, f, o) → h, the new states."""
        h, c, *gates_before = states
        h_in = dropped(h, masks.state)
        blocks = ops.split(projected + self.recurrent_product(h_in), self.gates, axis=-1)
        a = dict(zip(self.blocks, blocks, strict=True))
        if self.full_gate_recurrence:
            added = ops.split(ops.matmul(ops.concatenate(gates_before, axis=-1), self.gate_kernel), 3, axis=-1)
            a.update({name: a[name] + s for name, s in zip("ifo", added, strict=True)})
        i = self._gate("i", a, c)
        f = self.observe("f", 1 - i) if self.coupled_gates else self._gate("f", a, c)
        g = dropped(self.activation(a["c"]) if self.input_activation else a["c"], masks.candidate)
        c = self.observe("c", f * c + i * g)
        o = self._gate("o", a, c)
        seen = self.seen_state(c)
        h = self.project_output(o * (self.activation(seen) if self.output_activation else seen))
        return h, [h, c, *((i, f, o) if self.full_gate_recurrence else ())]

    def _gate(self, name: str, a: dict[str, Any], c: Tensor) -> Tensor:
        """One gate `[B, H]`, from its pre-activation and the cell state that it sees; 1 where it is not there."""
        if name not in self.gate_names:
            return ops.ones_like(c)
        if not self.peepholes:
            return self.observe(name, self.recurrent_activation(a[name]))
        seen = self.peephole_kernel[self.gate_names.index(name)] * c
        return self.observe(name, self.recurrent_activation(a[name] + seen))

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in self._SWITCHES},
        }
