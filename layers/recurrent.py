"""A cell over time: `RNN(cell)` and the short forms `SimpleRNN`, `LSTM`, `GRU`."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import keras
from keras import ops, tree

from . import checks, loop
from ._keras import get_keras_mask
from .arguments import (
    Activation,
    Config,
    Constraint,
    DType,
    Initializer,
    LayerArguments,
    Regularizer,
    Shape,
    Tensor,
    UpdateGate,
    UseCudnn,
)
from .cells import Cell, GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells, Step

_SWITCHES = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask")


@keras.saving.register_keras_serializable(package="rnnscope")
class RNN(keras.layers.RNN):
    """Recurrent layer of any cell, or of a list of cells: a drop-in replacement for `keras.layers.RNN`.

    Arguments, weights and results are Keras's. One product projects the inputs of all steps. Cells of this package run
    in their hand-derived time loop (`layers/bptt`), all others step by step. Inside a `GradientTaps` scope the layer
    reports the norm of its gradient at every timestep.

    Args:
        cell: a cell of this package or of Keras, or a list of cells, the lowest first.
        return_sequences: return the output of every step, `[B, T, H]`, instead of the last one, `[B, H]`.
        return_state: also return the last states, each `[B, H]`.
        go_backwards: read the sequence from its end; the outputs are in reading order.
        stateful: start each batch from the last states of the batch before.
        unroll: write the steps out instead of looping (T must be known).
        zero_output_for_mask: output zeros on masked steps instead of repeating the last output.
        activity_regularizer: Keras regularizer of the layer's output, or `None`.
        trainable: whether training changes the weights.
        dtype: dtype or `keras.DTypePolicy` of the weights and of the computation.
        autocast: whether Keras casts inputs of another floating-point dtype to the layer's.
        name: name of the layer; `None` lets Keras choose one.
        input_shape, input_dim: shape of one sequence, `(T, I)`, or I alone, for the first layer of a `Sequential`
            model. Keras accepts them with a warning and recommends `keras.Input`.

    Call arguments:
        sequences: `[B, T, I]`.
        initial_state: initial states, each `[B, H]`, in a list; zeros by default. A single state may come without
            its list; a list of cells takes a list with the states of each.
        mask: boolean `[B, T]`, or `[1, T]` for all examples, false on steps to skip; by default the mask that
            `Masking` or `Embedding` attached to the sequences.
        training: whether dropout is active, and whether the layer saves what a gradient needs. A gradient of a call
            without it costs another forward pass.

    Raises:
        ValueError: an invalid argument of the constructor or of a call. The message names it, what is allowed, and
            what it got.

    >>> import numpy as np
    >>> from rnnscope import RNN, GRUCell, LSTMCell
    >>> RNN([LSTMCell(4), GRUCell(5)], return_sequences=True)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 7, 5])
    """

    @checks.suggest_nearest_names
    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        *,
        activity_regularizer: Regularizer = None,
        trainable: bool = True,
        dtype: DType = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Shape | None = None,
        input_dim: int | None = None,
    ):
        arguments = checks.arguments(locals(), without=["cell"])
        if isinstance(cell, list | tuple):
            for index, each in enumerate(cell):
                checks.check_cell(f"cell[{index}]", each)
            cell = StackedRNNCells(cell)
        checks.check_cell("cell", cell)
        switches = {name: checks.boolean(name, arguments[name]) for name in _SWITCHES}
        super().__init__(cell, **{**arguments, **switches})

    def __call__(self, sequences: Tensor, initial_state: Tensor = None, mask: Tensor = None, **kwargs: Any) -> Any:
        """`call`, after a look at the arguments: later, Keras would wrap what is wrong with them in many lines."""
        check_call([self], sequences, initial_state, mask)
        return super().__call__(sequences, **checks.given(initial_state=initial_state, mask=mask), **kwargs)

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        """Builds the cell, and creates the states of a `stateful` layer."""
        check_build(self, tuple(sequences_shape))
        super().build(sequences_shape, initial_state_shape)

    def call(self, sequences: Tensor, initial_state: Tensor = None, mask: Tensor = None, training: bool = False) -> Any:
        """sequences `[B, T, I]` → all outputs `[B, T, H]` or the last `[B, H]`, and states where they are asked for."""
        if mask is None:  # Keras hands an attached mask on only where there is no other argument
            mask = get_keras_mask(sequences)
        return super().call(sequences, initial_state, mask, training)

    def inner_loop(
        self, sequences: Tensor, initial_state: Tensor, mask: Tensor, training: bool = False
    ) -> tuple[Tensor, Tensor, Any]:
        """Keras's seam: sequences `[B, T, I]` → last output `[B, H]`, outputs `[B, T, H]`, last states."""
        sequence, mask = _time_major(sequences), _time_major_mask(mask)
        if self.go_backwards:
            sequence, mask = ops.flip(sequence, axis=0), None if mask is None else ops.flip(mask, axis=0)
        outputs, states = loop.run(
            self.cell,
            sequence,
            initial_state,
            mask,
            name=self.name,
            go_backwards=self.go_backwards,
            training=training,
            unroll=self.unroll,
        )
        if mask is not None and self.zero_output_for_mask:
            outputs = ops.where(mask, outputs, ops.zeros_like(outputs))
        last = outputs[-1]
        return last, _time_major(outputs) if self.return_sequences else last[:, None], states

    def _maybe_config_dropout_masks(self, cell: Any, input_sequence: Any, input_state: Any) -> None:
        """Nothing: `loop.run` draws the masks, without the extra step that Keras takes through stacked cells."""

    def reset_state(self) -> None:
        """Sets the states of a `stateful` layer to zero."""
        for state in tree.flatten(self.states) if self.states is not None else ():
            state.assign(ops.zeros_like(state.value))


