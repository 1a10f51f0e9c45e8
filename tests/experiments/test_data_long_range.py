"""Generated problems with long time lags against their protocols."""

import math

import numpy as np
import pytest

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.configuration.validation import validate


def rows(part):
    return {row.tobytes() for row in part.inputs}


# ------------------------------------------------------------------- what holds for all

GENERATED = [
    ("adding", ()),
    ("adding", ("protocol=hochreiter1997",)),
    ("copy_memory", ()),
    ("temporal_order", ()),
    ("temporal_order", ("variant=6b", "length=20")),
    ("parity", ("length=8",)),
    ("parity", ("every_step=true",)),
]


@pytest.mark.parametrize(("name", "options"), GENERATED)
def test_sizes_are_those_asked_for_and_no_sequence_is_in_two_parts(task_of, name, options):
    task = task_of(name, *options, "train_size=300", "validation_size=120", "test_size=130")
    assert [len(part) for part in task.parts] == [300, 120, 130]
    train, validation, test = map(rows, task.parts)
    assert not train & validation
    assert not train & test
    assert not validation & test


@pytest.mark.parametrize(("name", "options"), GENERATED)
def test_data_follow_from_the_seed_and_a_part_does_not_depend_on_the_size_of_another(task_of, name, options):
    task, again, other = (task_of(name, *options, seed=seed) for seed in (1, 1, 2))
    less = task_of(name, *options, "train_size=10", "test_size=7", seed=1)
    for part, same, different in zip(task.parts, again.parts, other.parts, strict=True):
        np.testing.assert_array_equal(part.inputs, same.inputs)
        np.testing.assert_array_equal(part.targets, same.targets)
        assert not np.array_equal(part.inputs, different.inputs)
    np.testing.assert_array_equal(less.validation.inputs, task.validation.inputs)
    np.testing.assert_array_equal(less.validation.targets, task.validation.targets)


# ------------------------------------------------------------------------------ adding


