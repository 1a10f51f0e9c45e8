"""`Stacked` against its layers called one after another by hand."""

import keras
import numpy as np
import pytest

from layers import GRU, LSTM, Bidirectional, SimpleRNN, Stacked
from layers.stacked import state_count
from tests.layers.helpers import (
    B,
    H,
    I,
    T,
    assert_close,
    mask_of,
    outputs_and_gradients,
    randomise,
    twins,
    values,
)

masks = pytest.mark.parametrize("mask", ["none", "random"])


def layers_of(return_state=False, return_sequences=True):
    state = {"return_state": return_state}
    return [
        LSTM(4, return_sequences=True, **state),
        Bidirectional(SimpleRNN(3, return_sequences=True, **state), merge_mode="sum"),
        GRU(H, return_sequences=return_sequences, **state),
    ]


@keras.saving.register_keras_serializable(package="tests")
class ByHand(keras.layers.Layer):
    """The layers of a stack, called one after another."""

    def __init__(self, layers, states_per_layer):
        super().__init__()
        self.layers, self.states_per_layer = layers, states_per_layer
        self.supports_masking = True

    def build(self, shape):
        for layer in self.layers:
            layer.build(shape)
            shape = (*shape[:2], layer.units if hasattr(layer, "units") else 3)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        output, collected, start = sequences, [], 0
        for layer, count in zip(self.layers, self.states_per_layer, strict=True):
            states = None if initial_state is None else initial_state[start : start + count]
            output = layer(output, initial_state=states, mask=mask, training=training)
            start += count
            if layer.return_state:
                output, *states = output
                collected += states
        return [output, *collected]


def initial_states():
    return [values(B, n, seed=n + index) for index, n in enumerate((4, 4, 3, 3, H))]


@masks
@pytest.mark.parametrize("return_state", [False, True], ids=["output", "output_and_states"])
@pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "sequence"])
@pytest.mark.parametrize("given", [False, True], ids=["zero_states", "initial_states"])
def test_a_stack_is_its_layers_called_one_after_another(mask, return_state, return_sequences, given):
    stack, by_hand = twins(
        Stacked(layers_of(return_state, return_sequences)),
        ByHand(layers_of(return_state, return_sequences), states_per_layer=(2, 2, 1)),
    )
    states = initial_states() if given else None
    results = [outputs_and_gradients(layer, values(B, T, I), states, mask=mask_of(mask)) for layer in (stack, by_hand)]
    assert_close(*results)
    assert len(results[0]["outputs"]) == (6 if return_state else 1)


@masks
def test_a_compiled_stack_is_its_layers_called_one_after_another(mask, compiled):
    stack, by_hand = twins(Stacked(layers_of(True)), ByHand(layers_of(True), states_per_layer=(2, 2, 1)))
    x, mask = values(B, T, I), mask_of(mask)
    assert_close(*(outputs_and_gradients(layer, x, initial_states(), mask=mask) for layer in (stack, by_hand)))


def test_stacks_may_be_nested():
    flat = Stacked([LSTM(4, return_sequences=True), GRU(3, return_sequences=True), SimpleRNN(H, return_state=True)])
    inner = Stacked([GRU(3, return_sequences=True), SimpleRNN(H, return_state=True)])
    nested = Stacked([LSTM(4, return_sequences=True), inner])
    twins(flat, nested)
    states = [values(B, n, seed=n) for n in (4, 4, 3, H)]
    assert_close(*(outputs_and_gradients(layer, values(B, T, I), states) for layer in (flat, nested)))
    assert state_count(nested) == 4


@pytest.mark.parametrize("return_sequences", [False, True])
def test_shapes_and_masks_are_those_of_the_result(return_sequences):
    stack = Stacked(layers_of(return_state=True, return_sequences=return_sequences))
    x, mask = values(B, T, I), mask_of("random")
    results = stack(x, mask=mask)
    assert [tuple(result.shape) for result in results] == [tuple(n) for n in stack.compute_output_shape((B, T, I))]
    masks = stack.compute_mask(x, mask)
    assert len(masks) == len(results)
    assert masks[0] is (mask if return_sequences else None)
    assert masks[1:] == [None] * 5
    plain = Stacked(layers_of(return_sequences=return_sequences))
    assert plain.compute_output_shape((None, None, I)) == ((None, None, H) if return_sequences else (None, H))
    assert plain.compute_mask(x, mask) is (mask if return_sequences else None)


def test_a_stack_works_in_a_functional_model_with_masks_and_states():
    inputs, mask = keras.Input((None, I)), keras.Input((None,), dtype="bool")
    states = [keras.Input((n,)) for n in (4, 4, 3, 3, H)]
    stack = Stacked(layers_of(return_state=True))
    model = randomise(keras.Model([inputs, mask, *states], stack(inputs, initial_state=states, mask=mask)))
    x = values(B, T, I)
    expected = stack(x, initial_state=initial_states(), mask=mask_of("right"))
    assert_close(model([x, mask_of("right"), *initial_states()]), expected)


def test_the_mask_of_a_layer_below_reaches_every_layer_of_a_stack():
    mask, layers = mask_of("right"), layers_of()
    model = randomise(keras.Sequential([keras.Input((T, I)), keras.layers.Masking(), Stacked(layers)]))
    x = values(B, T, I) * mask[:, :, None]
    output = x
    for layer in layers:
        output = layer(output, mask=mask)
    assert_close(model(x), output)


def test_a_stateful_stack_carries_its_states_until_reset():
    stack = Stacked([LSTM(4, return_sequences=True, stateful=True), Bidirectional(GRU(H, stateful=True))])
    x = values(B, T, I)
    first, second = stack(x), stack(x)
    assert np.abs(first - second).max() > 1e-3
    stack.reset_state()
    assert_close(stack(x), first, tolerance=1e-6)


def test_a_stack_trains(compiled):
    model = keras.Sequential(
        [keras.Input((None, I)), Stacked(layers_of(return_sequences=False)), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.05), "mse")
    history = model.fit(values(64, T, I), values(64, T, I).sum(axis=(1, 2))[:, None], epochs=10, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_dropout_reaches_every_layer_of_a_stack():
    stack = Stacked([LSTM(4, return_sequences=True), GRU(H, dropout=0.5)])
    x = values(B, T, I)
    assert_close(stack(x), stack(x), tolerance=0)
    assert np.abs(stack(x, training=True) - stack(x, training=True)).max() > 1e-3


@pytest.mark.parametrize(
    "layers, message",
    [
        ([], "layers: expected a list of at least one recurrent layer, got an empty one"),
        ([LSTM(H), GRU(H)], r"layers\[0\]: expected return_sequences=True.*got return_sequences=False for 'lstm"),
        ([keras.layers.Dense(H)], r"layers\[0\]: expected a recurrent layer such as LSTM\(32\), got <Dense"),
        ([LSTM(H, return_sequences=True), 3], r"layers\[1\]: expected a recurrent layer such as LSTM\(32\), got 3"),
    ],
)
def test_layers_that_make_no_stack_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        Stacked(layers)


def test_states_of_the_wrong_number_are_refused():
    with pytest.raises(ValueError, match=r"initial_state: expected 5 states \(\[2, 2, 1\] by layer\), got 4"):
        Stacked(layers_of())(values(B, T, I), initial_state=initial_states()[:4])