def _time_major(x: Tensor) -> Any:
    """`[B, T, …]` ⇄ `[T, B, …]`."""
    return ops.transpose(x, (1, 0, *range(2, len(x.shape))))


def _time_major_mask(mask: Tensor) -> Any:
    """`[B, T]` or `[B, T, 1]`, or a list that starts with one → boolean `[T, B, 1]`."""
    mask = None if mask is None else tree.flatten(mask)[0]
    if mask is None:
        return None
    mask = ops.cast(mask, "bool")
    return _time_major(mask[:, :, None] if len(mask.shape) == 2 else mask)


# ------------------------------------------------------------------ checks

_VECTOR_CELLS = (Step, keras.layers.SimpleRNNCell, keras.layers.LSTMCell, keras.layers.GRUCell)
"""Cells that read `[B, I]`, and whose states are `[B, H]`. What those of others read is for them to say."""


def check_call(layers: Sequence[Any], sequences: Tensor, initial_state: Tensor, mask: Tensor) -> None:
    """Refuses what one of the layers, ours or Keras's, cannot read. `initial_state` holds the states of them all."""
    shape = checks.static_shape("sequences", sequences)
    for layer in layers:
        check_sequences_shape(layer, shape)
        if _reads_vectors(layer.cell):
            checks.check_numeric("sequences", sequences)
        if layer.unroll and shape[1] is None and not isinstance(sequences, keras.KerasTensor):
            raise ValueError(f"sequences: expected a known length T, got shape {shape}. Cannot unroll an endless loop")
        check_mask(layer, mask, shape)
    if initial_state is not None:
        batch = "B" if shape[0] is None else shape[0]
        expected = [state for layer in layers for state in _state_layouts(layer.cell, batch)]
        checks.check_states("initial_state", initial_state, expected)


def check_build(layer: Any, sequences_shape: Shape) -> None:
    """Refuses a shape that does not say enough to build the layer."""
    check_sequences_shape(layer, sequences_shape)
    if layer.stateful and layer.states is None and sequences_shape[0] is None:
        raise ValueError(f"sequences: expected a fixed batch size with stateful=True, got shape {sequences_shape}")
    if _reads_vectors(layer.cell) and sequences_shape[-1] is None:
        raise ValueError(f"sequences: expected a known number of features I, got shape {sequences_shape}")


