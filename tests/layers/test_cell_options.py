"""Options of cells against their equations (`equations.py`): layer normalisation, candidate dropout, projection."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import rnnscope
from rnnscope import RNN, GRUCell, LSTMCell, PeepholeLSTMCell, StackedRNNCells
from tests.layers.equations import (
    CELLS,
    GATED,
    LINEAR,
    LSTMS,
    assert_follows_the_equations,
    cell_of,
    drawn,
    random_layer,
    reader,
    states_of,
    step,
)
from tests.layers.helpers import B, H, I, T, assert_close, mask_of, outputs_and_gradients, randomise, twins, values

P = 3
NORMALISED = {"layer_normalization": True}
DROPPED = {"candidate_dropout": 0.4, "recurrent_dropout": 0.3, "dropout": 0.2, "seed": 7}
PROJECTED = {"projection_units": P}
CASES = [
    *((kind, NORMALISED) for kind in CELLS),
    *((kind, DROPPED) for kind in GATED),
    *((kind, PROJECTED) for kind in LSTMS),
    *((kind, {**NORMALISED, **PROJECTED, **DROPPED}) for kind in LSTMS),
]
cases = pytest.mark.parametrize(("kind", "options"), CASES, ids=[f"{kind}-{'-'.join(o)}" for kind, o in CASES])
X = values(B, T, I, dtype="float64")


def built(cell, inputs=I):
    cell.build((B, inputs))
    return randomise(cell)


# ------------------------------------------------------------------------------------------------- all three


@cases
def test_one_step_follows_the_equations(kind, options):
    cell, x = built(cell_of(kind, **options), inputs=H), values(B, H, dtype="float64")  # I = H: raw inputs in MUTs
    w, states = reader(cell.trainable_weights), states_of(cell)
    for training, chance in ((False, {}), (True, drawn(cell, inputs=H)[0])):
        output, new_states = cell(x, states, training=training)
        expected, expected_states = step(cell, w, x, states, chance)
        assert_close([output, *new_states], [expected, *expected_states], tolerance=1e-12)


@cases
def test_a_sequence_and_its_derivatives_follow_the_equations(kind, options):
    layer = random_layer(cell_of(kind, **options))
    mask = mask_of(("none", "random", "row")[CASES.index((kind, options)) % 3])
    assert_follows_the_equations(layer, X, states_of(layer.cell), mask, training="dropout" in options)


def parameters(cell):
    return built(cell).count_params()


@pytest.mark.parametrize(
    ("kind", "added"),
    [("rnn", 2 * H), ("indrnn", H), ("lstm", 10 * H), ("peephole", 10 * H), ("cifg", 8 * H), ("gru_after", 6 * H),
     ("gru_before", 6 * H), ("mgu", 4 * H), ("mut1", 5 * H), ("mut2", 6 * H), ("mut3", 6 * H), ("mingru", 2 * H),
     ("minlstm", 3 * H)],
)  # fmt: skip
def test_layer_normalisation_adds_a_gain_for_every_column_and_in_lstms_two_vectors_for_the_cell_state(kind, added):
    cell = cell_of(kind, **NORMALISED)
    cell.build((B, I))
    assert cell.count_params() == parameters(cell_of(kind)) + added
    gains = {w.name: w.numpy() for w in cell.weights if w.name.endswith("_gain")}
    assert all((gain == 1).all() for gain in gains.values())
    assert sum(gain.size for gain in gains.values()) == added - (H if "state_gain" in gains else 0)


def test_projection_and_candidate_dropout_have_the_parameters_of_the_formula():
    assert parameters(LSTMCell(H, **PROJECTED)) == 4 * H * (I + P + 1) + H * P
    assert parameters(LSTMCell(H, **PROJECTED, **NORMALISED)) == 4 * H * (I + P + 1) + H * P + 10 * H
    assert parameters(PeepholeLSTMCell(H, **PROJECTED)) == 4 * H * (I + P + 1) + 3 * H + H * P
    assert parameters(GRUCell(H, candidate_dropout=0.5)) == parameters(GRUCell(H))


@pytest.mark.parametrize("options", [NORMALISED, DROPPED, PROJECTED, {**NORMALISED, **DROPPED, **PROJECTED}])
@pytest.mark.parametrize("mask", ["none", "random"])
def test_without_peepholes_it_is_the_lstm_with_the_same_options(options, mask):
    plain, lstm = (cell_class(H, dtype="float64", **options) for cell_class in (PeepholeLSTMCell, LSTMCell))
    plain = PeepholeLSTMCell.from_config({**plain.get_config(), "peepholes": False})
    pair = twins(*(RNN(cell, dtype="float64", return_sequences=True) for cell in (plain, lstm)))
    call = {"mask": mask_of(mask), "training": True}
    assert_close(*(outputs_and_gradients(layer, X, states_of(lstm), **call) for layer in pair), tolerance=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSTMCell(H, projection_units=0), "projection_units: expected a positive integer or None, got 0"),
        (lambda: LSTMCell(H, projection_units=2.5), "projection_units: expected a positive integer or None, got 2.5"),
        (lambda: PeepholeLSTMCell(H, projection_units=True), "projection_units: expected .* got True"),
        (lambda: rnnscope.LSTM(H, projection_units=-1), "projection_units: expected .* got -1"),
        (lambda: GRUCell(H, candidate_dropout=1.5), "candidate_dropout: expected a rate between 0 and 1, got 1.5"),
        (lambda: rnnscope.MGUCell(H, candidate_dropout="half"), "candidate_dropout: expected .* got 'half'"),
        (lambda: rnnscope.MUT1Cell(H, candidate_dropout=None), "candidate_dropout: expected .* got None"),
        (lambda: rnnscope.SimpleRNNCell(H, candidate_dropout=0.5), "candidate_dropout"),
        (lambda: GRUCell(H, projection_units=2), "projection_units"),
    ],
)
def test_what_an_option_cannot_be_is_named(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_sizes_may_be_integers_of_numpy():
    config = LSTMCell(H, projection_units=np.int64(P)).get_config()
    assert type(config["projection_units"]) is int


# ------------------------------------------------------------------------------------- layer normalisation

GROUPS = {
    "rnn": [1],
    "indrnn": [1],
    "lstm": [4],
    "peephole": [4],
    "cifg": [3],
    "gru_after": [2, 1],
    "gru_before": [2, 1],
    "mgu": [1, 1],
    "mut3": [1, 1, 1],
    "mingru": [1, 1],
    "minlstm": [1, 1, 1],
}
"""How many gates are normalised together: all of an LSTM's, both of a GRU's, elsewhere each by itself."""


def outputs_with_kernels(kind, change):
    """Outputs of a layer-normalised layer whose two kernels `[n, gates*H]` went through `change`."""
    layer = random_layer(cell_of(kind, **NORMALISED))
    for name in ("kernel", "recurrent_kernel"):
        kernel = getattr(layer.cell, name, None)
        if kernel is not None:
            kernel.assign(100 * kernel)  # so large that the 1e-5 beside the variance does not count
            if len(kernel.shape) == 2:
                kernel.assign(change(kernel.numpy()))
    return layer(X, initial_state=states_of(layer.cell))[0]


@pytest.mark.parametrize("kind", GROUPS)
def test_layer_normalisation_undoes_a_scale_and_a_shift_of_all_gates_that_share_it(kind):
    factors = np.repeat([2.0, 3.0, 5.0][: len(GROUPS[kind])], [n * H for n in GROUPS[kind]])
    plain = outputs_with_kernels(kind, lambda kernel: kernel)
    assert_close(outputs_with_kernels(kind, lambda kernel: kernel * factors), plain, tolerance=1e-6)
    shift = lambda kernel: kernel + 50 * values(len(kernel), 1) * factors
    assert_close(outputs_with_kernels(kind, shift), plain, tolerance=1e-6)


@pytest.mark.parametrize("kind", [kind for kind, groups in GROUPS.items() if max(groups) > 1])
def test_layer_normalisation_sees_the_scale_of_one_of_several_gates_that_share_it(kind):
    plain = outputs_with_kernels(kind, lambda kernel: kernel)
    for gate in range(GROUPS[kind][0]):
        factors = np.ones(sum(GROUPS[kind]) * H)
        factors[gate * H : (gate + 1) * H] = 2
        assert np.abs(outputs_with_kernels(kind, lambda kernel, f=factors: kernel * f) - plain).max() > 1e-2


def test_a_unit_of_an_lstm_sees_its_cell_state_normalised():
    cell = cell_of("lstm", **NORMALISED)
    layer = random_layer(cell)
    large, larger = (layer(X, initial_state=[values(B, H), scale * values(B, H)])[0] for scale in (1e8, 3e8))
    assert_close(large[:, 0], larger[:, 0], tolerance=1e-6)


# ---------------------------------------------------------------------------------------- candidate dropout

ARRANGEMENTS = {
    "our_rnn": RNN,
    "unrolled": lambda cell, **o: RNN(cell, unroll=True, **o),
    "keras_rnn": keras.layers.RNN,
    "our_stack": lambda cell, **o: RNN([cell], **o),
    "our_stack_in_keras": lambda cell, **o: keras.layers.RNN(StackedRNNCells([cell], dtype=cell.dtype_policy), **o),
}
CANDIDATE = {"lstm": (2, 4), "gru_before": (2, 3), "mgu": (1, 2), "mut3": (2, 3)}
"""Which block of the kernel is the candidate's, of how many."""


