"""Our layers against keras.layers: same weights, same outputs, same states, same gradients."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnscope import GRU, LSTM, RNN, LSTMCell, SimpleRNN
from tests.layers.helpers import (
    KINDS,
    MASKS,
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
booleans = lambda name: pytest.mark.parametrize(name, [False, True], ids=[f"no_{name}", name])


def assert_equals_keras(kind, options, x=None, states=None, **call):
    """Outputs, states and every derivative are those of Keras's layer with the same weights."""
    x = values(B, T, I) if x is None else x
    layers = twins(keras_layer(kind, **options), ours(kind, **options), x.shape)
    theirs, mine = (outputs_and_gradients(layer, x, states, **call) for layer in layers)
    assert_close(mine, theirs)


WAYS_TO_CALL = [
    *itertools.product(MASKS, [(False, False), (True, True)]),
    *itertools.product(["none", "random"], [(False, True), (True, False)]),
]
"""Kind of mask, and whether to read backwards and whether to start from given states."""


@kinds
@pytest.mark.parametrize("mask, way", WAYS_TO_CALL)
@booleans("return_sequences")
def test_outputs_states_and_gradients_are_those_of_keras(kind, mask, way, return_sequences):
    go_backwards, initial_state = way
    options = {"return_sequences": return_sequences, "go_backwards": go_backwards, "return_state": True}
    for zero_output_for_mask in [False] if mask == "none" else [False, True]:
        assert_equals_keras(
            kind,
            options | {"zero_output_for_mask": zero_output_for_mask},
            states=states_for(kind) if initial_state else None,
            mask=mask_of(mask),
        )


@kinds
@pytest.mark.parametrize("mask", ["none", "left"])
def test_compiled_layers_are_those_of_keras(kind, mask, compiled):
    options = {"return_sequences": True, "return_state": True}
    assert_equals_keras(kind, options, states=states_for(kind), mask=mask_of(mask))


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
@booleans("return_sequences")
@booleans("go_backwards")
def test_unrolled_layers_are_those_of_keras(kind, mask, return_sequences, go_backwards):
    options = {"return_sequences": return_sequences, "go_backwards": go_backwards, "return_state": True, "unroll": True}
    assert_equals_keras(kind, options, mask=mask_of(mask))


@kinds
@pytest.mark.parametrize("options", [{"use_bias": False}, {"activation": "relu"}, {"activation": "silu"}], ids=str)
def test_layers_without_bias_or_with_another_activation_are_those_of_keras(kind, options):
    assert_equals_keras(kind, options | {"return_sequences": True}, mask=mask_of("random"))


@kinds
@booleans("return_sequences")
@booleans("return_state")
def test_what_is_returned_has_the_structure_and_shapes_of_keras(kind, return_sequences, return_state):
    options = {"return_sequences": return_sequences, "return_state": return_state}
    results = [layer(values(B, T, I)) for layer in (ours(kind, **options), keras_layer(kind, **options))]
    assert type(results[0]) is type(results[1])
    mine, theirs = (tf.nest.map_structure(lambda v: v.shape, result) for result in results)
    assert mine == theirs
    layers = (ours(kind, **options), keras_layer(kind, **options))
    shapes = [layer.compute_output_shape((None, None, I)) for layer in layers]
    assert shapes[0] == shapes[1]


@kinds
@pytest.mark.parametrize("shape", [(None, I), (T, I)], ids=["any_length", "fixed_length"])
def test_unknown_lengths_and_batch_sizes_work_in_a_functional_model(kind, shape):
    def model(layer):
        inputs = keras.Input(shape)
        return keras.Model(inputs, layer(inputs))

    options = {"return_sequences": True, "return_state": True}
    theirs, mine = (model(make(kind, **options)) for make in (keras_layer, ours))
    twins(theirs.layers[1], mine.layers[1])
    assert [output.shape for output in mine.outputs] == [output.shape for output in theirs.outputs]
    for batch, length in itertools.product((1, 7), (T,) if shape[0] else (1, 9)):
        x = values(batch, length, I)
        assert_close(mine.predict(x, verbose=0), theirs.predict(x, verbose=0))


