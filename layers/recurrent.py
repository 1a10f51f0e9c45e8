"""A cell over time: `RNN(cell)` and the short forms `SimpleRNN`, `LSTM`, `GRU`."""

from operator import attrgetter
from typing import Any

import keras
from keras import ops, tree

from . import loop
from .cells import Cell, GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells


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
        initial_state: states to start from, each `[B, H]`; zeros by default.
        mask: boolean `[B, T]`, false where a step is to be passed over.
        training: whether dropout is active.

    Raises:
        ValueError: `cell` is no cell, or the list is empty.

    >>> import numpy as np
    >>> from layers import RNN, GRUCell, LSTMCell
    >>> RNN([LSTMCell(4), GRUCell(5)], return_sequences=True)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 7, 5])
    """

    def __init__(self, cell: Any, *args: Any, **kwargs: Any):
        super().__init__(StackedRNNCells(cell) if isinstance(cell, list | tuple) else cell, *args, **kwargs)

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
