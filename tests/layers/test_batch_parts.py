"""A batch in parts computes what it computes whole."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnscope import GRU, LSTM, RNN, GradientTaps, SimpleRNN, set_batch_parts
from rnnscope.bptt.parts import parts_of
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
    states_for,
    twins,
    values,
)

kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def parts_as_they_come():
    yield
    set_batch_parts(None)


def whole_and_in_parts(kind, count, **call):
    """Outputs, states and derivatives of one layer, its batch whole and in so many parts."""
    options = {"return_sequences": True, "return_state": True, "recurrent_dropout": 0.3, "dropout": 0.2, "seed": 3}
    results = []
    for layer, parts in zip(twins(ours(kind, **options), ours(kind, **options)), (1, count), strict=True):
        set_batch_parts(parts)
        results.append(outputs_and_gradients(layer, values(B, T, I), states_for(kind), **call))
    return results


@kinds
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("training", [False, True])
def test_outputs_states_and_gradients_are_the_same_in_parts(kind, mask, training):
    assert_close(*whole_and_in_parts(kind, 3, mask=mask_of(mask), training=training))  # of 1, 1 and 2 examples


@kinds
def test_compiled_parts_compute_the_same(kind, compiled):
    assert_close(*whole_and_in_parts(kind, 2, mask=mask_of("random")))


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
def test_norms_are_those_of_the_whole_batch(kind, mask):
    layer = randomise_built(RNN(our_cell(kind), name="layer"))
    found = []
    for parts in (1, 3):
        set_batch_parts(parts)
        with tf.GradientTape() as tape, GradientTaps(tape.watch, ("h", "c", "kernel")) as taps:
            loss = tf.reduce_mean(tf.square(layer(values(B, T, I), mask=mask_of(mask))))
        found.append(tape.gradient(loss, taps.vectors))
    assert {"layer/h", "layer/kernel"} <= found[0].keys()
    assert_close(*found)


def randomise_built(layer):
    layer.build((B, T, I))
    return randomise(layer)


def test_a_batch_of_any_size_is_cut_where_its_size_is_not_known_beforehand():
    layer = randomise_built(RNN(our_cell("gru_after"), return_sequences=True))
    set_batch_parts(3)

    @tf.function(input_signature=[tf.TensorSpec((None, T, I))])
    def gradients(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(layer(x)))
        return tape.gradient(loss, [weight.value for weight in layer.weights])

    for batch in (1, 2, 3, 7):
        x = tf.constant(values(batch, T, I))
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(layer(x)))
        assert_close(gradients(x), tape.gradient(loss, [weight.value for weight in layer.weights]))


def parts_in_a_graph(batch):
    found = []
    tf.function(lambda x: found.append(parts_of(x))).get_concrete_function(tf.TensorSpec((T, batch, I)))
    return found[0]


def test_by_default_there_are_as_many_parts_as_threads_of_eight_examples_at_least():
    threads = parts_in_a_graph(8 * 1024)
    assert 1 <= threads <= 1024
    assert parts_in_a_graph(15) == 1
    assert parts_in_a_graph(16) == min(2, threads)
    assert parts_in_a_graph(None) == min(4, threads)
    assert parts_of(np.zeros((T, 8 * 1024, I))) == 1  # without a graph they would come one after another
    set_batch_parts(5)
    assert parts_in_a_graph(None) == parts_in_a_graph(16) == parts_of(np.zeros((T, 16, I))) == 5
    assert parts_in_a_graph(3) == 3


def test_a_model_trains_in_parts_as_it_does_whole(compiled):
    losses = []
    for parts in (1, 4):
        set_batch_parts(parts)
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((T, I)), ours("lstm", units=H), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        history = model.fit(values(30, T, I), values(30, 1), batch_size=8, epochs=2, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.parametrize("count", [0, -1])
def test_less_than_one_part_is_refused(count):
    with pytest.raises(ValueError, match=f"count: expected None or at least 1, got {count}"):
        set_batch_parts(count)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("layer", [LSTM, GRU, SimpleRNN])
def test_a_stateful_layer_reads_batches_whose_size_the_graph_does_not_know(layer, batch_size):
    set_batch_parts(2)
    built = layer(4, stateful=True, return_sequences=True)
    built.build((batch_size, 5, 2))
    call = tf.function(built, input_signature=[tf.TensorSpec([None, 5, 2])], autograph=False)
    inputs = np.random.default_rng(1).normal(size=(batch_size, 5, 2)).astype("float32")
    for _ in range(2):
        outputs = call(inputs)
    built.reset_state()
    whole = built(np.concatenate([inputs, inputs], axis=1))
    np.testing.assert_allclose(outputs, whole[:, 5:], rtol=1e-5, atol=1e-6)
