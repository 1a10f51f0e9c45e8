"""The cells of the literature that Keras does not have, re-derived in NumPy with random weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import rnnscope
from rnnscope import RNN, GradientTaps, LSTMCell, MGUCell, PeepholeLSTMCell
from tests.layers.helpers import (
    B,
    H,
    I,
    T,
    assert_close,
    mask_of,
    outputs_and_gradients,
    randomise,
    readable,
    twins,
    values,
)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def peephole(x, states, cell, phi_g=np.tanh, phi_c=np.tanh):
    """Gers & Schmidhuber's LSTM, with whatever gates the cell has."""
    (h, c, *before), (W, U, b, *rest) = states, cell.get_weights()
    a = dict(zip(cell.blocks, np.split(x @ W + h @ U + b, len(cell.blocks), axis=1), strict=True))
    p = dict(zip(cell.gate_names, rest[0], strict=True)) if cell.peepholes and rest else {}
    if before:
        seen = np.split(np.concatenate(before, axis=1) @ rest[-1], 3, axis=1)
        for name, s in zip("ifo", seen, strict=True):
            a[name] = a[name] + s
    gate = lambda name, c: sigmoid(a[name] + p.get(name, 0) * c) if name in a else np.ones_like(c)
    i = gate("i", c)
    f = 1 - i if cell.coupled_gates else gate("f", c)
    c = f * c + i * phi_g(a["c"])
    o = gate("o", c)
    return [o * phi_c(c), c, *((i, f, o) if before else ())]


def linear(a):
    return a


