"""Outputs, states and derivatives of every cell against its equations in NumPy, in double precision."""

import pytest

from tests.backends.helpers import READINGS
from tests.layers.derivatives import double_precision
from tests.layers.equations import CELLS, assert_follows_the_equations, cell_of, random_layer, states_of
from tests.layers.helpers import B, I, T, mask_of, values
from tests.layers.variants import VARIANTS


def assert_holds(cell, mask, **options):
    training = options.pop("training", False)
    layer = random_layer(cell, **options)
    x, states = values(B, T, I, dtype="float64"), states_of(cell)
    assert_follows_the_equations(layer, x, states, mask_of(mask), training)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(("mask", "go_backwards"), READINGS)
def test_a_sequence_and_its_derivatives_follow_the_equations(kind, mask, go_backwards):
    with double_precision():
        assert_holds(cell_of(kind), mask, go_backwards=go_backwards)


@pytest.mark.parametrize("kind", VARIANTS)
def test_options_and_cells_around_cells_follow_the_equations_in_training(kind):
    with double_precision():
        assert_holds(VARIANTS[kind](dtype="float64"), "random", training=True)
