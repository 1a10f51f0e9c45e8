"""A run is its configuration."""

from pathlib import Path

import pytest

from rnnscope.experiments.runs.identity import run_directory, run_key


@pytest.mark.parametrize(
    "override", ["name=other", "rerun=true", "sweep.seeds=3", "sweep.retry_failed=true", "trainer.time_limit=60"]
)
def test_what_changes_no_result_changes_no_key(compose, override):
    assert run_key(compose(override)) == run_key(compose())


@pytest.mark.parametrize(
    "override",
    ["cell=gru", "cell.units=65", "dataset.permuted=true", "seed=2", "trainer.epochs=61", "telemetry.every=11",
     "trainer.threads=2", "optimizer=sgd", "architecture.bidirectional=true", "cell.unit_forget_bias=0"],
)  # fmt: skip
def test_what_changes_the_result_changes_the_key(compose, override):
    assert run_key(compose(override)) != run_key(compose())


def test_the_key_begins_with_what_a_person_looks_for(compose):
    assert run_key(compose("cell=gru", "dataset=adding", "seed=7")).startswith("gru-adding-s7-")


def test_the_same_configuration_said_otherwise_is_the_same_run(compose):
    assert run_key(compose("cell=lstm", "cell.units=64", "optimizer.learning_rate=3e-3")) == run_key(compose())


def test_runs_are_kept_under_the_name(compose):
    assert run_directory(compose("name=mine")).parent.parts == ("runs", "mine")


def test_a_file_of_the_user_s_own_counts_with_what_it_holds(compose, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = compose("dataset=text_chars", "dataset.path=mine.txt")
    Path("mine.txt").write_text("one")
    before = run_key(config)
    Path("mine.txt").write_text("another")
    assert run_key(config) != before
    Path("mine.txt").write_text("one")
    assert run_key(config) == before
