"""Texts to be written as other texts."""

import datetime
import re
from collections import Counter

import keras
import numpy as np
import pytest

from rnnscope.experiments.data import Split, load
from rnnscope.experiments.data.baselines import majority_by_step
from rnnscope.experiments.data.datasets.rewriting import FIRST, FORMS, LAST, written_date
from rnnscope.experiments.data.outputs import Sequences, score
from rnnscope.experiments.training.batches import batches, examples, network_inputs, steps_per_epoch
from rnnscope.experiments.training.losses import compile_arguments
from rnnscope.experiments.training.measured_model import MeasuredModel
from rnnscope.experiments.training.model import build_network, build_optimizer

SIZES = ("train_size=300", "validation_size=150", "test_size=160")

DATES = pytest.param("dates", marks=pytest.mark.slow)
"""Needs faker, which comes with the extra `data`."""
both = pytest.mark.parametrize("name", [DATES, "reverse"])


def read(numbers, symbols):
    """Texts; padding is nothing."""
    return ["".join(symbols[number] for number in row) for row in numbers]


@both
def test_sources_and_targets_are_padded_behind_and_symbol_0_is_nothing_but_padding(task_of, name):
    task = task_of(name)
    assert isinstance(task.output, Sequences)
    assert task.symbols[0] == task.output.names[0] == ""
    assert task.output.size == len(task.output.names)
    for part in task.parts:
        np.testing.assert_array_equal(part.mask, part.inputs > 0)
        np.testing.assert_array_equal(part.asked, part.targets > 0)
        for there in (part.mask, part.asked):
            assert there[:, 0].all()
            assert (np.diff(there.astype(int), axis=1) <= 0).all()
    assert set(np.unique(task.train.inputs)) == set(range(len(task.symbols)))


@both
def test_pairs_follow_from_the_seed_and_a_part_does_not_depend_on_the_size_of_another(task_of, name):
    task, again, other = (task_of(name, *SIZES, seed=seed) for seed in (1, 1, 2))
    less = task_of(name, "train_size=10", "validation_size=150", "test_size=7", seed=1)
    for part, same, different in zip(task.parts, again.parts, other.parts, strict=True):
        np.testing.assert_array_equal(part.inputs, same.inputs)
        np.testing.assert_array_equal(part.targets, same.targets)
        assert not np.array_equal(part.inputs, different.inputs)
    np.testing.assert_array_equal(less.validation.inputs, task.validation.inputs)


# ------------------------------------------------------------------------------- dates

ON_3_MARCH_1998 = {
    "3 march 1998", "3rd of march 1998", "the 3rd of march, 1998", "tuesday, 3 march 1998",
    "tuesday the 3rd of march, 1998", "march 3, 1998", "march 3rd, 1998", "mar 3, 1998", "tue 3 mar 1998", "3 mar '98",
    "03-mar-98", "03/03/1998", "3/3/98", "3.3.1998", "1998/03/03",
}  # fmt: skip


