"""One reader tells what a run's directory holds: whoever shows or continues a run asks it."""

import json
import shutil
from pathlib import Path

import pytest

from rnnscope.experiments.configuration.flattening import counting, counts, flatten
from rnnscope.experiments.runs.directory import RunDirectory
from rnnscope.experiments.runs.reader import read_run
from rnnscope.experiments.summaries.results import line

(OLD,) = (Path(__file__).parents[1] / "data" / "version_0_1").iterdir()


@pytest.fixture
def run(tmp_path):
    """A completed run."""
    folder = tmp_path / OLD.name
    shutil.copytree(OLD, folder)
    return folder


def status(run, **changes):
    path = run / "status.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("damage", "state"),
    [
        (lambda run: None, "completed"),
        (lambda run: (run / "result.json").unlink(), "interrupted"),
        (lambda run: (run / "result.json").write_text("{"), "interrupted"),
        (lambda run: status(run, state="running"), "interrupted"),  # no process is at work on it
        (lambda run: status(run, state="diverged"), "diverged"),
        (lambda run: status(run, state="merry"), None),
        (lambda run: (run / "status.json").write_text("["), None),
        (lambda run: (run / "status.json").unlink(), None),
    ],
    ids=["whole", "no result", "damaged result", "lost process", "diverged", "no such state", "damaged", "no status"],
)
def test_tables_and_the_command_that_resumes_see_the_same_state(damage, state, run):
    damage(run)
    assert RunDirectory(run).state == state
    assert read_run(run).state == (state or "unknown")
    assert f": {state}" in line(run)


def test_a_configuration_that_was_cut_off_is_no_configuration(run):
    path = run / ".hydra" / "config.yaml"
    whole = path.read_text()
    assert RunDirectory(run).configuration["cell"]["_target_"] == "rnnscope.GRUCell"
    path.write_text(whole[: len(whole) // 2])
    assert RunDirectory(run).configuration is None
    assert read_run(run).options == {}


def test_what_an_option_counts_for_is_said_by_its_field():
    assert counts("cell.units", "identity")
    assert counts("seed", "identity")
    assert not counts("seed", "summary")
    assert not counts("sweep.seeds", "continuation")
    assert not counts("trainer.time_limit", "identity")
    assert counts("trainer.time_limit", "continuation")
    assert not counts("telemetry.every", "hparams")
    assert counts("telemetry.every", "identity")
    assert not counts("optimizer._target_", "summary")
    assert not counts("dataset.requires.sklearn", "hparams")


def test_a_nested_configuration_becomes_flat_by_dotted_names():
    config = {"cell": {"name": "lstm", "_target_": "x", "units": 3}, "seed": 1, "runs_dir": "r", "name": "n"}
    assert flatten(config) == {"cell": "lstm", "cell._target_": "x", "cell.units": 3} | {
        "seed": 1, "runs_dir": "r", "name": "n",
    }  # fmt: skip
    assert counting(flatten(config), "summary") == {"cell": "lstm", "cell.units": 3}
