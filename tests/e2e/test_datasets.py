"""Every dataset that needs no internet, trained on from the command line."""

import json
import math

import pytest

from tests.e2e.conftest import ONE_BY_ONE, run_train
from tools.write_dataset_tables import OFFLINE


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """By dataset, the directory of a short run."""
    folder = tmp_path_factory.mktemp("datasets")
    short = [
        "trainer.epochs=1",
        "cell.units=4",
        "telemetry.every=1",
        "dataset.train_size=40",
    ]
    ended = run_train(folder, "-m", f"dataset={','.join(OFFLINE)}", *short, ONE_BY_ONE, timeout=900)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return {path.name.split("-")[1]: path for path in folder.glob("runs/default/lstm-*")}


@pytest.mark.parametrize("dataset", OFFLINE)
def test_a_run_on_every_dataset_has_a_result_beside_its_baselines(runs, dataset):
    result = json.loads((runs[dataset] / "result.json").read_text())
    assert all(math.isfinite(value) for value in result["metrics"].values())
    assert result["headline"] in result["metrics"]
    assert any(result["headline"] in metrics for metrics in result["baselines"].values())
    assert result["steps"] == 2
    assert 0 < result["speed"]["share_data"] < 1
    layers = {"encoder_layer_1", "decoder_layer_1"} if dataset in ("dates", "reverse") else {"layer_1"}
    assert result["gradient"].keys() == layers
    assert json.loads((runs[dataset] / "task.json").read_text())["steps"] > 1
