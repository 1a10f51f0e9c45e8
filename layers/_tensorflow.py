"""Private parts of TensorFlow that the package needs: no other module of the project imports or names them.

Seen in TensorFlow 2.21. Only `backend.py` imports this module, and only on the TensorFlow backend.
"""

from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf


def discarded_graph(name: str) -> AbstractContextManager[Any]:
    """Return a scope whose operations are built and never run, to learn the shapes and dtypes of results.

    `tf.Graph` does not do: tensors of the surrounding function can be read only inside a `FuncGraph`.
    """
    scope: AbstractContextManager[Any] = tf.__internal__.FuncGraph(name).as_default()
    return scope
