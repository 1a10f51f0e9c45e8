"""Cells that are linear in their state compute the same by a scan of all steps at once as by a loop."""

import pytest
import tensorflow as tf

from rnnscope import RNN, GradientTaps, MinGRUCell, MinLSTMCell, set_compile, set_parallel_scan
from rnnscope.backend import loops_are_slow
from tests.layers.helpers import B, H, I, T, assert_close, mask_of, outputs_and_gradients, twins, values

cells = pytest.mark.parametrize("cell", [MinGRUCell, MinLSTMCell])
ways = pytest.mark.parametrize("parallel", [True, False, None])


@pytest.fixture(autouse=True)
def scan_by_default():
    yield
    set_parallel_scan(None)


def written_out_and_scanned(cell, parallel, length, mask=None, **options):
    """Outputs, states and derivatives of one layer whose steps are written out, and of one that scans."""
    options = {"return_sequences": True, "return_state": True, **options}
    set_parallel_scan(parallel)
    shape = (B, length, I)
    pair = twins(RNN(cell(H), unroll=True, **options), RNN(cell(H), **options), shape)
    return [outputs_and_gradients(layer, values(*shape), [values(B, H, seed=4)], mask=mask) for layer in pair]


@cells
@ways
@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 33])
def test_a_scan_of_any_length_equals_the_steps(cell, parallel, length):
    assert_close(*written_out_and_scanned(cell, parallel, length))


@cells
@ways
@pytest.mark.parametrize("mask", ["random", "left", "row"])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_a_scan_passes_over_masked_steps(cell, parallel, mask, go_backwards, compiled):
    pair = written_out_and_scanned(cell, parallel, T, mask_of(mask), go_backwards=go_backwards)
    assert_close(*pair)


@cells
@pytest.mark.parametrize("mask", ["none", "random"])
def test_both_ways_report_the_same_norms(cell, mask, compiled):
    found = []
    layer = RNN(cell(H), return_sequences=True)
    for parallel in (True, False):
        set_parallel_scan(parallel)
        with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
            loss = tf.reduce_sum(layer(values(B, T, I), mask=mask_of(mask)) ** 2)
        found.append(tape.gradient(loss, taps.vectors))
    (norms,) = found[0].values()
    assert (norms.numpy() > 0).all()
    assert_close(*found)


def operations(layer):
    """The types of the operations that a training step is made of, in all its functions."""
    x = tf.constant(values(B, T, I))
    graph = tf.function(lambda: tf.gradients(tf.reduce_sum(layer(x)), [x])).get_concrete_function().graph
    return {node.op for function in graph.as_graph_def().library.function for node in function.node_def}


def test_by_default_the_steps_of_a_compiled_layer_are_a_loop_on_a_cpu(compiled):
    assert loops_are_slow() == bool(tf.config.list_logical_devices("GPU"))
    layer = RNN(MinGRUCell(H), return_sequences=True)
    layer.build((B, T, I))
    by_default = operations(layer)
    set_parallel_scan(True)
    assert not any("While" in operation for operation in operations(layer))
    set_parallel_scan(False)
    assert any("While" in operation for operation in operations(layer))
    assert any("While" in operation for operation in by_default) != loops_are_slow()
    set_compile(False)
    assert loops_are_slow()
