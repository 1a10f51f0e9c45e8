"""The hand-derived gradients against central differences, in double precision."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope import bptt
from tests.layers.helpers import (
    KINDS,
    MASKS,
    B,
    I,
    T,
    mask_of,
    ours,
    outputs_and_gradients,
    randomise,
    states_for,
    values,
    weighted_sum,
)

STEP = 1e-5
TOLERANCE = 1e-6


def layer_for(kind, seed=5, **options):
    layer = ours(kind, dtype="float64", return_state=True, **options)
    layer.build((B, T, I))
    assert bptt.is_hand_derived(layer.cell)
    return randomise(layer, seed)


def loss_of(layer, mask):
    """The loss of `outputs_and_gradients`, as a function of the inputs and initial states."""
    return lambda x, *states: weighted_sum(layer(x, initial_state=list(states), mask=mask))


def derivatives(layer, x, states, mask):
    found = outputs_and_gradients(layer, x, states, mask=mask)
    return [
        found[source][index].numpy()
        for source in ("inputs", "states", "weights")
        for index in range(len(found[source]))
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", ["none", "random"])
def test_every_entry_of_every_gradient_equals_its_central_difference(kind, mask):
    mask = mask_of(mask)
    layer = layer_for(kind, return_sequences=True)
    x, states = values(B, T, I, dtype="float64"), states_for(kind, dtype="float64")
    variables = [tf.Variable(value) for value in (x, *states)]
    loss = tf.function(lambda: loss_of(layer, mask)(*variables))
    sources = [*variables, *(w.value for w in layer.trainable_weights)]
    for source, exact in zip(sources, derivatives(layer, x, states, mask), strict=True):
        value, differences = source.numpy(), np.zeros(source.shape)
        for index in np.ndindex(*value.shape):
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * STEP
                source.assign(moved)
                ends.append(float(loss()))
            differences[index] = (ends[0] - ends[1]) / (2 * STEP)
        source.assign(value)
        assert np.abs(differences - exact).max() < TOLERANCE * np.abs(exact).max()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(list(KINDS)),
    mask=st.sampled_from(MASKS),
    activation=st.sampled_from(["tanh", "sigmoid", "softplus", "softsign", "linear"]),
    seed=st.integers(0, 1000),
    options=st.fixed_dictionaries(
        {name: st.booleans() for name in ("use_bias", "go_backwards", "return_sequences", "zero_output_for_mask")}
    ),
)
def test_derivatives_along_random_directions_equal_central_differences(kind, mask, activation, seed, options):
    layer = layer_for(kind, seed, activation=activation, **options)
    mask = mask_of(mask)
    x, states = values(B, T, I, seed=seed, dtype="float64"), states_for(kind, seed + 1, dtype="float64")
    exact = derivatives(layer, x, states, mask)
    points = [x, *states, *layer.get_weights()]
    directions = [values(*point.shape, seed=seed + 2, dtype="float64") for point in points]

    def loss_at(moved):
        layer.set_weights(moved[1 + len(states) :])
        return float(loss_of(layer, mask)(*(tf.constant(value) for value in moved[: 1 + len(states)])))

    for index, (derivative, direction) in enumerate(zip(exact, directions, strict=True)):
        ends = [
            loss_at([p + sign * STEP * direction if i == index else p for i, p in enumerate(points)])
            for sign in (1, -1)
        ]
        size = np.linalg.norm(derivative) * np.linalg.norm(direction)
        assert abs((ends[0] - ends[1]) / (2 * STEP) - np.sum(derivative * direction)) < TOLERANCE * size
