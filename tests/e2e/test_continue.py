"""`rnnscope train continue=<run directory> trainer.epochs=…` resumes a run's training."""

import json
import shutil

import pytest

from rnnscope.experiments.runs.directory import RunDirectory
from tests.e2e.conftest import ONE_BY_ONE, SMALL_ADDING, run_train
from tests.e2e.test_resume import assert_ended_alike

OPTIONS = [*SMALL_ADDING, "dataset.train_size=640", "cell.dropout=0.1"]


def epochs_of(run):
    return json.loads((run / "result.json").read_text())["epochs"]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A folder with a run of three epochs and one of six, and their directories."""
    folder = tmp_path_factory.mktemp("origin")
    assert run_train(folder, "-m", *OPTIONS, "trainer.epochs=3,6", ONE_BY_ONE).returncode == 0
    short, long = sorted((path.parent for path in folder.glob("runs/default/*/result.json")), key=epochs_of)
    return folder, short, long


@pytest.fixture(scope="module")
def trained(both):
    """A folder with a run of three epochs, and its directory."""
    return both[:2]


def test_it_ends_as_if_it_had_been_trained_for_so_long_at_once(both):
    folder, run, at_once = both
    ended = run_train(folder, f"continue={run}", "trainer.epochs=6", "name=longer")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "epoch 4/6" in ended.stdout
    assert "epoch 3/6" not in ended.stdout
    (longer,) = folder.glob("runs/longer/lstm-*")
    assert longer.name == at_once.name  # it is the same run
    assert_ended_alike(longer, at_once)
    assert epochs_of(run) == 3  # what it went on from is as it was

    again = run_train(folder, f"continue={run}", "trainer.epochs=6", "name=longer")
    assert "1 of 1 runs were complete already" in again.stdout


def test_with_another_learning_rate_it_is_a_run_of_its_own_also_where_the_origin_had_stopped_by_itself(tmp_path):
    rates = ["optimizer.learning_rate=0.3,0.001", "trainer.epochs=20", "trainer.patience=1"]
    assert run_train(tmp_path, "-m", *OPTIONS, *rates, ONE_BY_ONE).returncode == 0
    begun = list(tmp_path.glob("runs/default/lstm-*"))
    rate_of = lambda run: RunDirectory(run).configuration["optimizer"]["learning_rate"]
    origin, _ = sorted(begun, key=rate_of, reverse=True)
    epochs = epochs_of(origin)
    assert epochs < 20
    ended = run_train(tmp_path, f"continue={origin}", "trainer.epochs=20", "optimizer.learning_rate=0.001")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (run,) = set(tmp_path.glob("runs/default/lstm-*")) - set(begun)  # what began with that rate is another run
    rows, before = ((path / "metrics.csv").read_text() for path in (run, origin))
    assert rows.startswith(before)
    assert len(rows.splitlines()) > epochs + 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["continue={run}", "trainer.epochs=3"],
            "trainer.epochs=3: the run to go on from has trained 3; expected more",
        ),
        (["continue={run}"], "trainer.epochs=3: the run to go on from has trained 3; expected more"),
        (["continue={run}", "cell.units=7", "trainer.epochs=9"], "its cell is another now"),
        (["continue={run}", "dataset.length=13", "trainer.epochs=9"], "its dataset is another now"),
        (["continue=nowhere", "trainer.epochs=9"], "continue=nowhere: it is no run; expected a run's directory"),
        (["continue={run}", "continue={run}"], "expected one run to go on from"),
    ],
)
def test_what_cannot_be_gone_on_with_costs_a_line(trained, arguments, message):
    folder, run = trained
    ended = run_train(folder, *(argument.format(run=run) for argument in arguments))
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert message in line


def test_a_run_without_a_checkpoint_cannot_be_gone_on_with(trained, tmp_path):
    copy = tmp_path / trained[1].name
    shutil.copytree(trained[1], copy)
    RunDirectory(copy).checkpoint.unlink()
    ended = run_train(tmp_path, f"continue={copy}", "trainer.epochs=9")
    assert ended.returncode == 2
    assert "it has no checkpoint that can be read" in ended.stderr
