"""A sequence in segments that are computed again on the way back gives what it gives whole."""

import pytest
import tensorflow as tf

from rnnscope import RNN, GradientTaps, MinGRUCell, Stacked, set_recomputed_segments
from tests.layers.helpers import (
    KINDS,
    B,
    I,
    T,
    assert_close,
    mask_of,
    our_cell,
    ours,
    outputs_and_gradients,
    states_for,
    twins,
    values,
)

kinds = pytest.mark.parametrize("kind", [*KINDS, "mingru"])
OPTIONS = {"return_sequences": True, "return_state": True, "dropout": 0.2, "seed": 3}


@pytest.fixture(autouse=True)
def whole_by_default():
    yield
    set_recomputed_segments(1)


def layer_of(kind, **options):
    if kind == "mingru":
        cell_options = {name: options.pop(name) for name in ("dropout", "seed") if name in options}
        return RNN(MinGRUCell(5, **cell_options), **options)
    return ours(kind, **options)


def whole_and_in_segments(kind, count, options=OPTIONS, **call):
    results = []
    states = [values(B, 5, seed=2)] if kind == "mingru" else states_for(kind)
    for layer, segments in zip(twins(layer_of(kind, **options), layer_of(kind, **options)), (1, count), strict=True):
        set_recomputed_segments(segments)
        results.append(outputs_and_gradients(layer, values(B, T, I), states, training=True, **call))
    return results


@kinds
@pytest.mark.parametrize("mask", ["none", "random", "left", "row"])
@pytest.mark.parametrize("count", [2, 3, 100])
def test_outputs_states_and_gradients_are_the_same_in_segments(kind, mask, count):
    assert_close(*whole_and_in_segments(kind, count, mask=mask_of(mask)))


@kinds
def test_compiled_segments_compute_the_same_in_either_direction(kind, compiled):
    assert_close(*whole_and_in_segments(kind, 3, {**OPTIONS, "go_backwards": True}, mask=mask_of("random")))


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru_before"])
def test_the_norms_of_every_timestep_are_the_same_in_segments_of_a_stack(kind, compiled):
    stack = Stacked([RNN(our_cell(kind), return_sequences=True, name=name) for name in ("low", "top")])
    found = []

    def norms():
        names = ("h", "kernel")
        with tf.GradientTape() as tape, GradientTaps(tape.watch, names) as taps:
            loss = tf.reduce_sum(stack(values(B, T, I), training=True) ** 2)
        return tape.gradient(loss, (stack.trainable_variables, taps.vectors))

    stack.build((B, T, I))
    for count in (1, 3):
        set_recomputed_segments(count)
        found.append(tf.function(norms)())
    assert_close(*found)


def test_less_than_one_segment_is_refused():
    with pytest.raises(ValueError, match=r"^count: expected at least 1, got 0$"):
        set_recomputed_segments(0)
