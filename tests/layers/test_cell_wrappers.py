"""Cells around cells against their equations (`equations.py`): zoneout, deep transition, deep output."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnscope import (
    RNN,
    DeepOutputCell,
    DeepTransitionCell,
    GRUCell,
    LSTMCell,
    MinGRUCell,
    SimpleRNNCell,
    StackedRNNCells,
    ZoneoutCell,
    bptt,
)
from tests.layers.equations import (
    CELLS,
    assert_follows_the_equations,
    cell_of,
    random_layer,
    reader,
    states_of,
    step,
)
from tests.layers.helpers import (
    B,
    H,
    I,
    T,
    assert_close,
    mask_of,
    outputs_and_gradients,
    randomise,
    values,
)

X = values(B, T, I, dtype="float64")
DROPPED = {"dropout": 0.2, "recurrent_dropout": 0.4, "seed": 7}


def zoneout(cell, **options):
    rates = {"rate": 0.3, "cell_rate": 0.4 if "c" in cell.state_names else 0.0, "seed": 11}
    return ZoneoutCell(cell, **{**rates, **options})


def transition(cell, **options):
    return DeepTransitionCell(cell, **{"depth": 2, **options})


def output(cell, **options):
    return DeepOutputCell(cell, **{"units": [6, 4], "activation": "softplus", **options})


WRAPPERS = {
    "zoneout": zoneout,
    "zoneout_of_h": lambda cell: zoneout(cell, cell_rate=0.0),
    "zoneout_of_c": lambda cell: zoneout(cell, rate=0.0),
    "transition": transition,
    "shallow_transition": lambda cell: transition(cell, depth=1, activation="softplus"),
    "transition_with_shortcut": lambda cell: transition(cell, depth=3, shortcut=True),
    "output": output,
    "all": lambda cell: output(zoneout(transition(cell, shortcut=True))),
    "all_in_another_order": lambda cell: output(transition(zoneout(cell)), units=4),
    "twice": lambda cell: zoneout(transition(zoneout(transition(cell)), shortcut=True), seed=5),
}
INNER = {
    "rnn": lambda: cell_of("rnn", **DROPPED),
    "lstm": lambda: cell_of("lstm"),
    "projected_lstm": lambda: cell_of("lstm", projection_units=3, layer_normalization=True, **DROPPED),
    "gru": lambda: cell_of("gru_before", candidate_dropout=0.3, **DROPPED),
    "fgr": lambda: cell_of("fgr"),
    "mingru": lambda: cell_of("mingru", dropout=0.2, seed=7),
}
wrappers = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
inner_cells = pytest.mark.parametrize("inner", INNER.values(), ids=INNER)


# ------------------------------------------------------------------------------------------------- all three


@wrappers
@inner_cells
def test_one_step_follows_the_equations(wrap, inner):
    cell = wrap(inner())
    cell.build((B, I))
    randomise(cell)
    w, states = reader(cell.trainable_weights), states_of(cell)
    seen, new_states = cell(X[:, 0], states)
    expected, expected_states = step(cell, w, X[:, 0], states)
    assert_close([seen, *new_states], [expected, *expected_states], tolerance=1e-12)


@wrappers
@inner_cells
def test_a_sequence_and_its_derivatives_follow_the_equations_whatever_is_drawn(wrap, inner):
    layer = random_layer(wrap(inner()))
    mask = mask_of(("none", "random", "row")[len(layer.cell.name) % 3])
    assert_follows_the_equations(layer, X, states_of(layer.cell), mask, training=True)


@pytest.mark.parametrize("kind", CELLS)
def test_every_cell_may_be_wrapped(kind):
    layer = random_layer(WRAPPERS["all"](cell_of(kind)), inputs=H)
    assert_follows_the_equations(layer, values(B, T, H, dtype="float64"), states_of(layer.cell), mask_of("random"))


@pytest.mark.parametrize("name", WRAPPERS)
def test_unrolled_steps_and_the_rnn_of_keras_agree_in_outputs_and_gradients(name):
    layer, mask = random_layer(WRAPPERS[name](cell_of("lstm"))), mask_of(("none", "random", "row")[len(name) % 3])
    expected = outputs_and_gradients(layer, X, states_of(layer.cell), mask=mask)
    for arrange in (lambda cell, **options: RNN(cell, unroll=True, **options), keras.layers.RNN):
        other = random_layer(type(layer.cell).from_config(layer.cell.get_config()), arrange)
        assert_close(outputs_and_gradients(other, X, states_of(layer.cell), mask=mask), expected, tolerance=1e-12)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "fgr", "mingru"])
@pytest.mark.parametrize(
    ("wrap", "added"),
    [
        (lambda cell: zoneout(cell), 0),
        (lambda cell: transition(cell, depth=3), 3 * H * (H + 1)),
        (lambda cell: transition(cell, depth=2, shortcut=True), 2 * H * (H + 1) + H * H),
        (lambda cell: output(cell, units=[6, 4]), 6 * (H + 1) + 4 * (6 + 1)),
        (lambda cell: output(cell, units=6), 6 * (H + 1)),
    ],
    ids=["zoneout", "transition", "shortcut", "output", "single_output"],
)
def test_parameter_counts_follow_the_formula(kind, wrap, added):
    inner, cell = cell_of(kind), wrap(cell_of(kind))
    for each in (inner, cell):
        each.build((B, I))
    assert cell.count_params() == inner.count_params() + added


# ------------------------------------------------------------------------------------ deep transition and output


def with_identities(layer, plain):
    """The inner cell's weights from `plain`, identities for added kernels and zeros for added biases."""
    inner = layer.cell.cell
    inner.set_weights(plain.cell.get_weights())
    for weight in layer.cell.weights:
        if not any(weight is w for w in inner.weights):
            weight.assign(np.eye(H) if len(weight.shape) == 2 else np.zeros(weight.shape))
    return layer


