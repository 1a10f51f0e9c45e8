"""Precision: half, mixed, double, and cells whose precision is not that of their layer."""

import keras
import numpy as np
import pytest

from rnnscope import RNN, LSTMCell, StackedRNNCells
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
    states_for,
    twins,
    values,
)

kinds = pytest.mark.parametrize("kind", KINDS)

HALVES = {"mixed_float16": 2.0**-10, "mixed_bfloat16": 2.0**-7}
"""Policies and the distance from 1 to the next number of their compute dtype."""


def roundings(policy):
    """How far half precision may stray: one rounding a step, as rounding errors add up along the sequence."""
    return T * HALVES[policy]


@kinds
@pytest.mark.parametrize("mask", ["none", "random"])
def test_double_precision_is_that_of_keras(kind, mask):
    options = {"dtype": "float64", "return_sequences": True, "return_state": True}
    layers = twins(ours(kind, **options), keras_layer(kind, **options))
    x, states = values(B, T, I, dtype="float64"), states_for(kind, dtype="float64")
    assert_close(*(outputs_and_gradients(layer, x, states, mask=mask_of(mask)) for layer in layers), tolerance=1e-13)


@kinds
@pytest.mark.parametrize("policy", HALVES)
@pytest.mark.parametrize("mask", ["none", "random"])
def test_half_precision_is_as_near_to_single_precision_as_its_rounding_allows(kind, policy, mask):
    half, single = (ours(kind, dtype=dtype, return_sequences=True, return_state=True) for dtype in (policy, "float32"))
    x, states = values(B, T, I), states_for(kind)
    half, single = (outputs_and_gradients(layer, x, states, mask=mask_of(mask)) for layer in twins(half, single))
    assert {output.dtype.name for output in half["outputs"]} == {policy.removeprefix("mixed_")}
    assert_close(half, single, tolerance=roundings(policy))


@kinds
@pytest.mark.parametrize("policy", HALVES)
def test_compiled_half_precision_works_too(kind, policy, compiled):
    half, single = (ours(kind, dtype=dtype, return_sequences=True) for dtype in (policy, "float32"))
    half, single = (outputs_and_gradients(layer, values(B, T, I)) for layer in twins(half, single))
    assert_close(half, single, tolerance=roundings(policy))


@kinds
@pytest.mark.parametrize("cell_dtype, layer_dtype", [("mixed_float16", "float32"), ("float32", "mixed_float16")])
def test_a_cell_may_have_another_precision_than_its_layer(kind, cell_dtype, layer_dtype):
    mine = RNN(our_cell(kind, dtype=cell_dtype), dtype=layer_dtype, return_sequences=True)
    theirs = keras.layers.RNN(keras_cell(kind, dtype=cell_dtype), dtype=layer_dtype, return_sequences=True)
    mine, theirs = (outputs_and_gradients(layer, values(B, T, I)) for layer in twins(mine, theirs))
    assert mine["outputs"][0].dtype == theirs["outputs"][0].dtype
    assert_close(mine, theirs, tolerance=roundings("mixed_float16"))


def test_stacked_cells_may_each_have_their_own_precision():
    cells = [LSTMCell(H, dtype="mixed_float16"), keras.layers.GRUCell(H, dtype="mixed_bfloat16"), LSTMCell(H)]
    x = values(B, T, I)
    outputs = RNN(StackedRNNCells(cells), return_sequences=True)(x, mask=mask_of("random"))
    assert outputs.dtype == "float32"
    assert np.isfinite(outputs).all()


def test_a_global_policy_reaches_the_cell():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = ours("lstm")
        assert layer(values(B, T, I)).dtype == "bfloat16"
        assert layer.cell.kernel.dtype == "float32"
    finally:
        keras.config.set_dtype_policy(before)
