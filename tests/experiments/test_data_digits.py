"""The digits against their source."""

import numpy as np
from sklearn.datasets import load_digits

from rnnscope.experiments.data import load


def test_digits_are_the_images_read_row_by_row(compose):
    task = load(compose().dataset, seed=1)
    images = {
        (image / 16).astype("float32").tobytes(): label
        for image, label in zip(load_digits().data, load_digits().target, strict=True)
    }
    assert [len(part) for part in task.parts] == [1257, 180, 360]
    for part in task.parts:
        assert part.inputs.shape[1:] == (64, 1)
        for sequence, target in zip(part.inputs, part.targets, strict=True):
            assert images[sequence[:, 0].tobytes()] == target


def test_no_digit_is_in_two_parts(compose):
    task = load(compose().dataset, seed=1)
    parts = [{sequence.tobytes() for sequence in part.inputs} for part in task.parts]
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
