"""`ScaledIdentity`: an identity for every block of a recurrent kernel."""

import keras
import numpy as np
import pytest

import rnnscope
from rnnscope import GRU, LSTM, RNN, IndRNNCell, LSTMCell, ScaledIdentity, SimpleRNN
from tests.layers.helpers import B, H, I, T, assert_close, values


@pytest.mark.parametrize("blocks", [1, 3, 4])
@pytest.mark.parametrize("gain", [1.0, 0.01, -2])
@pytest.mark.parametrize("dtype", [None, "float16", "float64"])
def test_every_block_is_the_identity_times_the_gain(blocks, gain, dtype):
    kernel = ScaledIdentity(gain)((H, blocks * H), dtype=dtype)
    assert kernel.dtype == (dtype or "float32")
    for block in np.split(np.array(kernel), blocks, axis=1):
        np.testing.assert_array_equal(block, (gain * np.eye(H)).astype(kernel.dtype.name))


@pytest.mark.parametrize("layer", [SimpleRNN, LSTM, GRU])
def test_every_gate_of_a_layer_gets_its_own_identity(layer):
    layer = layer(H, recurrent_initializer=ScaledIdentity(0.5))
    layer.build((B, T, I))
    blocks = np.split(layer.cell.recurrent_kernel.numpy(), layer.cell.gates, axis=1)
    assert all((block == 0.5 * np.eye(H)).all() for block in blocks)


def test_a_single_block_is_what_the_identity_of_keras_gives():
    assert_close(ScaledIdentity(0.3)((H, H)), keras.initializers.Identity(0.3)((H, H)), tolerance=0)


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_an_irnn_starts_by_handing_on_its_state_unchanged_or_forgetting_it_at_a_known_rate(gain):
    layer = SimpleRNN(H, activation="relu", recurrent_initializer=ScaledIdentity(gain), return_sequences=True)
    h = np.abs(values(B, H))
    outputs = layer(np.zeros((B, T, I)), initial_state=h)
    assert_close(outputs, np.stack([gain ** (t + 1) * h for t in range(T)], axis=1), tolerance=1e-6)


def test_an_irnn_starts_by_adding_up_what_it_reads():
    layer = SimpleRNN(I, activation="relu", kernel_initializer=ScaledIdentity(), recurrent_initializer=ScaledIdentity())
    x = np.abs(values(B, T, I))
    assert_close(layer(x), x.sum(axis=1), tolerance=1e-6)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: ScaledIdentity()((5,)), [5]),
        (lambda: ScaledIdentity()((4, 6)), [4, 6]),
        (lambda: ScaledIdentity()((4, 2)), [4, 2]),
        (lambda: ScaledIdentity()((2, 2, 2)), [2, 2, 2]),
        (lambda: RNN(IndRNNCell(H, recurrent_initializer=ScaledIdentity()))(values(B, T, I)), [H]),
        (lambda: LSTM(H, kernel_initializer=ScaledIdentity())(values(B, T, I)), [I, 4 * H]),
    ],
)
def test_a_weight_that_is_not_a_row_of_squares_is_refused(make, shape):
    with pytest.raises(ValueError) as error:
        make()
    assert f"shape: expected a recurrent kernel's, [H, nH], got {shape}" in str(error.value)


def test_it_is_configured_saved_and_loaded(tmp_path):
    initializer = ScaledIdentity(0.25)
    assert ScaledIdentity.from_config(initializer.get_config()).get_config() == {"gain": 0.25}
    again = keras.initializers.get(keras.initializers.serialize(initializer))
    assert (type(again), again.gain) == (ScaledIdentity, 0.25)
    assert keras.saving.get_registered_name(ScaledIdentity) == "rnnscope>ScaledIdentity"
    cell = LSTMCell(H, recurrent_initializer=initializer)
    model = keras.Sequential([keras.Input((T, I)), RNN(cell)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].cell.recurrent_initializer.gain == 0.25
    assert_close(loaded(values(B, T, I)), model(values(B, T, I)), tolerance=0)
    clone = keras.models.clone_model(model)
    assert_close(clone.layers[0].cell.recurrent_kernel, cell.recurrent_kernel, tolerance=0)


def test_it_is_part_of_the_package():
    assert "ScaledIdentity" in rnnscope.__all__
