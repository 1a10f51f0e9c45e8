"""What a cell cannot be made of."""

import pytest

from rnnscope import (
    DeepTransitionCell,
    GRUCell,
    LSTMCell,
    MGUCell,
    MinGRUCell,
    PeepholeLSTMCell,
    StackedRNNCells,
    ZoneoutCell,
)
from tests.layers.helpers import H


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSTMCell(H, activation="tahn"), "activation: expected a Keras activation, got 'tahn'"),
        (lambda: GRUCell(H, recurrent_activation=3), "recurrent_activation: expected a Keras activation, got 3"),
        (lambda: MGUCell(H, kernel_initializer="no"), "kernel_initializer: expected a Keras initializer"),
        (lambda: MGUCell(H, recurrent_regularizer="l9"), "recurrent_regularizer: expected a Keras regularizer"),
        (lambda: MGUCell(H, bias_constraint="no"), "bias_constraint: expected a Keras constraint, got 'no'"),
        (lambda: LSTMCell(H, use_bias="no"), "use_bias: expected True or False, got 'no'"),
        (lambda: LSTMCell(H, layer_normalization=1), "layer_normalization: expected True or False, got 1"),
        (lambda: GRUCell(H, reset_after="yes"), "reset_after: expected True or False, got 'yes'"),
        (lambda: PeepholeLSTMCell(H, input_gate="x"), "input_gate: expected True or False, got 'x'"),
        (lambda: LSTMCell(H, unit_forget_bias="x"), "unit_forget_bias: expected True, False or a number, got 'x'"),
        (lambda: LSTMCell(H, units_=3), "units_: expected units or another argument of LSTMCell"),
        (lambda: MinGRUCell(H, activation="relu"), "activation: expected no such argument"),
        (lambda: DeepTransitionCell(GRUCell(H), shortcut="x"), "shortcut: expected True or False, got 'x'"),
        (lambda: DeepTransitionCell(GRUCell(H), activation="x"), "activation: expected a Keras activation"),
        (lambda: ZoneoutCell(GRUCell(H), rat=0.1), "rat: expected rate or another argument of ZoneoutCell"),
        (lambda: StackedRNNCells(GRUCell(H)), "cells: expected a list of at least one cell, got"),
        (lambda: StackedRNNCells([GRUCell]), r"cells\[0\]: expected a cell such as LSTMCell\(32\)"),
    ],
)  # fmt: skip
def test_what_a_cell_cannot_be_made_of_is_named_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)
