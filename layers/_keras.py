"""Private parts of Keras that the package needs: no other module of the project imports or names them.

Seen in Keras 3.15. Each comment gives the reason why the public API is not enough.
"""

from typing import Any

import keras
from keras.src.backend import (
    # Opened by `Layer.__call__`, so that the layer's variables are read in its compute dtype. A time loop that calls
    # `cell.advance` instead of the cell itself has to open it too.
    AutocastScope,
    # Masks that `Masking` and `Embedding` attach to their outputs. Keras passes an attached mask on as an argument only
    # where the call has no other tensor argument, such as initial states.
    get_keras_mask,
    # The scope in which a layer runs without side effects. `keras.StatelessScope` is public, the current scope is not.
    get_stateless_scope,
    set_keras_mask,
)

# `keras.layers.RNN` draws one dropout mask per sequence only for cells of this class.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

__all__ = [
    "AutocastScope",
    "DropoutRNNCell",
    "call_has_training_argument",
    "flatten_layers",
    "get_keras_mask",
    "get_stateless_scope",
    "set_keras_mask",
]


def flatten_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return a model and all layers in it, at any depth: `Model.layers` ends at the first level."""
    return list(model._flatten_layers())


def call_has_training_argument(cell: Any) -> bool:
    """Return whether Keras itself would pass `training` to the `call` of a cell."""
    return bool(getattr(cell, "_call_has_training_arg", False))
