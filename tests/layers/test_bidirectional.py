"""`Bidirectional` against keras.layers.Bidirectional."""

import keras
import numpy as np
import pytest

from rnnscope import GRU, LSTM, RNN, Bidirectional, LSTMCell, SimpleRNN
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
    randomise,
    states_for,
    twins,
    values,
)

kinds = pytest.mark.parametrize("kind", KINDS)
merges = pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave", None])
sequences = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "sequence"])
SEQUENCE = {"return_sequences": True, "return_state": True}


def pair(kind, options=None, **wrapper_options):
    """Our wrapper of our layer, and Keras's of Keras's, with the same random weights."""
    mine = Bidirectional(ours(kind, **(options or {})), **wrapper_options)
    theirs = keras.layers.Bidirectional(keras_layer(kind, **(options or {})), **wrapper_options)
    return twins(mine, theirs)


def both_states(kind):
    return states_for(kind) + states_for(kind, seed=14)


@merges
@sequences
@pytest.mark.parametrize("mask", ["none", "random", "row"])
def test_outputs_states_and_gradients_are_those_of_keras(merge_mode, return_sequences, mask):
    layers = pair("lstm", {"return_sequences": return_sequences, "return_state": True}, merge_mode=merge_mode)
    x, states = values(B, T, I), both_states("lstm")
    assert_close(*(outputs_and_gradients(layer, x, states, mask=mask_of(mask)) for layer in layers))


@kinds
@sequences
def test_every_kind_of_layer_reads_in_both_directions_as_in_keras(kind, return_sequences):
    layers = pair(kind, {"return_sequences": return_sequences})
    x = values(B, T, I)
    assert_close(*(outputs_and_gradients(layer, x, mask=mask_of("right")) for layer in layers))


@kinds
def test_the_states_of_one_call_may_start_the_next(kind):
    layers = pair(kind, SEQUENCE)
    results = []
    for layer in layers:
        _, *states = layer(values(B, T, I))
        results.append(layer(values(B, T, I, seed=1), initial_state=states))
    assert_close(*results)


@merges
@sequences
@pytest.mark.parametrize("return_state", [False, True])
def test_shapes_and_masks_are_those_of_keras_and_of_the_result(merge_mode, return_sequences, return_state):
    options = {"return_sequences": return_sequences, "return_state": return_state}
    mine, theirs = pair("lstm", options, merge_mode=merge_mode)
    promised = [as_list(layer.compute_output_shape((B, T, I))) for layer in (mine, theirs)]
    assert promised[0] == promised[1]
    x, mask = values(B, T, I), mask_of("right")
    results = keras.tree.flatten(mine(x, mask=mask))
    assert [tuple(result.shape) for result in results] == promised[0]
    assert len(as_list(mine.compute_mask(x, mask))) == len(results)
    outputs = 2 if merge_mode is None else 1
    for index, each in enumerate(as_list(mine.compute_mask(x, mask))):
        assert each is (mask if return_sequences and index < outputs else None)


def as_list(shapes_or_masks):
    """A list of shapes or masks, where there may be one that stands alone."""
    several = isinstance(shapes_or_masks, list | tuple) and not isinstance(shapes_or_masks[0], int)
    return list(shapes_or_masks) if several else [shapes_or_masks]


def test_a_layer_that_reads_backwards_is_paired_with_one_that_reads_forwards():
    turned, straight = Bidirectional(GRU(H, go_backwards=True)), Bidirectional(GRU(H), merge_mode="concat")
    twins(straight, turned)
    n = len(straight.get_weights()) // 2
    turned.set_weights(straight.get_weights()[n:] + straight.get_weights()[:n])
    assert (turned.forward_layer.go_backwards, turned.backward_layer.go_backwards) == (True, False)
    x = values(B, T, I)
    assert_close(np.roll(turned(x), H, axis=-1), straight(x))


@sequences
def test_another_layer_may_read_backwards(return_sequences):
    options = {"return_sequences": return_sequences}
    mine = Bidirectional(LSTM(H, **options), backward_layer=GRU(H, go_backwards=True, **options))
    theirs = keras.layers.Bidirectional(
        keras.layers.LSTM(H, **options), backward_layer=keras.layers.GRU(H, go_backwards=True, **options)
    )
    x = values(B, T, I)
    assert_close(*(outputs_and_gradients(layer, x, mask=mask_of("random")) for layer in twins(mine, theirs)))


