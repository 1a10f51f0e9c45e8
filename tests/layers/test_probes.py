"""The norms of the gradient taps against their definition, by way of zero perturbations of every state."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnscope import LSTM, RNN, Bidirectional, GradientTaps, Stacked
from tests.layers import reference
from tests.layers.helpers import (
    KINDS,
    MASKS,
    B,
    H,
    I,
    T,
    assert_close,
    keras_cell,
    mask_of,
    our_cell,
    ours,
    randomise,
    readable,
    state_count,
    states_for,
    values,
)

kinds = pytest.mark.parametrize("kind", KINDS)
SIGNALS = ("h", "c")


def batch_mean(outputs):
    """The mean over the batch of a loss that is not linear in an example's outputs, `[B, …, H]`."""
    axes = list(range(1, len(outputs.shape)))
    weighting = values(*outputs.shape[1:], seed=30)
    return tf.reduce_mean(tf.reduce_sum(outputs * weighting, axes) ** 2 + tf.reduce_sum(outputs**3, axes))


def measured(layer, x, loss=batch_mean, **call):
    """The norms of a layer's taps by key."""
    with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
        value = loss(layer(x, **call))
    return tape.gradient(value, taps.vectors)


def perturbations(kind):
    return {signal: tf.zeros((T, B, H)) for signal in SIGNALS[: state_count(kind)]}


def definition(loss_of, disturbances, mask=None):
    """The norms by name, for a loss that is a function of perturbations by name and signal."""
    with tf.GradientTape() as tape:
        tape.watch(disturbances)
        loss = loss_of(disturbances)
    present = np.full(T, B) if mask is None else np.maximum(mask.sum(axis=0), 1)
    return {
        f"{name}/{signal}": np.sqrt(np.sum(np.square(B * derivative), axis=(1, 2)) / present)
        for name, derivatives in tape.gradient(loss, disturbances).items()
        for signal, derivative in derivatives.items()
    }


def norms_by_definition(kind, weights, x, mask, options, states=None):
    """The norms of one layer named "layer"."""
    backwards, sequences = options.get("go_backwards", False), options.get("return_sequences", True)
    initial = [tf.zeros((B, H))] * state_count(kind) if states is None else states

    def loss_of(disturbances):
        outputs = reference.loop(kind, x, initial, weights, mask, disturbances["layer"], backwards)
        outputs = tf.reverse(outputs, [1]) if backwards else outputs
        return batch_mean(outputs if sequences else outputs[:, -1])

    return definition(loss_of, {"layer": perturbations(kind)}, mask)


def built(layer, shape=(B, T, I)):
    layer.build(shape)
    return randomise(layer)


def assert_measures_the_definition(kind, layer, mask=None, options=None, signals=SIGNALS):
    x, states = values(B, T, I), states_for(kind)
    weights = reference.weights_of(kind, built(layer))
    expected = norms_by_definition(kind, weights, x, mask, options or {}, states)
    expected = {key: norm for key, norm in expected.items() if key.split("/")[1] in signals}
    found = measured(layer, x, mask=mask, initial_state=states)
    assert list(found) == list(expected)
    assert_close(found, expected)


@kinds
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(
    "options",
    [{}, {"go_backwards": True}, {"return_sequences": False}, {"go_backwards": True, "return_sequences": False}],
    ids=["sequence", "backwards", "last", "backwards_last"],
)
def test_the_norms_are_those_of_the_derivatives_by_every_state(kind, mask, options):
    layer = ours(kind, name="layer", **{"return_sequences": True} | options)
    assert_measures_the_definition(kind, layer, mask_of(mask), options)


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
@pytest.mark.parametrize("way", ["readable", "unrolled", "cell_of_keras"])
def test_layers_that_are_differentiated_automatically_measure_the_same(kind, mask, way):
    options = {"return_sequences": True, "go_backwards": True, "name": "layer"}
    layer = {
        "readable": lambda: RNN(readable(type(our_cell(kind))).from_config(our_cell(kind).get_config()), **options),
        "unrolled": lambda: ours(kind, unroll=True, **options),
        "cell_of_keras": lambda: RNN(keras_cell(kind), **options),
    }[way]()
    signals = ("h",) if way == "cell_of_keras" else SIGNALS
    assert_measures_the_definition(kind, layer, mask_of(mask), options, signals)