def half_open(kind, arrange, batch=B, **options):
    """A layer whose gates are all σ(0) = ½ and whose candidate is x_t: s_t = ½ s_{t-1} + ½ m ⊙ x_t shows the mask m."""
    cell = cell_of(kind, activation="linear", use_bias=False, **options)
    layer = arrange(cell, return_sequences=True, dtype="float64")
    layer.build((batch, T, H))
    block, blocks = CANDIDATE[kind]
    kernel = np.zeros((H, blocks * H))
    kernel[:, block * H : (block + 1) * H] = np.eye(H)
    cell.set_weights([kernel, np.zeros(cell.recurrent_kernel.shape)])
    return layer


def averaged(x, start, mask):
    """s_t = ½ s_{t-1} + ½ m ⊙ x_t."""
    seen = [start]
    for t in range(x.shape[1]):
        seen.append(seen[-1] / 2 + mask * x[:, t] / 2)
    return np.stack(seen[1:], axis=1)


@pytest.mark.parametrize(("kind", "mode"), [("lstm", "graph"), *((kind, "eager") for kind in CANDIDATE)])
@pytest.mark.parametrize("arrange", ARRANGEMENTS.values(), ids=ARRANGEMENTS)
def test_one_mask_of_the_candidate_serves_the_sequence_and_what_the_state_holds_is_never_dropped(kind, arrange, mode):
    batch, rate = 60, 0.25
    layer = half_open(kind, arrange, batch, candidate_dropout=rate)
    x, states = values(batch, T, H, dtype="float64"), states_of(cell_of(kind), batch=batch)
    call = lambda: layer(x, initial_state=keras.tree.pack_sequence_as(layer.state_size, states), training=True)
    outputs = np.array((tf.function(call) if mode == "graph" else call)())
    outputs *= 2 if kind == "lstm" else 1  # which shows c_t ⊙ o
    dropped, kept = (np.isclose(outputs, averaged(x, states[-1], m)).all(axis=1) for m in (0, 1 / (1 - rate)))
    assert (dropped ^ kept).all()
    assert dropped.mean() == pytest.approx(rate, abs=0.08)
    assert 0 < dropped.any(axis=1).mean() < 1  # from example to example
    assert (dropped.any(axis=0) & kept.any(axis=0)).all()  # and from unit to unit


