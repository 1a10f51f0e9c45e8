"""Derivatives on whichever backend Keras runs on."""

import contextlib

import keras
import pytest
from keras import ops, tree
from keras.src.backend.common import dtypes

BACKEND = keras.backend.backend()


def slopes(function, again=False):
    """`point -> (outputs, derivatives)` for a `function(point) -> (scalar, outputs)`.

    Args:
        function: of a structure of tensors.
        again: whether what comes back is to be differentiated once more.
    """
    return {"tensorflow": _with_tensorflow, "jax": _with_jax, "torch": _with_torch}[BACKEND](function, again)


def differentiate(function, point):
    """What `function(point) -> (scalar, outputs)` puts out, and the scalar's derivatives, as arrays.

    Args:
        function: of a structure of tensors.
        point: the structure of arrays at which to take the derivatives, which come in the same structure.
    """
    found = slopes(function)(tree.map_structure(ops.convert_to_tensor, point))
    return tree.map_structure(ops.convert_to_numpy, found)


def _with_tensorflow(function, again):
    import tensorflow as tf

    def call(point):
        with tf.GradientTape() as tape:
            tape.watch(point)
            scalar, outputs = function(point)
        return outputs, tape.gradient(scalar, point, unconnected_gradients="zero")

    return call


def _with_jax(function, again):
    import jax

    def call(point):
        (_, outputs), derivatives = jax.value_and_grad(function, has_aux=True)(point)
        return outputs, derivatives

    # Compiled as a whole, it takes less time than compiling its loops and steps one by one.
    return call if again else jax.jit(call)


def _with_torch(function, again):
    import torch

    def call(point):
        leaves = [tensor.requires_grad_() for tensor in tree.flatten(point)]
        scalar, outputs = function(point)
        derivatives = torch.autograd.grad(scalar, leaves, create_graph=again, materialize_grads=True)
        return outputs, tree.pack_sequence_as(point, list(derivatives))

    return call


def of_a_call(layer, x, states, scalar, **call):
    """What a layer puts out, and the derivatives of a scalar of it by inputs, initial states and weights, as arrays."""
    weights = layer.trainable_weights

    def function(point):
        given = call if states is None else {**call, "initial_state": point["states"]}
        with keras.StatelessScope(list(zip(weights, point["weights"], strict=True))):
            outputs = tree.flatten(layer(*point["inputs"], **given))
        return scalar(outputs), outputs

    point = {"inputs": [x], "states": states or [], "weights": [weight.numpy() for weight in weights]}
    outputs, derivatives = differentiate(function, point)
    return {"outputs": outputs, **derivatives, "states": tree.flatten(derivatives["states"])}


def compiled_function(function):
    """The function as one program, where the backend has such a thing."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    return function


@contextlib.contextmanager
def double_precision():
    """Within this scope everything is computed in float64 where it is asked to be."""
    # On JAX and torch Keras makes float32 of whatever an operation would put out in float64, by this table.
    with pytest.MonkeyPatch.context() as patch, _double_precision_of_jax():
        patch.setitem(dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
        yield


def _double_precision_of_jax():
    if BACKEND != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)