@inner_cells
@pytest.mark.parametrize(
    "wrap",
    [lambda cell: transition(cell, activation="linear"), lambda cell: output(cell, units=[H, H], activation="linear")],
    ids=["transition", "output"],
)
def test_linear_layers_that_are_identities_change_nothing(wrap, inner):
    if inner().output_size != H:
        inner = lambda: cell_of("lstm", projection_units=H)
    plain = random_layer(inner())
    wrapped = with_identities(random_layer(wrap(inner())), plain)
    call = {"mask": mask_of("random"), "training": True}
    found, expected = (outputs_and_gradients(layer, X, states_of(plain.cell), **call) for layer in (wrapped, plain))
    of_inner = {id(w): g for w, g in zip(wrapped.trainable_weights, found["weights"], strict=True)}
    found["weights"] = [of_inner[id(w)] for w in wrapped.cell.cell.trainable_weights]
    assert_close(found, expected, tolerance=1e-12)


def test_the_shortcut_leads_from_the_state_before_to_the_last_layer_alone():
    layer = random_layer(transition(cell_of("rnn"), depth=3, shortcut=True))
    shortcut = layer.cell.shortcut_kernel.numpy()
    layer.set_weights([np.zeros(w.shape) for w in layer.get_weights()])
    layer.cell.shortcut_kernel.assign(shortcut)
    (h,) = states_of(layer.cell)
    outputs, _ = layer(X, initial_state=h)
    for t in range(T):
        h = np.tanh(h @ shortcut)
        assert_close(outputs[:, t], h, tolerance=1e-12)


def test_added_kernels_start_orthogonal_and_added_biases_at_zero():
    cell = transition(LSTMCell(H), shortcut=True)
    cell.build((B, I))
    kernels = [cell.shortcut_kernel, *(U for U, _ in cell.transitions)]
    for kernel in kernels:
        assert_close(kernel.numpy() @ kernel.numpy().T, np.eye(H), tolerance=1e-5)
    assert all((b.numpy() == 0).all() for _, b in cell.transitions)
    assert [w.name for w in cell.weights if "transition" in w.name or "shortcut" in w.name] == [
        "transition_kernel_1", "transition_bias_1", "transition_kernel_2", "transition_bias_2", "shortcut_kernel"
    ]  # fmt: skip


@pytest.mark.parametrize("inner", [LSTMCell, GRUCell, SimpleRNNCell, MinGRUCell])
def test_the_cell_under_a_deep_output_keeps_its_own_time_loop(inner):
    """Which shows in second derivatives: those of a hand-derived way back are NaN, those of unrolled steps are not."""

    def second_derivative(layer):
        x = tf.constant(X)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                total = tf.reduce_sum(tf.sin(layer(x)[0]))
            first = tape.gradient(total, x)
        return first, outer.gradient(first, x)

    layer = random_layer(output(inner(H, dtype="float64")))
    unrolled = random_layer(output(inner(H, dtype="float64")), unroll=True)
    assert bptt.is_hand_derived(layer.cell.cell)
    (first, second), (expected, finite) = second_derivative(layer), second_derivative(unrolled)
    assert_close(first, expected, tolerance=1e-12)
    assert np.isnan(second).all()
    assert np.isfinite(finite).all()