@pytest.mark.parametrize("kind", CANDIDATE)
def test_the_candidate_is_dropped_in_training_alone_and_anew_for_every_batch(kind):
    with_dropout, without = twins(*(RNN(cell_of(kind, **o)) for o in ({"candidate_dropout": 0.5}, {})))
    assert_close(with_dropout(X), without(X), tolerance=1e-6)
    assert_close(with_dropout(X, training=False), without(X), tolerance=1e-6)
    first, second = with_dropout(X, training=True), with_dropout(X, training=True)
    assert np.abs(first - second).max() > 1e-3
    assert with_dropout(values(B + 3, T, I), training=True).shape == (B + 3, H)


@pytest.mark.parametrize("kind", ["fgr", "gru_after", "gru_before", "mgu", "mut2"])
def test_with_equal_seeds_the_rnn_of_keras_drops_the_same(kind):
    pair = [random_layer(cell_of(kind, **DROPPED), arrange) for arrange in (RNN, keras.layers.RNN)]
    call = {"mask": mask_of("random"), "training": True}
    assert_close(*(outputs_and_gradients(layer, X, states_of(layer.cell), **call) for layer in pair), tolerance=1e-12)


# ----------------------------------------------------------------------------------------------- projection


@pytest.mark.parametrize(("kind", "mask"), [("lstm", "none"), ("lstm", "random"), ("nog", "none"), ("fgr", "random")])
def test_projection_by_the_identity_changes_nothing(kind, mask):
    plain, projected = (random_layer(cell_of(kind, **options)) for options in ({}, {"projection_units": H}))
    for weight in projected.cell.weights:
        named = {w.name: w for w in plain.cell.weights}
        weight.assign(named[weight.name] if weight.name in named else np.eye(H))
    first, second = (
        outputs_and_gradients(layer, X, states_of(plain.cell), mask=mask_of(mask)) for layer in (plain, projected)
    )
    for found, layer in ((first, plain), (second, projected)):
        by_name = dict(zip((w.name for w in layer.trainable_weights), found["weights"], strict=True))
        found["weights"] = [by_name[w.name] for w in plain.trainable_weights]
    assert_close(second, first, tolerance=1e-12)


@pytest.mark.parametrize("kind", LSTMS)
@pytest.mark.parametrize("projected", [2, H + 2])
def test_projection_changes_the_size_of_what_goes_up_and_back_and_not_of_what_is_kept(kind, projected):
    cell = cell_of(kind, projection_units=projected)
    layer = random_layer(cell)
    outputs, h, c, *gates = layer(X)
    assert outputs.shape == (B, T, projected)
    assert [h.shape, c.shape] == [(B, projected), (B, H)]
    assert all(gate.shape == (B, H) for gate in gates)
    assert cell.recurrent_kernel.shape[0] == cell.output_size == projected
    assert_close(outputs[:, -1], h, tolerance=0)


@pytest.mark.parametrize("kind", LINEAR)
def test_layer_normalised_linear_recurrences_still_need_no_loop(kind):
    layer = random_layer(cell_of(kind, **NORMALISED))
    assert rnnscope.bptt.is_hand_derived(layer.cell)
