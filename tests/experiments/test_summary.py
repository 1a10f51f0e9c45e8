"""`rnnscope summary`: what it makes of run directories, whole or not."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rnnscope.experiments.__main__ import main
from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.runs.reader import conditions_of, read_runs, where
from rnnscope.experiments.summaries.groups import grouped
from tests.experiments.written_runs import begun, completed

ROOT = Path(__file__).parents[2]
WHOLE = ("status.json", "result.json", "metrics.csv", "environment.json", ".hydra/config.yaml", ".hydra/overrides.yaml")


def rows(folder):
    """`summary.csv`, a dictionary a row."""
    with (folder / "summary.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two cells with three seeds each, a third that has failed; with the values by cell."""
    folder = tmp_path_factory.mktemp("runs")
    random = np.random.default_rng(3)
    values = {"rnn": random.uniform(0.3, 0.4, 3), "gru": random.uniform(0.05, 0.1, 3)}
    for cell, of_cell in values.items():
        for seed, value in enumerate(of_cell, start=1):
            baselines = {"training mean": 0.4 + seed / 100, "zero": 0.9}
            of_result = {"baselines": baselines, "seconds": 4.0 * seed, "horizons": (seed, 10 * seed)}
            completed(folder, float(value), seed=seed, cell=cell, of_result=of_result)
    begun(folder, cell="lstm").set_state("failed", "OSError: [red]no space[/red] left")
    return folder, values


def test_a_row_is_a_configuration_with_the_mean_and_its_interval_over_seeds(folder):
    folder, values = folder
    assert main(["summary", str(folder), "--no-report"]) == 0
    table = rows(folder)
    assert [row["cell"] for row in table] == ["gru", "rnn", "lstm"]  # of an error the smallest is the best
    for row in table[:2]:
        of_cell = values[row["cell"]]
        low, high = stats.t.interval(0.95, 2, loc=of_cell.mean(), scale=stats.sem(of_cell))
        assert float(row["mean"]) == pytest.approx(of_cell.mean(), rel=1e-12)
        assert float(row["low"]) == pytest.approx(low, rel=1e-9)
        assert float(row["high"]) == pytest.approx(high, rel=1e-9)
        assert float(row["best"]) == of_cell.min()
        assert row["best_seed"] == str(of_cell.argmin() + 1)
        assert row["baseline"] == "training mean"
        assert float(row["baseline_value"]) == pytest.approx(0.42)
        assert float(row["seconds_per_epoch"]) == 2.0
        assert (float(row["horizon"]), float(row["steps"])) == (20, 19)
        assert (row["seeds"], row["completed"], row["failed"]) == ("3", "3", "0")
    assert (table[2]["seeds"], table[2]["mean"], table[2]["failed"]) == ("0", "", "1")


def test_the_screen_shows_every_configuration_and_below_it_what_failed(folder, capsys):
    folder, values = folder
    assert main(["summary", str(folder), "--no-report"]) == 0
    shown = capsys.readouterr().out
    for words in ("gru", "rnn", f"{values['gru'].mean():.4f}", "3 completed", "1 failed", "training mean"):
        assert words in shown
    assert "lstm-adding-lstm-s1: failed: OSError: [red]no space[/red] left\n" in shown


def test_of_an_accuracy_the_largest_is_the_best(tmp_path):
    for cell, value in {"rnn": 0.2, "lstm": 0.9, "gru": 0.5}.items():
        completed(
            tmp_path, value, cell=cell, of_result={"metric": "accuracy", "baselines": {"guess": 0.1, "majority": 0.3}}
        )
    assert main(["summary", str(tmp_path), "--no-report"]) == 0
    assert [row["cell"] for row in rows(tmp_path)] == ["lstm", "gru", "rnn"]
    assert {row["baseline"] for row in rows(tmp_path)} == {"majority"}


def test_what_comes_with_a_choice_is_no_column_and_what_was_swept_is(tmp_path):
    completed(tmp_path, 1.0, cell="lstm", dataset="adding", dataset__length=100)
    completed(tmp_path, 1.0, cell="lstm", dataset="copy", dataset__length=10)
    columns = list(grouped(read_runs(tmp_path))[0].choices)
    assert columns == ["dataset"]
    completed(tmp_path, 1.0, cell="lstm", dataset="copy", dataset__length=20, architecture__skip="dense")
    groups = grouped(read_runs(tmp_path))
    assert list(groups[0].choices) == ["dataset", "architecture.skip", "dataset.length"]
    assert {group.label for group in groups} == {
        "skip=null, length=100",
        "skip=null, length=10",
        "skip=dense, length=20",
    }


def test_datasets_stand_one_after_the_other_each_with_its_own_best_first(tmp_path):
    for dataset, value, cell in [("weather", 3.0, "rnn"), ("adding", 0.2, "gru"), ("weather", 2.0, "gru")]:
        completed(tmp_path, value, cell=cell, dataset=dataset)
    groups = grouped(read_runs(tmp_path))
    told = [(group.dataset, group.choices["cell"]) for group in groups]
    assert told == [("adding", "gru"), ("weather", "gru"), ("weather", "rnn")]


def test_a_seed_that_is_there_twice_counts_once_and_the_newer_run_counts(tmp_path, capsys):
    old, new = (completed(tmp_path, value, key=key) for key, value in {"z-old": 1.0, "a-new": 2.0}.items())
    for run, time in ((old, "2025-01-01T00:00:00+00:00"), (new, "2025-01-02T00:00:00+00:00")):
        status = run.path / "status.json"
        status.write_text(status.read_text().replace(run.status["changed"], time))
    (group,) = grouped(read_runs(tmp_path))
    assert group.values == {"1": 2.0}
    assert main(["summary", str(tmp_path), "--no-report"]) == 0
    assert "1 of the runs repeat a configuration and seed: the newest counts." in capsys.readouterr().out


