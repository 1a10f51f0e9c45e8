"""A cell over time: `RNN(cell)` and the short forms `SimpleRNN`, `LSTM`, `GRU`."""

from operator import attrgetter
from typing import Any

import keras
from keras import ops, tree

# Unexported: where `Masking` and `Embedding` leave their masks.
from keras.src.backend import get_keras_mask

from . import checks, loop
from .cells import Cell, GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells, Step


@keras.saving.register_keras_serializable(package="rnnscope")
class RNN(keras.layers.RNN):
    """Arranges a cell, or a list of cells, over time: a drop-in replacement for `keras.layers.RNN`.

    Arguments, weights and results are Keras's. The inputs of all steps are projected in one product; the cells
    of this package run in their hand-derived time loop (`layers/bptt`), all others step by step; and inside a
    `GradientTaps` scope the layer reports the norm of its gradient at every timestep.

    Args:
        cell: a cell, ours or Keras's, or a list of them.
        return_sequences: return the output of every step, `[B, T, H]`, instead of the last, `[B, H]`.
        return_state: return the last states too.
        go_backwards: read the sequence from its end; the outputs are in reading order.
        stateful: start each batch from the states in which the last one ended.
        unroll: write the steps out instead of looping (T must be known).
        zero_output_for_mask: output zeros on masked steps instead of repeating the last output.

    Call arguments:
        sequences: `[B, T, I]`.
        initial_state: states to start from, each `[B, H]`, in a list; zeros by default. One state may come without
            its list; a list of cells takes a list with the states of each.
        mask: boolean `[B, T]`, or `[1, T]` for all examples, false where a step is to be passed over; by default what
            `Masking` or `Embedding` attached to the sequences.
        training: whether dropout is active, and whether what a gradient needs is kept; without that it costs another
            pass forward.

    Raises:
        ValueError: an argument that cannot be, here or in a call: named, with what is allowed and what came.

    >>> import numpy as np
    >>> from layers import RNN, GRUCell, LSTMCell
    >>> RNN([LSTMCell(4), GRUCell(5)], return_sequences=True)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 7, 5])
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ):
        checks.check_keywords(type(self).__name__, kwargs, checks.constructor_arguments(type(self)))
        if isinstance(cell, list | tuple):
            for index, each in enumerate(cell):
                checks.check_cell(f"cell[{index}]", each)
            cell = StackedRNNCells(cell)
        checks.check_cell("cell", cell)
        super().__init__(
            cell,
            checks.boolean("return_sequences", return_sequences),
            checks.boolean("return_state", return_state),
            checks.boolean("go_backwards", go_backwards),
            checks.boolean("stateful", stateful),
            checks.boolean("unroll", unroll),
            checks.boolean("zero_output_for_mask", zero_output_for_mask),
            **kwargs,
        )

    def __call__(self, sequences: Any, initial_state: Any = None, mask: Any = None, **kwargs: Any) -> Any:
        """`call`, after a look at the arguments: later, Keras would wrap what is wrong with them in many lines."""
        check_call([self], sequences, initial_state, mask)
        return super().__call__(sequences, **checks.given(initial_state=initial_state, mask=mask), **kwargs)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        """Builds the cell, and creates the states of a `stateful` layer."""
        check_build(self, tuple(sequences_shape))
        super().build(sequences_shape, initial_state_shape)

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """sequences `[B, T, I]` → all outputs `[B, T, H]` or the last `[B, H]`, and states where they are asked for."""
        if mask is None:  # Keras hands an attached mask on only where there is no other argument
            mask = get_keras_mask(sequences)
        return super().call(sequences, initial_state, mask, training)

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> tuple:
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


def _time_major(x: Any) -> Any:
    """`[B, T, …]` ⇄ `[T, B, …]`."""
    return ops.transpose(x, (1, 0, *range(2, len(x.shape))))


def _time_major_mask(mask: Any) -> Any:
    """`[B, T]` or `[B, T, 1]`, or a list that starts with one → boolean `[T, B, 1]`."""
    mask = None if mask is None else tree.flatten(mask)[0]
    if mask is None:
        return None
    mask = ops.cast(mask, "bool")
    return _time_major(mask[:, :, None] if len(mask.shape) == 2 else mask)


# ------------------------------------------------------------------ checks

_VECTOR_CELLS = (Step, keras.layers.SimpleRNNCell, keras.layers.LSTMCell, keras.layers.GRUCell)
"""Cells that read `[B, I]`, and whose states are `[B, H]`. What those of others read is for them to say."""


def check_call(layers: list, sequences: Any, initial_state: Any, mask: Any) -> None:
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


def check_build(layer: Any, sequences_shape: checks.Shape) -> None:
    """Refuses a shape that does not say enough to build the layer."""
    check_sequences_shape(layer, sequences_shape)
    if layer.stateful and layer.states is None and sequences_shape[0] is None:
        raise ValueError(f"sequences: expected a fixed batch size with stateful=True, got shape {sequences_shape}")
    if _reads_vectors(layer.cell) and sequences_shape[-1] is None:
        raise ValueError(f"sequences: expected a known number of features I, got shape {sequences_shape}")


def check_sequences_shape(layer: Any, shape: checks.Shape) -> None:
    """Refuses a shape that the layer's cell, or the states that it has kept, cannot take."""
    checks.check_shape("sequences", shape, ("B", "T", *_step_layout(layer.cell)))
    if shape[1] == 0:
        raise ValueError(f"sequences: expected at least one timestep, got shape {shape}")
    if layer.stateful and layer.states is not None:
        batch = tree.flatten(layer.states)[0].shape[0]
        if shape[0] not in (batch, None):
            raise ValueError(f"sequences: expected the batch size of the layer's states, {batch}, got shape {shape}")


