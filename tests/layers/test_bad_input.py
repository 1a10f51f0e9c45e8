"""Mistaken arguments are refused in one line that names them; unusual ones that are no mistakes still work."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops, tree

from rnnscope import GRU, LSTM, RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell
from tests.layers.helpers import B, H, I, T, assert_close, mask_of, outputs_and_gradients, randomise, twins, values


def refusal(make, *arguments, **keywords):
    """The one line with which a call is refused."""
    with pytest.raises(ValueError) as refused:
        make(*arguments, **keywords)
    message = str(refused.value)
    assert "\n" not in message
    return message


def assert_refused(expected, make, *arguments, **keywords):
    """`expected` is a regular expression for the whole message."""
    message = refusal(make, *arguments, **keywords)
    assert re.fullmatch(expected, message), message


def outcome(layer, *arguments, **keywords):
    """What a randomised layer returns, and its gradients."""
    layer.build((B, T, I))
    return outputs_and_gradients(randomise(layer), *arguments, **keywords)


# ------------------------------------------------------------------------------------------------- constructors

SHORT = [SimpleRNN, LSTM, GRU]
OPTIONS = ["return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask"]


@pytest.mark.parametrize("make", [*SHORT, lambda units, **options: RNN(LSTMCell(units), **options)])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("value, got", [("yes", "'yes'"), (1, "1"), (None, "None"), ([True], "a list of 1")])
def test_a_switch_that_is_neither_true_nor_false_is_refused(make, option, value, got):
    assert_refused(f"{option}: expected True or False, got {got}", make, H, **{option: value})


def test_a_switch_may_be_a_boolean_of_numpy():
    assert LSTM(H, return_sequences=np.bool_(True)).get_config()["return_sequences"] is True


@pytest.mark.parametrize(
    "make, typo, near",
    [
        (LSTM, "return_sequence", "return_sequences"),
        (LSTM, "recurrent_droput", "recurrent_dropout"),
        (GRU, "reset_aftr", "reset_after"),
        (SimpleRNN, "activations", "activation"),
        (RNN, "go_backward", "go_backwards"),
        (RNN, "state_ful", "stateful"),
        (Bidirectional, "merge", "merge_mode"),
        (Bidirectional, "backwards_layer", "backward_layer"),
    ],
)
def test_a_misspelt_argument_is_answered_with_the_nearest_one(make, typo, near):
    first = {RNN: LSTMCell, Bidirectional: LSTM}.get(make, int)(H)
    expected = f"{typo}: expected {near} or another argument of {make.__name__}, got an unknown name"
    assert_refused(expected, make, first, **{typo: True})


@pytest.mark.parametrize("make, first", [(LSTM, H), (RNN, LSTMCell(H)), (Bidirectional, LSTM(H))])
def test_an_unknown_argument_is_answered_with_all_that_there_are(make, first):
    message = refusal(make, first, xyz=1)
    assert message.startswith("xyz: expected one of ")
    assert message.endswith(f" as an argument of {make.__name__}, got an unknown name")
    assert {"name", "dtype"} < set(re.findall(r"\w+", message))
    options = {LSTM: {"units", "unroll", "seed"}, RNN: {"cell", "unroll"}, Bidirectional: {"merge_mode"}}
    assert options[make] < set(re.findall(r"\w+", message))


def test_a_class_built_on_a_layer_may_take_more_arguments():
    class Named(LSTM):
        def __init__(self, units, label, **kwargs):
            super().__init__(units, **kwargs)
            self.label = label

    assert Named(H, label="a", return_sequences=True, seed=1).label == "a"
    assert_refused("labl: expected .* argument of Named, got an unknown name", Named, H, "a", labl="b")


class WithoutCall:
    state_size = H


class WithoutStateSize(keras.layers.Layer):
    def call(self, inputs, states):
        return inputs, states


class WithASizeThatIsNone(WithoutStateSize):
    state_size = "5"


A_CELL = r"expected a cell such as LSTMCell\(32\), got "


@pytest.mark.parametrize(
    "cell, expected",
    [
        (None, f"cell: {A_CELL}None"),
        ("lstm", f"cell: {A_CELL}'lstm'"),
        (32, f"cell: {A_CELL}32"),
        (LSTMCell, f"cell: {A_CELL}<class .*LSTMCell'>"),
        (LSTM(H, name="a"), f"cell: {A_CELL}<LSTM name=a, built=False>"),
        (keras.layers.GRU(H, name="a"), f"cell: {A_CELL}<GRU name=a, built=False>"),
        (keras.layers.Dense(H, name="a"), f"cell: {A_CELL}<Dense name=a, built=False>"),
        (WithoutCall(), f"cell: {A_CELL}<.*WithoutCall object.*>"),
        (WithoutStateSize(name="a"), f"cell: {A_CELL}<WithoutStateSize name=a, built=False>"),
        (WithASizeThatIsNone(), "cell: expected a cell whose state_size is an integer or a list of .*, got '5'"),
        ([LSTMCell(H), 3], rf"cell\[1\]: {A_CELL}3"),
        ([LSTM(H, name="a"), GRUCell(H)], rf"cell\[0\]: {A_CELL}<LSTM name=a, built=False>"),
        ([], "cells: expected a list of at least one cell, got an empty one"),
    ],
)
def test_what_is_no_cell_is_refused(cell, expected):
    assert_refused(expected, RNN, cell)


RECURRENT = r"expected a recurrent layer such as LSTM\(32\), got "


@pytest.mark.parametrize(
    "make, expected",
    [
        (lambda: LSTM(-3), "units: expected a positive integer, got -3"),
        (lambda: GRU("4"), "units: expected a positive integer, got '4'"),
        (lambda: SimpleRNN(4.0), r"units: expected a positive integer, got 4\.0"),
        (lambda: LSTM(H, dropout=-0.1), r"dropout: expected a rate between 0 and 1, got -0\.1"),
        (lambda: LSTM(H, use_cudnn="yes"), r"use_cudnn: expected one of \['auto', True, False\], got 'yes'"),
        (lambda: LSTM(H, dtype="float33"), "dtype: expected a dtype such as 'float32' or a DTypePolicy, got 'float33'"),
        (lambda: RNN(GRUCell(H), dtype=3), "dtype: expected a dtype such as 'float32' or a DTypePolicy, got 3"),
        (
            lambda: GRU(H, activity_regularizer="l3"),
            "activity_regularizer: expected a Keras regulariser or None, got 'l3'",
        ),
        (lambda: LSTM(H, trainable="yes"), "Expected `trainable` to be a boolean.*trainable=yes.*"),
        (lambda: LSTM(H, name=3), "Argument `name` must be a string.*name=3.*"),
        (lambda: LSTM(H, activation="no_such"), ".*no_such.*"),
        (lambda: Bidirectional(LSTM(H), "max"), r"merge_mode: expected one of \['concat', .*, None\], got 'max'"),
        (lambda: Bidirectional(LSTM(H), ["sum"]), "merge_mode: expected one of .*, got a list of 1"),
        (lambda: Bidirectional(LSTM(H), weights=values(3)), r"weights: expected a list of .*, got shape \(3,\)"),
        (lambda: Bidirectional(LSTMCell(H, name="a")), f"layer: {RECURRENT}<LSTMCell name=a, built=False>"),
        (lambda: Bidirectional(LSTM), f"layer: {RECURRENT}<class .*LSTM'>"),
        (lambda: Bidirectional([LSTM(H)]), f"layer: {RECURRENT}a list of 1"),
        (lambda: Bidirectional(LSTM(H), backward_layer=False), f"backward_layer: {RECURRENT}False"),
        (
            lambda: Bidirectional(LSTM(H), "sum", backward_layer=LSTM(3, go_backwards=True)),
            f"merge_mode: expected 'concat' or None for directions of {H} and 3 units, got 'sum'",
        ),
    ],
)
def test_a_constructor_names_the_argument_that_it_refuses(make, expected):
    assert_refused(expected, make)


@pytest.mark.parametrize(
    "weights, expected",
    [
        ([], "weights: expected 6 arrays, 3 forward, 3 backward, got 0"),
        ([values(I, 4 * H)] * 3, "weights: expected 6 arrays, 3 forward, 3 backward, got 3"),
        ([values(I, 4 * H)] * 6, rf"weights\[1\]: expected \[{H}, {4 * H}\], got shape \({I}, {4 * H}\)"),
        ([[1.0]] * 6, r"weights\[0\]: expected a tensor or an array, got a list of 1"),
    ],
)
def test_weights_that_are_not_those_of_both_directions_are_refused(weights, expected):
    assert_refused(expected, Bidirectional(LSTM(H), weights=weights), values(B, T, I))


# ---------------------------------------------------------------------------------------------------- sequences

LAYERS = {
    "short": lambda **options: LSTM(H, **options),
    "rnn": lambda **options: RNN(LSTMCell(H), **options),
    "stack": lambda **options: RNN([GRUCell(4), LSTMCell(H)], **options),
    "cell_of_keras": lambda **options: RNN(keras.layers.LSTMCell(H), **options),
    "both": lambda **options: Bidirectional(LSTM(H, **options)),
    "both_of_keras": lambda **options: Bidirectional(keras.layers.GRU(H, **options)),
}
layers = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
some_layers = lambda *names: pytest.mark.parametrize("make", [LAYERS[name] for name in names], ids=names)


@layers
@pytest.mark.parametrize("shape", [(T,), (B, T), (B, T, I, 1)])
@pytest.mark.parametrize("symbolic", [False, True], ids=["array", "symbolic"])
def test_sequences_of_another_rank_are_refused_at_the_first_call(make, shape, symbolic):
    layer = make()
    sequences = keras.Input(batch_shape=shape) if symbolic else values(*shape)
    expected = f"sequences: expected [B, T, I], got shape {shape} (ndim {len(shape)})"
    assert_refused(re.escape(expected), layer, sequences)
    assert not layer.built
    assert_refused(re.escape(expected), layer.build, shape)


@layers
@pytest.mark.parametrize("symbolic", [False, True], ids=["array", "symbolic"])
def test_features_other_than_the_layer_was_built_for_are_refused(make, symbolic):
    layer = make()
    layer(values(B, T, I))
    sequences = keras.Input((None, 4)) if symbolic else values(B, T, 4)
    expected = rf"sequences: expected \[B, T, {I}\], got shape \({'None, None' if symbolic else f'{B}, {T}'}, 4\)"
    assert_refused(expected, layer, sequences)


def test_a_cell_that_was_built_for_other_features_is_refused():
    cell = LSTMCell(H)
    RNN(cell)(values(B, T, I))
    assert_refused(r"sequences: expected \[B, T, 3\], got shape \(.*, 4\)", RNN(cell), values(B, T, 4))


@layers
def test_a_sequence_of_no_steps_is_refused(make):
    assert_refused(r"sequences: expected at least one timestep, got shape \(4, 0, 3\)", make(), values(B, 0, I))
    assert_refused(r"sequences: expected at least one timestep, got .*", make(), keras.Input((0, I)))


@some_layers("short", "stack", "both")
def test_an_unknown_number_of_features_is_refused(make):
    expected = r"sequences: expected a known number of features I, got shape \(None, 6, None\)"
    assert_refused(expected, make(), keras.Input((T, None)))


TENSOR = "expected a tensor or an array, got"


@layers
@pytest.mark.parametrize(
    "sequences, expected",
    [
        (values(B, T, I).astype(str), r"expected numbers, got dtype str\d+"),
        (values(B, T, I).astype(object), "expected numbers, got dtype object"),
        (values(B, T, I).astype("complex64"), "expected numbers, got dtype complex64"),
        (tf.fill((B, T, I), "a"), "expected numbers, got dtype string"),
        (
            tf.ragged.constant([[[1.0] * I] * 2, [[1.0] * I]], ragged_rank=1),
            "expected a dense tensor, .* got a ragged one",
        ),
        (values(B, T, I).tolist(), f"{TENSOR} a list of 4"),
        ([values(B, T, I)], f"{TENSOR} a list of 1"),
        ([values(B, T, I), values(B, H), values(B, H)], f"{TENSOR} a list of 3"),
        (None, f"{TENSOR} None"),
        ("text", f"{TENSOR} 'text'"),
    ],
    ids=["text", "objects", "complex", "text_tensor", "ragged", "numbers", "listed", "with_states", "none", "string"],
)
def test_what_is_no_tensor_of_numbers_is_refused(make, sequences, expected):
    assert_refused(f"sequences: {expected}", make(), sequences)


@some_layers("rnn", "both")
def test_mistakes_are_told_inside_a_compiled_function_too(make):
    spec = lambda *shape: tf.TensorSpec(shape)
    trace = lambda layer, *specs: tf.function(layer.__call__, autograph=False).get_concrete_function(*specs)
    assert_refused(r"sequences: expected \[B, T, I\], got shape \(None, 3\) .*", trace, make(), spec(None, I))
    assert_refused(f"sequences: {TENSOR} <tf.Tensor.*>", trace, make(), tf.TensorSpec(None))
    expected = r"sequences: expected a known length T, got shape \(4, None, 3\)\. Cannot unroll an endless loop"
    assert_refused(expected, trace, make(unroll=True), spec(B, None, I))


# ---------------------------------------------------------------------------------------------------- masks


@layers
@pytest.mark.parametrize(
    "mask, got",
    [
        (np.ones(T), "shape (6,) (ndim 1)"),
        (np.ones((B, T - 1)), "shape (4, 5)"),
        (np.ones((B, 1)), "shape (4, 1)"),
        (np.ones((B - 1, T)), "shape (3, 6)"),
        (np.ones((T, B)), "shape (6, 4)"),
        (np.ones((B, T, I)), "shape (4, 6, 3)"),
        (np.ones((B, T, 1, 1)), "shape (4, 6, 1, 1) (ndim 4)"),
        (np.array(True), "shape () (ndim 0)"),
        ([np.ones((B, T - 1)), None], "shape (4, 5)"),
    ],
    ids=["one_row", "short", "one_step", "few_rows", "transposed", "by_feature", "rank_4", "scalar", "listed"],
)
def test_a_mask_of_another_shape_is_refused(make, mask, got):
    expected = f"mask: expected [4, 6] or [4, 6, 1] or [1, 6], got {got}"
    assert_refused(re.escape(expected), make(), values(B, T, I), mask=mask)


@layers
def test_a_mask_that_holds_no_booleans_is_refused(make):
    mask = np.ones((B, T), bool)
    assert_refused(r"mask: expected booleans, got dtype str\d+", make(), values(B, T, I), mask=mask.astype(str))
    assert_refused(f"mask: {TENSOR} a list of {T}", make(), values(B, T, I), mask=mask.tolist())
    assert_refused(f"mask: {TENSOR} True", make(), values(B, T, I), mask=True)


def test_a_symbolic_mask_is_held_against_what_is_known():
    sequences = keras.Input((None, I))
    assert LSTM(H)(sequences, mask=keras.Input((T,), dtype="bool")).shape == (None, H)
    expected = r"mask: expected \[B, T\] or \[B, T, 1\] or \[1, T\], got shape \(None,\) \(ndim 1\)"
    assert_refused(expected, LSTM(H), sequences, mask=keras.Input(()))


MASK_FORMS = {
    "integers": lambda mask: mask.astype("int32"),
    "floats": lambda mask: mask.astype("float32"),
    "tensor": tf.constant,
    "column": lambda mask: mask[:, :, None],
    "listed": lambda mask: [mask],
    "listed_with_states": lambda mask: (mask, None, None),
}


@some_layers("short", "stack", "both")
@pytest.mark.parametrize("form", MASK_FORMS.values(), ids=MASK_FORMS)
def test_a_mask_may_come_in_many_forms(make, form):
    layer, x, mask = make(return_sequences=True), values(B, T, I), mask_of("random")
    assert_close(layer(x, mask=form(mask)), layer(x, mask=mask), tolerance=0)


@layers
def test_one_mask_may_serve_the_whole_batch(make):
    layer, mask = make(return_sequences=True), mask_of("random")[:1]
    assert 0 < mask.sum() < T
    expected = outcome(layer, values(B, T, I), mask=np.repeat(mask, B, axis=0))
    assert_close(outcome(layer, values(B, T, I), mask=mask), expected)


# ---------------------------------------------------------------------------------------------------- states

h = lambda units=H, batch=B: values(batch, units)
TWO = "initial_state: expected a list of 2 states, got"


@pytest.mark.parametrize(
    "make, states, expected",
    [
        (LAYERS["short"], [], f"{TWO} a list of 0"),
        (LAYERS["short"], [h()], f"{TWO} a list of 1"),
        (LAYERS["short"], [h()] * 3, f"{TWO} a list of 3"),
        (LAYERS["short"], h(), rf"{TWO} shape \(4, 5\)"),
        (LAYERS["short"], values(2, B, H), rf"{TWO} shape \(2, 4, 5\)"),
        (LAYERS["short"], {"h": h(), "c": h()}, f"{TWO} a dict of 2"),
        (LAYERS["short"], [h(), None], rf"initial_state\[1\]: {TENSOR} None"),
        (LAYERS["short"], [[h(), h()], []], rf"initial_state\[0\]: {TENSOR} a list of 2"),
        (LAYERS["short"], [h(), h(batch=3)], r"initial_state\[1\]: expected \[4, 5\], got shape \(3, 5\)"),
        (LAYERS["short"], [h(batch=1)] * 2, r"initial_state\[0\]: expected \[4, 5\], got shape \(1, 5\)"),
        (LAYERS["short"], (h(), h(7)), r"initial_state\[1\]: expected \[4, 5\], got shape \(4, 7\)"),
        (LAYERS["short"], [h(), values(H)], r"initial_state\[1\]: expected \[4, 5\], got shape \(5,\) \(ndim 1\)"),
        (LAYERS["short"], [h().astype(str), h()], r"initial_state\[0\]: expected numbers, got dtype str\d+"),
        (LAYERS["cell_of_keras"], [h(), h(7)], r"initial_state\[1\]: expected \[4, 5\], got shape \(4, 7\)"),
        (lambda: GRU(H), [h()] * 2, "initial_state: expected one state, got a list of 2"),
        (lambda: GRU(H), h(7), r"initial_state\[0\]: expected \[4, 5\], got shape \(4, 7\)"),
        (lambda: GRU(H), [[h()]], rf"initial_state\[0\]: {TENSOR} a list of 1"),
        (LAYERS["stack"], [h(4), h(), h()], f"{TWO} a list of 3"),
        (LAYERS["stack"], [h(4), h()], r"initial_state\[1\]: expected a list of 2 states, got shape \(4, 5\)"),
        (LAYERS["stack"], [h(), [h(), h()]], r"initial_state\[0\]\[0\]: expected \[4, 4\], got shape \(4, 5\)"),
        (LAYERS["stack"], [h(4), [h(), h(7)]], r"initial_state\[1\]\[1\]: expected \[4, 5\], got shape \(4, 7\)"),
        (LAYERS["both"], [h()] * 2, "initial_state: expected a list of 4 states, got a list of 2"),
        (LAYERS["both"], [[h()] * 2] * 2, "initial_state: expected a list of 4 states, got a list of 2"),
        (LAYERS["both"], [*[h()] * 3, h(7)], r"initial_state\[3\]: expected \[4, 5\], got shape \(4, 7\)"),
        (LAYERS["both_of_keras"], h(), rf"{TWO} shape \(4, 5\)"),
        (LAYERS["both_of_keras"], [h(), h(batch=3)], r"initial_state\[1\]: expected \[4, 5\], got shape \(3, 5\)"),
    ],
)
def test_states_of_another_number_nesting_or_shape_are_refused(make, states, expected):
    layer = make()
    assert_refused(expected, layer, values(B, T, I), initial_state=states)
    assert not layer.built


def test_symbolic_states_are_held_against_what_is_known():
    sequences, states = keras.Input((None, I)), [keras.Input((H,)), keras.Input((7,))]
    expected = r"initial_state\[1\]: expected \[B, 5\], got shape \(None, 7\)"
    assert_refused(expected, LSTM(H), sequences, initial_state=states)


def states_of(layer):
    """Random states, nested as a layer takes them."""
    if isinstance(layer, Bidirectional):
        return states_of(layer.forward_layer) + states_of(layer.backward_layer)
    return tree.map_structure(h, list(layer.state_size))


STATE_FORMS = {
    "tuple": tuple,
    "tensors": lambda states: [tf.constant(state) for state in states],
    "variables": lambda states: [keras.Variable(state) for state in states],
    "double": lambda states: [state.astype("float64") for state in states],
}


@pytest.mark.parametrize("form", STATE_FORMS.values(), ids=STATE_FORMS)
@some_layers("short", "both")
def test_states_may_come_in_many_forms(make, form):
    layer, x = make(), values(B, T, I)
    states = states_of(layer)
    expected = layer(x, initial_state=states)
    assert_close(layer(x, initial_state=form(states)), expected)
    assert_close(layer(x, form(states)), expected)


def test_a_single_state_may_come_without_its_list():
    layer, x = GRU(H), values(B, T, I)
    expected = layer(x, initial_state=[h()])
    for state in (h(), tf.constant(h()), (h(),)):
        assert_close(layer(x, initial_state=state), expected, tolerance=0)
    stack = RNN([GRUCell(4), SimpleRNNCell(H)])
    expected = stack(x, initial_state=[[h(4)], [h()]])
    for states in ([h(4), h()], (h(4), [h()])):
        assert_close(stack(x, initial_state=states), expected, tolerance=0)


def test_whole_numbers_and_booleans_may_be_sequences_and_states():
    layer, x = LSTM(H), values(B, T, I) > 0
    expected = layer(x.astype("float32"), initial_state=[np.ones((B, H), "float32")] * 2)
    for dtype in ("int32", "uint8", "bool"):
        assert_close(layer(x.astype(dtype), initial_state=[np.ones((B, H), "int32")] * 2), expected)


@some_layers("short", "rnn", "stack", "both")
def test_an_empty_batch_is_no_mistake(make):
    assert make(return_sequences=True)(values(0, T, I)).shape[:2] == (0, T)


# ---------------------------------------------------------------------------------------- stateful and unrolled


@layers
def test_a_stateful_layer_refuses_another_batch_size_and_one_that_is_not_fixed(make):
    layer = make(stateful=True)
    layer(values(B, T, I))
    expected = r"sequences: expected the batch size of the layer's states, 4, got shape \(5, 6, 3\)"
    assert_refused(expected, layer, values(B + 1, T, I))
    assert layer(keras.Input((T, I))).shape[0] is None
    expected = r"sequences: expected a fixed batch size with stateful=True, got shape \(None, 6, 3\)"
    assert_refused(expected, make(stateful=True), keras.Input((T, I)))


@some_layers("short", "both")
def test_an_unrolled_layer_in_a_model_of_any_length_reads_batches_of_known_length(make):
    inputs = keras.Input((None, I))
    layer = make(unroll=True)
    model = keras.Model(inputs, layer(inputs))
    assert_close(model.predict(values(B, T, I), verbose=0), layer(values(B, T, I)))


# ------------------------------------------------------------------------------------------- cells of others


class Grid(keras.layers.Layer):
    """Reads `[B, R, C, I]`, keeps `[B, R, C, 2]`: how, only it can say."""

    state_size = 2

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 2), name="kernel")

    def call(self, inputs, states):
        state = ops.tanh(ops.matmul(inputs, self.kernel) + states[0])
        return state, [state]

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, 4, 4, 2))]


def test_what_a_cell_of_more_dimensions_reads_is_for_the_cell_to_say():
    options = {"return_sequences": True, "return_state": True}
    for states in (None, [values(B, 4, 4, 2)]):
        layers = twins(RNN(Grid(), **options), keras.layers.RNN(Grid(), **options), (B, T, 4, 4, I))
        assert_close(*(outputs_and_gradients(layer, values(B, T, 4, 4, I), states) for layer in layers))
    expected = r"sequences: expected \[B, T, I, …\], got shape \(4, 6\) \(ndim 2\)"
    assert_refused(expected, RNN(Grid()), values(B, T))
    assert_refused("initial_state: expected one state, got a list of 2", RNN(Grid()), values(B, T, 4, 4, I), [h(), h()])
    expected = r"mask: expected \[4, 6, …\] or \[1, 6, …\], got shape \(4, 5\)"
    assert_refused(expected, RNN(Grid()), values(B, T, 4, 4, I), mask=np.ones((B, T - 1)))


def test_a_convolutional_layer_of_keras_reads_in_both_directions():
    layer = Bidirectional(keras.layers.ConvLSTM1D(2, 3, padding="same", return_sequences=True), "sum")
    assert layer(values(B, T, 8, I)).shape == (B, T, 8, 2)


class Bare(keras.layers.Layer):
    """No initial state of its own, so that it is Keras that says what its states look like."""

    state_size = (H, 2)

    def call(self, inputs, states):
        return states[0] + ops.sum(inputs, axis=-1, keepdims=True), list(states)


def test_states_of_a_cell_that_leaves_them_to_keras_are_checked():
    assert RNN(Bare())(values(B, T, I), initial_state=[h(), h(2)]).shape == (B, H)
    expected = r"initial_state\[1\]: expected \[4, 2\], got shape \(4, 5\)"
    assert_refused(expected, RNN(Bare()), values(B, T, I), initial_state=[h(), h()])


# ------------------------------------------------------------------------------------------- attached masks


def masked_inputs(kind):
    """A layer that attaches a mask, inputs for it, and the mask."""
    mask = mask_of("right")
    if kind == "Masking":
        return keras.layers.Masking(), (values(B, T, I) * mask[:, :, None]), mask
    return keras.layers.Embedding(9, I, mask_zero=True), np.arange(1, T + 1) * mask, mask


@pytest.mark.parametrize("kind", ["Masking", "Embedding"])
@some_layers("short", "stack", "both", "both_of_keras")
def test_an_attached_mask_is_kept_when_states_are_given(kind, make):
    attach, x, mask = masked_inputs(kind)
    layer = make(return_sequences=True)
    states, embedded = states_of(layer), np.array(attach(x))
    expected = layer(embedded, initial_state=states, mask=mask)
    assert np.abs(np.array(expected) - np.array(layer(embedded, initial_state=states))).max() > 1e-3
    assert_close(layer(attach(x), initial_state=states), expected)

    inputs = keras.Input(x.shape[1:])
    given = tree.map_structure(lambda state: keras.Input(state.shape[1:]), states)
    model = keras.Model([inputs, given], layer(attach(inputs), initial_state=given))
    assert_close(model.predict([x, states], verbose=0), expected)


def test_an_attached_mask_goes_on_to_the_layer_above_when_states_are_given():
    attach, x, mask = masked_inputs("Masking")
    for layer, count in ((LSTM(H, return_sequences=True), 2), (Bidirectional(LSTM(H, return_sequences=True)), 4)):
        output = layer(attach(x), initial_state=[h()] * count)
        assert_close(output._keras_mask, mask, tolerance=0)
