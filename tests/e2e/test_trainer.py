"""How steps are computed: precision, compilation, several at a time, under a profiler."""

import csv
import json

import keras
import numpy as np
import pytest

import rnnscope  # noqa: F401 (its classes are in the files)
from rnnscope.experiments.runs.directory import RunDirectory
from tensorboard_gradient_flow.reader import read
from tests.e2e.conftest import ONE_BY_ONE, SMALL_ADDING, run_train

CHOICES = {
    "precision=float32,float64,mixed_bfloat16,mixed_float16": (),
    "jit_compile=true": (),
    "steps_per_execution=1,3": ("telemetry.every=3", "trainer.profile=true"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """By what differs from the default, the directory of a run of 3 epochs of 4 steps."""
    folder = tmp_path_factory.mktemp("trainer")
    for choice, others in CHOICES.items():
        options = ("cell=gru", "trainer.epochs=3", f"trainer.{choice}", *(others or ("telemetry.every=1",)))
        ended = run_train(folder, "-m", *SMALL_ADDING, ONE_BY_ONE, *options)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    found = {}
    for path in (status.parent for status in folder.glob("runs/*/*/status.json")):
        trainer = RunDirectory(path).configuration["trainer"]
        defaults = {"precision": "float32", "jit_compile": "auto", "steps_per_execution": 10}
        found[" ".join(str(trainer[name]) for name, value in defaults.items() if trainer[name] != value)] = path
    return found


def rows(run):
    with (run / "metrics.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def assert_about_the_same(run, reference, tolerance):
    for row, expected in zip(rows(run), rows(reference), strict=True):
        assert row == pytest.approx(expected, rel=tolerance)
    norms, expected_norms = read(run), read(reference)
    assert norms.keys() == expected_norms.keys()
    for tag, record in norms.items():
        assert record.steps == expected_norms[tag].steps
        np.testing.assert_allclose(record.norms[0], expected_norms[tag].norms[0], rtol=10 * tolerance)


@pytest.mark.parametrize(
    ("chosen", "computed", "kept", "tolerance"),
    [
        ("float64", "float64", "float64", None),
        ("mixed_bfloat16", "bfloat16", "float32", 5e-2),
        ("mixed_float16", "float16", "float32", 2e-2),
    ],
)
def test_a_run_computes_in_the_precision_that_is_chosen(runs, chosen, computed, kept, tolerance):
    model = keras.models.load_model(runs[chosen] / "model.keras")
    (recurrent,) = model.get_layer("stack").layers
    assert (recurrent.compute_dtype, recurrent.variable_dtype) == (computed, kept)
    assert model.get_layer("head").compute_dtype == kept
    if tolerance is None:  # other numbers are drawn for its first weights
        assert all(np.isfinite(list(row.values())).all() for row in rows(runs[chosen]))
        assert all((norms > 0).all() for record in read(runs[chosen]).values() for norms in record.norms)
    else:
        assert_about_the_same(runs[chosen], runs[""], tolerance)


def test_a_step_that_xla_compiles_trains_like_one_that_it_does_not(runs):
    assert_about_the_same(runs["True"], runs[""], 1e-3)


def test_steps_executed_together_train_and_are_recorded_like_steps_one_by_one(runs):
    """Three and one, since an epoch has four steps; every third is measured, wherever in an execution it falls."""
    assert rows(runs["3"]) == rows(runs["1"])
    together, one_by_one = read(runs["3"]), read(runs["1"])
    assert together.keys() == one_by_one.keys()
    for tag, record in together.items():
        assert record.steps == one_by_one[tag].steps == [3, 6, 9, 12]
        np.testing.assert_array_equal(record.norms, one_by_one[tag].norms)


def test_a_run_tells_where_the_time_of_its_steps_went(runs):
    for run in runs.values():
        speed = json.loads((run / "result.json").read_text())["speed"]
        shares = [speed[f"share_{of}"] for of in ("data", "step", "logging")]
        assert sum(shares) == pytest.approx(1)
        assert all(share > 0 for share in shares)
        assert speed["share_step"] == max(shares)


def test_a_profile_is_written_where_tensorboard_looks_for_it(runs):
    (profile,) = runs["3"].glob("plugins/profile/*/*.xplane.pb")
    assert b"MatMul" in profile.read_bytes()  # the name of an operation that takes time


@pytest.mark.parametrize("option", ["precision=float16", "jit_compile=yes", "steps_per_execution=0"])
def test_what_cannot_be_chosen_is_refused_with_what_can(train, option):
    ended = train(*SMALL_ADDING, f"trainer.{option}")
    assert ended.returncode == 2
    assert f"trainer.{option.partition('=')[0]}=" in ended.stderr
    assert "expected" in ended.stderr or "allowed: " in ended.stderr
