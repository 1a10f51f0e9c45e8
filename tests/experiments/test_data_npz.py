"""The user's own arrays, and what is said of an archive that does not hold them."""

import re
from pathlib import Path

import numpy as np
import pytest

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.configuration.composition import prepare
from rnnscope.experiments.data import load
from rnnscope.experiments.sweeps import request as requests

N, T, F = 60, 7, 3
RANDOM = np.random.default_rng(0)
NUMBERS = RANDOM.normal(2, 3, (N, T, F))
SYMBOLS = RANDOM.integers(0, 9, (N, T))
CLASSES = RANDOM.integers(0, 4, N)
MASK = np.arange(T) < RANDOM.integers(1, T + 1, N)[:, None]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare()


def task(*options, **arrays):
    if arrays:
        np.savez("mine.npz", **arrays)
    (run,) = requests.read(["dataset=npz", "dataset.path=mine.npz", *options]).runs
    return load(run.dataset, seed=1)


def refusal(*options, **arrays):
    with pytest.raises(UserError) as error:
        task(*options, **arrays)
    assert "\n" not in str(error.value)
    return str(error.value)


def split(**arrays):
    """Arrays that are split already: 30, 20 and 10 examples."""
    names = ("train", "validation", "test")
    return {
        f"{name}_{part}": values
        for name, array in arrays.items()
        for part, values in zip(names, np.split(array, [30, 50]), strict=True)
    }


# ------------------------------------------------------------------------ what works


@pytest.mark.parametrize(
    ("targets", "kind", "size", "per_step"),
    [
        (CLASSES, "Classes", 4, False),
        (CLASSES.astype("uint8"), "Classes", 4, False),
        (CLASSES > 1, "Classes", 2, False),
        (SYMBOLS, "Classes", 9, True),
        (CLASSES / 2, "Values", 1, False),
        (NUMBERS[:, 0, :2], "Values", 2, False),
        (NUMBERS[:, :, :2], "Values", 2, True),
    ],
)
@pytest.mark.parametrize("inputs", [NUMBERS, SYMBOLS, NUMBERS.astype(int)])
@pytest.mark.parametrize("mask", [None, MASK])
def test_what_is_asked_for_follows_from_types_and_shapes(inputs, targets, kind, size, per_step, mask):
    made = task(inputs=inputs, targets=targets, **({} if mask is None else {"mask": mask}))
    output = made.output
    assert (type(output).__name__, output.size, output.per_step) == (kind, size, per_step)
    assert [len(part) for part in made.parts] == [42, 9, 9]
    assert made.signature.features == (9 if inputs.ndim == 2 else 3)
    assert made.symbols == (tuple("012345678") if inputs.ndim == 2 else ())
    assert len(made.input_mean) == (3 if inputs.ndim == 3 else 0)
    for part in made.parts:
        assert part.inputs.dtype == (np.int32 if inputs.ndim == 2 else np.float32)
        assert part.targets.dtype == (np.int32 if kind == "Classes" else np.float32)
        assert (part.mask is None) == (mask is None)
        assert (part.target_mask is None) == (mask is None or not per_step)
    metric = "accuracy" if kind == "Classes" else "mae"
    for scores in made.baseline_metrics(made.test).values():
        assert np.isfinite(scores[metric])


def test_the_split_is_random_and_the_same_for_all_seeds():
    inputs = np.arange(N * T * F, dtype=float).reshape(N, T, F)
    made = task(inputs=inputs, targets=CLASSES)
    first = [part.inputs[:, 0, 0] / (T * F) for part in made.parts]
    np.testing.assert_array_equal(np.sort(np.concatenate(first)), np.arange(N))
    assert not np.array_equal(first[0], np.sort(first[0]))
    for part, numbers in zip(made.parts, first, strict=True):
        np.testing.assert_array_equal(part.targets, CLASSES[numbers.astype(int)])
    np.testing.assert_array_equal(task().train.inputs, made.train.inputs)
    (run,) = requests.read(["dataset=npz", "dataset.path=mine.npz", "seed=5"]).runs
    np.testing.assert_array_equal(load(run.dataset, seed=5).train.inputs, made.train.inputs)