def understood(text):
    """The day that a written date means, by rules that share nothing with those that wrote it."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    months = [month for month in range(1, 13) if datetime.date(2000, month, 1).strftime("%b").lower() in text]
    digits = re.fullmatch(r"(\d{4})/(\d\d)/(\d\d)", text)
    if digits:
        year, month, day = map(int, digits.groups())
    elif months:
        [month], (day, year) = months, numbers
    else:
        day, month, year = numbers
    if year < 100:
        year += 1900 if year >= 70 else 2000
    return datetime.date(year, month, day)


def test_a_date_is_written_in_fifteen_forms():
    assert {written_date(datetime.date(1998, 3, 3), form) for form in FORMS} == ON_3_MARCH_1998


def test_a_written_date_can_be_understood_without_knowing_its_form_and_weekdays_are_right():
    """A reader who finds the day in every text shows that no text stands for two days."""
    days = [FIRST + datetime.timedelta(days=days) for days in range(0, 60 * 366, 11)]
    assert (str(FIRST), str(LAST)) == ("1970-01-01", "2029-12-31")
    for day in (*(day for day in days if day <= LAST), LAST):
        for text in (written_date(day, form) for form in FORMS):
            assert understood(text) == day
            weekday = re.match("(mon|tue|wed|thu|fri|sat|sun)", text)
            assert weekday is None or weekday[1] == day.strftime("%a").lower()


def test_days_have_the_endings_of_english_ordinals():
    endings = [written_date(datetime.date(2001, 1, day), "{d.day}{th}") for day in range(1, 32)]
    assert [ending for ending in endings if not ending.endswith("th")] == [
        "1st", "2nd", "3rd", "21st", "22nd", "23rd", "31st",
    ]  # fmt: skip


@pytest.mark.slow  # needs faker
def test_what_is_asked_for_is_the_date_that_is_written(task_of):
    task = task_of("dates")
    assert task.output.stop is None
    forms = Counter()
    for part in task.parts:
        assert part.targets.shape[1] == 10
        for text, iso in zip(read(part.inputs, task.symbols), read(part.targets, task.output.names), strict=True):
            assert understood(text).isoformat() == iso
            forms[re.sub("[a-z]+", "a", re.sub(r"\d+", "1", text))] += 1
    assert len(forms) > 10
    years = {iso[:4] for iso in read(task.train.targets, task.output.names)}
    assert years == set(map(str, range(1970, 2030)))


@pytest.mark.slow  # needs faker
def test_no_day_is_in_two_parts_and_so_no_written_date(task_of):
    task = task_of("dates")
    for texts, symbols in (("targets", task.output.names), ("inputs", task.symbols)):
        train, validation, test = (set(read(getattr(part, texts), symbols)) for part in task.parts)
        assert not train & validation
        assert not train & test
        assert not validation & test


@pytest.mark.slow  # needs faker
def test_the_longest_date_fits_and_some_date_is_as_long(task_of):
    days = (FIRST + datetime.timedelta(days=days) for days in range(4 * 366))
    longest = max(len(written_date(day, form)) for day in days for form in FORMS)
    assert task_of("dates", *SIZES).train.inputs.shape[1] == longest


# ----------------------------------------------------------------------------- reverse


@pytest.mark.parametrize("length", [1, 2, 10])
def test_a_string_is_asked_for_backwards_and_then_a_stop(task_of, length):
    task = task_of("reverse", f"length={length}")
    assert task.output.names[task.output.stop] == "."
    lengths = Counter()
    for part in task.parts:
        assert (part.inputs.shape[1], part.targets.shape[1]) == (length, length + 1)
        for text, back in zip(read(part.inputs, task.symbols), read(part.targets, task.output.names), strict=True):
            assert re.fullmatch("[a-z]+", text)
            assert back == text[::-1] + "."
            lengths[len(text)] += 1
    assert set(lengths) == set(range(1, length + 1))


@pytest.mark.parametrize("length", [1, 2, 10])
def test_no_string_is_in_two_parts(task_of, length):
    task = task_of("reverse", f"length={length}")
    train, validation, test = (set(read(part.inputs, task.symbols)) for part in task.parts)
    assert not train & validation
    assert not train & test
    assert not validation & test


# ---------------------------------------------------------------------------- baseline


def test_at_each_step_the_most_frequent_symbol_of_the_training_part():
    targets = np.array([[1, 2, 0], [1, 3, 2], [2, 3, 3], [1, 3, 3]])
    asked = np.array([[True, True, False], [True, True, True], [True, True, True], [True, True, True]])
    train = Split(np.zeros((4, 1), int), targets, target_mask=asked)
    logits = majority_by_step(4).fit(train)(train[:2])
    counts = np.array([[1, 4, 2, 1], [1, 1, 2, 4], [1, 1, 2, 3]])
    np.testing.assert_allclose(np.exp(logits), [counts / counts.sum(axis=1, keepdims=True)] * 2)


@pytest.mark.slow  # needs faker
@pytest.mark.parametrize("name", ["dates", "reverse"])
def test_saying_always_the_same_costs_something_finite_and_is_never_right(task_of, name):
    task = task_of(name)
    scores = task.baseline_metrics(task.test)["majority by step"]
    asked, targets = task.test.asked, task.test.targets
    most = [np.bincount(column[column > 0]).argmax() for column in task.train.targets.T]
    assert scores["accuracy"] == pytest.approx(np.mean((targets == most)[asked]))
    assert scores["exact_match"] < 0.01
    assert set(scores) == {"loss", "accuracy", "exact_match", "edit_distance"}
    assert task.solved == ("exact_match", 0.99)


# ---------------------------------------------------------------------------- learning


@pytest.mark.slow  # needs faker
def test_a_network_learns_to_write_backwards_and_is_scored_as_it_is_watched(compose):
    config = compose("dataset=reverse", "dataset.length=3", "dataset.train_size=1500", "cell=gru", "cell.units=48")
    task = load(config.dataset, seed=1)
    keras.utils.set_random_seed(1)
    model = MeasuredModel.around(build_network(config, task.signature))
    model.compile(build_optimizer(config.optimizer), **compile_arguments(task.output))
    steps, epochs = steps_per_epoch(task.train, 32), 6
    model.fit(
        batches(task.train, task.output, 32, range(epochs), seed=1),
        epochs=epochs, steps_per_epoch=steps, shuffle=False, verbose=0,
    )  # fmt: skip
    inputs, targets, weights = examples(task.test, task.output)
    watched = model.evaluate(inputs, targets, sample_weight=weights, batch_size=300, verbose=0, return_dict=True)
    scores = score(task.output, lambda part: model.predict_on_batch(network_inputs(part, task.output)), [task.test])
    assert {name: scores[name] for name in watched} == pytest.approx(watched, rel=1e-4)
    baseline = task.baseline_metrics(task.test)["majority by step"]
    assert scores["exact_match"] > 0.5 > baseline["exact_match"]
    assert scores["edit_distance"] < 0.5 * baseline["edit_distance"]
