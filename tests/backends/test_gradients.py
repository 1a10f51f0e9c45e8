"""The way back through time: by hand against automatic, once, twice, compiled, under dropout."""

import numpy as np
import pytest
from keras import ops

from rnnscope import RNN, bptt
from tests.backends.helpers import HAND_DERIVED, READINGS, cell_of, layer_of
from tests.layers.derivatives import compiled_function, differentiate, double_precision, slopes
from tests.layers.equations import LINEAR, states_of
from tests.layers.helpers import (
    B,
    I,
    T,
    assert_close,
    mask_of,
    outputs_and_gradients,
    readable,
    twins,
    values,
    weighted_sum,
)

readings = pytest.mark.parametrize(("mask", "go_backwards"), READINGS)
SHOWN = {"return_sequences": True, "return_state": True}


def assert_equal_gradients(layer, twin, mask, **call):
    call.update(x=values(B, T, I), states=states_of(layer.cell, dtype="float32"), mask=mask_of(mask))
    assert_close(*(outputs_and_gradients(each, **call) for each in twins(layer, twin)))


def cell_and_readable_twin(kind, **options):
    cell = cell_of(kind, **options)
    twin = readable(type(cell)).from_config(cell.get_config())
    assert bptt.is_hand_derived(cell)
    assert not bptt.is_hand_derived(twin)
    return cell, twin


@pytest.mark.parametrize("kind", HAND_DERIVED)
@readings
def test_hand_derived_gradients_equal_automatic_ones_of_the_readable_cell(kind, mask, go_backwards):
    pair = (RNN(cell, go_backwards=go_backwards, **SHOWN) for cell in cell_and_readable_twin(kind))
    assert_equal_gradients(*pair, mask)


@pytest.mark.parametrize("kind", HAND_DERIVED)
def test_hand_derived_gradients_hold_under_dropout_of_inputs_and_state(kind):
    cells = cell_and_readable_twin(kind, dropout=0.3, recurrent_dropout=0.4, seed=7)
    assert_equal_gradients(*(RNN(cell, **SHOWN) for cell in cells), "random", training=True)


@pytest.mark.parametrize("kind", LINEAR)
@readings
def test_whole_sequences_and_unrolled_steps_agree_in_outputs_and_gradients(kind, mask, go_backwards):
    looped, unrolled = (RNN(cell_of(kind), go_backwards=go_backwards, unroll=u, **SHOWN) for u in (False, True))
    assert_equal_gradients(looped, unrolled, mask)


@pytest.mark.parametrize("kind", ["lstm", "minlstm", "mgu"])
def test_a_layer_may_be_compiled_before_it_is_differentiated(kind):
    layer = layer_of(kind, return_sequences=True)
    call = lambda point: weighted_sum([layer(point["x"], mask=ops.cast(point["mask"], "bool"))])
    point = {"x": values(B, T, I), "mask": mask_of("random").astype("float32")}
    plain, compiled = (
        differentiate(lambda point, function=function: (function(point), ()), point)[1]["x"]
        for function in (call, compiled_function(call))
    )
    assert_close(compiled, plain)


# ---------------------------------------------------------------------------------------------- second derivatives


def second_derivative(layer, x):
    """The derivative, by the inputs, of the squared length of the first derivative by them."""
    loss = lambda inputs: (ops.sum(layer(inputs) ** 2), ())

    def squared_slope(inputs):
        _, slope = slopes(loss, again=True)(inputs)
        return ops.sum(slope**2), ()

    return differentiate(squared_slope, x)[1]


@pytest.mark.parametrize("kind", [*HAND_DERIVED, *LINEAR])
def test_second_derivatives_of_a_hand_derived_way_back_are_nan_not_wrong(kind):
    assert np.isnan(second_derivative(layer_of(kind), values(B, T, I))).all()


@pytest.mark.parametrize("kind", ["lstm", "gru_after", "peephole", "minlstm"])
def test_second_derivatives_are_right_when_unrolled(kind):
    with double_precision():
        layer = layer_of(kind, cell_options={"dtype": "float64"}, dtype="float64", unroll=True)
        x = values(B, T, I, dtype="float64")
        step = 1e-6 * values(B, T, I, seed=8, dtype="float64")
        loss = lambda inputs: (ops.sum(layer(inputs) ** 2), ())
        ends = [np.sum(differentiate(loss, x + sign * step)[1] ** 2) for sign in (1, -1)]
        assert_close(np.sum(second_derivative(layer, x) * step), (ends[0] - ends[1]) / 2, tolerance=1e-6)
