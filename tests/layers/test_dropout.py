"""Dropout: one mask a sequence, of the inputs and of the state, in training alone."""

import keras
import numpy as np
import pytest

from rnnscope import RNN, Bidirectional, SimpleRNNCell, StackedRNNCells
from tests.layers.helpers import (
    KINDS,
    B,
    H,
    I,
    T,
    assert_close,
    keras_layer,
    mask_of,
    our_cell,
    ours,
    outputs_and_gradients,
    twins,
    values,
)

kinds = pytest.mark.parametrize("kind", KINDS)
arrangements = pytest.mark.parametrize(
    "arrange",
    [
        RNN,
        keras.layers.RNN,
        lambda cell, **o: RNN(StackedRNNCells([cell]), **o),
        lambda cell, **o: RNN(cell, unroll=True, **o),
    ],
    ids=["our_rnn", "keras_rnn", "stacked", "unrolled"],
)
BOTH = {"dropout": 0.3, "recurrent_dropout": 0.4}


def transparent(arrange, kernel, recurrent, **dropout):
    """A linear layer with the matrices given, which shows its dropout masks in its outputs."""
    layer = arrange(SimpleRNNCell(I, activation="linear", use_bias=False, **dropout), return_sequences=True)
    layer.build((B, T, I))
    layer.set_weights([kernel * np.eye(I), recurrent * np.eye(I)])
    return layer


@arrangements
def test_one_mask_of_the_inputs_serves_the_whole_sequence(arrange):
    x = values(B, T, I)
    kept = transparent(arrange, 1, 0, dropout=0.5)(x, training=True) / x
    assert_close(kept, np.broadcast_to(kept[:, :1], kept.shape), tolerance=1e-6)
    assert set(np.round(kept, 4).ravel()) == {0.0, 2.0}


@arrangements
def test_one_mask_of_the_state_serves_the_whole_sequence(arrange):
    x = np.zeros((B, T, I))
    x[:, 0] = 1  # one impulse, which then passes through the state's mask at every step
    outputs = np.array(transparent(arrange, 1, 1, recurrent_dropout=0.5)(x, training=True))
    mask = outputs[:, 1]
    assert set(np.round(mask, 4).ravel()) == {0.0, 2.0}
    assert_close(outputs, np.stack([mask**t for t in range(T)], axis=1), tolerance=1e-6)


def test_the_two_directions_have_masks_of_their_own():
    cell = SimpleRNNCell(I, activation="linear", use_bias=False, dropout=0.5)
    layer = Bidirectional(RNN(cell, return_sequences=True), merge_mode=None)
    layer.build((B, T, I))
    layer.set_weights([np.eye(I), 0 * np.eye(I)] * 2)
    x = values(B, T, I)
    forward, backward = (np.round(outputs / x, 4) for outputs in layer(x, training=True))
    assert set(forward.ravel()) == set(backward.ravel()) == {0.0, 2.0}
    assert (forward != backward).any()


def test_the_share_dropped_is_the_rate_and_the_mean_is_kept():
    x = np.ones((2000, 2, I))
    outputs = np.array(transparent(RNN, 1, 0, dropout=0.3)(x, training=True))[:, 0]
    assert np.mean(outputs == 0) == pytest.approx(0.3, abs=0.02)
    assert outputs.mean() == pytest.approx(1, abs=0.03)


@kinds
def test_there_is_no_dropout_in_inference(kind):
    layers = twins(ours(kind, **BOTH), ours(kind))
    x = values(B, T, I)
    with_dropout, without = layers
    for options in ({}, {"training": False}):
        assert_close(with_dropout(x, **options), without(x), tolerance=0)


@kinds
def test_a_rate_of_zero_is_no_dropout(kind):
    layer = ours(kind, dropout=0.0, recurrent_dropout=0.0)
    x = values(B, T, I)
    assert_close(layer(x, training=True), layer(x), tolerance=0)


@kinds
def test_every_batch_draws_its_own_masks_of_its_own_size(kind):
    layer, x = ours(kind, **BOTH), values(B, T, I)
    first, second = layer(x, training=True), layer(x, training=True)
    assert np.abs(first - second).max() > 1e-3
    assert layer(values(B + 3, T, I), training=True).shape == (B + 3, H)


@kinds
def test_the_global_seed_makes_dropout_reproducible(kind):
    def run():
        keras.utils.set_random_seed(11)
        return ours(kind, **BOTH)(values(B, T, I), training=True)

    assert_close(run(), run(), tolerance=0)


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
def test_dropout_in_the_rnn_of_keras_is_dropout_in_ours(kind, mask):
    options = {"return_sequences": True, "return_state": True}
    layers = twins(*(rnn(our_cell(kind, seed=3, **BOTH), **options) for rnn in (RNN, keras.layers.RNN)))
    call = {"mask": mask_of(mask), "training": True}
    assert_close(*(outputs_and_gradients(layer, values(B, T, I), **call) for layer in layers))


@pytest.mark.parametrize("kind, dropout", [("rnn", BOTH), *((kind, {"dropout": 0.3}) for kind in KINDS)])
def test_equal_seeds_drop_what_the_layers_of_keras_drop(kind, dropout):
    """Where Keras, too, draws one mask for all gates: it has one a gate under recurrent dropout."""
    layers = twins(*(make(kind, seed=3, **dropout) for make in (ours, keras_layer)))
    assert_close(*(outputs_and_gradients(layer, values(B, T, I), training=True) for layer in layers))


@kinds
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_trained_model_with_dropout_leaves_no_mask_behind(kind, jit_compile):
    model = keras.Sequential([keras.Input((T, I)), ours(kind, **BOTH)])
    model.compile("sgd", "mse", jit_compile=jit_compile)
    losses = [float(model.train_on_batch(values(B, T, I), values(B, H))) for _ in range(3)]
    assert np.isfinite(losses).all()
    assert np.isfinite(model(values(B + 1, T, I), training=True)).all()
