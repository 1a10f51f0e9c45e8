"""The numeric precision in which Keras computes."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Set the precision of all layers, losses and metrics that are created in this context.

    Args:
        name: `float32`, `float64`, `mixed_bfloat16` or `mixed_float16`. The mixed precisions store weights in float32
            and compute products in half precision.
    """
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_floatx("float64" if name == "float64" else "float32")
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def whole() -> str:
    """Return the dtype for the layers at the input and output, which do not compute in half precision."""
    return keras.config.dtype_policy().variable_dtype
