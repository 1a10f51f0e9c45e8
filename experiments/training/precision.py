"""In which numbers Keras computes."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Layers, losses and metrics that are made inside compute so.

    Args:
        name: `float32`, `float64`, or `mixed_bfloat16` and `mixed_float16`: weights in float32, products in half.
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
    """The dtype of what is not to be computed in half precision: the way in and the way out."""
    return keras.config.dtype_policy().variable_dtype
