"""Files that an older version wrote: `tests/data/version_0_1` is a run of version 0.1, which imported `layers`."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

import rnnscope
from rnnscope.experiments.commands.main import main
from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.configuration.composition import prepare
from rnnscope.experiments.configuration.targets import current, with_current_targets, with_first_targets
from rnnscope.experiments.runs.directory import RunDirectory
from rnnscope.experiments.runs.reader import read_run
from rnnscope.experiments.sweeps import request as requests
from tensorboard_gradient_flow.reader import read

(OLD,) = (Path(__file__).parent / "data" / "version_0_1").iterdir()


@pytest.fixture
def run(tmp_path):
    """A copy of the old run, so that nothing writes to it."""
    folder = tmp_path / "runs" / "old" / OLD.name
    shutil.copytree(OLD, folder)
    return folder


def test_a_saved_model_loads_and_holds_today_s_layers():
    model = keras.models.load_model(OLD / "model.keras", compile=False)
    stack = model.get_layer("stack")
    assert type(stack) is rnnscope.Stacked
    assert [type(layer.cell) for layer in stack.layers] == [rnnscope.GRUCell]
    assert np.isfinite(model.predict(np.ones((2, 10, 2), "float32"), verbose=0)).all()


def test_a_run_scores_what_it_scored(run, capsys):
    assert main(["evaluate", str(run)]) == 0, capsys.readouterr()
    stored = json.loads((OLD / "result.json").read_text())["metrics"]["mae"]
    assert f"{stored:.6f}" in capsys.readouterr().out


def test_its_command_finds_the_run_where_it_is(run, monkeypatch):
    monkeypatch.chdir(run.parents[2])
    prepare()
    request = requests.read(RunDirectory(run).overrides)
    assert [path.resolve() for path in request.directories] == [run]
    assert not RunDirectory(run).is_to_run(request.runs[0])


def test_tables_read_it(run):
    found = read_run(run)
    assert (found.state, found.message, found.seed) == ("completed", "", "1")
    assert found.options["cell"] == "gru"
    assert found.options["cell.units"] == "4"
    assert found.value == pytest.approx(0.6091528898105025)


def test_its_event_files_open(run):
    records = read(run)
    assert set(records) == {"gradient_flow/layer_1/h"}
    assert all(norms.shape == (10,) for norms in records["gradient_flow/layer_1/h"].norms)


def test_names_of_classes_and_functions_are_translated_both_ways():
    names = {
        "layers.GRUCell": "rnnscope.GRUCell",
        "experiments.data.long_range.adding": "rnnscope.experiments.data.datasets.long_range.adding",
        "experiments.data.own.csv": "rnnscope.experiments.data.datasets.user_files.csv",
        "keras.optimizers.Adam": "keras.optimizers.Adam",
        "leaky.LeakyCell": "leaky.LeakyCell",
    }
    for before, now in names.items():
        assert current(before) == now
        assert current(now) == now
        assert with_current_targets({"cell": {"_target_": before}}) == {"cell": {"_target_": now}}
        assert with_first_targets({"cell": {"_target_": now}}) == {"cell": {"_target_": before}}


def test_a_file_of_the_user_s_that_uses_an_old_name_is_told_the_new_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare()
    with pytest.raises(UserError, match=r"cell\._target_=layers\.GRUCell: .* write _target_: rnnscope\.GRUCell"):
        requests.read(["cell=gru", "cell._target_=layers.GRUCell"])
