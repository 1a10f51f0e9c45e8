"""What the tab asks of a run's records."""

import json

import numpy as np
import pytest

from tensorboard_gradient_flow.series import Memory, Series, encode


def series(count=10, length=4, **options):
    vectors = [np.full(length, step, np.float32) + np.arange(length, dtype=np.float32) / 10 for step in range(count)]
    return Series([10 * step for step in range(count)], vectors, **options)


def test_a_training_step_without_a_record_shows_the_one_before_it():
    assert series().at([35, 90, 2**53]).steps == [30, 90]
    assert series().at([-1]).steps == [0]
    assert series(count=0).at([5]).steps == []


def test_a_range_of_steps_includes_both_ends():
    assert series().between(20, 50, None, None).steps == [20, 30, 40, 50]
    assert series().between(None, 9, None, None).steps == [0]
    assert series().between(95, None, None, None).steps == []


def test_thinning_keeps_the_first_and_the_last_training_step():
    part = series(count=1000).between(None, None, 7, None)
    assert len(part.steps) == 7
    assert (part.steps[0], part.steps[-1]) == (0, 9990)
    assert len(series().between(None, None, -3, -3).steps) == 1


@pytest.mark.parametrize(("backward", "kept"), [(False, [0.1, 0.4]), (True, [0.0, 0.3])])
def test_thinning_keeps_the_last_timestep_read(backward, kept):
    part = series(count=1, length=5, backward=backward).between(None, None, None, 2)
    assert (part.every, part.lengths) == (3, [5])
    np.testing.assert_allclose(part.values, [kept])


def test_of_records_of_the_same_step_the_last_one_counts_and_steps_are_in_order():
    resumed = Series([10, 20, 30, 20], [np.full(1, n, np.float32) for n in range(4)])
    part = resumed.between(None, None, None, None)
    assert part.steps == [10, 20, 30]
    np.testing.assert_array_equal(np.concatenate(part.values), [0, 3, 2])


def test_records_that_tensorboard_left_out_are_counted():
    kept = [0, 10, 40, 70, 990]
    vectors = [np.ones(1, np.float32)] * len(kept)
    assert Series(kept, vectors, limit=5).dropped == 95
    assert Series(kept, vectors, limit=6).dropped == 0  # there was room for more
    assert Series(kept, vectors, limit=0).dropped == 0  # all are kept


def test_a_horizon_of_what_is_not_finite_is_no_number():
    part = Series([1, 2], [np.array([0.5, 1], np.float32), np.array([np.nan, 1], np.float32)]).horizons()
    np.testing.assert_array_equal(np.concatenate(part.values), [1, np.nan])


def test_a_smooth_horizon_is_that_of_ten_records_together():
    far, near = np.ones(20, np.float32), 0.09 ** np.arange(19, -1, -1, dtype=np.float32)
    part = Series(range(12), [far] + [near] * 11).horizons(smooth=True)
    np.testing.assert_array_equal(np.concatenate(part.values), [19] * 10 + [1, 1])
    ragged = Series([1, 2], [np.ones(3, np.float32), np.ones(2, np.float32)]).horizons(smooth=True)
    np.testing.assert_array_equal(np.concatenate(ragged.values), [2, 1])


def test_a_verdict_is_made_of_the_last_records_of_one_length():
    healthy, vanished = np.ones(30, np.float32), 0.1 ** np.arange(49, -1, -1, dtype=np.float32)
    assert Series(range(20), [vanished] * 10 + [healthy] * 10).verdict().name == "healthy"
    assert Series(range(20), [healthy] * 19 + [vanished]).verdict().name == "vanishing"
    assert Series([], []).verdict() is None


def test_limits_leave_out_what_has_no_place_on_a_logarithmic_scale():
    found = Series([1, 2], [np.array([0, np.nan, 2], np.float32), np.array([np.inf, 4, 0], np.float32)])
    assert found.range == [2, 4]
    assert found.relative_range == [1, 1]
    assert Series([], []).range == []


def test_an_answer_is_a_length_a_header_and_aligned_values():
    ragged = Series([1, 2], [np.array([1, 2], np.float32), np.array([3, np.nan, np.inf], np.float32)])
    answer = encode({"ün": (ragged, ragged.between(None, None, None, None))})
    size = int.from_bytes(answer[:4], "little")
    (header,) = json.loads(answer[4 : 4 + size])["series"]
    assert size % 4 == 0
    assert header.items() >= {"run": "ün", "steps": [1, 2], "lengths": [2, 3], "every": 1, "records": 2}.items()
    np.testing.assert_array_equal(np.frombuffer(answer[4 + size :], "<f4"), [1, 2, 3, np.nan, np.inf])


def test_memory_reads_again_only_what_has_changed_and_forgets_the_oldest():
    asked = []

    def ask(key, stamp):
        def read():
            asked.append((key, stamp))
            return series()

        return memory.get(key, stamp, read)

    memory = Memory(limit=2 * series().size)
    for key, stamp in [("a", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 2), ("c", 1), ("a", 2), ("b", 1)]:
        ask(key, stamp)
    assert asked == [("a", 1), ("a", 2), ("b", 1), ("c", 1), ("b", 1)]
