"""The hand-derived way back against automatic differentiation of the readable cell."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnscope import RNN, GRUCell, LSTMCell, MinGRUCell, MinLSTMCell, SimpleRNNCell, bptt
from rnnscope.bptt.slopes import SLOPES
from tests.layers.helpers import (
    KINDS,
    MASKS,
    B,
    H,
    I,
    T,
    assert_close,
    mask_of,
    our_cell,
    ours,
    outputs_and_gradients,
    randomise,
    readable,
    states_for,
    twins,
    values,
    weighted_sum,
)

kinds = pytest.mark.parametrize("kind", KINDS)
masks = pytest.mark.parametrize("mask", MASKS)


def both_ways(kind, layer_options=None, scale=0.6, **cell_options):
    """A layer with the hand-derived way back and one with the readable cell, with the same random weights."""
    cell = our_cell(kind, **cell_options)
    twin = readable(type(cell)).from_config(cell.get_config())
    options = {"return_sequences": True, "return_state": True} | (layer_options or {})
    fast, plain = twins(RNN(cell, **options), RNN(twin, **options))
    assert bptt.is_hand_derived(fast.cell)
    assert not bptt.is_hand_derived(plain.cell)
    plain.set_weights(randomise(fast, scale=scale).get_weights())
    return fast, plain


def assert_same_both_ways(layers, kind, **call):
    fast, plain = (outputs_and_gradients(layer, values(B, T, I), states_for(kind), **call) for layer in layers)
    assert_close(fast, plain)


@kinds
@masks
@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize("training", [True, False])
def test_hand_derived_gradients_equal_automatic_ones_of_the_readable_cell(kind, mask, use_bias, training):
    assert_same_both_ways(both_ways(kind, use_bias=use_bias), kind, mask=mask_of(mask), training=training)


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
@pytest.mark.parametrize("training", [True, False])
def test_compiled_gradients_equal_automatic_ones_of_the_readable_cell(kind, mask, training, compiled):
    assert_same_both_ways(both_ways(kind), kind, mask=mask_of(mask), training=training)


@kinds
@pytest.mark.parametrize("mask", ["random", "row"])
@pytest.mark.parametrize(
    "options", [{"go_backwards": True}, {"return_sequences": False}, {"zero_output_for_mask": True}]
)
def test_hand_derived_gradients_hold_for_every_way_to_read_and_return(kind, mask, options):
    assert_same_both_ways(both_ways(kind, options), kind, mask=mask_of(mask))


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
def test_hand_derived_gradients_hold_under_dropout_of_inputs_and_state(kind, mask):
    layers = both_ways(kind, dropout=0.3, recurrent_dropout=0.4, seed=7)
    assert_same_both_ways(layers, kind, mask=mask_of(mask), training=True)


@pytest.mark.parametrize("kind", ["lstm", "gru_before"])
def test_compiled_gradients_hold_under_dropout(kind, compiled):
    layers = both_ways(kind, dropout=0.3, recurrent_dropout=0.4, seed=7)
    assert_same_both_ways(layers, kind, mask=mask_of("random"), training=True)


def scale_for(activation):
    """How large the weights may be without the states running away."""
    return {"exponential": 0.05, "linear": 0.2}.get(activation.__name__, 0.4)


@kinds
@pytest.mark.parametrize("activation", SLOPES, ids=lambda activation: activation.__name__)
def test_hand_derived_gradients_hold_for_every_activation_with_a_known_slope(kind, activation):
    layers = both_ways(kind, activation=activation, scale=scale_for(activation))
    assert_same_both_ways(layers, kind, mask=mask_of("random"))


@pytest.mark.parametrize("kind", ["lstm", "gru_after", "gru_before"])
@pytest.mark.parametrize("activation", SLOPES, ids=lambda activation: activation.__name__)
def test_hand_derived_gradients_hold_for_every_gate_activation_with_a_known_slope(kind, activation):
    layers = both_ways(kind, recurrent_activation=activation, scale=scale_for(activation))
    assert_same_both_ways(layers, kind, mask=mask_of("random"))


@kinds
def test_unrolled_and_looped_gradients_are_equal(kind):
    layers = twins(ours(kind, unroll=True, return_sequences=True), ours(kind, return_sequences=True))
    assert_same_both_ways(layers, kind, mask=mask_of("random"))


@kinds
def test_a_sequence_of_one_step_works(kind):
    fast, plain = both_ways(kind)
    assert_close(*(outputs_and_gradients(layer, values(B, 1, I), states_for(kind)) for layer in (fast, plain)))


def test_only_the_exact_cells_are_taken_for_hand_derived():
    assert [bptt.hand_derived_for(cell(H)) for cell in (SimpleRNNCell, LSTMCell, GRUCell)] == [
        bptt.simple_rnn,
        bptt.lstm,
        bptt.gru,
    ]
    assert not bptt.is_hand_derived(readable(LSTMCell)(H))
    assert not bptt.is_hand_derived(keras.layers.LSTMCell(H))
    assert not bptt.is_hand_derived(object())


@pytest.mark.parametrize("name", ["activation", "recurrent_activation"])
@pytest.mark.parametrize("activation", ["silu", "gelu", lambda a: tf.tanh(2 * a), keras.layers.ReLU()])
def test_activations_without_a_known_slope_are_differentiated_automatically(name, activation):
    cell = LSTMCell(H, **{name: activation})
    assert not bptt.is_hand_derived(cell)
    layer = RNN(cell, return_sequences=True)
    theirs = keras.layers.RNN(keras.layers.LSTMCell(H, **{name: activation}), return_sequences=True)
    assert_close(*(outputs_and_gradients(layer, values(B, T, I)) for layer in twins(layer, theirs)))


# ------------------------------------------------------------------------------------- more than one derivative


def second_derivative(layer, x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            loss = tf.reduce_sum(layer(x) ** 2)
        slopes = tf.reduce_sum(inner.gradient(loss, x) ** 2)
    return outer.gradient(slopes, x)


@kinds
def test_second_derivatives_are_right_when_unrolled_and_otherwise_nan_not_wrong(kind):
    x = tf.constant(values(B, T, I, dtype="float64"))
    fast, unrolled = twins(ours(kind, dtype="float64"), ours(kind, unroll=True, dtype="float64"))
    assert np.isnan(second_derivative(fast, x)).all()
    step = 1e-6 * values(B, T, I, seed=8, dtype="float64")

    def squared_slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(fast(x) ** 2)
        return tf.reduce_sum(tape.gradient(loss, x) ** 2)

    difference = (squared_slope(x + step) - squared_slope(x - step)) / 2
    assert_close(tf.reduce_sum(second_derivative(unrolled, x) * step), difference, tolerance=1e-6)


@kinds
def test_a_compiled_layer_within_a_graph_may_be_watched_by_several_tapes(kind, compiled):
    layer, x = ours(kind), tf.constant(values(B, T, I))
    function = tf.function(lambda x: tf.reduce_sum(layer(x)))
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = function(x)
    once = tape.gradient(loss, x)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch(x)
            loss = function(x)
        from_inner = inner.gradient(loss, x)
    assert_close([from_inner, outer.gradient(loss, x)], [once, once])


@pytest.mark.parametrize("cell", [MinGRUCell, MinLSTMCell])
def test_linear_recurrences_too_give_nan_for_second_derivatives_and_may_be_watched_by_several_tapes(cell, compiled):
    layer, x = RNN(cell(H)), tf.constant(values(B, T, I))
    assert np.isnan(second_derivative(layer, x)).all()
    function = tf.function(lambda x: layer(x), input_signature=[tf.TensorSpec((None, None, I))])
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch(x)
            loss = weighted_sum([function(x)])
        from_inner = inner.gradient(loss, x)
    assert_close([from_inner, outer.gradient(loss, x)], [outputs_and_gradients(layer, x)["inputs"][0]] * 2)


@kinds
def test_jacobians_of_the_last_state_equal_those_of_the_readable_cell(kind):
    x = tf.constant(values(B, T, I))

    def jacobian(layer):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            outputs = layer(x)
        return tape.batch_jacobian(outputs, x, experimental_use_pfor=False)

    assert_close(*(jacobian(layer) for layer in both_ways(kind, {"return_sequences": False, "return_state": False})))
