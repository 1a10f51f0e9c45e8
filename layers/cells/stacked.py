"""Several cells as one."""

from collections.abc import Sequence
from typing import Any, Unpack

import keras

from .. import checks
from ..arguments import LayerArguments, Tensor


@keras.saving.register_keras_serializable(package="rnnscope")
class StackedRNNCells(keras.layers.StackedRNNCells):
    """Cells on top of one another, to be arranged over time as one cell.

    Differs from Keras's in that a stack of one cell works too. In our `RNN` each cell of the stack keeps its
    own fast time loop.

    Args:
        cells: list of cells, ours or Keras's, the lowest first.

    Raises:
        ValueError: the list is empty, or holds something that is not a cell.

    >>> import numpy as np
    >>> from rnnscope import RNN, GRUCell, LSTMCell, StackedRNNCells
    >>> RNN(StackedRNNCells([LSTMCell(4), GRUCell(5)]))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 5])
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Unpack[LayerArguments]):
        if not isinstance(cells, list | tuple) or not cells:
            received = checks.described(cells) if cells else "an empty one"
            raise ValueError(f"cells: expected a list of at least one cell, got {received}")
        for index, cell in enumerate(cells):
            checks.check_cell(f"cells[{index}]", cell)
        super().__init__(list(cells), **kwargs)

    def call(self, inputs: Tensor, states: Any, training: bool = False, **kwargs: Any) -> tuple[Tensor, Any]:
        """inputs `[B, I]`, a list of each cell's states → the top cell's output, the new states."""
        output, new_states = super().call(inputs, states, training=training, **kwargs)
        return output, [new_states] if len(self.cells) == 1 else new_states