def check_mask(layer: Any, mask: Any, sequences_shape: checks.Shape) -> None:
    """Refuses a mask that does not belong to the sequences."""
    if isinstance(mask, list | tuple) and mask:  # as Keras's layers of several outputs hand them on
        mask = mask[0]
    if mask is None:
        return
    checks.check_mask(mask, sequences_shape, _reads_vectors(layer.cell))
    checks.check_numeric("mask", mask, "booleans")


def _state_layouts(cell, batch):
    """Of a cell's states, as `checks.check_states` expects them."""
    if isinstance(cell, keras.layers.StackedRNNCells):
        return [_state_layouts(each, batch) for each in cell.cells]
    sizes = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
    known = isinstance(cell, _VECTOR_CELLS) or not hasattr(cell, "get_initial_state")
    return [(batch, size) if known and isinstance(size, int) else None for size in sizes]


def _step_layout(cell):
    """Of what a cell reads at one step, without the batch."""
    first = _first_cell(cell)
    if not isinstance(first, _VECTOR_CELLS):
        return "I", ...
    built_for = (first.get_build_config() or {}).get("input_shape")
    return (built_for[-1] if built_for else "I",)


def _reads_vectors(cell):
    return isinstance(_first_cell(cell), _VECTOR_CELLS)


def _first_cell(cell):
    return _first_cell(cell.cells[0]) if isinstance(cell, keras.layers.StackedRNNCells) else cell


class _ShortForm(RNN):
    """`RNN(Cell(units, …), …)` in one call: arguments that a cell has go to the cell, all others to `RNN`."""

    cell_class: type[Cell]
    cell_name: str
    _LAYER_ARGUMENTS = (
        "return_sequences",
        "return_state",
        "go_backwards",
        "stateful",
        "unroll",
        "zero_output_for_mask",
        "activity_regularizer",
        "name",
    )

    def __init__(self, units: int, *args: Any, use_cudnn: Any = "auto", **kwargs: Any):
        of_cell = checks.constructor_arguments(self.cell_class)
        known = {*of_cell, *self._LAYER_ARGUMENTS, "use_cudnn", "implementation"}
        checks.check_keywords(type(self).__name__, kwargs, known)
        checks.check_choice("use_cudnn", use_cudnn, ("auto", True, False))
        for_layer = {name: kwargs.pop(name) for name in self._LAYER_ARGUMENTS if name in kwargs}
        shared = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
        cell = self.cell_class(units, *args, name=self.cell_name, **kwargs)
        super().__init__(cell, **for_layer, **shared)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.use_cudnn = use_cudnn  # accepted for Keras's sake: there is one time loop, on every device

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Gives the layer its cell's arguments as attributes, as in Keras: `layer.units` is `layer.cell.units`."""
        super().__init_subclass__(**kwargs)
        for name in cls.cell_attributes:
            setattr(cls, name, property(attrgetter(f"cell.{name}")))

    cell_attributes: tuple[str, ...] = (
        "units",
        "activation",
        "use_bias",
        *(f"{w}_{k}" for w in ("kernel", "recurrent", "bias") for k in ("initializer", "regularizer", "constraint")),
        "dropout",
        "recurrent_dropout",
        "seed",
        "layer_normalization",
    )

    def get_config(self) -> dict:
        """The constructor's arguments, serialised."""
        config = super().get_config()
        del config["cell"]
        return {**self.cell.get_config(), **config}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "RNN":
        """The layer that `get_config` described."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="rnnscope")
class SimpleRNN(_ShortForm):
    """`RNN(SimpleRNNCell(units, …), …)`: takes the arguments of both, like `keras.layers.SimpleRNN`.

    >>> import numpy as np
    >>> from layers import SimpleRNN
    >>> SimpleRNN(4, activation="relu", return_sequences=True)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 7, 4])
    """

    cell_class = SimpleRNNCell
    cell_name = "simple_rnn_cell"


@keras.saving.register_keras_serializable(package="rnnscope")
class LSTM(_ShortForm):
    """`RNN(LSTMCell(units, …), …)`: takes the arguments of both, like `keras.layers.LSTM`.

    >>> import numpy as np
    >>> from layers import LSTM
    >>> LSTM(4, dropout=0.1, go_backwards=True)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    cell_class = LSTMCell
    cell_name = "lstm_cell"
    cell_attributes = (
        *_ShortForm.cell_attributes,
        "recurrent_activation",
        "unit_forget_bias",
        "projection_units",
        "candidate_dropout",
    )


@keras.saving.register_keras_serializable(package="rnnscope")
class GRU(_ShortForm):
    """`RNN(GRUCell(units, …), …)`: takes the arguments of both, like `keras.layers.GRU`.

    >>> import numpy as np
    >>> from layers import GRU
    >>> GRU(4, reset_after=False)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    cell_class = GRUCell
    cell_name = "gru_cell"
    cell_attributes = (
        *_ShortForm.cell_attributes,
        "recurrent_activation",
        "reset_after",
        "update_gate",
        "candidate_dropout",
    )
