"""Options and wrappers of cells together: any combination, within models, on disk, and under gradient probes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope import RNN, DeepOutputCell, DeepTransitionCell, GradientTaps, ZoneoutCell
from tests.layers.equations import (
    CELLS,
    GATED,
    LINEAR,
    LSTMS,
    assert_follows_the_equations,
    cell_of,
    random_layer,
    reader,
    sequence,
    states_of,
)
from tests.layers.helpers import MASKS, B, H, I, T, assert_close, mask_of, randomise, values
from tests.layers.variants import VARIANTS

X = values(B, T, I, dtype="float64")


@st.composite
def cells(draw):
    """Any cell with any of its options, in any of the wrappers."""
    kind = draw(st.sampled_from(list(CELLS)))
    rate = lambda: draw(st.sampled_from([0.0, 0.0, 0.3]))
    options = {"use_bias": draw(st.booleans()), "layer_normalization": draw(st.booleans()), "seed": 1}
    options["dropout"] = rate()
    if kind not in LINEAR:
        options["recurrent_dropout"] = rate()
    if kind in GATED:
        options["candidate_dropout"] = rate()
    if kind in LSTMS:
        options["projection_units"] = draw(st.sampled_from([None, 3, H + 1]))
    cell = cell_of(kind, **options)
    for wrapper in draw(st.permutations(["zoneout", "transition"]))[: draw(st.integers(0, 2))]:
        if wrapper == "zoneout":
            cell_rate = draw(st.sampled_from([0.0, 0.5, 1.0])) if "c" in cell.state_names else 0.0
            cell = ZoneoutCell(cell, draw(st.sampled_from([0.0, 0.3, 1.0])), cell_rate, seed=2)
        else:
            activation = draw(st.sampled_from(["tanh", "softplus", "linear"]))
            cell = DeepTransitionCell(cell, draw(st.integers(1, 3)), activation, shortcut=draw(st.booleans()))
    if draw(st.booleans()):
        cell = DeepOutputCell(cell, units=draw(st.sampled_from([3, [4, 2]])), activation="sigmoid")
    return cell


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    cell=cells(),
    mask=st.sampled_from(MASKS),
    arrangement=st.sampled_from(["ours", "unrolled", "keras"]),
    inputs=st.sampled_from([I, H]),
    training=st.booleans(),
    go_backwards=st.booleans(),
    return_sequences=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_any_combination_follows_the_equations_in_outputs_and_derivatives(
    cell, mask, arrangement, inputs, training, go_backwards, return_sequences, seed
):
    """In Keras's `RNN` each step draws its own zoneout, in an order that is not the equations': no training there."""
    arrange = keras.layers.RNN if arrangement == "keras" else RNN
    options = {"go_backwards": go_backwards, "return_sequences": return_sequences, "unroll": arrangement == "unrolled"}
    layer = random_layer(cell, arrange, inputs, **options)
    randomise(layer, seed)
    x, states = values(B, T, inputs, seed=seed, dtype="float64"), states_of(cell, seed)
    assert_follows_the_equations(layer, x, states, mask_of(mask), training and arrangement != "keras", seed + 1)


# ------------------------------------------------------------------------------------------------ gradient probes


def norms_by_differences(cell, mask, signal, step=1e-6):
    """Root mean square, over examples, of ‖∂ℓ_b/∂h_{b,t}‖: h_t is moved, one unit after another, in all examples."""
    w, states = reader(cell.trainable_weights), states_of(cell)

    def losses(at, unit, by):
        def disturb(t, name, value):
            return value + by * np.eye(value.shape[-1])[unit] if (t, name) == (at, signal) else value

        outputs, _ = sequence(cell, w, X, states, mask, disturb=disturb)
        return np.sin(outputs).sum(axis=(1, 2))

    size = dict(zip(cell.state_names, keras.tree.flatten(cell.state_size), strict=True))[signal]
    squares = [
        sum(((losses(t, unit, step) - losses(t, unit, -step)) / (2 * step)) ** 2 for unit in range(size))
        for t in range(T)
    ]
    present = np.full(T, B) if mask is None else np.maximum(mask.sum(axis=0), 1)
    return np.sqrt(np.sum(squares, axis=1) / present)


@pytest.mark.parametrize("name", VARIANTS)
def test_norms_are_those_of_the_outermost_cell_s_states(name):
    """A probe sees h where the next step and the layer above see it, after all wrappers; and so it sees c."""
    layer, mask = random_layer(VARIANTS[name](dtype="float64")), mask_of(("none", "random", "row")[len(name) % 3])
    x, states = tf.constant(X), [tf.constant(s) for s in states_of(layer.cell)]
    with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
        outputs, *_ = layer(x, initial_state=states, mask=mask)
        loss = tf.reduce_mean(tf.reduce_sum(tf.sin(outputs), axis=(1, 2)))
    norms = {key.split("/")[1]: norm for key, norm in tape.gradient(loss, taps.vectors).items()}
    for signal in {"h", "c"} & {*layer.cell.state_names, *norms}:
        assert_close(norms[signal], norms_by_differences(layer.cell, mask, signal), tolerance=1e-6)
