"""`EncoderDecoder` against its layers called by hand, and against its equations in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope import GRU, LSTM, RNN, Bidirectional, EncoderDecoder, GradientTaps, GRUCell, LSTMCell, SimpleRNN, Stacked
from rnnscope.callbacks import inspect
from rnnscope.encoder_decoder import hand_over
from rnnscope.inspection import Inspection
from tests.layers import reference
from tests.layers.helpers import KINDS, B, H, I, T, assert_close, mask_of, ours, randomise, state_count, values

K, E, STEPS = 7, 4, 5
ENCODER = {"return_state": True}
DECODER = {"return_state": True, "return_sequences": True}

PAIRS = {
    "lstm": lambda: (LSTM(H, **ENCODER), LSTM(H, **DECODER)),
    "sequence": lambda: (SimpleRNN(H, **DECODER), SimpleRNN(H, **DECODER)),
    "backwards": lambda: (GRU(H, go_backwards=True, **ENCODER), GRU(H, **DECODER)),
    "cells": lambda: (RNN([LSTMCell(3), GRUCell(4)], **ENCODER), RNN([LSTMCell(3), GRUCell(4)], **DECODER)),
    "keras": lambda: (keras.layers.LSTM(H, **ENCODER), keras.layers.LSTM(H, **DECODER)),
    "bidirectional": lambda: (Bidirectional(LSTM(3, **ENCODER), merge_mode="sum"), LSTM(6, **DECODER)),
    "bidirectional_cells": lambda: (
        keras.layers.Bidirectional(GRU(3, **ENCODER)),
        RNN([GRUCell(6)], **DECODER),
    ),
    "stacked": lambda: (
        Stacked([Bidirectional(LSTM(2, **DECODER)), GRU(4, **ENCODER)], skip="residual"),
        Stacked([LSTM(4, **DECODER), Stacked([GRU(4, **DECODER)])], skip="dense"),
    ),
    "layers_for_cells": lambda: (
        Stacked([LSTM(3, **DECODER), GRU(4, **ENCODER)]),
        RNN([LSTMCell(3), GRUCell(4)], **DECODER),
    ),
}
"""Encoders and decoders that fit each other."""


def of_tokens(encoder, decoder, **options):
    return EncoderDecoder(encoder, decoder, keras.layers.Dense(K), keras.layers.Embedding(K, E), **options)


def of_numbers(encoder, decoder, **options):
    return EncoderDecoder(encoder, decoder, keras.layers.Dense(I, activation="tanh"), **options)


FORMS = {"tokens": of_tokens, "numbers": of_numbers}
forms = pytest.mark.parametrize("form", FORMS)
pairs = pytest.mark.parametrize("pair", PAIRS)


def built(layer):
    """Random weights, large enough for the decoder to change its mind."""
    layer.build((B, T, I))
    return randomise(layer, scale=1.2)


def a_target(form):
    return np.random.default_rng(2).integers(1, K, (B, STEPS)) if form == "tokens" else values(B, STEPS, I, seed=9)


def written(form, outputs):
    """The sequence that these outputs amount to."""
    return np.argmax(outputs, axis=-1) if form == "tokens" else np.array(outputs)


def chained(layer, source, target, mask=None):
    """Teacher forcing by hand: `[start, target without its last step]` through the layers one after another."""
    _, *states = layer.encoder(source, mask=mask)
    states = hand_over(layer.encoder, states, lambda *both: tf.concat(both, axis=-1))
    if isinstance(layer.decoder, RNN) and isinstance(layer.decoder.cell, keras.layers.StackedRNNCells):
        states = [states[:2], states[2:]] if len(states) == 3 else [states]
        states = [each if len(each) > 1 else each[0] for each in states]
    read = np.concatenate([np.full_like(target[:, :1], layer.start), target[:, :-1]], axis=1)
    outputs, *_ = layer.decoder(read if layer.embedding is None else layer.embedding(read), initial_state=states)
    return layer.head(outputs)


# --------------------------------------------------------------- what it computes


def numpy_decoding(kind, layer, source, form):
    """The equations, one step after another."""
    step = reference.STEPS[kind]
    encoder, decoder = (reference.weights_of(kind, each) for each in (layer.encoder, layer.decoder))
    (V, c), start = layer.head.get_weights(), layer.start
    states = [np.zeros((B, H), "float32")] * state_count(kind)
    for t in range(T):
        states = step(np, source[:, t], states, encoder)
    read = np.full(B, start) if form == "tokens" else np.full((B, I), start, "float32")
    outputs = []
    for _ in range(STEPS):
        x = layer.embedding.get_weights()[0][read] if form == "tokens" else read
        states = step(np, x, states, decoder)
        o = states[0] @ V + c
        outputs.append(o if form == "tokens" else np.tanh(o))
        read = written(form, outputs[-1])
    return np.stack(outputs, axis=1)


@pytest.mark.parametrize("kind", KINDS)
@forms
def test_decoding_is_a_loop_that_reads_what_it_has_just_written(kind, form):
    layer = FORMS[form](ours(kind, **ENCODER), ours(kind, **DECODER), steps=STEPS, start=3)
    source = values(B, T, I)
    outputs = built(layer)(source)
    assert_close(outputs, numpy_decoding(kind, layer, source, form))
    said = written(form, outputs).reshape(B, STEPS, -1)
    assert len(np.unique(said, axis=0)) > 1, "what is written depends on the example"
    assert len(np.unique(said, axis=1)[0]) > 1, "and on the step"


@pairs
@forms
def test_teacher_forcing_is_one_call_of_the_decoder_on_the_target_moved_on_by_a_step(pair, form):
    """Outputs and every weight's derivative, those of the encoder included."""
    layer = built(FORMS[form](*PAIRS[pair]()))
    source, target, mask = values(B, T, I), a_target(form), mask_of("right")
    results = []
    for call in (lambda: layer(source, target, mask=mask, training=True), lambda: chained(layer, source, target, mask)):
        with tf.GradientTape() as tape:
            outputs = call()
            loss = tf.reduce_sum(outputs * values(*outputs.shape))
        gradients = tape.gradient(loss, [w.value for w in layer.trainable_weights])
        results.append([outputs, *(tf.convert_to_tensor(gradient) for gradient in gradients)])
    assert_close(*results)
    assert all(np.abs(gradient).max() > 1e-4 for gradient in results[0])


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    pair=st.sampled_from(sorted(PAIRS)),
    form=st.sampled_from(sorted(FORMS)),
    mask=st.sampled_from(["none", "random", "left", "row"]),
    start=st.sampled_from([0, 2]),
    length=st.integers(1, STEPS),
)
def test_told_what_it_writes_itself_the_decoder_writes_it_again(pair, form, mask, start, length):
    layer = built(FORMS[form](*PAIRS[pair](), start=start, steps=length))
    source, mask = values(B, T, I), mask_of(mask)
    free = layer(source, mask=mask)
    own = written(form, free)
    assert_close(layer(source, own, mask=mask, training=True), free)
    assert_close(layer(source, np.zeros_like(own), mask=mask), free, tolerance=0)


