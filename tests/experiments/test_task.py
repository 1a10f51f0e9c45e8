"""Parts of the data, less of them, their scale; answers without a network."""

import dataclasses

import numpy as np
import pytest
from scipy.special import log_softmax

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.data import Split, Task
from rnnscope.experiments.data.baselines import bigram, certain, majority, marginal, mean, rule
from rnnscope.experiments.data.outputs import Classes, Labels, Symbols, Values, score

RANDOM = np.random.default_rng(2)


def part(n, t=4, mask=False, targets=None):
    return Split(
        RANDOM.normal(5, 3, (n, t, 2)).astype("float32"),
        RANDOM.normal(-2, 4, (n, 3)).astype("float32") if targets is None else targets,
        np.arange(t) < RANDOM.integers(1, t + 1, n)[:, None] if mask else None,
    )


def task(**options):
    return Task(part(50, **options), part(20, **options), part(30, **options), Values(3), (mean(),), standardise=True)


def rows(split):
    return {row.tobytes() for row in split.inputs}


def test_a_smaller_choice_is_part_of_a_larger_one_and_always_the_same():
    whole = task()
    sizes = {size: rows(whole.reduced(size, 1.0).train) for size in (50, 31, 10, 1)}
    assert {size: len(kept) for size, kept in sizes.items()} == {50: 50, 31: 31, 10: 10, 1: 1}
    assert sizes[1] < sizes[10] < sizes[31] < sizes[50] == rows(whole.train)
    assert rows(whole.reduced(10, 1.0).train) == sizes[10]
    assert sizes[10] != rows(whole.train[:10])


def test_a_fraction_is_of_the_size_that_is_asked_for():
    assert len(task().reduced(None, 0.3).train) == 15
    assert len(task().reduced(20, 0.5).train) == 10
    assert len(task().reduced(20, 1e-6).train) == 1


def test_of_an_ordered_task_the_last_examples_are_kept():
    whole = dataclasses.replace(task(), ordered=True)
    np.testing.assert_array_equal(whole.reduced(7, 1.0).train.inputs, whole.train.inputs[-7:])


def test_validation_and_test_stay_whole():
    whole = task()
    reduced = whole.reduced(3, 1.0)
    assert reduced.validation is whole.validation
    assert reduced.test is whole.test


def test_more_than_there_is_cannot_be_had():
    with pytest.raises(UserError, match=r"^dataset.train_size=51: expected at most 50, the size of the training part$"):
        task().reduced(51, 1.0)


@pytest.mark.parametrize("mask", [False, True])
def test_scales_are_those_of_the_real_steps_of_what_is_left_of_the_training_part(mask):
    reduced = task(mask=mask).reduced(9, 1.0)
    scaled = reduced.scaled()
    train = reduced.train
    steps = train.inputs.reshape(-1, 2) if not mask else train.inputs[train.mask]
    assert scaled.input_mean == pytest.approx(steps.mean(axis=0), rel=1e-5)
    assert scaled.input_scale == pytest.approx(steps.std(axis=0), rel=1e-5)
    assert scaled.output.offset == pytest.approx(train.targets.mean(axis=0), rel=1e-5)
    assert scaled.output.scale == pytest.approx(train.targets.std(axis=0), rel=1e-5)
    np.testing.assert_array_equal(scaled.train.inputs, train.inputs)


def test_a_constant_is_not_stretched():
    whole = task()
    whole.train.inputs[..., 1] = 7
    assert whole.scaled().input_scale[1] == 1.0


def test_a_task_with_a_scale_of_its_own_keeps_it():
    whole = dataclasses.replace(task(), standardise=False)
    assert whole.scaled() is whole


# ------------------------------------------------------------------ baselines


def scores(output, baseline, train, test):
    return score(output, baseline.fit(train), test.chunks(7))


def test_the_majority_baseline_is_learnt_from_the_training_part():
    train, test = (part(n, targets=RANDOM.choice(3, n, p=[0.2, 0.7, 0.1])) for n in (500, 300))
    frequencies = [np.mean(train.targets == k) for k in range(3)]
    assert scores(Classes(3), majority(3), train, test) == pytest.approx(
        {
            "accuracy": np.mean(test.targets == 1),
            "loss": -np.mean([np.log(frequencies[k]) for k in test.targets]),
        }
    )


def test_the_mean_baseline_is_learnt_from_the_training_part():
    train, test = part(500), part(300)
    errors = test.targets - train.targets.mean(axis=0)
    found = scores(Values(3), mean(), train, test)
    assert found["mae"] == pytest.approx(np.mean(abs(errors)), rel=1e-6)
    assert found["mse"] == pytest.approx(np.mean(errors**2), rel=1e-6)


def test_steps_that_are_not_asked_for_teach_the_mean_nothing():
    mask = np.arange(4) < RANDOM.integers(1, 5, 60)[:, None]
    targets = RANDOM.normal(size=(60, 4, 2)).astype("float32")
    train = Split(np.zeros((60, 4, 1)), targets, mask, mask)
    answers = mean().fit(train)(train)
    np.testing.assert_allclose(answers[3, 2], targets[mask].mean(axis=0), rtol=1e-5)


def test_marginals_are_frequencies_of_each_label():
    due = (RANDOM.random((80, 4, 3)) < [0.1, 0.5, 0.9]).astype("float32")
    train = Split(np.zeros((80, 4, 3)), due)
    logits = marginal().fit(train)(train)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits[0, 0])), due.mean(axis=(0, 1)), atol=0.003)
    assert scores(Labels(3), marginal(), train, train)["nll"] < 3 * np.log(2)


def test_the_bigram_baseline_counts_what_follows_what():
    inputs = RANDOM.integers(0, 4, (30, 9))
    targets = (inputs + (RANDOM.random((30, 9)) < 0.3)) % 4
    train = Split(inputs, targets)
    logits = bigram(4).fit(train)(train)
    counts = [np.sum((inputs == 2) & (targets == k)) + 1 for k in range(4)]
    np.testing.assert_allclose(logits[inputs == 2][0], log_softmax(np.log(counts)))
    found = scores(Symbols(4), bigram(4), train, train)
    assert found["loss"] < scores(Symbols(4), majority(4), train, train)["loss"]


def test_a_baseline_without_doubts_has_no_loss():
    targets = RANDOM.integers(0, 3, 40)
    data = part(40, targets=targets)
    whole = Task(data, data, data, Classes(3), (certain("always the first", lambda p: np.zeros(len(p), int), 3),))
    assert whole.baseline_metrics(data) == {"always the first": {"accuracy": np.mean(targets == 0)}}


def test_a_rule_sees_the_inputs():
    data = part(20)
    whole = Task(data, data, data, Values(3), (rule("zero", lambda p: np.zeros_like(p.targets)),))
    assert whole.baseline_metrics(data)["zero"]["mae"] == pytest.approx(abs(data.targets).mean(), rel=1e-6)