@pytest.mark.parametrize("length", [2, 3, 7, 100])
def test_adding_marks_one_number_in_each_half_and_asks_for_their_sum(task_of, length):
    task = task_of("adding", f"length={length}", "train_size=50", "validation_size=20", "test_size=30")
    assert [len(part) for part in task.parts] == [50, 20, 30]
    for part in task.parts:
        values, markers = part.inputs[..., 0], part.inputs[..., 1]
        assert part.inputs.shape[1:] == (length, 2)
        assert part.mask is None
        assert values.min() >= 0
        assert values.max() < 1
        np.testing.assert_array_equal(markers[:, : length // 2].sum(axis=1), 1)
        np.testing.assert_array_equal(markers[:, length // 2 :].sum(axis=1), 1)
        np.testing.assert_allclose(part.targets[:, 0], (values * markers).sum(axis=1), rtol=1e-6)


def test_always_answering_one_costs_a_sixth_in_the_adding_problem(task_of):
    task = task_of("adding", "test_size=100000")
    assert np.mean(np.square(task.test.targets - 1)) == pytest.approx(1 / 6, rel=0.02)
    assert task.baseline_metrics(task.test)["training mean"]["mse"] == pytest.approx(1 / 6, rel=0.02)
    assert task.solved == ("mse", 0.01)


@pytest.mark.parametrize("length", [20, 47, 100])
def test_adding_as_in_1997_is_padded_and_asks_for_the_scaled_sum_of_what_is_marked_with_one(task_of, length):
    longest = length + length // 10
    task = task_of("adding", "protocol=hochreiter1997", f"length={length}")
    lengths = set()
    for part in task.parts:
        assert part.inputs.shape[1:] == (longest, 2)
        for sequence, mask, target in zip(part.inputs, part.mask, part.targets[:, 0], strict=True):
            steps = int(mask.sum())
            lengths.add(steps)
            assert mask[:steps].all()
            assert not sequence[steps:].any()
            values, markers = sequence[:steps].T
            assert abs(values).max() <= 1
            assert markers[0] == markers[-1] == -1
            assert set(markers[1:-1]) <= {0, 1}
            marked = np.flatnonzero(markers == 1)
            assert len(marked) in (1, 2), "one of them may have been the first step, which counts as 0"
            assert marked[-1] < length // 2
            assert marked[0] < length // 10 or len(marked) == 1
            assert target == pytest.approx(0.5 + sum(values[t] for t in marked) / 4, abs=1e-6)
    assert lengths == set(range(length, longest + 1))


def test_adding_as_in_1997_marks_one_of_the_first_ten_steps_and_any_other_of_the_first_half(task_of):
    """Of ten steps and fifty: the first chosen alike among ten, the second among the 49 that are left."""
    markers = task_of("adding", "protocol=hochreiter1997", "train_size=40000").train.inputs[..., 1]
    shares = (markers == 1).mean(axis=0)
    np.testing.assert_allclose(shares[1:10], 0.1 + 0.9 / 49, atol=0.006)
    np.testing.assert_allclose(shares[10:50], 1 / 49, atol=0.004)
    assert not shares[50:].any()
    assert np.mean((markers == 1).sum(axis=1) == 1) == pytest.approx(0.1 + 0.9 / 49, abs=0.006)


def test_an_answer_within_four_hundredths_is_correct_in_1997(task_of):
    task = task_of("adding", "protocol=hochreiter1997")
    sums = task.output.measure(task.test.targets + np.array([[0.039], [-0.041]] * 500), task.test)
    assert sums["correct"] == (500, 1000)
    assert task.solved == ("correct", 0.99)
    mean = task.train.targets.mean()
    share = np.mean(abs(task.test.targets - mean) < 0.04)
    assert task.baseline_metrics(task.test)["training mean"]["correct"] == pytest.approx(share)


def test_adding_as_in_1997_needs_some_steps_to_choose_from(task_of):
    message = "dataset.length=19: expected at least 20 beside dataset.protocol=hochreiter1997"
    with pytest.raises(UserError, match=message) as raised:
        task_of("adding", "protocol=hochreiter1997", "length=19")
    assert "\n" not in str(raised.value)


def test_other_protocols_and_variants_are_refused(compose):
    for name, option, allowed in (
        ("adding", "protocol=le2016", "did you mean le2015?"),
        ("temporal_order", "variant=6c", "allowed: 6a, 6b"),
    ):
        with pytest.raises(UserError) as raised:
            validate(compose(f"dataset={name}", f"dataset.{option}"))
        assert str(raised.value).startswith(f"dataset.{option}: ")
        assert allowed in str(raised.value)


# ------------------------------------------------------------------------- copy memory


@pytest.mark.parametrize("length", [1, 2, 10, 60])
def test_copy_memory_asks_after_the_marker_for_the_ten_symbols(task_of, length):
    task = task_of("copy_memory", f"length={length}")
    symbols, names = np.array(task.symbols), np.array(task.output.names)
    assert len(symbols) == 10
    assert (task.output.size, names[task.output.silent]) == (9, "_")
    for part in task.parts:
        assert part.inputs.shape[1] == part.targets.shape[1] == length + 20
        for sequence, target in zip(symbols[part.inputs], names[part.targets], strict=True):
            ten = "".join(sequence[:10])
            assert set(ten) <= set("abcdefgh")
            assert "".join(sequence) == ten + "_" * (length - 1) + "?" + "_" * 10
            assert "".join(target) == "_" * (length + 10) + ten
    assert set(task.train.inputs[:, :10].ravel()) == set(range(8))


@pytest.mark.parametrize("length", [1, 10, 60, 300])
def test_without_a_memory_copying_costs_ten_times_ln_8_over_its_steps(task_of, length):
    task = task_of("copy_memory", f"length={length}")
    scores = task.baseline_metrics(task.test)["no memory"]
    assert scores["loss"] == pytest.approx(10 * math.log(8) / (length + 20))
    assert scores["accuracy"] == pytest.approx(1 / 8, abs=0.02), "of the ten symbols, not of the blanks"


def test_blanks_count_for_the_loss_of_copying_and_not_for_its_accuracy(task_of):
    task = task_of("copy_memory")
    right = 50.0 * np.eye(9)[task.test.targets]
    only_blanks = np.broadcast_to(50.0 * np.eye(9)[8], right.shape)
    right, only_blanks = (task.output.measure(answers, task.test) for answers in (right, only_blanks))
    assert right["accuracy"] == (10_000, 10_000)
    assert only_blanks["accuracy"] == (0, 10_000)
    assert right["loss"][1] == only_blanks["loss"][1] == 30_000
    assert task.solved == ("accuracy", 0.99)


# ---------------------------------------------------------------------- temporal order

WINDOWS = {
    ("6a", 100): [(10, 20), (50, 60)],
    ("6b", 100): [(10, 20), (33, 43), (66, 76)],
    ("6a", 50): [(5, 10), (25, 30)],
    ("6b", 20): [(2, 4), (6, 8), (13, 15)],
}


@pytest.mark.parametrize(("variant", "length"), WINDOWS)
def test_temporal_order_is_the_order_of_x_and_y_at_their_steps(task_of, variant, length):
    windows = WINDOWS[variant, length]
    task = task_of("temporal_order", f"variant={variant}", f"length={length}")
    symbols, names = np.array(task.symbols), task.output.names
    assert len(set(names)) == task.output.size == 2 ** len(windows)
    lengths, places, classes = set(), [set() for _ in windows], set()
    for part in task.parts:
        assert part.inputs.shape[1] == part.mask.shape[1] == length + length // 10
        for sequence, mask, target in zip(symbols[part.inputs], part.mask, part.targets, strict=True):
            steps = int(mask.sum())
            assert mask[:steps].all()
            assert set(sequence[steps:]) <= {""}
            text = "".join(sequence)
            assert len(text) == steps
            assert (text[0], text[-1]) == ("E", "B")
            shown = [step for step, symbol in enumerate(text) if symbol in "XY"]
            assert set(text[1:-1]) - set("XY") <= set("abcd")
            assert "".join(text[step] for step in shown) == names[target]
            lengths.add(steps)
            classes.add(int(target))
            for place, step in zip(places, shown, strict=True):
                place.add(step)
    assert lengths == set(range(length, length + length // 10 + 1))
    assert places == [set(range(first, last + 1)) for first, last in windows]
    assert classes == set(range(len(names)))


def test_guessing_the_temporal_order_is_right_once_in_as_many_times_as_there_are_classes(task_of):
    for variant, classes in (("6a", 4), ("6b", 8)):
        task = task_of("temporal_order", f"variant={variant}", "test_size=20000")
        scores = task.baseline_metrics(task.test)["majority class"]
        assert scores["accuracy"] == pytest.approx(1 / classes, abs=0.01)
        assert scores["loss"] == pytest.approx(math.log(classes), abs=0.01)
        assert task.solved == ("accuracy", 0.99)


# ------------------------------------------------------------------------------ parity


@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("length", [4, 9, 60])
def test_parity_counts_the_ones(task_of, length, every_step):
    task = task_of("parity", f"length={length}", f"every_step={every_step}", "train_size=400", "test_size=200")
    names = np.array(task.output.names)
    assert task.output.per_step == every_step
    for part in task.parts:
        assert part.inputs.shape == (len(part), length)
        for bits, answers in zip(part.inputs, names[part.targets], strict=True):
            asked = range(1, length + 1) if every_step else [length]
            ones = ["".join(task.symbols[bit] for bit in bits[:steps]).count("1") for steps in asked]
            assert np.atleast_1d(answers).tolist() == ["odd" if count % 2 else "even" for count in ones]


def test_the_shortest_bits_are_still_divided_among_the_parts(task_of, compose):
    task = task_of("parity", "length=4")
    assert [len(rows(part)) for part in task.parts] == [4, 5, 7]
    assert all(set(part.targets) == {0, 1} for part in task.parts)
    with pytest.raises(UserError, match=r"^dataset.length=3: expected a value of at least 4"):
        validate(compose("dataset=parity", "dataset.length=3"))


def test_guessing_parity_is_right_half_the_time(task_of):
    for every_step in (False, True):
        task = task_of("parity", f"every_step={every_step}", "test_size=20000")
        scores = task.baseline_metrics(task.test)["majority class"]
        assert scores["accuracy"] == pytest.approx(0.5, abs=0.02)
        assert scores["loss"] == pytest.approx(math.log(2), abs=0.002)


def test_half_of_what_can_be_drawn_is_for_training_and_a_quarter_for_each_of_the_others(task_of):
    task = task_of("parity", "length=10", "train_size=20000", "validation_size=20000", "test_size=20000")
    found = [len(rows(part)) for part in task.parts]
    assert sum(found) == 2**10
    np.testing.assert_allclose(found, [512, 256, 256], atol=50)
