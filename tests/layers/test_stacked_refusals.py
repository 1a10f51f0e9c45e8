"""What `Stacked` refuses, and what it says."""

import keras
import numpy as np
import pytest

from rnnscope import GRU, LSTM, Bidirectional, Stacked
from tests.layers.helpers import B, H, I, T, values
from tests.layers.test_stacked import layers_of


def turned(**options):
    return GRU(4, go_backwards=True, **options)


SEQUENCE = {"return_sequences": True}


@pytest.mark.parametrize(
    "layers, options, message",
    [
        ([], {}, "layers: expected a list of at least one recurrent layer, got a list of 0"),
        (LSTM(H), {}, "layers: expected a list of at least one recurrent layer, got <LSTM"),
        ([LSTM(H), GRU(H)], {}, r"layers\[0\]: expected return_sequences=True.*got return_sequences=False for 'lstm"),
        ([keras.layers.Dense(H)], {}, r"layers\[0\]: expected a recurrent layer such as LSTM\(32\), got <Dense"),
        ([LSTM(H, **SEQUENCE), 3], {}, r"layers\[1\]: expected a recurrent layer such as LSTM\(32\), got 3"),
        ([Bidirectional(GRU(H), merge_mode=None)], {}, r"layers\[0\]: expected one output, got merge_mode=None"),
        ([LSTM(H)], {"skip": "residuals"}, r"skip: expected one of \[None, 'residual', .*\], got 'residuals'"),
        ([LSTM(H)], {"dropout": 1.5}, "dropout: expected a rate between 0 and 1, got 1.5"),
        ([LSTM(H)], {"drop": 0.5}, "drop: expected dropout or another argument of Stacked"),
        (
            [turned(**SEQUENCE), GRU(4)],
            {"skip": "dense"},
            r"layers\[0\]: expected outputs in the order of the input for skip='dense', got go_backwards=True",
        ),
        (
            [LSTM(4, **SEQUENCE), Stacked([turned(**SEQUENCE), GRU(4)])],
            {"skip": "input"},
            r"layers\[1\]\.layers\[0\]: expected outputs in the order of the input for skip='input'",
        ),
        (
            [LSTM(4, **SEQUENCE), Bidirectional(turned(**SEQUENCE))],
            {"skip": "residual"},
            r"layers\[1\]: expected outputs in the order of the input.*use Bidirectional, or skip=None",
        ),
        (
            [LSTM(4, **SEQUENCE), Bidirectional(GRU(4), merge_mode="sum")],
            {"skip": "residual"},
            r"layers\[1\]: expected merge_mode='concat' for skip='residual' with return_sequences=False, got 'sum'",
        ),
    ],
)
def test_layers_that_make_no_stack_are_refused(layers, options, message):
    with pytest.raises(ValueError, match=message) as error:
        Stacked(layers, **options)
    assert "\n" not in str(error.value)


def test_layers_of_unlike_sizes_are_refused_when_a_residual_stack_is_built():
    stack = Stacked([LSTM(4, **SEQUENCE), GRU(4, **SEQUENCE), Bidirectional(GRU(4))], skip="residual")
    message = (
        r"layers\[2\]: expected 4 features as in the output of layers\[1\], so that skip='residual' can add the two, "
        "got 8; give both the same size, or skip='dense'"
    )
    for use in (stack.build, stack.compute_output_shape, lambda shape: stack(values(*shape))):
        with pytest.raises(ValueError, match=message):
            use((B, T, I))


@pytest.mark.parametrize(
    "shape, call, message",
    [
        ((B, I), {}, r"sequences: expected \[B, T, I\], got shape \(4, 3\) \(ndim 2\)"),
        ((B, T, I, 1), {}, r"sequences: expected \[B, T, I\], got shape \(4, 6, 3, 1\) \(ndim 4\)"),
        ((B, T, I), {"mask": np.ones((B, T + 1), bool)}, r"mask: expected \[4, 6\] or .*got shape \(4, 7\)"),
        ((B, T, I), {"mask": np.ones(T, bool)}, r"mask: expected \[4, 6\] or .*got shape \(6,\)"),
        (
            (B, T, I),
            {"initial_state": 4 * [np.ones((B, 4))]},
            "initial_state: expected a list of 5 states, got a list of 4",
        ),
        (
            (B, T, I),
            {"initial_state": [np.ones((B, n)) for n in (4, 4, 3, 4, H)]},
            r"initial_state\[3\]: expected \[4, 3\], got shape \(4, 4\)",
        ),
        (
            (B, T, I),
            {"initial_state": 5 * [np.ones((2, 4))]},
            r"initial_state\[0\]: expected \[4, 4\], got shape \(2, 4\)",
        ),
    ],
)
@pytest.mark.parametrize("before", [False, True], ids=["new", "built"])
def test_arguments_of_a_call_that_do_not_fit_are_named_in_one_line(shape, call, message, before):
    stack = Stacked(layers_of())
    if before:
        stack(values(B, T, I))
    with pytest.raises(ValueError, match=message) as error:
        stack(values(*shape), **call)
    assert "\n" not in str(error.value)
