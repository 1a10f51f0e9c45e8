"""Datasets against their definitions."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from experiments.data import Split, load
from experiments.data.task import classification, regression


def test_digits_are_the_images_read_row_by_row(compose):
    task = load(compose().dataset, seed=1)
    images = {
        (image / 16).astype("float32").tobytes(): label
        for image, label in zip(load_digits().data, load_digits().target, strict=True)
    }
    assert [len(part) for part in (task.train, task.validation, task.test)] == [1257, 180, 360]
    for part in (task.train, task.validation, task.test):
        assert part.inputs.shape[1:] == (64, 1)
        for sequence, target in zip(part.inputs, part.targets, strict=True):
            assert images[sequence[:, 0].tobytes()] == target


def test_no_digit_is_in_two_parts(compose):
    task = load(compose().dataset, seed=1)
    parts = [{sequence.tobytes() for sequence in part.inputs} for part in (task.train, task.validation, task.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_permuted_digits_have_one_permutation_for_all_images_and_all_seeds(compose):
    plain, permuted = load(compose().dataset, 1), load(compose("dataset.permuted=true").dataset, 1)
    columns = {plain.train.inputs[:, t].tobytes() for t in range(64)}
    assert {permuted.train.inputs[:, t].tobytes() for t in range(64)} == columns
    assert not np.array_equal(plain.train.inputs, permuted.train.inputs)
    np.testing.assert_array_equal(
        permuted.test.inputs, load(compose("dataset.permuted=true").dataset, seed=2).test.inputs
    )


@pytest.mark.parametrize("length", [2, 3, 7, 100])
def test_adding_marks_one_number_in_each_half_and_asks_for_their_sum(compose, length):
    options = ["dataset.train_size=50", "dataset.validation_size=20", "dataset.test_size=30"]
    task = load(compose("dataset=adding", f"dataset.length={length}", *options).dataset, seed=3)
    assert [len(part) for part in (task.train, task.validation, task.test)] == [50, 20, 30]
    for part in (task.train, task.validation, task.test):
        values, markers = part.inputs[..., 0], part.inputs[..., 1]
        assert part.inputs.shape[1:] == (length, 2)
        assert values.min() >= 0
        assert values.max() < 1
        np.testing.assert_array_equal(markers[:, : length // 2].sum(axis=1), 1)
        np.testing.assert_array_equal(markers[:, length // 2 :].sum(axis=1), 1)
        np.testing.assert_allclose(part.targets[:, 0], (values * markers).sum(axis=1), rtol=1e-6)


def test_always_answering_one_costs_a_sixth_in_the_adding_problem(compose):
    task = load(compose("dataset=adding", "dataset.test_size=100000").dataset, seed=1)
    assert np.mean(np.square(task.test.targets - 1)) == pytest.approx(1 / 6, rel=0.02)
    assert task.baseline_metrics["loss"] == pytest.approx(1 / 6, rel=0.02)


def test_generated_data_follow_from_the_seed(compose):
    config = compose("dataset=adding").dataset
    np.testing.assert_array_equal(load(config, 1).train.inputs, load(config, 1).train.inputs)
    assert not np.array_equal(load(config, 1).train.inputs, load(config, 2).train.inputs)


def test_the_majority_baseline_is_learnt_from_the_training_part():
    random = np.random.default_rng(0)
    train, test = (Split(np.zeros((n, 1, 1)), random.choice(3, n, p=[0.2, 0.7, 0.1])) for n in (500, 300))
    task = classification((train, test, test), classes=3)
    frequencies = [np.mean(train.targets == k) for k in range(3)]
    assert task.baseline_metrics["accuracy"] == np.mean(test.targets == 1)
    expected = -np.mean([np.log(frequencies[k]) for k in test.targets])
    assert task.baseline_metrics["loss"] == pytest.approx(expected)


def test_the_mean_baseline_is_learnt_from_the_training_part():
    random = np.random.default_rng(0)
    train, test = (Split(np.zeros((n, 1, 1)), random.normal(2, 3, (n, 2))) for n in (500, 300))
    task = regression((train, test, test))
    errors = test.targets - train.targets.mean(axis=0)
    assert task.baseline_metrics == {
        "loss": pytest.approx(np.mean(errors**2)),
        "mae": pytest.approx(np.mean(abs(errors))),
    }
