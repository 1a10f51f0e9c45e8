"""What a study makes of its runs: metrics, intervals, effect sizes, and rules in all their outcomes."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.runs.reader import Run, read_run
from rnnscope.experiments.studies.evidence import Finding, beside, cliffs_delta, interval, judge, values, verdict
from rnnscope.experiments.studies.metrics import find
from rnnscope.experiments.studies.study import Published, Rule
from tests.experiments.written_runs import begun, completed, with_profiles

SEEDS = range(1, 6)


def run(cell, seed, value=None, state="completed", **options):
    """A run as it is read back; without a value it has no result."""
    result = {} if value is None else {"metrics": {"mae": value}, "headline": "mae", "parameters": 7}
    told = {"cell": cell, **{key.replace("__", "."): str(each) for key, each in options.items()}}
    path = Path("runs") / f"{cell}-s{seed}-{'-'.join(told.values())}"
    return Run(path, told, str(seed), state, "", "", result)


def group(cell, of_seeds, **options):
    return [run(cell, seed, float(value), **options) for seed, value in enumerate(of_seeds, start=1)]


def rule(**changes):
    asked = {"metric": "score", "of": {"cell": "lstm"}, "against": {"cell": "rnn"}, "direction": "higher"}
    return Rule(**(asked | changes))


# ------------------------------------------------------------------ statistics


def test_with_many_seeds_the_interval_is_that_of_student():
    sample = np.random.default_rng(1).normal(3, 2, 300)
    low, high = stats.t.interval(0.95, 299, loc=sample.mean(), scale=stats.sem(sample))
    found = interval(sample)
    assert found.mean == pytest.approx(sample.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05)


def test_with_five_seeds_the_interval_covers_the_mean_about_as_often_as_it_says():
    random = np.random.default_rng(2)
    found = [interval(random.normal(0, 1, 5)) for _ in range(150)]
    assert np.mean([each.low <= 0 <= each.high for each in found]) > 0.88  # plain percentiles: about 0.83


def test_pairs_are_compared_one_by_one_and_other_groups_as_wholes():
    random = np.random.default_rng(3)
    level = random.normal(0, 10, 8)
    first, second = level + 1 + random.normal(0, 0.01, 8), level
    paired, whole = interval(first, second, paired=True), interval(first, second)
    assert paired.mean == pytest.approx(whole.mean) == pytest.approx((first - second).mean())
    assert paired.high - paired.low < 0.1 < whole.high - whole.low


def test_groups_of_unequal_size_have_an_interval_too():
    random = np.random.default_rng(4)
    first, second = random.normal(5, 1, 9), random.normal(3, 1, 4)
    found = interval(first, second)
    assert found.mean == pytest.approx(first.mean() - second.mean())
    assert found.low < found.mean < found.high


def test_the_same_values_give_the_same_interval():
    sample = np.random.default_rng(5).uniform(size=6)
    assert interval(sample) == interval(sample)


def test_one_value_has_no_interval_and_equal_values_have_one_without_width():
    assert interval([0.4]).low is None
    assert (interval([2.0, 2.0, 2.0]).low, interval([2.0, 2.0, 2.0]).high) == (2.0, 2.0)


def test_cliffs_delta_counts_pairs():
    first, second = (np.random.default_rng(6).integers(0, 6, size) for size in (7, 9))
    counted = sum(int(a > b) - int(a < b) for a in first for b in second) / (7 * 9)
    assert cliffs_delta(first, second) == pytest.approx(counted)


# ----------------------------------------------------------------------- rules


def both(higher, lower, seed=7):
    """An LSTM's and an RNN's runs whose scores lie about so high."""
    random = np.random.default_rng(seed)
    return [
        *group("lstm", higher * random.uniform(0.95, 1.05, 5)),
        *group("rnn", lower * random.uniform(0.95, 1.05, 5)),
    ]


@pytest.mark.parametrize(
    ("asked", "scores", "outcome"),
    [
        (rule(), (3, 1), "holds"),
        (rule(), (1, 3), "fails"),
        (rule(), (1, 1), "undecided"),
        (rule(by=1), (3, 1), "holds"),
        (rule(by=2), (3, 1), "undecided"),
        (rule(by=4), (3, 1), "fails"),
        (rule(direction="lower"), (1, 3), "holds"),
        (rule(direction="lower"), (3, 1), "fails"),
        (rule(direction="lower", by=4), (1, 3), "fails"),
        (rule(scale="ratio"), (3, 1), "holds"),
        (rule(scale="ratio", by=2), (3, 1), "holds"),
        (rule(scale="ratio", by=3), (3, 1), "undecided"),
        (rule(scale="ratio", by=5), (3, 1), "fails"),
        (rule(scale="ratio", by=2, direction="lower"), (1, 3), "holds"),
        (rule(scale="ratio", by=5, direction="lower"), (1, 3), "fails"),
        (rule(against=2.0), (3, 1), "holds"),
        (rule(against=4.0), (3, 1), "fails"),
        (rule(against=3.0), (3, 1), "undecided"),
        (rule(against=4.0, direction="lower"), (3, 1), "holds"),
        (rule(against=1.0, scale="ratio", by=2), (3, 1), "holds"),
        (rule(within=1), (2.5, 3), "holds"),
        (rule(within=0.5), (2.5, 3), "undecided"),
        (rule(within=0.5), (1, 3), "fails"),
        (rule(within=0.5, direction="lower"), (1.2, 1), "holds"),
        (rule(within=0.5, direction="lower"), (3, 1), "fails"),
        (rule(within=2, scale="ratio"), (2, 3), "holds"),
        (rule(within=2, scale="ratio"), (1, 3), "fails"),
        (rule(within=2, scale="ratio", direction="lower"), (3, 2), "holds"),
        (rule(within=2, scale="ratio", direction="lower"), (3, 1), "fails"),
    ],
)
def test_a_rule_holds_fails_or_is_undecided_as_its_interval_lies(asked, scores, outcome):
    found = judge(asked, both(*scores), "full")
    assert (found.outcome, found.delta is None) == (outcome, False)
    assert verdict([found]) == {"holds": "supported", "fails": "not supported"}.get(outcome, "undecided")


def test_a_ratio_is_that_of_geometric_means():
    runs = both(0.2, 1e-9)
    of, against = (np.array([each.value for each in runs if each.options["cell"] == cell]) for cell in ("lstm", "rnn"))
    found = judge(rule(scale="ratio"), runs, "full")
    assert found.effect.mean == pytest.approx(stats.gmean(of) / stats.gmean(against))
    assert found.means == pytest.approx((stats.gmean(of), stats.gmean(against)))
    assert found.effect.low < found.effect.mean < found.effect.high
    assert found.paired


def test_a_rule_says_what_it_asks_for():
    assert rule(by=2).in_words() == "score of cell=lstm is higher than of cell=rnn by more than 2"
    as_good = rule(within=1.5, scale="ratio", direction="lower")
    assert as_good.in_words() == "score of cell=lstm is not higher than of cell=rnn by more than a factor of 1.5"


def test_what_is_published_stands_beside_the_mean_over_seeds_with_the_difference():
    published = Published("score", {"cell": "lstm"}, 2.5, "somebody 1997", "nothing")
    found = beside(published, both(3, 1))
    expected = interval([each.value for each in both(3, 1) if each.options["cell"] == "lstm"])
    assert (found.ours, found.seeds) == (expected, 5)
    assert (found.apart.mean, found.apart.low) == pytest.approx((expected.mean - 2.5, expected.low - 2.5))
    assert beside(published, group("rnn", np.ones(5))).ours is None


def test_a_claim_is_supported_only_if_all_its_rules_hold():
    outcomes = lambda *of: verdict([Finding(rule(), outcome, "") for outcome in of])
    assert outcomes("holds", "holds") == "supported"
    assert outcomes("holds", "undecided") == "undecided"
    assert outcomes("undecided", "fails", "holds") == "not supported"


def test_a_single_seed_and_smoke_scale_decide_nothing():
    single = judge(rule(), [run("lstm", 1, 3.0), run("rnn", 1, 1.0)], "full")
    assert (single.outcome, single.effect.mean, single.effect.low) == ("undecided", 2.0, None)
    assert "a single seed" in single.why
    smoke = judge(rule(), both(3, 1), "smoke")
    assert smoke.outcome == "undecided"
    assert "smoke scale" in smoke.why
    assert smoke.effect == judge(rule(), both(3, 1), "full").effect


def test_a_run_that_is_not_over_leaves_its_rule_undecided_and_other_rules_alone():
    runs = [*both(3, 1), run("rnn", 6, state="failed"), run("gru", 1, state="running")]
    found = judge(rule(), runs, "full")
    assert (found.outcome, found.why) == ("undecided", "1 of its runs are not over")
    assert list(found.left_out.values()) == ["failed"]
    assert judge(rule(against=2.0), runs, "full").outcome == "holds"


def test_runs_that_diverged_are_left_out_and_named_and_count_where_they_are_asked_for():
    runs = [*both(3, 1), run("lstm", 6, state="diverged")]
    found = judge(rule(), runs, "full")
    assert (found.outcome, found.counts, found.paired) == ("holds", (5, 5), True)
    assert list(found.left_out.values()) == ["it diverged"]
    exploded = [run("lstm", seed, state="diverged") for seed in SEEDS] + group("rnn", np.ones(5))
    found = judge(rule(metric="diverged", by=0.5), exploded, "full")
    assert (found.outcome, found.means, found.delta) == ("holds", (1.0, 0.0), 1.0)


def test_a_run_that_diverged_has_not_solved_its_task():
    of = lambda state, **result: find("solved").of(Run(Path("x"), {}, "1", state, "", "", result))
    assert of("completed", solved_at_step=250) == 1.0
    assert of("completed", solved_at_step=None) == of("diverged") == 0.0
    assert of("running") is None


def test_groups_without_values_and_ratios_of_nothing_are_undecided():
    assert judge(rule(of={"cell": "mgu"}), both(3, 1), "full").why == "no run with cell=mgu has a value"
    zeros = [*group("lstm", np.ones(5)), *group("rnn", np.zeros(5))]
    assert "give the rule a floor" in judge(rule(scale="ratio"), zeros, "full").why
    floored = judge(rule(scale="ratio", floor=0.01), zeros, "full")
    assert (floored.outcome, floored.effect.mean) == ("holds", pytest.approx(100))


def test_seeds_that_not_both_groups_have_are_compared_as_wholes():
    runs = [*group("lstm", [3.0, 3.1, 2.9]), *group("rnn", [1.0, 1.1, 0.9, 1.2])]
    found = judge(rule(), runs, "full")
    assert (found.outcome, found.paired, found.counts) == ("holds", False, (3, 4))


def test_of_several_configurations_a_seeds_value_is_their_mean_if_it_has_them_all():
    runs = [
        *group("lstm", [1.0, 2.0, 3.0], dataset__length=10),
        *group("lstm", [3.0, 4.0], dataset__length=20),
        run("lstm", 3, state="diverged", dataset__length=20),
    ]
    assert values(runs, {"cell": "lstm"}, "score").by_seed == {"1": 2.0, "2": 3.0}
    assert values(runs, {"cell": "lstm", "dataset.length": "10"}, "score").by_seed == {"1": 1.0, "2": 2.0, "3": 3.0}


# --------------------------------------------------------------------- metrics


def test_a_metric_is_a_number_of_the_result_by_its_path():
    of = run("lstm", 1, 0.25)
    assert find("metrics.mae").of(of) == find("score").of(of) == 0.25
    assert find("parameters").of(of) == 7.0
    assert find("solved_at_step").of(of) is None
    with pytest.raises(UserError, match="horizonn: there is no such metric; did you mean horizon"):
        find("horizonn")


def test_sequences_to_solve_are_steps_times_the_batch():
    of = lambda step, size: Run(
        Path("x"), {"trainer.batch_size": size}, "1", "completed", "", "", {"solved_at_step": step}
    )
    assert find("sequences_to_solve").of(of(125, "32")) == 4000.0
    assert find("sequences_to_solve").of(of(None, "32")) is None


def test_what_the_gradient_does_is_told_of_the_layer_where_it_reaches_furthest():
    layers = {
        "layer_1": {"horizon": 30, "first_to_last": 0.5, "per_step_factor": 0.9},
        "layer_2": {"horizon": 3, "first_to_last": 1e-9, "per_step_factor": 0.1},
        "damaged": {"horizon": None},
    }
    of = Run(Path("x"), {}, "1", "completed", "", "", {"gradient": layers})
    found = {name: find(name).of(of) for name in ("horizon", "first_to_last", "per_step_factor")}
    assert found == layers["layer_1"]
    assert find("horizon").of(run("lstm", 1, 1.0)) is None


def test_epochs_to_a_value_are_read_from_the_table_of_epochs(tmp_path):
    of = completed(tmp_path, 0.0)  # val_mae falls from 1.1 to 0.1 over four epochs
    read = read_run(of.path)
    assert find("epochs_to val_mae 0.8").of(read) == 2.0
    assert find("epochs_to val_mae 0.101").of(read) == 4.0
    assert find("epochs_to val_mae 0.05").of(read) == 5.0  # never: at least one more than there are
    assert find("epochs_to val_accuracy 0.05").of(read) is None


def test_skill_is_how_far_a_score_is_ahead_of_the_best_baseline_on_the_way_to_a_perfect_one():
    def of(metric, score, **baselines):
        told = {"headline": metric, "metrics": {metric: score, "mse": 1.0}, "baselines": baselines}
        return Run(Path("x"), {}, "1", "completed", "", "", told)

    errors = of("mae", 1.5, persistence={"mae": 2.0, "mse": 4.0}, climatology={"mae": 3.0, "mse": 0.5})
    assert find("skill").of(errors) == find("skill mae").of(errors) == 0.25
    assert find("skill mse").of(errors) == -1.0
    assert find("baseline persistence").of(errors) == find("baselines.persistence.mae").of(errors) == 2.0
    assert find("skill").of(of("accuracy", 0.8, majority={"accuracy": 0.6})) == pytest.approx(0.5)
    for without in (of("mae", None, persistence={"mae": 2.0}), of("mae", 1.0), of("mae", 1.0, perfect={"mae": 0.0})):
        assert find("skill").of(without) is None
    assert find("skill mae_last").of(errors) is None
    with pytest.raises(UserError, match="skill mae mse: expected skill, or skill and a metric"):
        find("skill mae mse")


def test_the_largest_gradient_norm_is_read_from_event_files_of_runs_that_are_over(tmp_path):
    from tensorboard_gradient_flow.writer import RunWriter

    of = begun(tmp_path)
    norms = np.random.default_rng(8).uniform(1, 50, 20)
    with RunWriter(of.path) as writer:
        for step, norm in enumerate([*norms, np.inf, np.nan]):
            writer.scalar("gradient_norm/global", float(norm), step)
            writer.scalar("gradient_norm/horizon", 1e9, step)
    with_profiles(of, np.ones((3, 5)))
    measure = find("largest_gradient_norm").of
    assert measure(read_run(of.path)) is None
    of.set_state("diverged", "the loss became NaN")
    assert measure(read_run(of.path)) == pytest.approx(norms.max(), rel=1e-6)
    for file in of.path.glob("events.*"):
        file.write_bytes(file.read_bytes()[:300])
    assert measure(read_run(of.path)) < norms.max()
