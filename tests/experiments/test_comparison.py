"""`rnnscope compare` and `diff`."""

import itertools
import re
import shutil

import numpy as np
import pytest
from scipy import special

from rnnscope.experiments.__main__ import main
from rnnscope.experiments.summaries.comparison import Paired, verdict
from tests.experiments.written_runs import begun, completed


def fill(folder, first, second, **of_result):
    """Seeds 1, 2, … of an LSTM and of a GRU."""
    for cell, values in (("lstm", first), ("gru", second)):
        for seed, value in enumerate(values, start=1):
            completed(folder, float(value), seed=seed, cell=cell, of_result=of_result)
    return folder


@pytest.mark.parametrize("count", [2, 5, 8])
def test_interval_and_t_test_are_those_of_the_definition(count):
    differences = np.random.default_rng(count).normal(0.3, 1, count)
    pairs = Paired({str(seed): float(each) for seed, each in enumerate(differences)})
    error = differences.std(ddof=1) / np.sqrt(count)
    t = differences.mean() / error
    degrees = count - 1
    # Both tails of Student's t, as a regularised incomplete beta function.
    assert pairs.t_test == pytest.approx(special.betainc(degrees / 2, 0.5, degrees / (degrees + t**2)), rel=1e-9)
    assert pairs.mean == pytest.approx(differences.mean())
    # The end of the interval is the t at which those tails hold 5 %.
    end = pairs.half_width / error
    assert special.betainc(degrees / 2, 0.5, degrees / (degrees + end**2)) == pytest.approx(0.05)


@pytest.mark.parametrize("count", [6, 9])
def test_wilcoxons_p_is_the_share_of_all_signs_that_are_as_one_sided(count):
    differences = np.random.default_rng(count).normal(0.5, 1, count)
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1
    sums = np.array([ranks @ np.array(signs) for signs in itertools.product((0, 1), repeat=count)])
    found = ranks @ (differences > 0)
    expected = min(1, 2 * min((sums <= found).mean(), (sums >= found).mean()))
    pairs = Paired({str(seed): float(each) for seed, each in enumerate(differences)})
    assert pairs.wilcoxon == pytest.approx(expected)


def test_tests_that_cannot_be_made_are_not_made():
    assert Paired({"1": 0.5}).half_width is None
    assert Paired({"1": 0.5}).t_test is None
    equal = Paired({str(seed): 0.0 for seed in range(8)})
    assert (equal.half_width, equal.t_test, equal.wilcoxon) == (0.0, None, None)
    five = Paired({str(seed): seed + 1.0 for seed in range(5)})
    assert five.t_test is not None
    assert five.wilcoxon is None


@pytest.mark.parametrize(("metric", "better"), [("mae", "B"), ("accuracy", "A")])
def test_the_better_one_is_the_one_that_is_better_by_the_metric(metric, better):
    *_, last = verdict(Paired({str(seed): 1 + seed / 100 for seed in range(6)}), metric)
    wins = {"A": "A is better at 6 of 6 seeds, B at 0", "B": "A is better at 0 of 6 seeds, B at 6"}[better]
    assert last == f"{wins}; over seeds {better} is better: 0 is not in the interval."


def test_where_there_is_no_difference_none_is_shown():
    *_, last = verdict(Paired({"1": 1.0, "2": -1.0, "3": 0.0}), "mae")
    assert last == "A is better at 1 of 3 seeds, B at 1; over seeds no difference is shown: 0 is in the interval."


