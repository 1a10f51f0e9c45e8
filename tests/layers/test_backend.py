"""The scan over time against a Python loop."""

import numpy as np
import pytest
import tensorflow as tf

from rnnscope.backend import compiled as compile_function
from rnnscope.backend import scan, set_compile
from tests.layers.helpers import assert_close, values

WAYS = {
    "eager": lambda function: function,
    "graph": tf.function,
    "unknown_length": lambda function: tf.function(function, input_signature=[tf.TensorSpec((None, 3))] * 2),
    "xla": lambda function: tf.function(function, jit_compile=True),
}


def step(carry, slices):
    """A carry of two, an output of another structure and shape, an input that is not there."""
    (total, count), (x, (nothing, y)) = carry, slices
    assert nothing is None
    total = tf.tanh(total + x * y)
    return (total, count + 1), {"sum": tf.reduce_sum(total), "pair": tf.stack([total, x])}


def by_hand(xs, ys, reverse=False):
    total, outputs = np.zeros(3, "float32"), [None] * len(xs)
    for t in reversed(range(len(xs))) if reverse else range(len(xs)):
        total = np.tanh(total + xs[t] * ys[t])
        outputs[t] = (total.sum(), np.stack([total, xs[t]]))
    return (total, len(xs)), {"sum": np.stack([s for s, _ in outputs]), "pair": np.stack([p for _, p in outputs])}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [1, 7])
def test_a_scan_is_a_loop(way, reverse, length):
    xs, ys = values(length, 3), values(length, 3, seed=1)
    initial = (tf.zeros(3), tf.constant(0))
    run = WAYS[way](lambda xs, ys: scan(step, initial, (xs, (None, ys)), reverse=reverse))
    assert_close(run(tf.constant(xs), tf.constant(ys)), by_hand(xs, ys, reverse))


@pytest.mark.parametrize("reverse", [False, True])
def test_an_unrolled_scan_is_a_loop(reverse):
    xs, ys = values(7, 3), values(7, 3, seed=1)
    found = scan(step, (tf.zeros(3), 0), (tf.constant(xs), (None, tf.constant(ys))), reverse=reverse, unroll=True)
    assert_close(found, by_hand(xs, ys, reverse))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_is_differentiated_like_its_steps(way, reverse):
    def gradients(unroll):
        def run(xs, ys):
            with tf.GradientTape() as tape:
                tape.watch([xs, ys])
                (total, _), outputs = scan(
                    step, (tf.zeros(3), tf.constant(0)), (xs, (None, ys)), reverse=reverse, unroll=unroll
                )
                loss = tf.reduce_sum(total**2) + tf.reduce_sum(outputs["pair"] ** 3) + tf.reduce_sum(outputs["sum"])
            return tape.gradient(loss, [xs, ys])

        return run

    sequences = tf.constant(values(7, 3)), tf.constant(values(7, 3, seed=1))
    assert_close(WAYS[way](gradients(unroll=False))(*sequences), gradients(unroll=True)(*sequences))


def test_the_structure_of_the_outputs_is_found_without_taking_a_step():
    steps = tf.Variable(0)

    def counting(carry, x):
        steps.assign_add(1)
        return carry + x, carry

    scan(counting, tf.zeros(3), tf.constant(values(7, 3)))
    assert int(steps) == 7


def test_compilation_can_be_switched_off_and_on():
    traces = []

    @compile_function
    def function(x, options):
        traces.append(tf.inside_function())
        return x * options[0]

    for enabled, inside in ((False, False), (True, True)):
        set_compile(enabled)
        assert float(function(tf.constant(2.0), (3,))) == 6
        assert traces[-1] is inside


def test_a_compiled_function_is_another_program_for_other_options():
    @compile_function
    def function(x, activation, extra):
        return activation(x) if extra is None else activation(x) + extra

    set_compile(True)
    x = tf.constant(values(3))
    assert_close(function(x, tf.tanh, None), np.tanh(x))
    assert_close(function(x, tf.exp, None), np.exp(x))
    assert_close(function(x, tf.exp, x), np.exp(x) + x)
