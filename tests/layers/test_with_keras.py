"""Ours and Keras's, mixed: cells, stacks of cells and wrappers of either work in those of the other."""

import keras
import pytest
from keras import ops

from rnnscope import RNN, Bidirectional, GradientTaps, Stacked, StackedRNNCells
from tests.layers.helpers import (
    KINDS,
    B,
    H,
    I,
    T,
    assert_close,
    keras_cell,
    keras_layer,
    mask_of,
    our_cell,
    ours,
    outputs_and_gradients,
    states_for,
    twins,
    values,
)

kinds = pytest.mark.parametrize("kind", KINDS)
masks = pytest.mark.parametrize("mask", ["none", "random", "row"])
directions = pytest.mark.parametrize("go_backwards", [False, True], ids=["forward", "backward"])

SEQUENCES = {"return_sequences": True, "return_state": True}


def assert_same(layer, pure, mask="random", states=None):
    """Outputs, states and derivatives are those of the arrangement that is Keras's throughout."""
    pure, layer = twins(pure, layer)
    call = {"states": states, "mask": mask_of(mask)}
    assert_close(*(outputs_and_gradients(each, values(B, T, I), **call) for each in (layer, pure)))


@kinds
@masks
def test_our_cell_works_in_the_rnn_of_keras(kind, mask):
    pure = keras.layers.RNN(keras_cell(kind), **SEQUENCES)
    assert_same(keras.layers.RNN(our_cell(kind), **SEQUENCES), pure, mask, states_for(kind))


@kinds
@masks
@directions
def test_a_cell_of_keras_works_in_our_rnn(kind, mask, go_backwards):
    options = SEQUENCES | {"go_backwards": go_backwards}
    pure = keras.layers.RNN(keras_cell(kind), **options)
    assert_same(RNN(keras_cell(kind), **options), pure, mask, states_for(kind))


@kinds
def test_our_rnn_runs_our_cell_as_the_rnn_of_keras_does(kind):
    pure = keras.layers.RNN(our_cell(kind), **SEQUENCES)
    assert_same(RNN(our_cell(kind), **SEQUENCES), pure, "random", states_for(kind))


STACKS = [(keras.layers.RNN, keras.layers.StackedRNNCells), (RNN, keras.layers.StackedRNNCells), (RNN, StackedRNNCells)]
stacks = pytest.mark.parametrize("rnn, stack", STACKS, ids=["keras_keras", "our_keras", "our_our"])


@stacks
@masks
@pytest.mark.parametrize("make", ["ours", "keras", "mixed"])
def test_stacked_cells_of_either_work_in_either(rnn, stack, mask, make):
    make = {"ours": (our_cell, our_cell), "keras": (keras_cell, keras_cell), "mixed": (our_cell, keras_cell)}[make]
    pure = keras.layers.StackedRNNCells([keras_cell("lstm", 4), keras_cell("gru_after", H)])
    layer = rnn(stack([make[0]("lstm", 4), make[1]("gru_after", H)]), **SEQUENCES)
    states = [states_for("lstm", units=4), states_for("gru_after", seed=12)]
    assert_same(layer, keras.layers.RNN(pure, **SEQUENCES), mask, states)


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
@pytest.mark.parametrize(
    "inner, wrapper",
    [(ours, keras.layers.Bidirectional), (keras_layer, Bidirectional)],
    ids=["our_layer", "our_wrapper"],
)
def test_layers_of_either_work_in_the_bidirectional_wrapper_of_the_other(kind, mask, inner, wrapper):
    pure = keras.layers.Bidirectional(keras_layer(kind, **SEQUENCES))
    states = states_for(kind) + states_for(kind, seed=14)
    assert_same(wrapper(inner(kind, **SEQUENCES)), pure, mask, states)


def test_our_bidirectional_layer_reads_with_a_cell_of_keras():
    pure = keras.layers.Bidirectional(keras.layers.RNN(keras_cell("lstm"), **SEQUENCES))
    assert_same(Bidirectional(RNN(keras_cell("lstm"), **SEQUENCES)), pure)


def test_our_stack_holds_layers_of_keras():
    layers = [keras_layer("lstm", 4, return_sequences=True), keras.layers.Bidirectional(keras_layer("gru_after"))]
    stack, pure = Stacked(layers), keras.Sequential(layers)
    pure.build((B, T, I))
    assert_same(stack, pure, "none")


# ---------------------------------------------------------------------------------------- cells written by users


class Minimal(keras.layers.Layer):
    """The least that a cell may be: `call` and `state_size`."""

    state_size = H

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], H), name="kernel")
        self.recurrent = self.add_weight(shape=(H, H), name="recurrent")

    def call(self, inputs, states):
        h = ops.tanh(ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent))
        return h, [h]


class Summing(keras.layers.Layer):
    """Two states of unlike sizes, an output that is neither, and different behaviour in training."""

    state_size = (H, I)
    output_size = 2

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(I, H), name="kernel")
        self.head = self.add_weight(shape=(H, 2), name="head")

    def call(self, inputs, states, training=False):
        h, total = states
        total = total + inputs
        h = ops.tanh(h + ops.matmul(total, self.kernel)) * (0.5 if training else 1.0)
        return ops.matmul(h, self.head), [h, total]


@pytest.mark.parametrize("cell", [Minimal, Summing])
@masks
@directions
@pytest.mark.parametrize("unroll", [False, True], ids=["loop", "unrolled"])
def test_a_cell_of_the_users_own_works_as_in_the_rnn_of_keras(cell, mask, go_backwards, unroll):
    options = SEQUENCES | {"go_backwards": go_backwards, "unroll": unroll}
    assert_same(RNN(cell(), **options), keras.layers.RNN(cell(), **options), mask)


@pytest.mark.parametrize("training", [False, True])
def test_a_cell_of_the_users_own_hears_whether_it_is_being_trained(training):
    layers = twins(RNN(Summing()), keras.layers.RNN(Summing()))
    assert_close(*(layer(values(B, T, I), training=training) for layer in layers))


def test_a_cell_of_the_users_own_works_in_a_model_with_unknown_length():
    def model(rnn):
        inputs = keras.Input((None, I))
        return keras.Model(inputs, rnn([our_cell("lstm", 4), Minimal()], return_sequences=True)(inputs))

    theirs, mine = model(keras.layers.RNN), model(RNN)
    twins(theirs.layers[1], mine.layers[1])
    assert_close(mine.predict(values(B, T, I), verbose=0), theirs.predict(values(B, T, I), verbose=0))


def test_a_cell_of_the_users_own_is_named_by_the_taps():
    with GradientTaps() as taps:
        RNN(Minimal(), name="own")(values(B, T, I))
    signal = taps.signals["own/h"]
    assert (signal.cell, signal.units) == ("Minimal", H)