def test_a_value_that_is_no_number_is_counted_as_a_run_but_in_no_mean(tmp_path):
    completed(tmp_path, float("nan"), seed=1)
    completed(tmp_path, 0.5, seed=2)
    (group,) = grouped(read_runs(tmp_path))
    assert (group.values, group.mean, group.half_width) == ({"2": 0.5}, 0.5, None)
    assert group.states == {"completed": 2}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("kept", [0, 1, 0.5, 0.9, None], ids=["empty", "one byte", "half", "most", "missing"])
def test_a_damaged_file_costs_at_most_its_own_run(tmp_path, capsys, name, kept):
    for seed in (1, 2):
        completed(tmp_path, 0.1 * seed, seed=seed)
    path = tmp_path / "lstm-adding--s2" / name
    whole = path.read_bytes()
    path.unlink()
    if kept is not None:
        path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    assert main(["summary", str(tmp_path)]) == 0
    (row,) = rows(tmp_path)
    spoilt = name in ("result.json", ".hydra/config.yaml")
    assert row["seeds"] == ("1" if spoilt else "2")
    assert ("cannot be read" in capsys.readouterr().out) == (spoilt or name == "status.json")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("result.json", "[1, 2]"),
        ("result.json", '{"headline": ["mae"], "metrics": 3, "baselines": [], "gradient": {"layer": 1}, "epochs": 0}'),
        ("result.json", '{"headline": "mae", "metrics": {"mae": "low"}, "baselines": {"a": 1}, "seconds": true}'),
        ("result.json", '{"headline": "mae", "metrics": {"mae": 1' + "0" * 400 + '}, "seconds": 1, "epochs": 0}'),
        ("status.json", '{"state": {"of": "mind"}, "message": {}, "changed": 3}'),
        ("status.json", "17"),
        ("metrics.csv", "epoch,step\n1,one\n\0,2\n3"),
        (".hydra/config.yaml", "!!python/object/apply:os.system ['true']"),
        (".hydra/config.yaml", "cell: {name: [1, {2: 3}]}\nseed: {a: b}\n3: 4\ndataset: 2025-01-01"),
    ],
)
def test_files_that_hold_something_else_are_survived(tmp_path, name, text):
    for seed in (1, 2):
        completed(tmp_path, 0.1 * seed, seed=seed)
    (tmp_path / "lstm-adding--s2" / name).write_text(text)
    assert main(["summary", str(tmp_path)]) == 0
    assert any(row["best"] == "0.1" for row in rows(tmp_path))


def test_directories_that_are_no_runs_are_passed_over(tmp_path):
    completed(tmp_path, 0.1)
    (tmp_path / "empty").mkdir()
    (tmp_path / ".hidden" / ".hydra").mkdir(parents=True)
    shutil.copytree(ROOT / "experiments" / "data", tmp_path / "foreign")
    (tmp_path / "multirun.yaml").write_text("hydra: {}")
    assert [run.path.name for run in read_runs(tmp_path)] == ["lstm-adding--s1"]


def test_conditions_choose_runs_by_text_and_by_number(tmp_path):
    for rate in (0.1, 0.01):
        for depth in (1, 2):
            completed(tmp_path, 1.0, optimizer__learning_rate=rate, architecture__depth=depth)
    runs = read_runs(tmp_path)
    for given, count in {
        ("cell=lstm",): 4,
        ("optimizer.learning_rate=1e-1",): 2,
        ("optimizer.learning_rate=0.10", "architecture.depth=2"): 1,
        ("architecture.skip=None", "seed=1"): 4,
        ("telemetry.signals=[h,c]",): 4,
    }.items():
        assert len(where(runs, conditions_of(given))) == count, given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["cel=lstm"], "cel=lstm: no run has this option; did you mean cell?"),
        (["cell=lstmm"], "cell=lstmm: no run has this value; did you mean lstm? (allowed: gru, lstm)"),
        (["cell"], "cell: expected option=value, as in cell=lstm"),
        (["cell=gru", "cell=lstm"], "cell=lstm: cell is given twice"),
        (["cell=gru", "cell.units=8"], "cell=gru cell.units=8: no run has all of them"),
    ],
)
def test_a_mistaken_condition_is_told_in_a_line(tmp_path, given, message):
    completed(tmp_path, 1.0, cell="gru")
    completed(tmp_path, 1.0, cell="lstm", cell__units=8)
    with pytest.raises(UserError) as caught:
        where(read_runs(tmp_path), conditions_of(given))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_folder_without_runs_and_a_single_run_are_told_apart(tmp_path, capsys):
    run = completed(tmp_path / "runs", 1.0)
    for folder, words in {
        tmp_path / "nowhere": "cannot be read (No such file or directory)",
        tmp_path: "there is no run in it",
        run.path: f"is a single run; expected the folder that holds it, {tmp_path / 'runs'}",
    }.items():
        assert main(["summary", str(folder)]) == 2
        message = capsys.readouterr().err
        assert message.startswith(f"rnnscope summary: {folder}: {words}")
        assert message.count("\n") == 1


def test_a_summary_of_real_directories_starts_no_tensorflow(folder):
    folder, _ = folder
    script = (
        "import sys; from rnnscope.experiments.commands.main import main; status = main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules); sys.exit(status)"
    )
    command = [sys.executable, "-c", script, "summary", str(folder)]
    ended = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert (folder / "report.html").exists()
