"""`hydra/sweeper=optuna`: a study that is kept, goes on, and averages over seeds."""

import json
import signal
import statistics
import subprocess
import sys
import time

import pytest

from tests.e2e.conftest import ONE_BY_ONE, SMALL_ADDING, TRAIN, run_train

optuna = pytest.importorskip("optuna", reason='needs Optuna: pip install -e ".[search]"')

SPACE = ["optimizer.learning_rate=tag(log,interval(0.0001,0.1))", "cell.units=choice(4,8)"]
SEARCH = ["-m", "hydra/sweeper=optuna", *SMALL_ADDING, "cell=rnn", "telemetry.every=0", *SPACE, "name=search"]
SEARCH.remove("cell.units=6")


def study_of(folder):
    database = folder / "runs" / "search" / "study.db"
    return optuna.load_study(study_name="search", storage=f"sqlite:///{database}")


def results(folder):
    return [json.loads(path.read_text()) for path in folder.glob("runs/search/*/result.json")]


def test_a_search_goes_on_where_it_was_killed_and_goes_on_to_more(tmp_path):
    search = [*SEARCH, "sweep.seeds=2", "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=2"]
    command = [sys.executable, str(TRAIN), *search, "trainer.epochs=40"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/search/*/checkpoint.npz")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    begun = [trial.params for trial in study_of(tmp_path).trials]
    assert len(begun) == 2

    ended = run_train(tmp_path, *search, "trainer.epochs=40", ONE_BY_ONE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    complete = [trial for trial in study_of(tmp_path).trials if trial.state == optuna.trial.TrialState.COMPLETE]
    assert len(complete) == 3
    assert [trial.params for trial in complete][:2] == begun  # none of what had begun is lost
    assert len(results(tmp_path)) == 6  # each configuration with two seeds, none twice
    means = sorted(trial.value for trial in complete)
    losses = [result["validation"]["loss"] for result in results(tmp_path)]
    assert statistics.fmean(losses) == pytest.approx(statistics.fmean(means))
    assert f"best validation loss {means[0]:.4f}, mean over 2 seeds: " in ended.stdout

    again = run_train(tmp_path, *search, "trainer.epochs=40")
    assert again.returncode == 0
    assert len(study_of(tmp_path).trials) == 5  # the two that were killed, their successors and one more

    more = [argument.replace("n_trials=3", "n_trials=4") for argument in search]
    assert run_train(tmp_path, *more, "trainer.epochs=40", ONE_BY_ONE).returncode == 0
    assert len(results(tmp_path)) == 8


def test_a_search_for_the_best_of_a_metric_where_more_is_better(tmp_path):
    small = ["dataset=digits_pixels", "trainer.epochs=1", "cell=rnn", "telemetry.every=0", "dataset.train_size=64"]
    arguments = ["-m", "hydra/sweeper=optuna", *small, "cell.units=choice(2,4)", "sweep.objective=accuracy"]
    ended = run_train(tmp_path, *arguments, "hydra.sweeper.n_trials=2", "name=search", ONE_BY_ONE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    study = study_of(tmp_path)
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    accuracies = [result["validation"]["accuracy"] for result in results(tmp_path)]
    assert study.best_value == pytest.approx(max(accuracies))


def test_a_border_of_what_is_searched_that_cannot_be_run_is_told_before_anything_is(train, tmp_path):
    search = [argument.replace("choice(4,8)", "range(0,8)") for argument in SEARCH]
    ended = train(*search)
    assert ended.returncode == 2
    assert ended.stderr == "rnnscope train: cell.units=0: expected a value of at least 1\n"
    assert list(tmp_path.iterdir()) == []
