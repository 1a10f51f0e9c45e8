"""The norms of the gradient taps against their definition: the derivatives by zeros added to every state."""

import re
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from rnnscope import RNN, GradientTaps
from tests.backends.helpers import HAND_DERIVED, batch_mean, layer_of, norms
from tests.layers.derivatives import BACKEND, differentiate
from tests.layers.equations import CELLS, LINEAR
from tests.layers.helpers import B, H, I, T, assert_close, mask_of, ours, readable, twins, values

PAGE = Path(__file__).parents[2] / "docs" / "gradients.md"


def norms_by_perturbation(layer, x, mask, go_backwards):
    """Norms `[T]` by signal, of an unrolled layer whose `observe` adds the zeros."""
    layer(x)
    zeros = {
        signal: np.zeros((T, B, H), "float32") for signal in layer.cell.signals if signal in layer.cell.state_names
    }

    def function(disturbances):
        order = range(T)[::-1] if go_backwards else range(T)
        remaining = {signal: iter([rows[t] for t in order]) for signal, rows in disturbances.items()}
        layer.cell.observe = lambda signal, value: value + (next(remaining[signal]) if signal in remaining else 0)
        return batch_mean(layer(x, mask=mask)), ()

    present = np.full(T, B) if mask is None else np.maximum(mask.sum(axis=0), 1)
    return {
        signal: np.sqrt(np.sum(np.square(B * derivative), axis=(1, 2)) / present)
        for signal, derivative in differentiate(function, zeros)[1].items()
    }


@pytest.mark.parametrize(
    ("kind", "mask", "go_backwards"),
    [*((kind, "random", True) for kind in CELLS), *((kind, "none", False) for kind in (*HAND_DERIVED, *LINEAR))],
)
def test_the_norms_are_those_of_the_derivatives_by_every_state(kind, mask, go_backwards):
    mask = mask_of(mask)
    options = {"return_sequences": True, "go_backwards": go_backwards}
    measured, unrolled = layer_of(kind, name="layer", **options), layer_of(kind, unroll=True, **options)
    x = values(B, T, I)
    expected = norms_by_perturbation(unrolled, x, mask, go_backwards)
    found = norms(measured, x, mask=mask)
    assert found.keys() == {f"layer/{signal}" for signal in expected}
    for signal, norm in expected.items():
        assert_close(found[f"layer/{signal}"], norm)


@pytest.mark.parametrize("kind", HAND_DERIVED)
def test_a_hand_derived_way_back_measures_what_the_readable_cell_measures(kind):
    layer = layer_of(kind, name="layer", return_sequences=True)
    twin = RNN(readable(type(layer.cell)).from_config(layer.cell.get_config()), name="layer", return_sequences=True)
    names, x, mask = ("h", "c", "kernel"), values(B, T, I), mask_of("random")
    assert_close(*(norms(each, x, names, mask=mask) for each in twins(layer, twin)))


def test_a_scope_lays_the_vectors_that_it_is_given():
    layer, x = ours("lstm", name="layer"), values(B, T, I)
    with GradientTaps() as first:
        layer(x)
    with GradientTaps(vectors=first.vectors) as second:
        layer(x)
    assert all(second.vectors[key] is vector for key, vector in first.vectors.items())
    assert second.signals == first.signals
    only_h = {"layer/h": first.vectors["layer/h"]}
    with pytest.raises(ValueError, match="vectors: expected one for 'layer/c', got"), GradientTaps(vectors=only_h):
        layer(x)


def test_the_recipe_of_the_documentation_for_this_backend_gives_norms():
    section = PAGE.read_text().split("## On TensorFlow, JAX and torch")[1]
    blocks = re.findall(rf"^```python(?: {BACKEND})?\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
    names = {}
    exec("\n".join(blocks), names)
    norm = ops.convert_to_numpy(names["norms"]["lstm/h"])
    assert norm.shape == (64,)
    assert norm[-1] > 0
