"""How steps are computed: precision, compilation, several at a time, under a profiler."""

import csv
import json

import keras
import numpy as np
import pytest

import layers  # noqa: F401 (its classes are in the files)
from experiments.identity import stored_configuration
from tensorboard_gradient_flow.reader import read
from tests.e2e.conftest import SMALL_ADDING, run_train

CHOICES = {
    "precision=float32,float64,mixed_bfloat16,mixed_float16": (),
    "jit_compile=true": (),
    "steps_per_execution=3": ("trainer.profile=true",),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """By what differs from the default, the directory of a run of 3 epochs of 4 steps."""
    folder = tmp_path_factory.mktemp("trainer")
    for choice, others in CHOICES.items():
        often = ("cell=gru", "trainer.epochs=3", "telemetry.every=1")
        ended = run_train(folder, "-m", *SMALL_ADDING, *often, f"trainer.{choice}", *others)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    found = {}
    for path in (status.parent for status in folder.glob("runs/*/*/status.json")):
        trainer = stored_configuration(path).trainer
        defaults = {"precision": "float32", "jit_compile": "auto", "steps_per_execution": 1}
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


def test_steps_executed_together_train_like_steps_one_by_one(runs):
    """Three and one, since an epoch has four; of each execution the last is recorded."""
    assert rows(runs["3"]) == rows(runs[""])
    together, one_by_one = read(runs["3"]), read(runs[""])
    for tag, record in together.items():
        assert record.steps == [3, 4, 7, 8, 11, 12]
        for step, norms in zip(record.steps, record.norms, strict=True):
            np.testing.assert_array_equal(norms, one_by_one[tag].norms[step - 1])
    speed = json.loads((runs["3"] / "result.json").read_text())["speed"]
    assert speed["share_data"] is None
    assert speed["share_step"] + speed["share_logging"] == pytest.approx(1)


def test_a_profile_is_written_where_tensorboard_looks_for_it(runs):
    (profile,) = runs["3"].glob("plugins/profile/*/*.xplane.pb")
    assert b"MatMul" in profile.read_bytes()  # the name of an operation that takes time


@pytest.mark.parametrize("option", ["precision=float16", "jit_compile=yes", "steps_per_execution=0"])
def test_what_cannot_be_chosen_is_refused_with_what_can(train, option):
    ended = train(*SMALL_ADDING, f"trainer.{option}")
    assert ended.returncode == 2
    assert f"trainer.{option.partition('=')[0]}=" in ended.stderr
    assert "expected" in ended.stderr or "allowed: " in ended.stderr
