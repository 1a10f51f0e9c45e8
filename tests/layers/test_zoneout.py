"""Zoneout: which units keep their state, drawn anew at every step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnscope import RNN, LSTMCell, SimpleRNNCell, StackedRNNCells, ZoneoutCell
from tests.layers.equations import cell_of, random_layer, states_of
from tests.layers.helpers import B, H, I, T, assert_close, mask_of, outputs_and_gradients, randomise, values

X = values(B, T, I, dtype="float64")
ARRANGEMENTS = {
    "our_rnn": RNN,
    "unrolled": lambda cell, **o: RNN(cell, unroll=True, **o),
    "keras_rnn": keras.layers.RNN,
    "our_stack": lambda cell, **o: RNN([cell], **o),
    "our_stack_in_keras": lambda cell, **o: keras.layers.RNN(StackedRNNCells([cell]), **o),
}


def counting(arrange, batch, **options):
    """A layer that hands on t where a unit takes its new state at step t, and what it had where it does not."""
    cell = ZoneoutCell(SimpleRNNCell(H, activation="linear", use_bias=False), **options)
    layer = arrange(cell, return_sequences=True)
    layer.build((batch, T, H))
    cell.set_weights([np.eye(H), np.zeros((H, H))])
    return layer, np.broadcast_to(np.arange(1.0, T + 1)[:, None], (batch, T, H)).astype("float32")


def kept(outputs, x):
    """Where a unit kept its state; everywhere else it must have taken the new one."""
    outputs = np.array(outputs)
    before = np.concatenate([np.zeros_like(outputs[:, :1]), outputs[:, :-1]], axis=1)
    assert ((outputs == before) | (outputs == x)).all()
    return outputs == before


@pytest.mark.parametrize("arrange", ARRANGEMENTS.values(), ids=ARRANGEMENTS)
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_which_units_keep_their_state_is_drawn_anew_for_every_unit_step_example_and_batch(arrange, mode):
    batch, rate = 300, 0.3
    layer, x = counting(arrange, batch, rate=rate, seed=1)
    call = lambda: layer(x, training=True)
    if mode != "eager":
        call = tf.function(call, jit_compile=mode == "xla")
    first, second = kept(call(), x), kept(call(), x)
    assert first.mean() == pytest.approx(rate, abs=0.02)
    for one, other in (
        (first[:, 1:], first[:, :-1]),
        (first[:, :, 1:], first[:, :, :-1]),
        (first[1:], first[:-1]),
        (first, second),
    ):
        assert np.mean(one & other) == pytest.approx(rate**2, abs=0.02)


def test_equal_seeds_keep_the_same_units_and_the_global_seed_makes_the_rest_reproducible():
    def draw(**options):
        keras.utils.set_random_seed(4)
        layer, x = counting(RNN, B, rate=0.5, **options)
        return kept(layer(x, training=True), x)

    assert (draw(seed=1) == draw(seed=1)).all()
    assert (draw(seed=1) != draw(seed=2)).any()
    assert (draw() == draw()).all()


@pytest.mark.parametrize("kind", ["lstm", "fgr"])
def test_every_unit_of_h_and_c_has_its_old_state_or_the_one_that_the_inner_cell_would_give_it(kind):
    batch, rates = 2000, {"rate": 0.2, "cell_rate": 0.6}
    cell = ZoneoutCell(cell_of(kind), **rates, seed=2)
    cell.build((batch, I))
    randomise(cell)
    x, before = values(batch, I, dtype="float64"), states_of(cell, batch=batch)
    seen, after = cell(x, before, training=True)
    _, new = cell.cell(x, before)
    kept = [np.array(a == b) for a, b in zip(after, before, strict=True)]
    taken = [np.array(a == n) for a, n in zip(after, new, strict=True)]
    assert all((k ^ t).all() for k, t in zip(kept[:2], taken[:2], strict=True))
    assert all(t.all() for t in taken[2:])  # gates that are handed on as states
    assert_close(seen, after[0], tolerance=0)
    assert [k.mean() for k in kept[:2]] == pytest.approx([0.2, 0.6], abs=0.02)
    assert np.mean(kept[0] & kept[1]) == pytest.approx(0.2 * 0.6, abs=0.02)


def test_inference_takes_the_mean_of_what_training_draws():
    batch = 4000
    cell = ZoneoutCell(cell_of("lstm"), rate=0.3, cell_rate=0.6, seed=3)
    cell.build((batch, I))
    randomise(cell)
    x, before = np.repeat(X[:1, 0], batch, axis=0), [np.repeat(s[:1], batch, axis=0) for s in states_of(cell)]
    _, drawn_states = cell(x, before, training=True)
    _, expected = cell(x, before)
    for drawn_state, state in zip(drawn_states, expected, strict=True):
        assert_close(np.mean(drawn_state, axis=0), state[0], tolerance=0.05)


@pytest.mark.parametrize("kind", ["rnn", "indrnn", "lstm", "fgr", "gru_after", "mut1", "minlstm"])
def test_a_rate_of_zero_is_the_inner_cell(kind):
    inner = lambda: cell_of(kind, dropout=0.3, seed=7)
    plain, wrapped = random_layer(inner()), random_layer(ZoneoutCell(inner(), rate=0.0))
    call = {"mask": mask_of("random"), "training": True}
    pair = (outputs_and_gradients(layer, X, states_of(plain.cell), **call) for layer in (wrapped, plain))
    assert_close(*pair, tolerance=1e-12)


@pytest.mark.parametrize("training", [False, True])
def test_at_a_rate_of_one_the_state_never_moves(training):
    layer = random_layer(ZoneoutCell(LSTMCell(H, dtype="float64"), rate=1, cell_rate=1))
    h, c = states_of(layer.cell)
    outputs, *last = layer(X, initial_state=[h, c], training=training)
    assert_close([outputs, *last], [np.repeat(h[:, None], T, axis=1), h, c], tolerance=0)
