"""Training stops at the first step that is no longer finite, and says where."""

import keras
import numpy as np
import pytest

import rnnscope
from rnnscope.experiments.training.callbacks import DivergedError, StopInTime
from rnnscope.experiments.training.measured_model import MeasuredModel, Measurements


def broken_on_the_way_back(targets, outputs):
    """Zero; but the derivative of the root at zero is not finite."""
    return keras.ops.sqrt(keras.ops.mean(keras.ops.square(outputs - keras.ops.stop_gradient(outputs))))


def fit(loss, measurements, go_backwards=False):
    sequence = keras.Input((6, 2))
    hidden = rnnscope.LSTM(3, name="layer_1", go_backwards=go_backwards)(sequence)
    model = MeasuredModel(sequence, hidden)
    model.measurements = measurements
    model.compile("sgd", loss)
    x = np.random.default_rng(0).normal(size=(8, 6, 2)).astype("float32")
    model.fit(x, np.zeros((8, 3)), batch_size=4, verbose=0, callbacks=[StopInTime(measurements)])


@pytest.mark.parametrize(("go_backwards", "timestep"), [(False, 5), (True, 0)], ids=["forward", "backward"])
def test_a_gradient_that_is_not_finite_names_weight_step_timestep_and_layer(go_backwards, timestep):
    with pytest.raises(DivergedError) as raised:
        fit(broken_on_the_way_back, Measurements(), go_backwards)
    assert str(raised.value) == (
        "the gradient of layer_1/lstm_cell/kernel became nan at step 1; "
        f"the gradient, on its way back, at timestep {timestep} of layer_1/h"
    )


def test_without_telemetry_weight_and_step_are_named():
    with pytest.raises(DivergedError, match=r"^the gradient of layer_1/lstm_cell/kernel became nan at step 1$"):
        fit(broken_on_the_way_back, None)


def test_a_loss_that_is_not_finite_names_step_timestep_and_layer():
    with pytest.raises(DivergedError, match=r"^the loss became inf at step 1; .* at timestep 5 of layer_1/h$"):
        fit(lambda targets, outputs: keras.ops.exp(1000 + keras.ops.mean(outputs)), Measurements())


def test_of_steps_that_are_executed_together_the_first_that_is_not_finite_is_named():
    sequence = keras.Input((6, 2))
    model = MeasuredModel(sequence, rnnscope.LSTM(3, name="layer_1")(sequence))
    model.measurements = Measurements(every=4)
    model.compile("sgd", "mse", steps_per_execution=4)
    x = np.random.default_rng(0).normal(size=(20, 6, 2)).astype("float32")
    x[13] = np.nan  # is in the seventh batch of two, hence the third of the second execution
    with pytest.raises(DivergedError, match=r"^the loss became nan at step 7; .* at timestep 5 of layer_1/h$"):
        model.fit(
            x, np.zeros((20, 3)), batch_size=2, shuffle=False, verbose=0, callbacks=[StopInTime(model.measurements)]
        )


def test_finite_training_goes_on():
    fit("mse", Measurements())
