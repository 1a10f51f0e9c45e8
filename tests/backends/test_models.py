"""Layers within layers and models: directions, stacks, states that stay, dropout, training, files."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from rnnscope import RNN, Bidirectional, Stacked
from tests.backends import saved
from tests.backends.helpers import cell_of, layer_of
from tests.layers.helpers import (
    KINDS,
    B,
    I,
    T,
    assert_close,
    keras_layer,
    mask_of,
    ours,
    outputs_and_gradients,
    randomise,
    twins,
    values,
)

kinds = pytest.mark.parametrize("kind", KINDS)
ROOT = Path(__file__).parents[2]


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
def test_both_directions_give_what_keras_gives(kind, mask):
    options = {"return_sequences": True, "return_state": True}
    pair = twins(Bidirectional(ours(kind, **options)), keras.layers.Bidirectional(keras_layer(kind, **options)))
    assert_close(*(outputs_and_gradients(layer, values(B, T, I), mask=mask_of(mask)) for layer in pair))


def test_a_stack_gives_what_its_layers_give_one_after_another():
    stack = Stacked([Bidirectional(ours("lstm", return_sequences=True)), RNN(cell_of("mingru"))])
    stack.build((B, T, I))
    randomise(stack)
    low, high = stack.layers
    twin = keras.Sequential([keras.Input((T, I)), low, high])
    assert_close(*(outputs_and_gradients(layer, values(B, T, I)) for layer in (stack, twin)))


@pytest.mark.parametrize("kind", ["lstm", "gru_before", "fgr", "minlstm"])
def test_a_stateful_layer_goes_on_where_the_last_batch_ended(kind):
    options = {"return_sequences": True}
    keeps, forgets = layer_of(kind, stateful=True, **options), layer_of(kind, **options)
    x = values(B, T, I)
    whole = ops.convert_to_numpy(forgets(x))
    for _ in range(2):
        assert_close(keeps(x[:, :2]), whole[:, :2])
        assert_close(keeps(x[:, 2:]), whole[:, 2:])
        keeps.reset_state()


# ---------------------------------------------------------------------------------------------------- dropout


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru_after", "peephole", "mut1"])
@pytest.mark.parametrize("rates", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}], ids=["inputs", "state"])
def test_dropout_is_drawn_from_the_seed_anew_at_every_call_in_training(kind, rates):
    first, second, other, without = (
        layer_of(kind, cell_options=options)
        for options in ({"seed": 7, **rates}, {"seed": 7, **rates}, {"seed": 8, **rates}, {})
    )
    x = values(B, T, I)
    draws = [ops.convert_to_numpy(first(x, training=True)) for _ in range(2)]
    assert_close([second(x, training=True) for _ in range(2)], draws, tolerance=0)
    for different in (draws[1], ops.convert_to_numpy(other(x, training=True)), ops.convert_to_numpy(without(x))):
        assert np.abs(different - draws[0]).max() > 1e-3
    assert_close(first(x), without(x), tolerance=1e-6)


# ------------------------------------------------------------------------------------------ training and files


def test_a_few_epochs_of_training_lower_the_loss():
    keras.utils.set_random_seed(1)
    model, x, y = saved.model(dropout=0.2), saved.masked_sequences(), values(B, 2)
    model.compile(keras.optimizers.Adam(0.02), loss="mse")
    before = model.evaluate(x, y, verbose=0)
    losses = model.fit(x, y, epochs=15, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert model.evaluate(x, y, verbose=0) < 0.8 * before  # without dropout, whose noise is not what is tested


def test_a_model_loaded_from_its_file_gives_the_same_outputs(tmp_path):
    saved.save(tmp_path)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close(loaded.predict(np.load(tmp_path / "x.npy"), verbose=0), np.load(tmp_path / "y.npy"), tolerance=0)


def test_a_model_saved_under_tensorflow_gives_the_same_outputs_here(tmp_path):
    command = [sys.executable, "-m", "tests.backends.saved", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "KERAS_BACKEND": "tensorflow"}, check=True)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close(loaded.predict(np.load(tmp_path / "x.npy"), verbose=0), np.load(tmp_path / "y.npy"))