def mut(kind):
    def step(x, states, cell):
        (h,), (W, U, b) = states, cell.get_weights()
        b_z, b_r, b_h = np.split(b, 3)
        W, U = np.split(W, W.shape[1] // H, axis=1), np.split(U, U.shape[1] // H, axis=1)
        if kind == 1:
            raw = x if len(W) == 2 else x @ W[2]
            z, r = sigmoid(x @ W[0] + b_z), sigmoid(x @ W[1] + h @ U[0] + b_r)
            n = (r * h) @ U[1] + np.tanh(raw) + b_h
        elif kind == 2:
            raw = x if len(W) == 2 else x @ W[2]
            z, r = sigmoid(x @ W[0] + h @ U[0] + b_z), sigmoid(raw + h @ U[1] + b_r)
            n = (r * h) @ U[2] + x @ W[1] + b_h
        else:
            z, r = sigmoid(x @ W[0] + np.tanh(h) @ U[0] + b_z), sigmoid(x @ W[1] + h @ U[1] + b_r)
            n = (r * h) @ U[2] + x @ W[2] + b_h
        return [np.tanh(n) * z + h * (1 - z)]

    return step


def mgu(x, states, cell):
    (h,), (W, U, b) = states, cell.get_weights()
    x_f, x_h = np.split(x @ W + b, 2, axis=1)
    U_f, U_h = np.split(U, 2, axis=1)
    f = sigmoid(x_f + h @ U_f)
    return [(1 - f) * h + f * np.tanh(x_h + (f * h) @ U_h)]


def indrnn(x, states, cell):
    (h,), (W, u, b) = states, cell.get_weights()
    return [np.maximum(x @ W + u * h + b, 0)]


def mingru(x, states, cell):
    (h,), (W, b) = states, cell.get_weights()
    z, n = np.split(x @ W + b, 2, axis=1)
    return [(1 - sigmoid(z)) * h + sigmoid(z) * n]


def minlstm(x, states, cell):
    (h,), (W, b) = states, cell.get_weights()
    i, f, g = np.split(x @ W + b, 3, axis=1)
    i, f = sigmoid(i), sigmoid(f)
    return [f / (f + i) * h + i / (f + i) * g]


SWITCHES = {
    "peephole": {},
    "nig": {"input_gate": False},
    "nfg": {"forget_gate": False},
    "nog": {"output_gate": False},
    "niaf": {"input_activation": False},
    "noaf": {"output_activation": False},
    "cifg": {"coupled_gates": True},
    "np": {"peepholes": False},
    "fgr": {"full_gate_recurrence": True},
}
STEPS = {
    **dict.fromkeys(SWITCHES, peephole),
    "niaf": lambda *step: peephole(*step, phi_g=linear),
    "noaf": lambda *step: peephole(*step, phi_c=linear),
    **{f"mut{kind}": mut(kind) for kind in (1, 2, 3)},
    "mgu": mgu,
    "indrnn": indrnn,
    "mingru": mingru,
    "minlstm": minlstm,
}
CLASSES = {"mut1": rnnscope.MUT1Cell, "mut2": rnnscope.MUT2Cell, "mut3": rnnscope.MUT3Cell, "mgu": MGUCell,
           "indrnn": rnnscope.IndRNNCell, "mingru": rnnscope.MinGRUCell, "minlstm": rnnscope.MinLSTMCell}  # fmt: skip

kinds = pytest.mark.parametrize("kind", STEPS)


def cell_of(kind, **options):
    return PeepholeLSTMCell(H, **SWITCHES[kind], **options) if kind in SWITCHES else CLASSES[kind](H, **options)


def states_of(cell, seed=10):
    return [values(B, H, seed=seed + index) for index, _ in enumerate(cell.state_names)]


@kinds
@pytest.mark.parametrize("inputs", [I, H], ids=["I<H", "I=H"])
def test_a_sequence_follows_the_equations_step_by_step(kind, inputs):
    cell, x = cell_of(kind), values(B, T, inputs)
    layer = RNN(cell, return_sequences=True, return_state=True)
    layer.build(x.shape)
    randomise(layer)
    states = states_of(cell)
    outputs, *last = layer(x, initial_state=states)
    expected = []
    for t in range(T):
        states = STEPS[kind](x[:, t], states, cell)
        expected.append(states[0])
    assert_close([outputs, *last], [np.stack(expected, axis=1), *states])


@kinds
@pytest.mark.parametrize("mask", ["none", "random", "row"])
def test_whole_sequences_and_unrolled_steps_agree_in_outputs_and_gradients(kind, mask):
    options = {"return_sequences": True, "return_state": True}
    pair = twins(RNN(cell_of(kind), **options), RNN(cell_of(kind), unroll=True, **options))
    looped, unrolled = (
        outputs_and_gradients(layer, values(B, T, I), states_of(layer.cell), mask=mask_of(mask)) for layer in pair
    )
    assert_close(looped, unrolled)


@kinds
def test_the_cells_work_in_keras_s_rnn(kind):
    ours, keras_s = twins(
        RNN(cell_of(kind), return_sequences=True), keras.layers.RNN(cell_of(kind), return_sequences=True)
    )
    assert_close(*(outputs_and_gradients(layer, values(B, T, I)) for layer in (ours, keras_s)))


@kinds
def test_unknown_length_and_batch_size_change_nothing(kind, compiled):
    layer = RNN(cell_of(kind), return_sequences=True)
    sequence = keras.Input((None, I))
    model = keras.Model(sequence, layer(sequence))
    randomise(model)
    model.compile("sgd", loss=lambda y, h: keras.ops.mean(keras.ops.sum(y * h, axis=(1, 2))))
    x, y = values(B, T, I), values(B, T, H)
    assert_close(model.predict(x, verbose=0), layer(x))
    x, y, before = tf.constant(x), tf.constant(y), model.get_weights()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.reduce_sum(y * layer(x), axis=(1, 2)))
    gradients = tape.gradient(loss, layer.trainable_weights)
    model.train_on_batch(x, y)  # one step of plain gradient descent with rate 0.01
    steps = [(start - after) / 0.01 for start, after in zip(before, model.get_weights(), strict=True)]
    assert_close(steps, gradients, tolerance=1e-3)