def check_sequences_shape(layer: Any, shape: Shape) -> None:
    """Refuses a shape that the layer's cell, or the states that it has kept, cannot take."""
    checks.check_shape("sequences", shape, ("B", "T", *_step_layout(layer.cell)))
    if shape[1] == 0:
        raise ValueError(f"sequences: expected at least one timestep, got shape {shape}")
    if layer.stateful and layer.states is not None:
        batch = tree.flatten(layer.states)[0].shape[0]
        if shape[0] not in (batch, None):
            raise ValueError(f"sequences: expected the batch size of the layer's states, {batch}, got shape {shape}")


def check_mask(layer: Any, mask: Tensor, sequences_shape: Shape) -> None:
    """Refuses a mask that does not belong to the sequences."""
    if isinstance(mask, list | tuple) and mask:  # as Keras's layers of several outputs hand them on
        mask = mask[0]
    if mask is None:
        return
    checks.check_mask(mask, sequences_shape, _reads_vectors(layer.cell))
    checks.check_numeric("mask", mask, "booleans")


def _state_layouts(cell: Any, batch: int | str) -> list[Any]:
    """Of a cell's states, as `checks.check_states` expects them."""
    if isinstance(cell, keras.layers.StackedRNNCells):
        return [_state_layouts(each, batch) for each in cell.cells]
    sizes = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
    known = isinstance(cell, _VECTOR_CELLS) or not hasattr(cell, "get_initial_state")
    return [(batch, size) if known and isinstance(size, int) else None for size in sizes]


def _step_layout(cell: Any) -> checks.Layout:
    """Of what a cell reads at one step, without the batch."""
    first = _first_cell(cell)
    if not isinstance(first, _VECTOR_CELLS):
        return "I", ...
    built_for = (first.get_build_config() or {}).get("input_shape")
    return (built_for[-1] if built_for else "I",)


def _reads_vectors(cell: Any) -> bool:
    return isinstance(_first_cell(cell), _VECTOR_CELLS)


def _first_cell(cell: Any) -> Any:
    return _first_cell(cell.cells[0]) if isinstance(cell, keras.layers.StackedRNNCells) else cell


class _ShortForm(RNN):
    """`RNN(Cell(units, …), …)` in one call: the cell gets the arguments that it has, `RNN` gets all others.

    A layer sets `cell_class` and `cell_name`. Its signature alone names the arguments.
    """

    cell_class: type[Cell]
    cell_name: str
    cell_attributes: tuple[str, ...] = ()
    """Arguments of the cell."""

    def __init__(self, arguments: dict[str, Any]):
        use_cudnn = arguments.pop("use_cudnn")
        checks.check_choice("use_cudnn", use_cudnn, ("auto", True, False))
        shared = {name: arguments[name] for name in ("dtype", "trainable")}
        of_cell = {name: arguments.pop(name) for name in (*self.cell_attributes, "implementation") if name in arguments}
        super().__init__(self.cell_class(**of_cell, **shared, name=self.cell_name), **arguments)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.use_cudnn = use_cudnn

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give the layer the arguments of its cell as attributes, as in Keras: `layer.units` is `layer.cell.units`."""
        super().__init_subclass__(**kwargs)
        if "cell_class" not in vars(cls):
            return
        arguments = checks.constructor_arguments(cls.cell_class) - {*LayerArguments.__annotations__, "implementation"}
        cls.cell_attributes = tuple(sorted(arguments))
        for name in cls.cell_attributes:
            setattr(cls, name, property(attrgetter(f"cell.{name}")))

    def get_config(self) -> Config:
        """Return the arguments of the constructor, serialized."""
        config = super().get_config()
        del config["cell"]
        return {**self.cell.get_config(), **config}

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict[str, Any] | None = None) -> "RNN":
        """Return the layer that `get_config` described."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="rnnscope")
