"""The recurrent kernel's gradient, step by step: its summands add up to it, and their norms are what is measured."""

import numpy as np
import pytest
import tensorflow as tf

import rnnscope
from rnnscope import RNN, GradientTaps
from rnnscope.bptt.products import squared_summands
from tests.layers.helpers import B, H, I, T, assert_close, mask_of, twins, values

CELLS = {
    "rnn": lambda: rnnscope.SimpleRNNCell(H),
    "lstm": lambda: rnnscope.LSTMCell(H),
    "gru_after": lambda: rnnscope.GRUCell(H),
    "gru_before": lambda: rnnscope.GRUCell(H, reset_after=False),
    "gru_write": lambda: rnnscope.GRUCell(H, update_gate="write"),
    "peephole": lambda: rnnscope.PeepholeLSTMCell(H),
    "mut1": lambda: rnnscope.MUT1Cell(H),
    "mut3": lambda: rnnscope.MUT3Cell(H),
    "mgu": lambda: rnnscope.MGUCell(H),
    "indrnn": lambda: rnnscope.IndRNNCell(H),
    "normalised": lambda: rnnscope.LSTMCell(H, layer_normalization=True),
    "projected": lambda: rnnscope.LSTMCell(H, projection_units=3),
}
cells = pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)


def loss_of(outputs):
    return tf.reduce_mean(tf.reduce_sum(tf.sin(outputs), axis=tuple(range(1, len(outputs.shape)))))


def summands(layer, x, mask):
    """∂L/∂U's summand of every step: the derivative by a zero added to U at that step alone. In reading order."""
    cell, own = layer.cell, type(layer.cell).recurrent_product
    kernel, zeros = cell.recurrent_kernel, [tf.Variable(tf.zeros(cell.recurrent_kernel.shape)) for _ in range(T)]
    steps = iter(zeros)
    now = [next(steps)]

    class Disturbed:
        """The cell, as its product sees it."""

        def __getattr__(self, name):
            return kernel.value + now[0] if name == "recurrent_kernel" else getattr(cell, name)

    def observe(signal, value):
        if signal == "h":  # the last thing in a step
            now[0] = next(steps, None)
        return value

    cell.recurrent_product = lambda *arguments: own(Disturbed(), *arguments)
    cell.observe = observe
    with tf.GradientTape() as tape:
        loss = loss_of(layer(x, mask=mask))
    return tape.gradient(loss, [*zeros, kernel.value])


@cells
@pytest.mark.parametrize("mask", ["none", "random"])
@pytest.mark.parametrize("go_backwards", [False, True], ids=["forward", "backward"])
def test_the_norms_are_those_of_summands_that_add_up_to_the_gradient(make, mask, go_backwards):
    options = {"return_sequences": True, "go_backwards": go_backwards}
    measured, unrolled = twins(RNN(make(), name="layer", **options), RNN(make(), unroll=True, **options))
    x, mask = tf.constant(values(B, T, I)), mask_of(mask)
    with tf.GradientTape() as tape, GradientTaps(tape.watch, ("kernel",)) as taps:
        loss = loss_of(measured(x, mask=mask))
    norms, gradient = tape.gradient(loss, (taps.vectors, measured.cell.recurrent_kernel.value))
    assert list(norms) == ["layer/kernel"]
    *each, total = summands(unrolled, x, mask)
    assert_close(sum(each), total)
    assert_close(gradient, total)
    expected = np.array([np.linalg.norm(summand) for summand in each])
    assert_close(norms["layer/kernel"], expected[:: -1 if go_backwards else 1])


@pytest.mark.parametrize("reset_after", [True, False])
def test_compiled_loops_measure_the_same(reset_after, compiled):
    looped, unrolled = twins(
        *(RNN(rnnscope.GRUCell(H, reset_after=reset_after), name="layer", unroll=unroll) for unroll in (False, True))
    )
    x, found = tf.constant(values(B, T, I)), []
    for layer in (looped, unrolled):

        @tf.function
        def measure(x, layer=layer):
            with tf.GradientTape() as tape, GradientTaps(tape.watch, ("h", "kernel")) as taps:
                loss = loss_of(layer(x))
            return tape.gradient(loss, taps.vectors)

        found.append(measure(x))
    assert_close(*found)


def test_large_kernels_are_measured_by_way_of_the_examples_alike():
    left, right = values(3, B, 300), values(3, B, 400)
    expected = [np.square(a.T @ b).sum() for a, b in zip(left, right, strict=True)]
    assert_close(squared_summands([(left, right)]), np.array(expected))
    small = squared_summands([(left[..., :5], right[..., :7]), (left[..., 5:9], right[..., 7:9])])
    pieces = [
        np.square(a[:, :5].T @ b[:, :7]).sum() + np.square(a[:, 5:9].T @ b[:, 7:9]).sum()
        for a, b in zip(left, right, strict=True)
    ]
    assert_close(small, np.array(pieces))


def test_a_cell_without_a_recurrent_kernel_has_no_such_signal():
    with GradientTaps(names=("h", "kernel")) as taps:
        RNN(rnnscope.MinGRUCell(H), name="layer")(values(B, T, I))
    assert list(taps.vectors) == ["layer/h"]