@kinds
def test_dropout_changes_the_norms_as_it_changes_the_readable_cells(kind):
    cell = our_cell(kind, dropout=0.3, recurrent_dropout=0.4, seed=5)
    twin = readable(type(cell)).from_config(cell.get_config())
    layers = [built(RNN(each, name="layer", return_sequences=True)) for each in (cell, twin)]
    assert_close(*(measured(layer, values(B, T, I), training=True, mask=mask_of("random")) for layer in layers))


@kinds
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("way", ["hand_derived", "cell_of_keras"])
def test_the_norms_are_the_same_within_a_compiled_function(kind, jit_compile, way, compiled):
    options = {"return_sequences": True, "name": "layer"}
    layer = built(ours(kind, **options) if way == "hand_derived" else RNN(keras_cell(kind), **options))
    function = tf.function(lambda x: measured(layer, x, mask=mask_of("left")), jit_compile=jit_compile)
    x = values(B, T, I)
    expected = norms_by_definition(kind, reference.weights_of(kind, layer), x, mask_of("left"), {})
    assert_close(function(tf.constant(x)), {key: expected[key] for key in function(tf.constant(x))})


def test_the_length_may_be_unknown_in_a_function():
    layer = built(ours("lstm", name="layer"))
    function = tf.function(lambda x: measured(layer, x), input_signature=[tf.TensorSpec((None, None, I))])
    for length in (T, 2):
        x = tf.constant(values(B, length, I))
        assert_close(function(x), measured(layer, x))


@kinds
def test_a_step_that_no_example_has_measures_zero(kind):
    mask = np.ones((B, T), bool)
    mask[:, [0, 3]] = False
    norms = measured(built(ours(kind, return_sequences=True)), values(B, T, I), mask=mask)
    for norm in norms.values():
        np.testing.assert_array_equal(norm == 0, ~mask[0])


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
def test_the_norms_do_not_depend_on_the_batch_size(kind, mask):
    layer, x, mask = built(ours(kind, return_sequences=True)), values(B, T, I), mask_of(mask)
    twice = None if mask is None else np.concatenate([mask, mask])
    assert_close(measured(layer, np.concatenate([x, x]), mask=twice), measured(layer, x, mask=mask))


@kinds
@pytest.mark.parametrize("way", ["hand_derived", "unrolled", "cell_of_keras"])
def test_taps_change_neither_outputs_nor_gradients(kind, way):
    layer = {
        "hand_derived": lambda: ours(kind, return_sequences=True),
        "unrolled": lambda: ours(kind, return_sequences=True, unroll=True),
        "cell_of_keras": lambda: RNN(keras_cell(kind), return_sequences=True),
    }[way]()
    built(layer)
    x, mask, weights = values(B, T, I), mask_of("random"), [w.value for w in layer.trainable_weights]

    def outputs_and_gradients():
        with tf.GradientTape() as tape:
            outputs = layer(x, mask=mask)
            loss = batch_mean(outputs)
        return [outputs, *tape.gradient(loss, weights)]

    without = outputs_and_gradients()
    with GradientTaps():
        assert_close(outputs_and_gradients(), without, tolerance=1e-6)


# ------------------------------------------------------------------------------------- more than one layer


def test_both_directions_are_measured_in_the_order_of_the_input():
    layer = built(Bidirectional(ours("lstm", return_sequences=True, name="both")))
    x, mask, initial = values(B, T, I), mask_of("random"), [tf.zeros((B, H))] * 2
    weights = layer.get_weights()

    def loss_of(disturbances):
        directions = [
            reference.loop("lstm", x, initial, weights[:3], mask, disturbances["forward_both"]),
            reference.loop("lstm", x, initial, weights[3:], mask, disturbances["backward_both"], go_backwards=True),
        ]
        return batch_mean(tf.where(mask[:, :, None], tf.concat(directions, axis=-1), 0.0))

    names = ("forward_both", "backward_both")
    expected = definition(loss_of, {name: perturbations("lstm") for name in names}, mask)
    found = measured(layer, x, mask=mask)
    assert set(found) == {"forward_both/h", "forward_both/c", "backward_both/h", "backward_both/c"}
    assert_close(found, expected)