class SimpleRNN(_ShortForm):
    """Vanilla recurrent network (Elman 1990): `RNN(SimpleRNNCell(units, …), …)`, like `keras.layers.SimpleRNN`.

        h_t = φ(x_t W + h_{t-1} U + b)

    Parameters: H(I + H + 1). `SimpleRNNCell` computes one step.

    Args:
        units: H, the size of the hidden state.
        activation: φ, a Keras activation; `None` is the identity.
        use_bias: whether the pre-activations have a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Keras initializers of W `[I, H]`, U `[H, H]`
            and b `[H]`.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: Keras regularizers of W, U and b, or `None`.
        kernel_constraint, recurrent_constraint, bias_constraint: Keras constraints on W, U and b, or `None`.
        dropout: fraction of the inputs to drop in training, in [0, 1]; one mask per sequence.
        recurrent_dropout: fraction of h_{t-1} to drop in training where it enters a product, in [0, 1]; one mask per
            sequence (Gal & Ghahramani 2016).
        seed: seed of the dropout masks.
        return_sequences: return the output of every step, `[B, T, H]`, instead of the last one, `[B, H]`.
        return_state: also return the last state, `[B, H]`.
        go_backwards: read the sequence from its end; the outputs are in reading order.
        stateful: start each batch from the last states of the batch before.
        unroll: write the steps out instead of looping (T must be known).
        use_cudnn: `"auto"`, `True` or `False`, accepted as in Keras without effect: all devices run the same loop.
        layer_normalization: whether each product, `x_t W` and `h_{t-1} U`, is normalized and scaled by a gain of its
            own before the bias is added (Ba, Kiros & Hinton 2016).
        zero_output_for_mask: output zeros on masked steps instead of repeating the last output.
        implementation: accepted as in Keras's cells without effect.
        activity_regularizer: Keras regularizer of the layer's output, or `None`.
        trainable: whether training changes the weights.
        dtype: dtype or `keras.DTypePolicy` of the weights and of the computation.
        autocast: whether Keras casts inputs of another floating-point dtype to the layer's.
        name: name of the layer; `None` lets Keras choose one.
        input_shape, input_dim: shape of one sequence, `(T, I)`, or I alone, for the first layer of a `Sequential`
            model. Keras accepts them with a warning and recommends `keras.Input`.

    Call arguments:
        sequences: `[B, T, I]`.
        initial_state: h_0 `[B, H]`, with or without a list around it; zeros by default.
        mask: boolean `[B, T]`, or `[1, T]` for all examples, false on steps to skip; by default the mask that
            `Masking` or `Embedding` attached to the sequences.
        training: whether dropout is active, and whether the layer saves what a gradient needs.

    Raises:
        ValueError: an invalid argument of the constructor or of a call. The message names it, what is allowed, and
            what it got.

    >>> import numpy as np
    >>> from rnnscope import SimpleRNN
    >>> SimpleRNN(4, activation="relu", return_sequences=True)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 7, 4])
    """

    cell_class = SimpleRNNCell
    cell_name = "simple_rnn_cell"

    @checks.suggest_nearest_names
    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        *,
        layer_normalization: bool = False,
        zero_output_for_mask: bool = False,
        use_cudnn: UseCudnn = "auto",
        implementation: int = 2,
        trainable: bool = True,
        dtype: DType = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Shape | None = None,
        input_dim: int | None = None,
    ):
        super().__init__(checks.arguments(locals()))


