"""Numbers that sum up a profile."""

import numpy as np
import pytest

from tensorboard_gradient_flow.profile import first_to_last, horizon, root_mean_square


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
