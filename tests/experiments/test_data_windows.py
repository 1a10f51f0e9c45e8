"""Windows of a series, their parts and their baselines, against loops over the series."""

import numpy as np
import pytest

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.data.windows import Cut, Series, forecast

NAMES = ("training", "validation", "test")


def counting(steps, times=None, targets=1):
    """A series whose every number says where it stands: feature f of step s is 10 s + f, target k of it 10 s + k."""
    numbers = 10.0 * np.arange(steps)[:, None]
    return Series(("a", "b"), numbers + np.arange(2), numbers + np.arange(targets), times)


def days(*missing, steps=100, start="2020-01-01"):
    times = np.datetime64(start) + np.arange(steps)
    return np.delete(times, missing)


def steps_of(part):
    """Of every example the steps that are read, and those that are asked for (once each)."""
    read = (part.inputs[..., 0] // 10).astype(int)
    asked = (part.targets // 10).astype(int).reshape(len(part), -1)
    return read, [np.unique(row) for row in asked]


CUTS = [
    Cut(window, horizon, stride, every_step)
    for window, horizon, stride in [(1, 1, 1), (5, 1, 1), (5, 3, 1), (5, 3, 4), (3, 6, 2)]
    for every_step in (False, True)
]


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_a_window_is_followed_by_what_it_asks_for(cut):
    series = counting(100, targets=2)
    for part in cut.parts(series, (60, 80)):
        assert part.inputs.shape[1:] == (cut.window, 2)
        assert part.inputs.dtype == part.targets.dtype == np.float32
        for inputs, targets in zip(part.inputs, part.targets, strict=True):
            start = int(inputs[0, 0] // 10)
            np.testing.assert_array_equal(inputs, series.values[start : start + cut.window])
            if cut.every_step:
                expected = [series.wanted[start + t : start + t + cut.horizon] for t in range(1, cut.window + 1)]
            else:
                expected = series.wanted[start + cut.window : start + cut.window + cut.horizon]
            np.testing.assert_array_equal(targets, np.reshape(expected, targets.shape))


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_windows_of_validation_and_test_never_overlap_the_training_part(cut):
    train, validation, test = (steps_of(part) for part in cut.parts(counting(100), (60, 80)))
    assert max(read.max() for read in train[0]) < 60
    assert max(asked.max() for asked in train[1]) < 60
    for (read, asked), (begin, end) in ((validation, (60, 80)), (test, (80, 100))):
        assert read.min() >= 60
        assert min(row.min() for row in asked) >= begin
        assert max(row.max() for row in asked) < end
        assert read.max() < end


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_the_test_part_asks_for_all_of_its_steps_whatever_the_stride(cut):
    _, asked = steps_of(cut.parts(counting(100), (60, 80))[2])
    first = sorted(row[0] for row in asked)
    assert first == list(range(80, 100 - cut.horizon + 1 - (cut.window - 1 if cut.every_step else 0)))
    assert set(np.concatenate(asked)) == set(range(80, 100))


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_training_and_validation_windows_are_a_stride_apart(cut):
    for part in cut.parts(counting(100), (60, 80))[:2]:
        starts = part.inputs[:, 0, 0] // 10
        np.testing.assert_array_equal(np.diff(starts), cut.stride)


def test_a_class_is_asked_for_by_its_number():
    series = Series(("a",), np.arange(50.0)[:, None], np.arange(50) % 3)
    once, always = (Cut(4, 1, 1, every_step).parts(series, (20, 35))[2] for every_step in (False, True))
    assert once.targets.dtype == always.targets.dtype == np.int32
    np.testing.assert_array_equal(once.targets, (once.inputs[:, -1, 0] + 1) % 3)
    np.testing.assert_array_equal(always.targets, (always.inputs[..., 0] + 1) % 3)


def test_windows_do_not_reach_across_a_gap():
    series = counting(97, days(30, 65, 66))
    examples = 0
    for part in Cut(4, 2, 1, False).parts(series, (55, 75)):
        read, asked = steps_of(part)
        for steps in np.concatenate([read, asked], axis=1):
            assert (np.diff(series.times[steps]) == np.timedelta64(1, "D")).all()
        examples += len(part)
        np.testing.assert_array_equal(part.times, series.times[[row[0] for row in asked]])
    assert examples == (55 - 5 - 5) + (75 - 55 - 5 - 5) + (97 - 75 - 1)


def test_months_are_even_enough_to_be_one_run():
    months = np.arange("2010-01", "2020-01", dtype="datetime64[M]").astype("datetime64[D]")
    assert counting(len(months), months).runs.max() == 0


@pytest.mark.parametrize(
    ("bounds", "part", "there"), [((5, 60), "training", 5), ((60, 64), "validation", 4), ((60, 97), "test", 7)]
)
def test_a_part_that_is_too_short_is_named(bounds, part, there):
    with pytest.raises(
        UserError, match=rf"^dataset.window=4, dataset.horizon=4: .* at most {there} steps.* {part} part"
    ):
        Cut(4, 4, 1, False).parts(counting(100), bounds)


# ---------------------------------------------------------------------- baselines


def wandering(times, targets=("a",), seed=0):
    values = np.random.default_rng(seed).normal(size=(len(times), 2)).cumsum(axis=0)
    return Series(("a", "b"), values, values[:, : len(targets)], times)


def answers(task, name):
    (baseline,) = (baseline for baseline in task.baselines if baseline.name == name)
    return baseline.fit(task.train)(task.test)


@pytest.mark.parametrize("every_step", [False, True])
def test_persistence_repeats_the_last_value_of_every_target(every_step):
    task = forecast(wandering(days(), ("a", "b")), (60, 80), Cut(5, 3, 1, every_step), ("a", "b"))
    now = task.test.inputs if every_step else task.test.inputs[:, -1]
    expected = np.stack([now, now, now], axis=-2).reshape(task.test.targets.shape)
    np.testing.assert_array_equal(answers(task, "persistence"), expected)
    assert task.output.names == ("a +1", "b +1", "a +2", "b +2", "a +3", "b +3")
    assert (task.output.size, task.output.per_step) == (6, every_step)


def test_what_is_not_among_the_features_has_no_persistence():
    series = wandering(days())
    task = forecast(Series(("b",), series.values[:, 1:], series.wanted, None), (60, 80), Cut(5, 3, 1, False), ("a",))
    assert [baseline.name for baseline in task.baselines] == ["training mean"]


def test_a_day_before_is_the_same_hour_of_the_last_day_that_was_read():
    series = wandering(np.datetime64("2020-01-01T00") + np.arange(400), ("a", "b"))
    task = forecast(series, (200, 300), Cut(30, 27, 1, False), ("a", "b"))
    answer = answers(task, "a day before").reshape(len(task.test), 27, 2)
    for n, first in enumerate(task.test.times):
        now = int(np.searchsorted(series.times, first)) - 1
        for lead in range(1, 28):
            back = 24 if lead <= 24 else 48
            np.testing.assert_array_equal(answer[n, lead - 1], np.float32(series.values[now + lead - back]))


def test_a_day_before_needs_a_day_that_is_read():
    hours = np.datetime64("2020-01-01T00") + np.arange(400)
    names = [b.name for b in forecast(wandering(hours), (200, 300), Cut(23, 1, 1, False), ("a",)).baselines]
    assert names == ["persistence", "climatology", "training mean"]


def apart(one, other):
    """Days from one date's place in the year to another's, round the turn of the year."""
    one, other = ((date - date.astype("datetime64[Y]")).astype(int) for date in (one, other))
    return min(abs(one - other), 366 - abs(one - other))


@pytest.mark.parametrize(("every_step", "targets"), [(False, ("a",)), (False, ("a", "b")), (True, ("a",))])
def test_climatology_is_the_training_mean_of_fifteen_days_of_the_year(every_step, targets):
    series = wandering(days(steps=3 * 366), targets)
    task = forecast(series, (2 * 366, 2 * 366 + 100), Cut(4, 2, 1, every_step), targets)
    answer = answers(task, "climatology")
    learnt = range(1 if every_step else 4, 2 * 366)
    lead = 3 if every_step else 0
    for n in range(0, len(task.test), 37):
        date = task.test.times[n] + lead + 1
        near = [s for s in learnt if apart(series.times[s], date) <= 7]
        assert 30 >= len(near) >= 15
        second = answer[n, -1, -1:] if every_step else answer[n, -len(targets) :]
        np.testing.assert_allclose(second, np.float32(series.wanted[near]).mean(axis=0), rtol=1e-5)


def test_climatology_knows_the_time_of_the_day_and_makes_do_with_it_where_the_season_is_new():
    hours = np.datetime64("2020-01-01T00") + np.arange(24 * 90)
    series = wandering(hours)
    task = forecast(series, (24 * 30, 24 * 60), Cut(5, 30, 1, False), ("a",))
    answer = answers(task, "climatology")
    learnt = np.arange(5, 24 * 30)
    for n in range(0, len(task.test), 41):
        for lead in (0, 1, 29):
            hour = (np.searchsorted(hours, task.test.times[n]) + lead) % 24
            expected = np.float32(series.wanted[learnt[learnt % 24 == hour]]).mean()
            np.testing.assert_allclose(answer[n, lead], expected, rtol=1e-5)


def test_climatology_of_what_was_never_there_is_the_training_mean():
    hours = np.datetime64("2020-06-01T00") + np.arange(200)
    task = forecast(wandering(hours), (100, 150), Cut(4, 2, 1, False), ("a",)).reduced(3, 1.0)
    answer = answers(task, "climatology")
    hour = (np.searchsorted(hours, task.test.times)) % 24
    learnt = np.unique(task.train.targets)
    assert len(learnt) == 4
    np.testing.assert_allclose(answer[hour == 12, 0], learnt.mean(), rtol=1e-5)


def test_baselines_answer_in_the_form_of_the_targets():
    series = wandering(np.datetime64("2020-01-01T00") + np.arange(400), ("a", "b"))
    for cut in (Cut(24, 5, 3, False), Cut(24, 5, 3, True)):
        task = forecast(series, (200, 300), cut, ("a", "b"), "m")
        assert task.ordered
        assert task.standardise
        assert task.output.unit == "m"
        for baseline in task.baselines:
            assert baseline.fit(task.train)(task.test).shape == task.test.targets.shape