@kinds
@pytest.mark.parametrize("go_backwards", [False, True])
def test_a_stateful_layer_carries_its_states_from_batch_to_batch_until_reset(kind, go_backwards):
    options = {"stateful": True, "return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    theirs, mine = twins(keras_layer(kind, **options), ours(kind, **options))
    first = mine(values(B, T, I, seed=1))
    assert_close(first, theirs(values(B, T, I, seed=1)))
    assert_close(mine(values(B, T, I, seed=2)), theirs(values(B, T, I, seed=2)))
    assert_close(mine.states, theirs.states)
    mine.reset_state()
    assert all(not np.any(state) for state in mine.states)
    assert_close(mine(values(B, T, I, seed=1)), first, tolerance=1e-6)
    mine.reset_states()
    assert_close(mine(values(B, T, I, seed=1)), first, tolerance=1e-6)


@kinds
def test_a_stateful_layer_refuses_another_batch_size(kind):
    layer = ours(kind, stateful=True)
    layer(values(B, T, I))
    with pytest.raises(ValueError, match="batch size"):
        layer(values(B + 1, T, I))


def test_arguments_may_stand_in_the_order_of_keras():
    x = values(B, T, I)
    cells = our_cell("lstm"), keras_cell("lstm")
    mine, theirs = RNN(cells[0], True, True, True), keras.layers.RNN(cells[1], True, True, True)
    assert_close(*(outputs_and_gradients(layer, x) for layer in twins(mine, theirs)))
    order = (H, "relu", "tanh", False, "zeros", "ones", "zeros", False)
    kept = ("units", "use_bias", "unit_forget_bias", "activation", "kernel_initializer", "recurrent_initializer")
    configs = [layer(*order).get_config() for layer in (LSTM, keras.layers.LSTM)]
    assert {name: configs[0][name] for name in kept} == {name: configs[1][name] for name in kept}


@kinds
def test_a_layer_shows_the_arguments_of_its_cell_as_keras_does(kind):
    options = {"dropout": 0.25, "recurrent_dropout": 0.5, "use_bias": False, "activation": "relu", "seed": 3}
    layer = ours(kind, **options)
    theirs, mine = keras_layer(kind, **options).get_config(), layer.get_config()
    beyond_keras = {
        "seed": 3,  # Keras forgets that of its SimpleRNN
        "update_gate": "keep",
        "layer_normalization": False,
        "candidate_dropout": 0.0,
        "projection_units": None,
    }
    for name in layer.cell_attributes:
        assert getattr(layer, name) is getattr(layer.cell, name)
        assert mine[name] == theirs.get(name, beyond_keras.get(name))


def test_options_of_keras_that_choose_among_equal_computations_are_accepted():
    options = {"use_cudnn": False, "implementation": 1}
    x = values(B, T, I)
    assert_close(*(layer(x) for layer in twins(keras.layers.GRU(H, **options), GRU(H, **options))))


@pytest.mark.parametrize("layer", [SimpleRNN, LSTM, GRU])
def test_regularisation_losses_are_counted_once(layer):
    recurrent = layer(H, kernel_regularizer="l2", recurrent_regularizer="l1", activity_regularizer="l2")
    recurrent(values(B, T, I))
    assert len(recurrent.losses) == 3


@pytest.mark.parametrize("cell", [None, 3, "lstm", object()])
def test_what_is_no_cell_is_refused(cell):
    with pytest.raises(ValueError, match="cell"):
        RNN(cell)


def test_an_empty_list_of_cells_is_refused():
    with pytest.raises(ValueError, match="cells: expected a list of at least one cell, got an empty one"):
        RNN([])


@pytest.mark.parametrize("layer", [SimpleRNN, LSTM, GRU])
def test_bad_arguments_of_the_cell_and_unknown_ones_are_refused_by_the_layer(layer):
    with pytest.raises(ValueError, match="units: expected a positive integer, got 0"):
        layer(0)
    with pytest.raises(ValueError, match="dropout: expected a rate between 0 and 1, got 2"):
        layer(H, dropout=2)
    with pytest.raises(ValueError, match="return_sequence"):
        layer(H, return_sequence=True)
    with pytest.raises(ValueError, match="ndim"):
        layer(H)(values(B, I))


def test_unrolling_an_unknown_length_is_refused():
    layer = RNN(LSTMCell(H), unroll=True)
    with pytest.raises(ValueError, match="Cannot unroll"):
        tf.function(layer, input_signature=[tf.TensorSpec((B, None, I))])(values(B, T, I))