@forms
def test_compiled_loops_decode_the_same_for_batches_of_known_and_unknown_size(form, compiled):
    """A loop that was traced for any size is taken for a known one too, and knows less of its shapes then."""
    layer = built(FORMS[form](*PAIRS["bidirectional"](), steps=STEPS))
    source = values(B, T, I)
    free = tf.function(layer, input_signature=[tf.TensorSpec((None, None, I))])(source)
    assert_close(tf.function(layer)(source), free)
    assert_close(layer(source, written(form, free), training=True), free)


def test_numbers_that_were_written_carry_the_gradient_of_later_steps():
    """A loss on the last step alone reaches the first through what was read in between, and then the encoder."""
    layer = built(of_numbers(GRU(H, **ENCODER), GRU(H, **DECODER), steps=3))
    source = values(B, T, I)

    def by_hand():
        _, *states = layer.encoder(source)
        read = tf.zeros((B, 1, I))
        for _ in range(3):
            output, *states = layer.decoder(read, initial_state=states)
            read = layer.head(output)
        return read[:, 0]

    gradients = []
    for call in (lambda: layer(source)[:, -1], by_hand):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(call() ** 2)
        gradients.append(tape.gradient(loss, [w.value for w in layer.trainable_weights]))
    assert_close(*gradients)


# ---------------------------------------------------------------- states and start


def test_states_go_from_layer_to_layer_and_those_of_two_directions_side_by_side():
    encoder = Stacked([Bidirectional(RNN([LSTMCell(2), GRUCell(3)], **DECODER)), LSTM(4, **ENCODER)])
    f_h, f_c, f_g, b_h, b_c, b_g, h, c = "abcdefgh"
    states = [[f_h, f_c], f_g, [b_h, b_c], b_g, h, c]
    assert hand_over(encoder, states, str.__add__) == ["ad", "be", "cf", "g", "h"]


def test_the_first_step_reads_a_token_or_a_number_or_one_for_each_feature():
    source = values(B, T, I)
    for form, starts in (("tokens", [0, 4]), ("numbers", [0.5, [0.1, -2.0, 0.3]])):
        layers = [built(FORMS[form](GRU(H, **ENCODER), GRU(H, **DECODER), start=start)) for start in starts]
        outputs = [layer(source, a_target(form), training=True) for layer in layers]
        assert np.abs(outputs[0] - outputs[1]).max() > 1e-3
        for layer, output in zip(layers, outputs, strict=True):
            assert_close(output, chained(layer, source, a_target(form)))


