"""`rnnscope train -m study=…`: two grids, one of which diverges, from runs to a verdict; the command is run twice."""

import json

import pytest
import yaml

from tests.e2e.conftest import ONE_BY_ONE, SMALL_ADDING, run_train

SMALL = dict(override.split("=") for override in SMALL_ADDING)
STUDY = {
    "claim": "Steps that are far too long make training diverge.",
    "source": "arithmetic",
    "minutes": None,
    "measured": None,
    "grids": [
        {**SMALL, "cell": ["rnn", "gru"], "seed": [1, 2]},
        {**SMALL, "cell": "rnn", "cell.activation": "relu", "optimizer": "sgd", "optimizer.learning_rate": 1e30,
         "optimizer.global_clipnorm": None, "seed": [1, 2]},
    ],
    "smoke": {"trainer.epochs": 1},
    "rules": [
        {"metric": "diverged", "of": {"optimizer": "sgd"}, "against": {"optimizer": "adam", "cell": "rnn"},
         "direction": "higher"},
        {"metric": "first_to_last", "of": {"cell": "gru"}, "against": 0, "direction": "higher"},
    ],
    "figures": [{"metric": "horizon", "x": "cell", "lines": "optimizer"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def typed_twice(tmp_path_factory):
    """A study's command, typed twice: what it printed, its folder, and when its results were written the first time."""
    here = tmp_path_factory.mktemp("study")
    (here / "own" / "study").mkdir(parents=True)
    (here / "own" / "study" / "steps.yaml").write_text(yaml.safe_dump(STUDY))
    command = ["-m", "--config-dir", "own", "study=steps", ONE_BY_ONE]
    runs = here / "runs" / "steps"
    first = run_train(here, *command)
    times = {path: path.stat().st_mtime_ns for path in runs.glob("*/result.json")}
    again = run_train(here, *command)
    return first, again, runs, times


def test_it_ends_with_a_report_and_a_verdict(typed_twice):
    first, _, runs, times = typed_twice
    assert first.returncode == 0, first.stdout + first.stderr  # to diverge is an outcome
    assert first.stderr == ""
    assert len(times) == 4
    told = json.loads((runs / "verdict.json").read_text())
    assert [rule["outcome"] for rule in told["rules"]] == ["holds", "holds"]
    assert (told["verdict"], told["runs"], told["diverged"]) == ("supported", 6, 2)
    assert f"steps: supported: {STUDY['claim']}" in first.stdout
    assert first.stdout.splitlines()[-1] == "see the runs: tensorboard --logdir runs/steps"
    for name in ("study.md", "study.html", "figure-1-horizon.svg"):
        assert (runs / name).stat().st_size > 500


def test_typed_again_it_trains_nothing_and_says_the_same(typed_twice):
    first, again, runs, times = typed_twice
    assert again.returncode == 0, again.stdout + again.stderr
    assert "4 of 6 runs were complete already" in again.stdout
    assert "2 had ended badly and were not tried again" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in runs.glob("*/result.json")} == times
    assert again.stdout.splitlines()[-5:] == first.stdout.splitlines()[-5:]
