"""Each activation's derivative, written as a function of its output, against automatic differentiation."""

import numpy as np
import pytest
import tensorflow as tf

from rnnscope.bptt.slopes import SLOPES, slope
from tests.layers.helpers import assert_close

POINTS = np.random.default_rng(0).normal(scale=4.0, size=500)

activations = pytest.mark.parametrize("activation", SLOPES, ids=lambda activation: activation.__name__)


@activations
def test_the_slope_is_the_derivative(activation):
    a = tf.constant(POINTS)
    with tf.GradientTape() as tape:
        tape.watch(a)
        y = activation(a)
    assert_close(slope(activation, y), tape.gradient(y, a), tolerance=1e-8)  # leaky_relu keeps its 0.2 in float32


@activations
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_slope_has_the_dtype_of_the_output(activation, dtype):
    assert slope(activation, activation(tf.cast(POINTS, dtype))).dtype == dtype