def test_a_target_lends_its_length_to_decoding_and_goes_before_the_steps():
    layer = built(of_tokens(GRU(H, **ENCODER), GRU(H, **DECODER), steps=2))
    source = values(B, T, I)
    assert layer(source).shape == (B, 2, K)
    longer = layer(source, a_target("tokens"))
    assert longer.shape == (B, STEPS, K)
    assert_close(longer[:, :2], layer(source))


@forms
def test_shapes_are_known_before_anything_runs(form):
    layer = FORMS[form](*PAIRS["stacked"](), steps=3)
    features = K if form == "tokens" else I
    target_shape = (B, STEPS) if form == "tokens" else (B, STEPS, I)
    assert layer.compute_output_shape((B, T, I), target_shape) == (B, STEPS, features)
    assert layer.compute_output_shape((None, None, I)) == (None, 3, features)
    symbolic = layer(keras.Input((None, I)), keras.Input(target_shape[1:]))
    assert (symbolic.shape, symbolic.dtype) == ((None, STEPS, features), "float32")


# ----------------------------------------------------------------------- masks


@pytest.mark.parametrize(
    "way, training", [("argument", True), ("masking", True), ("embedding", True), ("masking", False)]
)
def test_what_stands_on_masked_steps_of_the_source_does_not_matter(way, training):
    tokens = np.random.default_rng(0).integers(1, 9, (B, T)) * mask_of("right")
    target, layer = a_target("tokens"), of_tokens(LSTM(H, **ENCODER), LSTM(H, **DECODER))
    inputs, targets = keras.Input((None, I) if way == "masking" else (None,)), keras.Input((None,), dtype="int32")
    if way == "embedding":
        outputs = layer(keras.layers.Embedding(9, E, mask_zero=True)(inputs), targets)
    elif way == "masking":
        outputs = layer(keras.layers.Masking()(inputs), targets)
    else:
        outputs = layer(keras.layers.Embedding(9, E)(inputs), targets, mask=keras.ops.not_equal(inputs, 0))
    model = randomise(keras.Model([inputs, targets], outputs))
    source = values(B, T, I) * mask_of("right")[:, :, None] if way == "masking" else tokens
    whole = model([source, target], training=training)
    for b, length in enumerate((T, 4, 2, 1)):
        assert_close(whole[b], model([source[b : b + 1, :length], target[b : b + 1]], training=training)[0])


@pytest.mark.parametrize("training", [False, True])
def test_the_padding_of_a_target_is_left_out_of_the_loss(training):
    embedding = keras.layers.Embedding(K, E, mask_zero=True)
    layer = EncoderDecoder(GRU(H, **ENCODER), GRU(H, **DECODER), keras.layers.Dense(K), embedding)
    source, lengths = values(B, T, I), np.array([5, 3, 2, 1])
    target = a_target("tokens") * (np.arange(STEPS) < lengths[:, None])
    outputs = built(layer)(source, target, training=training)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(target, outputs)
    real = np.arange(STEPS) < lengths[:, None]
    each = keras.losses.sparse_categorical_crossentropy(target, outputs, from_logits=True)
    assert float(loss) == pytest.approx(float(np.mean(np.array(each)[real])), rel=1e-5)


def test_a_start_symbol_that_is_also_the_padding_is_read_all_the_same():
    embedding = keras.layers.Embedding(K, E, mask_zero=True)
    layer = built(EncoderDecoder(GRU(H, **ENCODER), GRU(H, **DECODER), keras.layers.Dense(K), embedding, steps=STEPS))
    source = values(B, T, I)
    unmasked = built(of_tokens(GRU(H, **ENCODER), GRU(H, **DECODER), steps=STEPS))
    assert_close(layer(source), unmasked(source))
    assert_close(layer(source, a_target("tokens"), training=True), unmasked(source, a_target("tokens"), training=True))


# --------------------------------------------------------------------- training


