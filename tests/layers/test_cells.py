"""Cells against their equations, re-derived in NumPy with random weights."""

import keras
import numpy as np
import pytest

from rnnscope import RNN, GRUCell, LSTMCell, SimpleRNNCell
from tests.layers import reference
from tests.layers.helpers import KINDS, B, H, I, T, assert_close, keras_cell, our_cell, randomise, states_for, values

kinds = pytest.mark.parametrize("kind", KINDS)
biases = pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no_bias"])

ACTIVATIONS = {
    "linear": lambda a: a,
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
    "leaky_relu": lambda a: np.where(a > 0, a, 0.2 * a),
    "elu": lambda a: np.where(a > 0, a, np.exp(np.minimum(a, 0)) - 1),
    "softplus": lambda a: np.log1p(np.exp(a)),
    "silu": lambda a: a / (1 + np.exp(-a)),
}


def built(cell):
    cell.build((B, I))
    return randomise(cell)


@kinds
@biases
def test_one_step_follows_the_equations(kind, use_bias):
    cell, x, states = built(our_cell(kind, use_bias=use_bias)), values(B, I), states_for(kind)
    output, new_states = cell(x, states)
    expected = reference.STEPS[kind](np, x, states, reference.weights_of(kind, cell))
    assert_close([output, *new_states], [expected[0], *expected])


@kinds
@biases
def test_a_sequence_follows_the_equations_step_by_step(kind, use_bias):
    cell, x, states = our_cell(kind, use_bias=use_bias), values(B, T, I), states_for(kind)
    layer = RNN(cell, return_sequences=True, return_state=True)
    layer.build(x.shape)
    randomise(layer)
    outputs, *last = layer(x, initial_state=states)
    expected = []
    for t in range(T):
        states = reference.STEPS[kind](np, x[:, t], states, reference.weights_of(kind, cell))
        expected.append(states[0])
    assert_close([outputs, *last], [np.stack(expected, axis=1), *states])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_vanilla_cell_follows_its_equation_with_any_activation(activation):
    cell, x, states = built(SimpleRNNCell(H, activation=activation)), values(B, I), states_for("rnn")
    output, _ = cell(x, states)
    (expected,) = reference.rnn(np, x, states, cell.get_weights(), phi=ACTIVATIONS[activation])
    assert_close(output, expected)


@kinds
def test_a_step_is_project_then_advance(kind):
    cell, x, states = built(our_cell(kind)), values(B, I), states_for(kind)
    assert_close(cell.advance(cell.project(x), states), cell(x, states), tolerance=0)


@kinds
def test_a_sequence_is_projected_as_its_steps_are(kind):
    cell, x = built(our_cell(kind)), values(T, B, I)
    assert_close(cell.project(x), np.stack([cell.project(step) for step in x]))


@pytest.mark.parametrize("kind", ["rnn", "gru_after", "gru_before"])
def test_a_single_state_may_come_without_its_list(kind):
    cell, x, (h,) = built(our_cell(kind)), values(B, I), states_for(kind)
    output, state = cell(x, h)
    assert_close([output, [state]], cell(x, [h]), tolerance=0)


@pytest.mark.parametrize("units", [1, 4, 7])
@pytest.mark.parametrize("inputs", [1, 3])
def test_the_number_of_parameters_follows_the_formula(units, inputs):
    def parameters(cell):
        cell.build((B, inputs))
        return cell.count_params()

    one_gate = units * (inputs + units + 1)
    assert parameters(SimpleRNNCell(units)) == one_gate
    assert parameters(LSTMCell(units)) == 4 * one_gate
    assert parameters(GRUCell(units, reset_after=False)) == 3 * one_gate
    assert parameters(GRUCell(units)) == 3 * one_gate + 3 * units
    assert parameters(GRUCell(units, use_bias=False)) == 3 * units * (inputs + units)


@pytest.mark.parametrize("choice, forget", [(True, 1.0), (2.5, 2.5), (-1, -1.0), (False, 0.25), (0, 0.25)])
def test_the_forget_gate_starts_where_unit_forget_bias_says(choice, forget):
    cell = LSTMCell(H, unit_forget_bias=choice, bias_initializer=keras.initializers.Constant(0.25))
    cell.build((B, I))
    expected = np.full(4 * H, 0.25)
    expected[H : 2 * H] = forget
    assert_close(cell.bias.value, expected, tolerance=0)


@kinds
def test_weights_have_the_names_shapes_and_order_of_keras(kind):
    cells = our_cell(kind), keras_cell(kind)
    for cell in cells:
        cell.build((B, I))
    mine, theirs = ([(w.name, tuple(w.shape)) for w in cell.weights] for cell in cells)
    assert mine == theirs


@kinds
def test_initialisers_regularisers_and_constraints_reach_their_weights(kind):
    cell = our_cell(
        kind,
        kernel_initializer=keras.initializers.Constant(1.0),
        recurrent_initializer=keras.initializers.Constant(2.0),
        kernel_regularizer=keras.regularizers.L1(1.0),
        recurrent_regularizer=keras.regularizers.L2(1.0),
        recurrent_constraint=keras.constraints.MaxNorm(1.0),
        bias_constraint=keras.constraints.NonNeg(),
    )
    cell.build((B, I))
    columns = cell.kernel.shape[1]
    assert sorted(float(loss) for loss in cell.losses) == sorted([I * columns * 1.0, H * columns * 4.0])
    assert cell.kernel.constraint is None
    assert isinstance(cell.recurrent_kernel.constraint, keras.constraints.MaxNorm)
    assert isinstance(cell.bias.constraint, keras.constraints.NonNeg)


@pytest.mark.parametrize("cell", [SimpleRNNCell, LSTMCell, GRUCell])
@pytest.mark.parametrize("units", [0, -3, 2.5, True, "4", None])
def test_units_that_are_no_positive_integer_are_refused(cell, units):
    with pytest.raises(ValueError, match=f"units: expected a positive integer, got {units!r}"):
        cell(units)


def test_units_may_be_an_integer_of_numpy():
    cell = LSTMCell(np.int64(4))
    assert cell.state_size == [4, 4]
    assert type(cell.get_config()["units"]) is int


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("rate", [None, "half", True, -0.1, 1.5, 2, float("nan")])
def test_dropout_rates_outside_zero_to_one_are_refused(name, rate):
    with pytest.raises(ValueError, match=f"{name}: expected a rate between 0 and 1, got {rate!r}"):
        GRUCell(H, **{name: rate})


def test_unknown_activations_and_arguments_are_refused():
    with pytest.raises(ValueError, match="no_such_activation"):
        LSTMCell(H, activation="no_such_activation")
    with pytest.raises(ValueError, match="no_such_argument"):
        LSTMCell(H, no_such_argument=1)