@kinds
def test_configurations_survive_and_files_load(kind, tmp_path):
    model = keras.Sequential([keras.Input((T, I)), RNN(cell_of(kind))])
    randomise(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close(loaded(values(B, T, I)), model(values(B, T, I)), tolerance=0)
    assert loaded.layers[0].cell.get_config() == model.layers[0].cell.get_config()


def norms_by_perturbation(layer, x, mask):
    """Norms of the derivative by a zero added to every h of an unrolled twin that is the same but for its `observe`."""
    disturbances = [tf.Variable(tf.zeros((B, H))) for _ in range(x.shape[1])]
    seen = iter(disturbances)
    layer.cell.observe = lambda signal, value: value + next(seen) if signal == "h" else value
    with tf.GradientTape() as tape:
        outputs = layer(x, mask=mask)
        loss = tf.reduce_mean(tf.reduce_sum(tf.sin(outputs), axis=tuple(range(1, len(outputs.shape)))))
    gradients = tape.gradient(loss, disturbances)
    present = np.ones((B, T)) if mask is None else mask
    squares = [np.sum(np.square(gradient)) for gradient in gradients]
    return B * np.sqrt(squares / np.maximum(present.sum(axis=0), 1))


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
def test_norms_are_those_of_a_perturbation(kind, mask):
    measured, unrolled = twins(
        RNN(cell_of(kind), return_sequences=True), RNN(cell_of(kind), return_sequences=True, unroll=True)
    )
    x, mask = tf.constant(values(B, T, I)), mask_of(mask)
    with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
        loss = tf.reduce_mean(tf.reduce_sum(tf.sin(measured(x, mask=mask)), axis=(1, 2)))
    norms = tape.gradient(loss, taps.vectors)
    assert {key.split("/")[1] for key in norms} == ({"h", "c"} if kind in SWITCHES else {"h"})
    (h,) = (norm for key, norm in norms.items() if key.endswith("/h"))
    assert_close(h, norms_by_perturbation(unrolled, x, mask))


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("peephole", 4 * H * (I + H + 1) + 3 * H), ("nig", 3 * H * (I + H + 1) + 2 * H),
     ("nfg", 3 * H * (I + H + 1) + 2 * H),
     ("nog", 3 * H * (I + H + 1) + 2 * H), ("cifg", 3 * H * (I + H + 1) + 2 * H), ("np", 4 * H * (I + H + 1)),
     ("fgr", 4 * H * (I + H + 1) + 3 * H + 9 * H * H), ("mgu", 2 * H * (I + H + 1)), ("indrnn", H * (I + 2)),
     ("mingru", 2 * H * (I + 1)), ("minlstm", 3 * H * (I + 1)), ("mut3", 3 * H * (I + H + 1)),
     ("mut1", 3 * H * I + 2 * H * H + 3 * H), ("mut2", 3 * H * I + 3 * H * H + 3 * H)],
)  # fmt: skip
def test_parameter_counts_follow_the_formula(kind, parameters):
    cell = cell_of(kind)
    cell.build((B, I))
    assert cell.count_params() == parameters


@pytest.mark.parametrize("reset_after", [True, False])
def test_negating_the_update_gate_s_weights_turns_keep_into_write(reset_after):
    options = {"reset_after": reset_after, "return_sequences": True}
    keep, write = twins(rnnscope.GRU(H, **options), rnnscope.GRU(H, update_gate="write", **options))
    sign = np.repeat([-1.0, 1.0, 1.0], H)
    write.set_weights([weight * sign for weight in keep.get_weights()])
    kept, written = (outputs_and_gradients(layer, values(B, T, I), [values(B, H)]) for layer in (keep, write))
    written["weights"] = [gradient * sign for gradient in written["weights"]]
    assert_close(kept, written)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("mask", ["none", "random"])
