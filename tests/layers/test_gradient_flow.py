"""The callback for anybody's Keras model: what it logs, and what it leaves alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import rnnscope
from rnnscope import LSTM, RNN, Bidirectional, GradientTaps, GRUCell, LSTMCell, SimpleRNNCell
from rnnscope.callbacks import GradientFlow
from tensorboard_gradient_flow.reader import read
from tests.layers.helpers import B, H, I, T, mask_of, randomise, values

EVERYTHING = ("h", "c", "kernel")


def functional():
    inputs = keras.Input((T, I))
    hidden = Bidirectional(LSTM(H, return_sequences=True, name="lstm"))(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(rnnscope.GRU(4, name="gru")(hidden)))


def around_our_cells():
    inputs = keras.Input((T, I))
    hidden = keras.layers.RNN(LSTMCell(H), return_sequences=True, name="lstm")(inputs)
    hidden = keras.layers.Bidirectional(keras.layers.RNN(GRUCell(4), name="gru"))(hidden)
    return keras.Model(inputs, keras.layers.Dense(2)(hidden))


class Subclassed(keras.Model):
    """A model without a graph of its own layers."""

    def __init__(self):
        super().__init__()
        self.recurrent, self.head = LSTM(H, name="lstm", dropout=0.3), keras.layers.Dense(2)

    def call(self, inputs, training=False):
        return self.head(self.recurrent(inputs, training=training))


MODELS = {"functional": functional, "around_our_cells": around_our_cells, "subclassed": Subclassed}
models = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def fit(model, callbacks=(), loss="mse", **options):
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["mae"])
    x, y = values(12, T, I), values(12, 2)
    return model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=list(callbacks), **options)


def batch():
    return values(B, T, I, seed=3), values(B, 2, seed=4)


@models
def test_the_norms_of_every_layer_and_signal_are_found_in_the_event_file(make, tmp_path):
    model = make()
    fit(model, [GradientFlow(tmp_path, batch(), every=2)])
    records = read(tmp_path)
    if isinstance(model, Subclassed):
        expected = {"lstm/h", "lstm/c", "lstm/kernel"}
    else:
        lower = (
            ("forward_lstm", "backward_lstm", "gru") if make is functional else ("lstm", "forward_gru", "backward_gru")
        )
        expected = {
            f"{name}/{signal}" for name in lower for signal in EVERYTHING if signal != "c" or name.endswith("lstm")
        }
    assert {tag.removeprefix("gradient_flow/") for tag in records} == expected
    for record in records.values():
        assert record.steps == [2, 4, 6]
        assert all(norms.shape == (T,) and np.isfinite(norms).all() and norms.any() for norms in record.norms)


@models
def test_the_last_record_is_the_gradient_of_the_model_s_own_loss(make, tmp_path):
    model, (x, y) = make(), batch()
    fit(model, [GradientFlow(tmp_path, (x, y), every=6)], loss="mae")
    ours = model if make is not around_our_cells else functional_twin(model)
    with tf.GradientTape() as tape, GradientTaps(tape.watch, EVERYTHING) as taps:
        loss = tf.reduce_mean(tf.abs(ours(x) - y))
    expected = tape.gradient(loss, taps.vectors)
    records = read(tmp_path)
    assert len(records) == len(expected)
    for key, norms in expected.items():
        np.testing.assert_allclose(records[f"gradient_flow/{key}"].norms[-1], norms, rtol=1e-4, atol=1e-7)


def functional_twin(model):
    """The same with our layers throughout."""
    inputs = keras.Input((T, I))
    hidden = RNN(LSTMCell(H), return_sequences=True, name="lstm")(inputs)
    twin = keras.Model(inputs, keras.layers.Dense(2)(Bidirectional(RNN(GRUCell(4), name="gru"))(hidden)))
    twin.set_weights(model.get_weights())
    return twin


@pytest.mark.parametrize("make", [functional, Subclassed])
def test_training_with_it_is_training_without(make, tmp_path):
    def trained(callbacks):
        keras.utils.set_random_seed(2)
        model = make()
        return fit(model, callbacks).history, model.get_weights()

    history, weights = trained([GradientFlow(tmp_path, batch(), every=1, inspect_every=3)])
    plain_history, plain_weights = trained([])
    assert history == plain_history
    for mine, plain in zip(weights, plain_weights, strict=True):
        np.testing.assert_array_equal(mine, plain)


def test_mixed_precision_s_loss_scale_is_undone(tmp_path):
    def model(policy):
        return keras.Sequential([keras.Input((T, I)), LSTM(H, name="lstm", dtype=policy), keras.layers.Dense(2)])

    half, single = model("mixed_float16"), model("float32")
    x, y = batch()
    half.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.0), initial_scale=2.0**12), "mse")
    half.fit(x, y, batch_size=B, verbose=0, callbacks=[GradientFlow(tmp_path, (x, y), every=1)])
    single.set_weights(half.get_weights())
    with tf.GradientTape() as tape, GradientTaps(tape.watch, EVERYTHING) as taps:
        loss = tf.reduce_mean(tf.square(single(x) - y))
    records = read(tmp_path)
    for key, norms in tape.gradient(loss, taps.vectors).items():
        np.testing.assert_allclose(records[f"gradient_flow/{key}"].norms[-1], norms, rtol=1e-2, atol=1e-6)


def test_a_model_without_such_a_layer_is_refused_by_name(tmp_path):
    model = keras.Sequential([keras.Input((T, I)), keras.layers.GRU(H), keras.layers.Dense(2)], name="plain")
    with pytest.raises(ValueError, match=r"expected a model with a layer such as rnnscope\.LSTM.*none in 'plain'"):
        fit(model, [GradientFlow(tmp_path, batch(), every=1)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": values(B, T, I)}, r"batch: expected \(inputs, targets\)"),
        ({"batch": (1, 2), "every": 0}, "every: expected a positive integer, got 0"),
        ({"batch": (1, 2), "inspect_every": -1}, "inspect_every: expected a positive integer or None, got -1"),
        ({"batch": (1, 2), "signals": ("h", "z")}, "signals: expected some of .* got 'z'"),
    ],
)
def test_arguments_that_cannot_be_are_named(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        GradientFlow(tmp_path, **options)


# ------------------------------------------------------------------------- inside


def inside(make, masked, tmp_path):
    """What one look inside logs of a recurrent layer on a batch, by signal; and the layer and the batch."""
    x = values(B, T, I)
    if masked:
        x = x * mask_of("right")[:, :, None]
    inputs = keras.Input((T, I))
    layer = make()
    hidden = layer(keras.layers.Masking()(inputs) if masked else inputs)
    model = randomise(keras.Model(inputs, keras.layers.Dense(2)(hidden)))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    flow = GradientFlow(tmp_path, (x, values(B, 2)), every=1, inspect_every=1)
    model.fit(x, values(B, 2), batch_size=B, verbose=0, callbacks=[flow])
    return {tag.split("/")[-1]: record.norms[-1] for tag, record in read(tmp_path).items()}, layer, x


@pytest.mark.parametrize("go_backwards", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("masked", [False, True], ids=["full", "padded"])
def test_the_jacobian_of_a_vanilla_rnn_is_the_product_of_its_steps(tmp_path, masked, go_backwards):
    make = lambda: RNN(SimpleRNNCell(H), name="rnn", go_backwards=go_backwards)
    found, layer, x = inside(make, masked, tmp_path)
    W, U, b = layer.get_weights()
    mask = mask_of("right") if masked else np.ones((B, T), bool)
    reading = list(range(T))[:: -1 if go_backwards else 1]
    squares, counts = np.zeros(T), mask.sum(axis=0)
    for example in range(B):
        h, states = np.zeros(H), {}
        for t in reading:
            if mask[example, t]:
                h = states[t] = np.tanh(x[example, t] @ W + h @ U + b)
        product = np.eye(H)  # ∂h_T/∂h_t, rows of h_t
        for t in reversed(reading):
            if mask[example, t]:
                squares[t] += np.linalg.norm(product, ord=2) ** 2
                product = (U * (1 - states[t] ** 2)) @ product
    np.testing.assert_allclose(found["jacobian"], np.sqrt(squares / np.maximum(counts, 1)), rtol=1e-4)
    distance = np.arange(T) if go_backwards else np.arange(T)[::-1]
    np.testing.assert_allclose(found["jacobian_bound"], np.linalg.norm(U, ord=2) ** distance, rtol=1e-4)


def test_the_bound_is_there_for_the_vanilla_cell_alone(tmp_path):
    found, _, _ = inside(lambda: LSTM(H), False, tmp_path)
    assert "jacobian" in found
    assert "jacobian_bound" not in found


@pytest.mark.parametrize("masked", [False, True], ids=["full", "padded"])
def test_gates_and_activations_are_those_of_the_equations(tmp_path, masked):
    found, layer, x = inside(lambda: LSTM(H), masked, tmp_path)
    W, U, b = layer.get_weights()
    mask = mask_of("right") if masked else np.ones((B, T), bool)
    h, c, seen = np.zeros((B, H)), np.zeros((B, H)), {name: [] for name in "ifoh"}
    for t in range(T):
        a = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
        i, f, o = (1 / (1 + np.exp(-a[index])) for index in (0, 1, 3))
        new_c = f * c + i * np.tanh(a[2])
        present = mask[:, t, None]
        c, h = np.where(present, new_c, c), np.where(present, o * np.tanh(new_c), h)
        for name, value in zip("ifoh", (i, f, o, h), strict=True):
            seen[name].append(value)
    count = np.maximum(mask.sum(axis=0), 1)
    for name in "ifo":
        gate = np.stack(seen[name])
        for suffix, share in (("low", gate < 0.1), ("high", gate > 0.9)):
            expected = (share.mean(axis=2) * mask.T).sum(axis=1) / count
            np.testing.assert_allclose(found[f"gate_{name}_{suffix}"], expected, atol=1e-6)
    norms = np.square(np.stack(seen["h"])).sum(axis=2) * mask.T
    np.testing.assert_allclose(found["activation"], np.sqrt(norms.sum(axis=1) / count), rtol=1e-4)