def test_shares_are_options():
    made = task("dataset.validation_share=0.25", "dataset.test_share=0.5", inputs=NUMBERS, targets=CLASSES)
    assert [len(part) for part in made.parts] == [15, 15, 30]


def test_what_is_split_already_stays_so():
    made = task(**split(inputs=NUMBERS, targets=CLASSES, mask=MASK))
    assert [len(part) for part in made.parts] == [30, 20, 10]
    np.testing.assert_array_equal(made.test.targets, CLASSES[50:])
    np.testing.assert_array_equal(made.validation.mask, MASK[30:50])
    np.testing.assert_array_equal(made.test.inputs[MASK[50:]], NUMBERS[50:][MASK[50:]].astype(np.float32))


def test_what_the_mask_hides_may_hold_anything():
    inputs, targets = NUMBERS.copy(), SYMBOLS.copy()
    inputs[~MASK], targets[~MASK] = np.nan, -1
    made = task(inputs=inputs, targets=targets, mask=MASK.astype(int))
    for part in made.parts:
        assert (part.inputs[~part.mask] == 0).all()
        assert (part.targets[~part.target_mask] == 0).all()
        np.testing.assert_array_equal(part.mask, part.target_mask)
    np.testing.assert_allclose(made.input_mean, made.train.inputs[made.train.mask].mean(axis=0), rtol=1e-5)


# ---------------------------------------------------------------------- what does not


def but(array, place, value):
    """A copy with another value in one place."""
    copy = array.copy()
    copy[place] = value
    return copy


