"""Numbers that sum up a profile."""

import numpy as np
import pytest

from tensorboard_gradient_flow.profile import first_to_last, horizon, per_step_factor, root_mean_square, verdict


@pytest.mark.parametrize(
    ("norms", "expected"),
    [
        ([1.0, 1.0, 1.0, 1.0], 3),  # the first step is three steps back from the last
        ([0.001, 0.02, 0.5, 1.0], 2),
        ([1.0, 0.001, 0.5, 1.0], 1),  # what lies behind a gap is out of reach
        ([0.0, 0.0, 0.0, 1.0], 0),
        ([100.0, 1.0, 0.5, 0.5], 0),  # the last step itself is below 1 % of the largest
        ([0.5, 1.0, 0.0, 0.0], 1),  # two steps of padding at the end
        ([0.0, 0.0], 0),
        ([np.nan, 1.0], 0),
        ([], 0),
    ],
)
def test_horizon_counts_steps_back_from_the_last_that_stay_within_reach(norms, expected):
    assert horizon(norms) == expected
    assert horizon(norms[::-1], backward=True) == expected


@pytest.mark.parametrize("factor", [0.5, 0.9, 0.99])
def test_horizon_of_a_geometric_decay_is_where_it_falls_to_one_percent(factor):
    norms = factor ** np.arange(199, -1, -1.0)
    expected = int(np.floor(np.log(0.01) / np.log(factor)))
    assert horizon(norms) == min(expected, 199)


def test_first_to_last_is_a_plain_ratio_or_nothing():
    assert first_to_last([0.25, 9.0, 0.5]) == 0.5
    assert first_to_last([1.0, 0.0]) is None
    assert first_to_last([np.inf, 1.0]) is None
    assert first_to_last([]) is None


def test_profiles_of_equal_batches_join_as_if_they_were_one_batch():
    random = np.random.default_rng(0)
    of_examples = random.lognormal(size=(3, 8, 5))  # three batches of eight examples, five steps
    by_batch = np.sqrt(np.mean(of_examples**2, axis=1))
    np.testing.assert_allclose(root_mean_square(by_batch), np.sqrt(np.mean(of_examples**2, axis=(0, 1))))


def test_batches_whose_sequences_are_shorter_do_not_count_where_they_have_ended():
    random = np.random.default_rng(1)
    profiles = random.lognormal(size=(10, 40))
    for profile, length in zip(profiles, [12, 7, 9, 40, 11, 8, 12, 10, 9, 7], strict=True):
        profile[length:] = 0
    joined = root_mean_square(profiles)
    np.testing.assert_allclose(joined[12:], profiles[3, 12:])
    np.testing.assert_allclose(joined[:7], np.sqrt(np.mean(profiles[:, :7] ** 2, axis=0)))


@pytest.mark.parametrize("factor", [0.02, 0.5, 0.9, 0.999, 1.0, 1.05, 3.0])
@pytest.mark.parametrize("backward", [False, True])
def test_the_factor_of_a_geometric_profile_is_its_ratio(factor, backward):
    norms = 0.3 * factor ** np.arange(59, -1, -1.0)
    assert per_step_factor(norms[::-1] if backward else norms, backward) == pytest.approx(factor)


def test_the_factor_is_fitted_to_the_steps_within_reach_only():
    norms = 0.5 ** np.arange(20, -1, -1.0)
    norms[:10] = 1e-5  # rounding, or whatever else levels off far below
    assert per_step_factor(norms) == pytest.approx(0.5)
    norms[:5] = 0.5  # behind the horizon
    assert per_step_factor(norms) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("norms", "expected"),
    [
        ([], None),
        ([1.0], None),
        ([0.0, 1.0], None),  # one positive step has no slope
        ([np.nan, np.inf, 1.0], None),
        ([1e-9, 1.0], 1e-9),  # only the last step is within reach: one more is taken
        ([np.nan, 0.5, 0.0, 2.0], 0.5),  # two steps apart, a factor of four
    ],
)
def test_the_factor_needs_two_finite_positive_steps(norms, expected):
    assert per_step_factor(norms) == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    ("factor", "length", "expected"),
    [
        (0.5, 100, "vanishing"),
        (0.9, 100, "vanishing"),
        (0.96, 100, "healthy"),  # reaches 99 steps back with 1.8 %
        (0.9, 30, "healthy"),  # the same factor does no harm to a short sequence
        (1.0, 100, "healthy"),
        (1.04, 100, "healthy"),  # grows 49 times
        (1.05, 100, "exploding"),  # grows 125 times
        (3.0, 100, "exploding"),
    ],
)
def test_a_geometric_profile_is_judged_by_how_far_it_reaches_and_how_much_it_grows(factor, length, expected, backward):
    norms = factor ** np.arange(length - 1, -1, -1.0)
    found = verdict(norms[::-1] if backward else norms, backward)
    assert found.name == expected
    assert found.factor == pytest.approx(factor)
    assert found.steps == length - 1


@pytest.mark.parametrize(
    ("norms", "expected", "because"),
    [
        ([1.0, np.nan, 1.0], "exploding", "nan at timestep 1"),
        ([np.inf, 1.0, 1.0], "exploding", "inf at timestep 0"),
        ([0.0, 0.0, 0.0], "vanishing", "No gradient arrives"),
        ([0.5, 1.0, 0.0, 0.0, 0.0, 0.0], "healthy", "every step, up to 1 back"),  # behind the sequence is padding
        ([0.0, 0.0, 0.0, 1.0], "vanishing", "0 of 3 steps back"),
        ([7.0], "healthy", "up to 0 back"),
        ([], "healthy", "No gradient arrives"),
    ],
)
def test_a_verdict_says_why(norms, expected, because):
    found = verdict(norms)
    assert found.name == expected
    assert because in found.explanation
    assert found.explanation.endswith(".")
