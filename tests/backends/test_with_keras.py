"""Our layers against keras.layers: same weights, same outputs, same states, same gradients."""

import pytest

from tests.layers.helpers import (
    KINDS,
    B,
    I,
    T,
    assert_close,
    keras_layer,
    mask_of,
    ours,
    outputs_and_gradients,
    states_for,
    twins,
    values,
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("mask", "options"),
    [("none", {}), ("left", {"go_backwards": True}), ("random", {"zero_output_for_mask": True})],
    ids=["none", "left_backwards", "random_zeroed"],
)
def test_layers_give_what_keras_gives(kind, mask, options):
    options = {"return_sequences": True, "return_state": True, **options}
    call = {"x": values(B, T, I), "states": states_for(kind), "mask": mask_of(mask)}
    pair = twins(ours(kind, **options), keras_layer(kind, **options))
    assert_close(*(outputs_and_gradients(layer, **call) for layer in pair))