NO_INPUTS = "inputs: expected numbers of shape [N, T, F], or [N, T] of whole numbers, which are symbols; got "
NO_TARGETS = (
    "targets: expected classes (whole numbers) [N] or [N, T], or values (floating-point numbers) [N], [N, V] or "
    "[N, T, V], where [N, T] is [60, 7] by inputs; got "
)
NO_MASK = "mask: expected true and false of shape [60, 7], as inputs have; got "
NO_CLASS = "expected a whole number from 0 to 1,000,000, got "


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": NUMBERS[:, :, 0]}, f"{NO_INPUTS}float64 of shape [60, 7]"),
        ({"inputs": NUMBERS.astype("S5")}, f"{NO_INPUTS}|S5 of shape [60, 7, 3]"),
        ({"inputs": NUMBERS[:, :0]}, f"{NO_INPUTS}float64 of shape [60, 0, 3]"),
        ({"inputs": but(NUMBERS, (3, 2, 1), np.nan)}, "inputs[3, 2, 1]: expected a finite number, got nan"),
        ({"inputs": but(NUMBERS, (0, 0, 0), 1e99)}, "inputs[0, 0, 0]: expected a finite number, got 1e+99"),
        ({"inputs": but(SYMBOLS, (1, 6), -1)}, f"inputs[1, 6]: {NO_CLASS}-1"),
        ({"inputs": np.array([1, [2]], object)}, "inputs: expected an array of numbers, got one of Python objects; "),
        ({"targets": CLASSES[:50]}, f"{NO_TARGETS}int64 of shape [50]"),
        ({"targets": SYMBOLS[:, :5]}, f"{NO_TARGETS}int64 of shape [60, 5]"),
        ({"targets": NUMBERS[:, :5]}, f"{NO_TARGETS}float64 of shape [60, 5, 3]"),
        ({"targets": NUMBERS[..., None]}, f"{NO_TARGETS}float64 of shape [60, 7, 3, 1]"),
        ({"targets": np.float64(1)}, f"{NO_TARGETS}float64 of shape []"),
        ({"targets": CLASSES.astype("S5")}, f"{NO_TARGETS}|S5 of shape [60]"),
        ({"targets": but(CLASSES / 2, 9, np.inf)}, "targets[9]: expected a finite number, got inf"),
        ({"targets": but(CLASSES, 5, -1)}, f"targets[5]: {NO_CLASS}-1"),
        ({"targets": but(CLASSES, 5, 10**9)}, f"targets[5]: {NO_CLASS}1000000000"),
        ({"mask": MASK[:, :5]}, f"{NO_MASK}bool of shape [60, 5]"),
        ({"mask": 2 * MASK}, f"{NO_MASK}int64 of shape [60, 7]"),
        ({"mask": but(MASK, 4, False)}, "mask[4]: expected a step that is there, got a mask that hides all"),
    ],
)
def test_an_array_that_does_not_fit(changes, message):
    assert refusal(**{"inputs": NUMBERS, "targets": CLASSES} | changes).startswith(f"mine.npz, {message}")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"inputs": NUMBERS}, "has no array targets; it has inputs"),
        ({"inputs_train": NUMBERS}, "has no array inputs_validation; it has inputs_train"),
        (
            {"input": NUMBERS},
            "there is no use for an array input; did you mean inputs? (allowed: inputs, mask, targets)",
        ),
        ({"inputs": NUMBERS, "masks": MASK}, "there is no use for an array masks; did you mean mask? ("),
        (
            {"inputs": NUMBERS, "inputs_train": NUMBERS},
            "there is no use for an array inputs; did you mean inputs_test? (",
        ),
        (
            {"inputs": NUMBERS[:3], "targets": CLASSES[:3]},
            "its 3 examples would be 3 to train on, 0 to validate, 0 to test; expected at least one each: set ",
        ),
    ],
)
def test_an_archive_that_lacks_something_or_has_too_much(arrays, message):
    assert refusal(**arrays).startswith(f"mine.npz: {message}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"inputs_test": NUMBERS[50:, :5]},
            "inputs_test: expected float32 of shape [N, 7, 3], as inputs_train, got float32 of shape [N, 5, 3]",
        ),
        (
            {"targets_validation": CLASSES[30:50] / 2},
            "targets_validation: expected int32 of shape [N], as targets_train, got float32 of shape [N, 1]",
        ),
        ({"mask_train": MASK[:30]}, "mask_validation: expected bool of shape [N, 7], as mask_train, got none"),
    ],
)
def test_parts_that_do_not_fit_together(change, message):
    assert refusal(**split(inputs=NUMBERS, targets=CLASSES) | change) == f"mine.npz, {message}"


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04hello"])
def test_a_file_that_is_no_archive(content):
    Path("mine.npz").write_bytes(content)
    assert refusal() == "mine.npz: cannot be read as a NumPy archive; write it with numpy.savez"


def test_an_archive_that_is_damaged():
    np.savez("mine.npz", inputs=NUMBERS, targets=CLASSES)
    whole = bytearray(Path("mine.npz").read_bytes())
    whole[1000:1010] = bytes(10)
    Path("mine.npz").write_bytes(whole)
    assert refusal() == "mine.npz: cannot be read as a NumPy archive; write it with numpy.savez"


def test_an_archive_of_nothing():
    np.savez("mine.npz")
    assert refusal() == "mine.npz: has no array inputs; it has none at all"


def test_a_single_array():
    with Path("mine.npz").open("wb") as file:
        np.save(file, NUMBERS)
    assert refusal().startswith("mine.npz: holds a single array; write it with numpy.savez(")


def test_a_file_that_is_not_there():
    assert re.match(r"dataset.path=mine.npz: there is no such file in /", refusal())


def test_shares_that_leave_nothing():
    message = refusal("dataset.validation_share=0.6", "dataset.test_share=0.4", inputs=NUMBERS, targets=CLASSES)
    assert message.startswith("dataset.validation_share=0.6, dataset.test_share=0.4: expected a sum below 1")