def test_two_configurations_of_a_folder_are_paired_by_seed(tmp_path, capsys):
    fill(tmp_path, [0.5, 0.6, 0.7, 0.8], [0.4, 0.45, 0.5])
    begun(tmp_path, cell="gru", seed=4).set_state("diverged", "NaN")
    assert main(["compare", str(tmp_path), "--where", "cell=lstm", "--with", "cell=gru"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"cell +lstm +gru", shown)
    for seed, difference in (("1", "0.1000"), ("2", "0.1500"), ("3", "0.2000")):
        assert re.search(rf"^ +{seed} .*\+{difference} *$", shown, re.MULTILINE)
    half = special.stdtrit(2, 0.975) * 0.05 / np.sqrt(3)
    expected = f"over 3 common seeds: mean +0.1500, 95 % interval +{0.15 - half:.4f} to +{0.15 + half:.4f}"
    assert expected in shown
    assert "Wilcoxon signed-rank test: needs at least six seeds that differ" in shown


def test_what_is_not_replaced_holds_for_both_sides(tmp_path, capsys):
    for cell, depth, value in [("lstm", 1, 1.0), ("lstm", 2, 2.0), ("gru", 1, 4.0), ("gru", 2, 7.0)]:
        completed(tmp_path, value, cell=cell, architecture__depth=depth)
    given = ["--where", "cell=lstm", "--where", "architecture.depth=2", "--with", "cell=gru"]
    assert main(["compare", str(tmp_path), *given]) == 0
    shown = capsys.readouterr().out
    assert "mean −5.0000" in shown
    assert "One common seed: no interval and no test" in shown


def test_two_folders_are_compared_as_wholes(tmp_path, capsys):
    for name, value in (("before", 0.25), ("after", 0.75)):
        for seed in (1, 2):
            completed(tmp_path / name, value + seed, seed=seed)
    assert main(["compare", str(tmp_path / "after"), str(tmp_path / "before")]) == 0
    shown = capsys.readouterr().out
    assert "option: no difference" in shown
    assert "mean +0.5000" in shown
    assert "paired t-test: none, all differences are equal" in shown


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "expected two configurations: give --with cell=gru, or a second folder"),
        (["--with", "cell=gru"], "{}: several configurations, which differ in cell; expected one: add --where cell=…"),
        (["--where", "cell=lstm", "--with", "cell=lstm"], "the same runs are on both sides; expected"),
        (["--where", "cell=lstm", "--with", "cell=rnn"], "cell=rnn: no run has this value; "),
        (["--where", "cell=lstm", "--with", "cell=mgu"], "no seed has a result on both sides (seeds 1, 2 and 7)"),
        (["--where", "cell=lstm", "--with", "cell=mut1"], "no seed has a result on both sides (seeds 1, 2 and none)"),
        (["--where", "cell=lstm", "--with", "cell=ran"], "one is judged by mae, the other by accuracy"),
    ],
)
def test_what_cannot_be_compared_is_told_in_a_line(tmp_path, capsys, given, message):
    fill(tmp_path, [0.5, 0.6], [0.4, 0.45])
    completed(tmp_path, 1.0, cell="mgu", seed=7)
    begun(tmp_path, cell="mut1")
    completed(tmp_path, 1.0, cell="ran", of_result={"metric": "accuracy"})
    assert main(["compare", str(tmp_path), *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"rnnscope compare: {message.format(tmp_path)}")
    assert said.count("\n") == 1


def test_a_difference_shows_the_options_that_differ_and_no_others(tmp_path, capsys):
    first = completed(tmp_path, 1.0, cell="lstm", seed=1)
    second = completed(tmp_path, 1.0, cell="gru", seed=2, cell__reset_after=True)
    environment = second.path / "environment.json"
    environment.write_text(re.sub(r'"numpy": "[^"]+"', '"numpy": "1.0"', environment.read_text()))
    assert main(["diff", str(first.path), str(second.path)]) == 0
    shown = capsys.readouterr().out
    keys = [line.split()[0] for line in shown.splitlines()]
    assert keys == ["option", "cell._target_", "cell", "seed", "cell.reset_after", "made", "packages.numpy"]
    assert re.search(r"cell +lstm +gru", shown)
    assert re.search(r"cell.reset_after +– +true", shown)
    assert re.search(r"packages.numpy +\S+ +1.0", shown)


def test_a_run_does_not_differ_from_its_copy_and_needs_no_environment(tmp_path, capsys):
    run = begun(tmp_path)
    copy = shutil.copytree(run.path, tmp_path / "copy")
    for path in (run.path, copy):
        (path / "environment.json").unlink()
    assert main(["diff", str(run.path), str(copy)]) == 0
    assert capsys.readouterr().out == "option: no difference\nmade with: no difference\n"


def test_a_directory_that_is_no_run_has_no_differences(tmp_path, capsys):
    run = begun(tmp_path)
    assert main(["diff", str(run.path), str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == (
        f"rnnscope diff: {tmp_path}: its configuration cannot be read; "
        "expected the directory of a run, runs/default/…\n"
    )
