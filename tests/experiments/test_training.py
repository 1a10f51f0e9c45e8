"""The training step and the order of the data."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import rnnscope
from rnnscope.callbacks import GradientFlow
from rnnscope.experiments.data import Split
from rnnscope.experiments.data.outputs import Classes
from rnnscope.experiments.runs.directory import RunDirectory
from rnnscope.experiments.training.batches import batches, steps_per_epoch
from rnnscope.experiments.training.measured_model import MeasuredModel, Measurements
from rnnscope.experiments.training.run import run
from tensorboard_gradient_flow.reader import read

RANDOM = np.random.default_rng(4)
INPUTS = RANDOM.normal(size=(12, 6, 2)).astype("float32")
TARGETS = RANDOM.normal(size=(12, 1)).astype("float32")


def model(kind, measurements=None, jit_compile=False):
    keras.utils.set_random_seed(3)
    sequence = keras.Input((6, 2))
    stack = rnnscope.Stacked(
        [rnnscope.Bidirectional(rnnscope.LSTM(4, return_sequences=True, name="low")), rnnscope.GRU(3, name="top")]
    )
    built = kind(sequence, keras.layers.Dense(1)(stack(sequence)))
    if measurements is not None:
        built.measurements = measurements
    built.compile(
        keras.optimizers.Adam(0.01, global_clipnorm=1.0), loss="mse", metrics=["mae"], jit_compile=jit_compile
    )
    return built


@pytest.mark.parametrize("measurements", [None, Measurements()], ids=["unmeasured", "measured"])
def test_the_measuring_step_trains_like_keras_s_own(measurements):
    ours, theirs = model(MeasuredModel, measurements), model(keras.Model)
    for _ in range(3):
        logs = [m.train_on_batch(INPUTS, TARGETS, return_dict=True) for m in (ours, theirs)]
        assert logs[0] == pytest.approx(logs[1], rel=1e-5)
    for mine, keras_s in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_s, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_step_measures_the_gradient_at_the_weights_that_it_started_from(jit_compile):
    measurements = Measurements()
    measured = model(MeasuredModel, measurements, jit_compile)
    with tf.GradientTape() as tape, rnnscope.GradientTaps(tape.watch) as taps:
        loss = tf.reduce_mean(tf.square(measured(INPUTS, training=True) - TARGETS))
    gradients, expected = tape.gradient(loss, (measured.trainable_weights, taps.vectors))
    measured.train_on_batch(INPUTS, TARGETS)
    norms = measurements.read()
    assert set(norms) == {"forward_low/h", "forward_low/c", "backward_low/h", "backward_low/c", "top/h"}
    for key, norm in norms.items():
        assert norm.dtype == np.float32
        np.testing.assert_allclose(norm, expected[key], rtol=1e-4)
    expected_norms = [np.linalg.norm(gradient) for gradient in gradients]
    np.testing.assert_allclose(measured.weight_norms, expected_norms, rtol=1e-4)
    assert measurements.signals["backward_low/c"].direction == "backward"


def test_a_training_step_and_the_callback_measure_the_same_on_the_same_batch(tmp_path):
    names = ("h", "c", "kernel")
    measurements = Measurements(names)
    measured = model(MeasuredModel, measurements)
    measured.optimizer.learning_rate = 0.0  # so that the callback, which comes after the step, meets the same weights
    flow = GradientFlow(tmp_path, (INPUTS, TARGETS), every=1, signals=names)
    measured.fit(INPUTS, TARGETS, batch_size=len(INPUTS), shuffle=False, verbose=0, callbacks=[flow])
    records = read(tmp_path)
    assert {tag.removeprefix("gradient_flow/") for tag in records} == set(measurements.norms)
    for key, norms in measurements.read().items():
        np.testing.assert_allclose(records[f"gradient_flow/{key}"].norms[-1], norms, rtol=1e-4, atol=1e-8)


def test_every_epoch_has_every_example_once_in_an_order_of_its_own():
    split = Split(np.arange(10, dtype="float32")[:, None, None], np.arange(10))
    data = list(batches(split, Classes(10), batch_size=4, epochs=range(3), seed=5))
    assert steps_per_epoch(split, 4) == 3
    assert [len(targets) for _, targets in data] == [4, 4, 2] * 3
    orders = [np.concatenate([targets for _, targets in data[e * 3 : e * 3 + 3]]) for e in range(3)]
    for order in orders:
        assert sorted(order) == list(range(10))
    assert len({tuple(order) for order in orders}) == 3
    for inputs, targets in data:
        np.testing.assert_array_equal(inputs[:, 0, 0], targets)


def test_the_order_follows_from_the_seed():
    split = Split(np.zeros((10, 1, 1), "float32"), np.arange(10))
    order = lambda seed: [int(t) for _, targets in batches(split, Classes(10), 3, range(2), seed) for t in targets]
    assert order(1) == order(1)
    assert order(1) != order(2)


def test_nothing_tunes_the_reading_of_data_in_a_run(compose, tmp_path, monkeypatch):
    """TensorFlow's thread that would may be waited for, for seconds, whenever an iterator is put away: at the end of a
    run, and after every validation; for ever where the clock is set meanwhile."""
    read_from = []
    iterate = tf.data.Dataset.__iter__
    monkeypatch.setattr(tf.data.Dataset, "__iter__", lambda data: read_from.append(data) or iterate(data))
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)  # it could not be taken back
    small = ["dataset=adding", "dataset.length=6", "dataset.train_size=32", "dataset.validation_size=8"]
    config = compose(*small, "cell=rnn", "cell.units=3", "trainer.epochs=2", "trainer.batch_size=16")
    directory = RunDirectory(tmp_path)
    run(config, directory, small, alone=False)
    assert directory.state == "completed", directory.status
    assert directory.result["steps"] == 2 * 2
    assert len(read_from) >= 1 + 2  # training, and a validation after each epoch
    assert all(data.options().autotune.enabled is False for data in read_from)
