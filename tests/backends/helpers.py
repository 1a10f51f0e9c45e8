"""What the tests that run on every backend share."""

from keras import ops

from rnnscope import RNN, GradientTaps
from tests.layers import equations
from tests.layers.derivatives import differentiate
from tests.layers.helpers import B, I, T, randomise, values

HAND_DERIVED = ("rnn", "lstm", "gru_after", "gru_before", "gru_write")
"""Cells with a way back of their own; all others are differentiated automatically, or are linear in their state."""

READINGS = (("none", False), ("random", True), ("row", False))
"""Masks, and whether the sequence is read backwards."""


def cell_of(kind, **options):
    """A cell in single precision, unless the options say otherwise."""
    return equations.cell_of(kind, **{"dtype": "float32", **options})


def layer_of(kind, cell_options=None, **options):
    """A layer with random weights around a cell, in single precision, unless the options say otherwise."""
    layer = RNN(cell_of(kind, **(cell_options or {})), **options)
    layer.build((B, T, I))
    return randomise(layer)


def batch_mean(outputs):
    """The mean over the batch of a loss that is not linear in an example's outputs, `[B, …, H]`."""
    axes = list(range(1, len(outputs.shape)))
    weighting = ops.convert_to_tensor(values(*outputs.shape[1:], seed=30))
    return ops.mean(ops.sum(outputs * weighting, axes) ** 2 + ops.sum(outputs**3, axes))


def norms(layer, x, names=("h", "c"), **call):
    """The gradients of a layer's taps by key."""
    with GradientTaps(names=names) as taps:
        layer(x, **call)

    def function(vectors):
        with GradientTaps(names=names, vectors=vectors):
            return batch_mean(layer(x, **call)), ()

    return differentiate(function, taps.vectors)[1]