@keras.saving.register_keras_serializable(package="rnnscope")
class LSTM(_ShortForm):
    """Long short-term memory (Hochreiter & Schmidhuber 1997): `RNN(LSTMCell(units, …), …)`, like `keras.layers.LSTM`.

        i, f, o = σ(x_t W + h_{t-1} U + b)      each with its own block of W, U and b
        g = φ(x_t W_c + h_{t-1} U_c + b_c)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(c_t)

    Parameters: 4H(I + H + 1). `LSTMCell` computes one step.

    Args:
        units: H, the size of the hidden state.
        activation: φ, a Keras activation; `None` is the identity.
        recurrent_activation: σ, the Keras activation of the gates.
        use_bias: whether the pre-activations have a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Keras initializers of W `[I, 4H]`, U `[H, 4H]`
            and b `[4H]`.
        unit_forget_bias: initial value of the forget gate's bias. `True` is 1 (Jozefowicz et al. 2015), `False` leaves
            it to `bias_initializer`, and any other number is taken as it is.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: Keras regularizers of W, U and b, or `None`.
        kernel_constraint, recurrent_constraint, bias_constraint: Keras constraints on W, U and b, or `None`.
        dropout: fraction of the inputs to drop in training, in [0, 1]; one mask per sequence.
        recurrent_dropout: fraction of h_{t-1} to drop in training where it enters a product, in [0, 1]; one mask per
            sequence, the same for every gate (Gal & Ghahramani 2016).
        seed: seed of the dropout masks.
        return_sequences: return the output of every step, `[B, T, H]`, instead of the last one, `[B, H]`.
        return_state: also return the last states h and c, each `[B, H]`.
        go_backwards: read the sequence from its end; the outputs are in reading order.
        stateful: start each batch from the last states of the batch before.
        unroll: write the steps out instead of looping (T must be known).
        use_cudnn: `"auto"`, `True` or `False`, accepted as in Keras without effect: all devices run the same loop.
        layer_normalization: whether each product, `x_t W` and `h_{t-1} U`, is normalized and scaled by a gain of its
            own before the bias is added, and c_t on its way to h_t (Ba, Kiros & Hinton 2016).
        candidate_dropout: fraction of g to drop in training, in [0, 1]; one mask per sequence (Semeniuta, Severyn &
            Barth 2016, *Recurrent dropout without memory loss*).
        projection_units: P, to project h_t from H to P dimensions, `h_t = (o ⊙ φ(c_t)) W_p` (Sak, Senior & Beaufays
            2014); h is then `[B, P]`. `None`: no projection.
        zero_output_for_mask: output zeros on masked steps instead of repeating the last output.
        implementation: accepted as in Keras's cells without effect.
        activity_regularizer: Keras regularizer of the layer's output, or `None`.
        trainable: whether training changes the weights.
        dtype: dtype or `keras.DTypePolicy` of the weights and of the computation.
        autocast: whether Keras casts inputs of another floating-point dtype to the layer's.
        name: name of the layer; `None` lets Keras choose one.
        input_shape, input_dim: shape of one sequence, `(T, I)`, or I alone, for the first layer of a `Sequential`
            model. Keras accepts them with a warning and recommends `keras.Input`.

    Call arguments:
        sequences: `[B, T, I]`.
        initial_state: list of h_0 and c_0, each `[B, H]`; zeros by default.
        mask: boolean `[B, T]`, or `[1, T]` for all examples, false on steps to skip; by default the mask that
            `Masking` or `Embedding` attached to the sequences.
        training: whether dropout is active, and whether the layer saves what a gradient needs.

    Raises:
        ValueError: an invalid argument of the constructor or of a call. The message names it, what is allowed, and
            what it got.

    >>> import numpy as np
    >>> from rnnscope import LSTM
    >>> LSTM(4, dropout=0.1, go_backwards=True)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    cell_class = LSTMCell
    cell_name = "lstm_cell"

    @checks.suggest_nearest_names
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
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: UseCudnn = "auto",
        *,
        layer_normalization: bool = False,
        candidate_dropout: float = 0.0,
        projection_units: int | None = None,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        trainable: bool = True,
        dtype: DType = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Shape | None = None,
        input_dim: int | None = None,
    ):
        super().__init__(checks.arguments(locals()))


@keras.saving.register_keras_serializable(package="rnnscope")
class GRU(_ShortForm):
    """Gated recurrent unit (Cho et al. 2014): `RNN(GRUCell(units, …), …)`, like `keras.layers.GRU`.

        z, r = σ(x_t W + h_{t-1} U + b)         each with its own block of W, U and b
        n = φ(x_t W_h + b_h + r ⊙ (h_{t-1} U_h + b'_h))
        h_t = z ⊙ h_{t-1} + (1 − z) ⊙ n

    Parameters: 3H(I + H + 2). `GRUCell` computes one step, and states the equations of the other forms.

    Args:
        units: H, the size of the hidden state.
        activation: φ, a Keras activation; `None` is the identity.
        recurrent_activation: σ, the Keras activation of the gates.
        use_bias: whether the pre-activations have a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Keras initializers of W `[I, 3H]`, U `[H, 3H]`
            and b `[2, 3H]`, or `[3H]` without `reset_after`.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: Keras regularizers of W, U and b, or `None`.
        kernel_constraint, recurrent_constraint, bias_constraint: Keras constraints on W, U and b, or `None`.
        dropout: fraction of the inputs to drop in training, in [0, 1]; one mask per sequence.
        recurrent_dropout: fraction of h_{t-1} to drop in training where it enters a product, in [0, 1]; one mask per
            sequence, the same for every gate (Gal & Ghahramani 2016).
        seed: seed of the dropout masks.
        return_sequences: return the output of every step, `[B, T, H]`, instead of the last one, `[B, H]`.
        return_state: also return the last state, `[B, H]`.
        go_backwards: read the sequence from its end; the outputs are in reading order.
        stateful: start each batch from the last states of the batch before.
        unroll: write the steps out instead of looping (T must be known).
        reset_after: whether the reset gate acts after the recurrent product (as in cuDNN) or before it (as in the
            paper).
        use_cudnn: `"auto"`, `True` or `False`, accepted as in Keras without effect: all devices run the same loop.
        layer_normalization: whether each product, `x_t W` and `h_{t-1} U`, is normalized and scaled by a gain of its
            own before the bias is added (Ba, Kiros & Hinton 2016).
        candidate_dropout: fraction of n to drop in training, in [0, 1]; one mask per sequence (Semeniuta, Severyn &
            Barth 2016, *Recurrent dropout without memory loss*).
        update_gate: `"keep"` or `"write"`: whether z is the fraction of h_{t-1} to keep, or of n to write.
        zero_output_for_mask: output zeros on masked steps instead of repeating the last output.
        implementation: accepted as in Keras's cells without effect.
        activity_regularizer: Keras regularizer of the layer's output, or `None`.
        trainable: whether training changes the weights.
        dtype: dtype or `keras.DTypePolicy` of the weights and of the computation.
        autocast: whether Keras casts inputs of another floating-point dtype to the layer's.
        name: name of the layer; `None` lets Keras choose one.
        input_shape, input_dim: shape of one sequence, `(T, I)`, or I alone, for the first layer of a `Sequential`
            model. Keras accepts them with a warning and recommends `keras.Input`.

    Call arguments:
        sequences: `[B, T, I]`.
        initial_state: h_0 `[B, H]`, with or without a list around it; zeros by default.
        mask: boolean `[B, T]`, or `[1, T]` for all examples, false on steps to skip; by default the mask that
            `Masking` or `Embedding` attached to the sequences.
        training: whether dropout is active, and whether the layer saves what a gradient needs.

    Raises:
        ValueError: an invalid argument of the constructor or of a call. The message names it, what is allowed, and
            what it got.

    >>> import numpy as np
    >>> from rnnscope import GRU
    >>> GRU(4, reset_after=False)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    cell_class = GRUCell
    cell_name = "gru_cell"

    @checks.suggest_nearest_names
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
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: UseCudnn = "auto",
        *,
        layer_normalization: bool = False,
        candidate_dropout: float = 0.0,
        update_gate: UpdateGate = "keep",
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        trainable: bool = True,
        dtype: DType = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Shape | None = None,
        input_dim: int | None = None,
    ):
        super().__init__(checks.arguments(locals()))
