"""How a recurrent kernel may start."""

from typing import Any

import keras
from keras import ops

from .arguments import Config, DType


@keras.saving.register_keras_serializable(package="rnnscope")
class ScaledIdentity(keras.initializers.Initializer):
    """`gain · I`, once for every block of columns of a recurrent kernel `[H, nH]`.

    With relu and a gain of 1 it is the start of the IRNN (Le, Jaitly & Hinton 2015, *A simple way to initialize
    recurrent networks of rectified linear units*), which hands h on unchanged; a smaller gain makes it forget at a
    known rate, as their 0.01 does on speech. `keras.initializers.Identity` fills the first block alone, so that of a
    gated cell's kernel it reaches the first gate only.

    Meant for blocks that are square: a projected LSTM's `[P, 4H]` has none.

    Args:
        gain: what stands on the diagonal.

    Raises:
        ValueError: the weight is not `[H, nH]`.

    >>> from rnnscope import ScaledIdentity
    >>> ScaledIdentity(0.5)((2, 4)).numpy()
    array([[0.5, 0. , 0.5, 0. ],
           [0. , 0.5, 0. , 0.5]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: tuple[int, ...], dtype: DType = None) -> Any:
        """The weight before training."""
        if len(shape) != 2 or shape[1] % shape[0]:
            raise ValueError(f"shape: expected a recurrent kernel's, [H, nH], got {list(shape)}")
        return ops.tile(self.gain * ops.eye(shape[0], dtype=dtype), (1, shape[1] // shape[0]))

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {"gain": self.gain}
