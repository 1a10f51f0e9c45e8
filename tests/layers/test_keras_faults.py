"""Faults of keras.layers that these layers do not share."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnscope import LSTM, RNN, Bidirectional, GRUCell, LSTMCell, StackedRNNCells
from tests.layers.helpers import (
    KINDS,
    B,
    H,
    I,
    T,
    assert_close,
    mask_of,
    our_cell,
    outputs_and_gradients,
    states_for,
    twins,
    values,
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_of_one_cell_works_as_the_cell_alone(kind):
    options = {"return_sequences": True, "return_state": True}
    alone, listed = twins(RNN(our_cell(kind), **options), RNN([our_cell(kind)], **options))
    x, mask = values(B, T, I), mask_of("random")
    listed_states = states_for(kind) if kind != "lstm" else [states_for(kind)]
    expected = outputs_and_gradients(alone, x, states_for(kind), mask=mask)
    assert_close(outputs_and_gradients(listed, x, listed_states, mask=mask), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unroll", [False, True], ids=["loop", "unrolled"])
def test_a_stack_of_one_cell_works_in_the_rnn_of_keras(kind, unroll):
    options = {"return_sequences": True, "return_state": True, "unroll": unroll}
    layers = twins(RNN(our_cell(kind), **options), keras.layers.RNN(StackedRNNCells([our_cell(kind)]), **options))
    assert_close(*(outputs_and_gradients(layer, values(B, T, I)) for layer in layers))


@pytest.mark.parametrize("reset", ["reset_state", "reset_states"])
def test_stateful_stacked_cells_can_be_reset(reset):
    layer = RNN([LSTMCell(4), GRUCell(H)], stateful=True)
    x = values(B, T, I)
    first, second = layer(x), layer(x)
    assert np.abs(first - second).max() > 1e-3
    getattr(layer, reset)()
    assert_close(layer(x), first, tolerance=1e-6)


def test_a_stateful_bidirectional_layer_returns_its_states_in_a_model_with_masks():
    inputs = keras.Input(batch_shape=(B, T, I))
    options = {"return_sequences": True, "return_state": True, "stateful": True}
    model = keras.Model(inputs, Bidirectional(LSTM(H, **options))(keras.layers.Masking()(inputs)))
    x = values(B, T, I) * mask_of("right")[:, :, None]
    outputs, *states = model(x)
    layer = model.layers[-1]
    assert len(states) == 4
    assert_close(layer.states, states, tolerance=0)
    last_present = np.array(outputs)[np.arange(B), mask_of("right").sum(axis=1) - 1]
    assert_close(states[0], last_present[:, :H], tolerance=0)
    layer.reset_state()
    assert_close(model(x), [outputs, *states], tolerance=1e-6)


class Counting(GRUCell):
    """Counts the steps that are really taken."""

    def build(self, input_shape):
        super().build(input_shape)
        self.steps = tf.Variable(0)

    def call(self, inputs, states, training=False):
        self.steps.assign_add(1)
        return super().call(inputs, states, training=training)

    def advance(self, projected, states, *masks):
        self.steps.assign_add(1)
        return super().advance(projected, states, *masks)


@pytest.mark.parametrize("unroll", [False, True], ids=["loop", "unrolled"])
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_stacked_cells_take_as_many_steps_as_the_sequence_has(unroll, training):
    cells = [Counting(4, dropout=0.5, recurrent_dropout=0.5), Counting(H)]
    RNN(cells, unroll=unroll)(values(B, T, I), training=training)
    assert [int(cell.steps) for cell in cells] == [T, T]


def test_a_bidirectional_layer_of_two_sizes_has_the_shape_that_it_says():
    inputs = keras.Input((T, I))
    backward = LSTM(7, return_sequences=True, return_state=True, go_backwards=True)
    layer = Bidirectional(LSTM(H, return_sequences=True, return_state=True), backward_layer=backward)
    promised = layer(inputs)
    actual = keras.Model(inputs, promised)(values(B, T, I))
    assert [tuple(each.shape)[1:] for each in promised] == [tuple(each.shape)[1:] for each in actual]
    assert actual[0].shape == (B, T, H + 7)