def test_hand_derived_gradients_hold_for_the_update_gate_that_writes(reset_after, mask):
    options = {"reset_after": reset_after, "update_gate": "write"}
    fast, plain = twins(RNN(rnnscope.GRUCell(H, **options)), RNN(readable(rnnscope.GRUCell)(H, **options)))
    assert_close(
        *(outputs_and_gradients(layer, values(B, T, I), [values(B, H)], mask=mask_of(mask)) for layer in (fast, plain))
    )


def test_without_peepholes_it_is_the_lstm():
    plain, lstm = twins(RNN(cell_of("np"), return_sequences=True), RNN(LSTMCell(H), return_sequences=True))
    assert_close(
        *(
            outputs_and_gradients(layer, values(B, T, I), [values(B, H), values(B, H, seed=1)])
            for layer in (plain, lstm)
        )
    )


def test_coupled_gates_are_the_lstm_whose_forget_gate_is_the_negated_input_gate():
    coupled = RNN(PeepholeLSTMCell(H, coupled_gates=True, peepholes=False))
    lstm = RNN(LSTMCell(H))
    for layer in (coupled, lstm):
        layer.build((B, T, I))
    randomise(coupled)
    negated = []
    for weight in coupled.get_weights():  # i, c, o → i, −i, c, o, since 1 − σ(a) = σ(−a)
        i, c, o = np.split(weight, 3, axis=-1)
        negated.append(np.concatenate([i, -i, c, o], axis=-1))
    lstm.set_weights(negated)
    assert_close(coupled(values(B, T, I)), lstm(values(B, T, I)))


@pytest.mark.parametrize("kind", ["mingru", "minlstm"])
def test_the_scan_stays_finite_with_saturated_gates_over_many_steps(kind):
    layer = RNN(cell_of(kind), return_sequences=True)
    layer.build((B, 500, I))
    randomise(layer, scale=30.0)
    result = outputs_and_gradients(layer, values(B, 500, I), states_of(layer.cell))
    for array in keras.tree.flatten(result):
        assert np.isfinite(array).all()
    unrolled_h, seen = values(B, H, seed=10), []
    for t in range(500):
        (unrolled_h,) = STEPS[kind](values(B, 500, I)[:, t].astype("float64"), [unrolled_h], layer.cell)
        seen.append(unrolled_h)
    assert_close(result["outputs"][0], np.stack(seen, axis=1), tolerance=1e-4)


def test_indrnn_keeps_its_recurrent_weights_within_the_limit_while_training():
    model = keras.Sequential(
        [keras.Input((T, I)), RNN(rnnscope.IndRNNCell(H, max_steps=T, recurrent_initializer="ones"))]
    )
    model.compile(keras.optimizers.SGD(10.0), loss=lambda y, h: -keras.ops.mean(h))
    model.fit(np.abs(values(B, T, I)), np.zeros((B, H)), epochs=3, verbose=0)
    assert np.abs(model.layers[0].cell.recurrent_kernel).max() <= np.float32(2 ** (1 / T))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PeepholeLSTMCell(H, coupled_gates=True, forget_gate=False), "coupled_gates: expected"),
        (lambda: PeepholeLSTMCell(H, full_gate_recurrence=True, input_gate=False), "full_gate_recurrence: expected"),
        (lambda: rnnscope.IndRNNCell(H, max_steps=0), "max_steps: expected a positive integer or None, got 0"),
        (lambda: rnnscope.IndRNNCell(H, max_steps=5, recurrent_constraint="non_neg"), "max_steps: expected None"),
        (lambda: rnnscope.MinGRUCell(H, recurrent_dropout=0.5), "recurrent_dropout: expected 0"),
        (
            lambda: rnnscope.GRUCell(H, update_gate="both"),
            r"update_gate: expected one of \['keep', 'write'\], got 'both'",
        ),
        (lambda: MGUCell(0), "units: expected a positive integer, got 0"),
    ],
)
def test_arguments_that_contradict_one_another_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
