"""Our layers within Keras models: training, masks, embeddings, XLA."""

import keras
import numpy as np
import pytest

from rnnscope import LSTM
from tests.layers.helpers import KINDS, B, H, I, T, assert_close, keras_layer, ours, randomise, values

kinds = pytest.mark.parametrize("kind", KINDS)

PADDED = np.random.default_rng(0).integers(1, 9, size=(B, T)) * (np.arange(T) < [[T], [4], [2], [1]])
"""Sequences of tokens, padded with zeros at the end."""


def classifier(layer):
    inputs = keras.Input((T, I))
    return keras.Model(inputs, keras.layers.Dense(2)(layer(inputs)))


def tagger(layer):
    embedding = keras.layers.Embedding(9, I, mask_zero=True)
    return keras.Sequential([keras.Input((T,)), embedding, layer, keras.layers.Dense(2)])


def masked(layer):
    return keras.Sequential([keras.Input((T, I)), keras.layers.Masking(), layer, keras.layers.Dense(2)])


def losses(model, x, y, **compile_options):
    """The losses of five steps of training."""
    model.compile(keras.optimizers.SGD(0.3, momentum=0.9), "mse", **compile_options)
    return [float(model.train_on_batch(x, y)) for _ in range(5)]


def compare_training(build, kind, x, y, jit_compile, **options):
    theirs, mine = build(keras_layer(kind, **options)), build(ours(kind, **options))
    randomise(theirs)
    mine.set_weights(theirs.get_weights())
    expected = losses(theirs, x, y, jit_compile=False)
    assert_close(losses(mine, x, y, jit_compile=jit_compile), expected)
    assert_close(mine.get_weights(), theirs.get_weights())
    assert len({round(loss, 6) for loss in expected}) == 5


@kinds
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_training_takes_the_same_steps_as_with_keras(kind, jit_compile, compiled):
    compare_training(classifier, kind, values(B, T, I), values(B, 2), jit_compile)


@pytest.mark.parametrize("kind, return_sequences", [("lstm", False), *((kind, True) for kind in KINDS)])
def test_training_on_padded_tokens_takes_the_same_steps_as_with_keras(kind, return_sequences):
    y = values(B, T, 2) if return_sequences else values(B, 2)
    compare_training(tagger, kind, PADDED, y, False, return_sequences=return_sequences)


@pytest.mark.parametrize("kind", ["rnn", "gru_before"])
def test_training_on_masked_steps_takes_the_same_steps_as_with_keras(kind):
    x = values(B, T, I) * (PADDED > 0)[:, :, None]
    compare_training(masked, kind, x, values(B, 2), False, go_backwards=True)


def test_training_on_padded_tokens_works_under_xla_with_compiled_loops(compiled):
    compare_training(tagger, "lstm", PADDED, values(B, T, 2), True, return_sequences=True)


def test_the_mask_of_an_embedding_travels_through_the_layer():
    model = tagger(ours("gru_after", return_sequences=True))
    tokens = PADDED.copy()
    outputs = model(tokens)
    np.testing.assert_array_equal(keras.src.backend.get_keras_mask(outputs), tokens > 0)


def test_what_stands_on_masked_steps_does_not_matter():
    model, x = masked(ours("lstm", return_sequences=True)), values(B, T, I) * (PADDED > 0)[:, :, None]
    padded_further = np.concatenate([x, np.zeros((B, 3, I))], axis=1)
    layer = model.layers[1]
    assert_close(layer(padded_further, mask=np.any(padded_further, axis=-1))[:, -1], layer(x, mask=PADDED > 0)[:, -1])


def test_fit_learns_to_look_two_steps_back(compiled):
    x = values(256, 8, 1)
    y = x[:, -3]
    model = keras.Sequential([keras.Input((None, 1)), LSTM(8), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.03), "mse")
    history = model.fit(x, y, batch_size=32, epochs=20, validation_split=0.25, verbose=0).history
    assert history["val_loss"][-1] < 0.1 * np.var(y)
    error = np.mean((model.predict(x, verbose=0) - y) ** 2)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(error, rel=1e-4)


def test_a_layer_shared_by_two_inputs_trains(compiled):
    layer, left, right = LSTM(H), keras.Input((T, I)), keras.Input((T + 2, I))
    model = keras.Model([left, right], keras.layers.Dense(2)(keras.layers.concatenate([layer(left), layer(right)])))
    history = losses(model, [values(B, T, I), values(B, T + 2, I)], values(B, 2))
    assert history[-1] < history[0]


def test_states_of_one_layer_start_another_within_a_model():
    """An encoder hands its states to a decoder; gradients reach the encoder through them alone."""

    def model(layer):
        source, target = keras.Input((None, I)), keras.Input((None, I))
        _, *states = layer(H, return_state=True)(source)
        outputs = layer(H, return_sequences=True)(target, initial_state=states)
        return keras.Model([source, target], keras.layers.Dense(2)(outputs))

    theirs, mine = model(keras.layers.LSTM), model(LSTM)
    randomise(theirs)
    mine.set_weights(theirs.get_weights())
    data = [values(B, T, I), values(B, 4, I)], values(B, 4, 2)
    assert_close(losses(mine, *data), losses(theirs, *data))
    assert_close(mine.get_weights(), theirs.get_weights())