def test_layers_with_unlike_numbers_of_states_get_and_return_their_own():
    options = {"return_state": True}
    layer = Bidirectional(LSTM(H, **options), backward_layer=GRU(H, go_backwards=True, **options))
    layer.build((B, T, I))
    randomise(layer)
    x, states = values(B, T, I), states_for("lstm") + states_for("rnn", seed=14)
    merged, *last = layer(x, initial_state=states)
    forward = layer.forward_layer(x, initial_state=states[:2])
    backward = layer.backward_layer(x, initial_state=states[2:])
    assert_close([merged, *last], [np.concatenate([forward[0], backward[0]], -1), *forward[1:], *backward[1:]])
    assert len(layer.compute_output_shape((B, T, I))) == len(layer.compute_mask(x)) == 4


def test_weights_may_be_given_forward_first():
    start = randomise(built_layer()).get_weights()
    layer = Bidirectional(LSTM(H), weights=start)
    layer(values(B, T, I))
    assert_close(layer.get_weights(), start, tolerance=0)


def built_layer():
    layer = Bidirectional(LSTM(H))
    layer.build((B, T, I))
    return layer


def test_the_directions_are_new_layers_with_names_and_weights_of_their_own():
    original = LSTM(H, name="both")
    layer = Bidirectional(original)
    layer.build((B, T, I))
    assert (layer.forward_layer.name, layer.backward_layer.name) == ("forward_both", "backward_both")
    assert not original.built
    assert len(layer.trainable_weights) == 6
    assert layer.count_params() == 2 * 4 * H * (I + H + 1)
    assert np.abs(layer.forward_layer.cell.kernel - layer.backward_layer.cell.kernel).max() > 1e-3


@kinds
def test_a_stateful_layer_carries_its_states_until_reset(kind):
    mine, theirs = pair(kind, {"return_sequences": True, "stateful": True})
    first = mine(values(B, T, I))
    assert_close(first, theirs(values(B, T, I)))
    assert_close(mine(values(B, T, I, seed=1)), theirs(values(B, T, I, seed=1)))
    assert_close(mine.states, theirs.states)
    mine.reset_state()
    assert_close(mine(values(B, T, I)), first, tolerance=1e-6)


def test_states_are_none_where_nothing_is_kept():
    layer = Bidirectional(LSTM(H))
    layer(values(B, T, I))
    assert layer.states is None


def test_a_stack_of_cells_reads_in_both_directions():
    cells = lambda make: [make("lstm", 4), make("gru_after", H)]
    mine = Bidirectional(RNN(cells(our_cell), **SEQUENCE))
    theirs = keras.layers.Bidirectional(keras.layers.RNN(cells(keras_cell), **SEQUENCE))
    assert_close(*(outputs_and_gradients(layer, values(B, T, I)) for layer in twins(mine, theirs)))


def test_bidirectional_layers_train_in_a_model_with_masks(compiled):
    def model(wrapper, layer):
        inputs = keras.Input((None, I))
        x = wrapper(layer(H, return_sequences=True))(keras.layers.Masking()(inputs))
        return keras.Model(inputs, keras.layers.Dense(1)(wrapper(layer(H), merge_mode="sum")(x)))

    theirs, mine = model(keras.layers.Bidirectional, keras.layers.LSTM), model(Bidirectional, LSTM)
    randomise(theirs)
    mine.set_weights(theirs.get_weights())
    x = values(B, T, I) * mask_of("right")[:, :, None]
    losses = []
    for each in (mine, theirs):
        each.compile(keras.optimizers.SGD(0.1), "mse")
        losses.append([float(each.train_on_batch(x, values(B, 1))) for _ in range(4)])
    assert_close(*losses)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"layer": LSTM(H), "merge_mode": "max"}, "merge_mode: expected one of .*, got 'max'"),
        ({"layer": keras.layers.Dense(H)}, "layer: expected a recurrent layer such as LSTM"),
        ({"layer": LSTMCell(H)}, "layer: expected a recurrent layer such as LSTM"),
        ({"layer": "lstm"}, "layer: expected a recurrent layer .* got 'lstm'"),
        ({"layer": LSTM(H), "backward_layer": 3}, "backward_layer: expected a recurrent layer .* got 3"),
        ({"layer": LSTM(H), "backward_layer": LSTM(H)}, "other direction, got go_backwards=False for both"),
        (
            {"layer": LSTM(H), "backward_layer": LSTM(H, go_backwards=True, return_sequences=True)},
            "backward_layer: expected return_sequences=False as in layer, got True",
        ),
        (
            {"layer": SimpleRNN(H, stateful=True), "backward_layer": SimpleRNN(H, go_backwards=True)},
            "backward_layer: expected stateful=True as in layer, got False",
        ),
    ],
)
def test_layers_that_do_not_make_a_pair_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Bidirectional(**arguments)