def test_nothing_of_a_deep_output_comes_back_into_the_recurrence():
    plain, wrapped = random_layer(cell_of("lstm")), random_layer(output(cell_of("lstm")))
    wrapped.cell.cell.set_weights(plain.cell.get_weights())
    h, *states = plain(X)
    outputs, *wrapped_states = wrapped(X)
    assert_close(wrapped_states, states, tolerance=1e-12)
    assert_close(outputs, wrapped.cell.read_out(h), tolerance=1e-12)
    assert_close(outputs, np.stack([wrapped.cell.read_out(h[:, t]) for t in range(T)], axis=1), tolerance=1e-12)


# ----------------------------------------------------------------------------------------------- precision, errors


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16", "mixed_bfloat16", "float32"])
@pytest.mark.parametrize("name", ["zoneout", "transition_with_shortcut", "all", "twice"])
def test_a_wrapper_has_the_precision_of_its_inner_cell(name, dtype):
    cell = WRAPPERS[name](GRUCell(H, dtype=dtype, candidate_dropout=0.3, **DROPPED))
    assert cell.compute_dtype == cell.cell.compute_dtype == dtype.removeprefix("mixed_")
    assert cell.variable_dtype == cell.cell.variable_dtype
    outputs = RNN(cell, dtype=dtype)(X, training=True)
    assert outputs.dtype == cell.compute_dtype
    assert np.isfinite(outputs).all()


def test_sizes_may_be_integers_of_numpy():
    config = output(transition(LSTMCell(H), depth=np.int64(2)), units=[np.int64(4), 3]).get_config()
    assert [type(size) for size in config["units"]] == [int, int]
    assert type(config["cell"]["config"]["depth"]) is int


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ZoneoutCell(LSTMCell(H), rate=2), "rate: expected a rate between 0 and 1, got 2"),
        (lambda: ZoneoutCell(LSTMCell(H), rate=True), "rate: expected a rate between 0 and 1, got True"),
        (lambda: ZoneoutCell(LSTMCell(H), cell_rate=-0.1), "cell_rate: expected a rate between 0 and 1, got -0.1"),
        (lambda: ZoneoutCell(LSTMCell(H), cell_rate="half"), "cell_rate: expected .* got 'half'"),
        (lambda: ZoneoutCell(GRUCell(H), cell_rate=0.1), "cell_rate: expected 0 for a cell without a cell .* got 0.1"),
        (lambda: DeepTransitionCell(LSTMCell(H), depth=0), "depth: expected a positive integer, got 0"),
        (lambda: DeepTransitionCell(LSTMCell(H), depth=1.5), "depth: expected a positive integer, got 1.5"),
        (lambda: DeepOutputCell(LSTMCell(H), units=[]), "units: expected .* at least one, got an empty list"),
        (lambda: DeepOutputCell(LSTMCell(H), units=[4, 0]), "units: expected a positive integer, got 0"),
        (lambda: DeepOutputCell(LSTMCell(H), units=None), "units: expected a positive integer.*, got None"),
        (lambda: DeepOutputCell(LSTMCell(H), units="4"), "units: expected a positive integer.*, got '4'"),
        (lambda: ZoneoutCell(keras.layers.LSTMCell(H)), "cell: expected a cell of this package .* got <LSTMCell"),
        (lambda: DeepOutputCell(keras.layers.GRUCell(H), 4), "cell: expected a cell of this package .* got <GRUCell"),
        (lambda: DeepTransitionCell(StackedRNNCells([LSTMCell(H)])), "cell: expected .* got <StackedRNNCells"),
        (lambda: ZoneoutCell(RNN(LSTMCell(H))), "cell: expected a cell of this package .* got <RNN"),
        (lambda: ZoneoutCell(LSTMCell), "cell: expected a cell of this package .* got <class"),
        (lambda: ZoneoutCell(None), "cell: expected a cell of this package .* got None"),
        (lambda: ZoneoutCell(DeepOutputCell(LSTMCell(H), 4)), "cell: expected .* is its state, got <DeepOutputCell"),
        (lambda: DeepOutputCell(DeepOutputCell(LSTMCell(H), 4), 4), "cell: .* put DeepOutputCell around all others"),
        (lambda: ZoneoutCell(LSTMCell(H), dtype="float64"), "dtype: expected the inner .* 'float32', got 'float64'"),
    ],
)
def test_what_an_argument_cannot_be_is_named(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