def reversing_model(units=32, symbols=5):
    layer = EncoderDecoder(
        Bidirectional(GRU(units // 2, return_state=True, name="reader")),
        GRU(units, name="writer", **DECODER),
        keras.layers.Dense(symbols + 1),
        keras.layers.Embedding(symbols + 1, 8),
    )
    source, target = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    return keras.Model([source, target], layer(keras.layers.Embedding(symbols + 1, 8)(source), target))


def test_fit_learns_to_write_a_sequence_backwards(compiled):
    keras.utils.set_random_seed(1)
    model = reversing_model()
    x = np.random.default_rng(0).integers(1, 6, (1024, 4))
    y = x[:, ::-1]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    history = model.fit([x[:896], y[:896]], y[:896], batch_size=64, epochs=12, verbose=0).history
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    _, accuracy = model.evaluate([x[896:], y[896:]], y[896:], verbose=0)
    assert accuracy > 0.95
    nobody_helps = model.predict([x[896:], np.zeros_like(y[896:])], verbose=0)
    assert np.mean(np.all(np.argmax(nobody_helps, axis=-1) == y[896:], axis=1)) > 0.9
    longer = model.predict([np.ones((3, 9), int), np.zeros((3, 7), int)], verbose=0)
    assert longer.shape == (3, 7, 6), "the model takes batches, sources and targets of any size"


def test_a_model_with_a_target_is_saved_and_cloned(tmp_path):
    model = reversing_model()
    randomise(model).save(tmp_path / "model.keras")
    x, y = (np.random.default_rng(seed).integers(0, 6, (B, 4)) for seed in (0, 1))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for other in (keras.models.load_model(tmp_path / "model.keras"), clone):
        for training in (False, True):
            assert_close(other([x, y], training=training), model([x, y], training=training), tolerance=0)


def test_the_penalty_on_a_decoders_activity_counts_under_teacher_forcing_and_does_not_disturb_decoding():
    source, target = keras.Input((T, I)), keras.Input((None,), dtype="int32")
    decoder = Stacked([GRU(H, activity_regularizer="l2", **DECODER)])
    model = keras.Model([source, target], of_tokens(GRU(H, **ENCODER), decoder)(source, target))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = values(B, T, I), a_target("tokens")
    model([x, y], training=True)
    assert len(model.losses) == 2, "of the decoder's outputs and of its last state"
    history = model.fit([x, y], y, validation_data=([x, y], y), verbose=0).history
    cross_entropy = model.loss(y, model.predict([x, y], verbose=0))
    assert history["val_loss"][0] == pytest.approx(float(cross_entropy), rel=1e-5)


def test_dropout_is_active_under_teacher_forcing_and_never_in_a_decoder_that_reads_itself():
    layer = built(of_tokens(GRU(H, **ENCODER), GRU(H, dropout=0.5, **DECODER), steps=STEPS))
    source, target = values(B, T, I), a_target("tokens")
    forced = [layer(source, target, training=True) for _ in range(2)]
    assert np.abs(forced[0] - forced[1]).max() > 1e-3
    assert_close(layer(source, training=True), layer(source), tolerance=0)


def test_the_taps_measure_encoder_and_decoder_under_teacher_forcing():
    layer = built(of_tokens(LSTM(H, name="reader", **ENCODER), LSTM(H, name="writer", **DECODER), steps=STEPS))
    source, target = values(B, T, I), a_target("tokens")
    norms = []
    for call in (lambda: layer(source, target, training=True), lambda: chained(layer, source, target)):
        with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
            loss = tf.reduce_mean(tf.reduce_sum(call() ** 2, axis=(1, 2)))
        norms.append(tape.gradient(loss, taps.vectors))
    assert [(key, len(norm)) for key, norm in norms[0].items()] == [
        ("reader/h", T),
        ("reader/c", T),
        ("writer/h", STEPS),
        ("writer/c", STEPS),
    ]
    assert_close(*norms)
    with GradientTaps() as taps:
        tf.function(layer)(source)
    assert list(taps.vectors) == ["reader/h", "reader/c"], "steps of a loop are no timesteps of a layer"


def test_a_look_inside_shows_the_encoder_and_not_a_decoder_that_reads_itself():
    layer = built(of_tokens(LSTM(H, name="reader", **ENCODER), LSTM(H, name="writer", **DECODER), steps=STEPS))
    source, mask = values(B, T, I), mask_of("right")
    for call in (layer, tf.function(layer)):
        with Inspection() as seen:
            outputs = call(source, mask=mask)
        assert list(seen.layers) == ["reader"]
        assert_close(outputs, layer(source, mask=mask))
    model = keras.Model(inputs := keras.Input((T, I)), layer(inputs))
    [(inspected, jacobian)] = inspect(model, source)
    assert (inspected.signal.layer, jacobian.shape) == ("reader", (T,))
    assert_close(inspected.values["h"][-1], layer.encoder(source)[0])
    with Inspection() as seen:
        layer(source, a_target("tokens"), training=True)
    assert list(seen.layers) == ["reader", "writer"]


@forms
def test_half_precision_decodes_in_half_and_answers_in_the_heads_precision(form):
    half = {"dtype": "mixed_bfloat16"}
    head, embedding = keras.layers.Dense(K if form == "tokens" else I), keras.layers.Embedding(K, E, **half)
    layer = EncoderDecoder(
        LSTM(H, **ENCODER), LSTM(H, **DECODER, **half), head, embedding if form == "tokens" else None, steps=3, **half
    )
    source = values(B, T, I)
    outputs = built(layer)(source)
    assert outputs.dtype == layer(keras.Input((T, I))).dtype == "float32"
    assert_close(layer(source, written(form, outputs), training=True), outputs, tolerance=0.03)