def stacked_layers():
    return Stacked([ours("lstm", return_sequences=True, name="low"), ours("gru_after", name="high")])


def stacked_cells():
    return RNN([our_cell("lstm"), our_cell("gru_after")], name="deep")


def stacked_cells_of_keras():
    return RNN(keras.layers.StackedRNNCells([keras_cell("lstm"), keras_cell("gru_after")]), name="deep")


@pytest.mark.parametrize(
    "make, names, signals",
    [
        (stacked_layers, ("low", "high"), ("h", "c")),
        (stacked_cells, ("deep_1", "deep_2"), ("h", "c")),
        (stacked_cells_of_keras, ("deep_1", "deep_2"), ("h",)),
    ],
)
def test_every_layer_of_a_stack_is_measured_under_its_name(make, names, signals):
    layer = built(make())
    x, mask, zeros = values(B, T, I), mask_of("right"), tf.zeros((B, H))
    weights = layer.get_weights()

    def loss_of(disturbances):
        low, high = (disturbances[name] for name in names)
        sequence = reference.loop("lstm", x, [zeros] * 2, weights[:3], mask, low)
        return batch_mean(reference.loop("gru_after", sequence, [zeros], weights[3:], mask, high)[:, -1])

    expected = definition(loss_of, {names[0]: perturbations("lstm"), names[1]: perturbations("gru_after")}, mask)
    expected = {key: norm for key, norm in expected.items() if key[-1] in signals}
    found = measured(layer, x, mask=mask)
    assert set(found) == set(expected)
    assert_close(found, expected)


def test_a_layer_called_twice_is_measured_twice():
    layer = built(ours("lstm", name="shared"))
    first, second = values(B, T, I, seed=1), values(B, 4, I, seed=2)
    mean = lambda outputs: tf.reduce_mean(tf.reduce_sum(outputs, axis=-1))  # linear: the calls do not interact
    norms = measured(lambda x: layer(x) + layer(second), first, mean)
    alone = [measured(layer, x, mean) for x in (first, second)]
    assert_close({key: norms[key] for key in ("shared/h", "shared/c")}, alone[0])
    assert_close([norms["shared_call2/h"], norms["shared_call2/c"]], [alone[1]["shared/h"], alone[1]["shared/c"]])


def test_a_model_is_measured_in_the_pass_that_trains_it(compiled):
    layers = [
        keras.layers.Masking(),
        Bidirectional(ours("gru_after", return_sequences=True)),
        LSTM(4),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential([keras.Input((None, I)), *layers])
    optimizer, y = keras.optimizers.SGD(0.1), tf.constant(values(B, 1))

    @tf.function
    def step(x):
        with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        gradients, norms = tape.gradient(loss, (model.trainable_weights, taps.vectors))
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return loss, norms

    results = [step(tf.constant(values(B, T, I))) for _ in range(5)]
    assert results[-1][0] < results[0][0]
    assert all(norm.shape == (T,) and np.all(norm > 0) for _, norms in results for norm in norms.values())
    assert len(results[0][1]) == 4


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_norms_are_single_precision_under_a_mixed_policy(policy):
    half, single = (built(ours("lstm", name="layer", dtype=dtype)) for dtype in (policy, "float32"))
    x = values(B, T, I)
    found = measured(half, x, loss=lambda outputs: batch_mean(tf.cast(outputs, "float32")))
    assert {norm.dtype for norm in found.values()} == {tf.float32}
    assert_close(
        found, measured(single, x), tolerance=T * {"mixed_float16": 2.0**-10, "mixed_bfloat16": 2.0**-7}[policy]
    )
