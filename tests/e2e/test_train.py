"""`rnnscope train`, for real: what it prints, what it leaves, how it ends."""

import csv
import json
import shlex
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from omegaconf import OmegaConf

import rnnscope
from rnnscope.experiments.runs.directory import RunDirectory
from tensorboard_gradient_flow.reader import read
from tests.e2e.conftest import ONE_BY_ONE, SMALL, SMALL_ADDING, TRAIN, run_train


def only_run(folder):
    (run,) = [path for path in folder.glob("runs/*/*") if path.is_dir()]
    return run


def status(run):
    return json.loads((run / "status.json").read_text())["state"]


def cells():
    return sorted(file.stem for file in (TRAIN.parent / "conf" / "cell").glob("*.yaml"))


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A run on the default dataset: what it printed, and its folder."""
    folder = tmp_path_factory.mktemp("digits")
    return run_train(folder, *SMALL, "trainer.epochs=3", "cell.units=16"), folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A small run of the default cell: what it printed, and its folder."""
    folder = tmp_path_factory.mktemp("alone")
    ended = run_train(folder, *SMALL_ADDING)
    assert ended.returncode == 0, ended.stderr
    return ended, folder


@pytest.fixture(scope="module")
def every_cell(tmp_path_factory):
    """A sweep of every cell that can be chosen: what it printed, and its runs' directories by cell."""
    folder = tmp_path_factory.mktemp("cells")
    ended = run_train(folder, "-m", f"cell={','.join(cells())}", *SMALL_ADDING, fresh=True, timeout=600)
    return ended, {path.name.split("-")[0]: path for path in folder.glob("runs/default/*") if path.is_dir()}


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Directories of two runs of the default cell that differ from `alone`: in the seed, and in their telemetry."""
    folder = tmp_path_factory.mktemp("others")
    ended = run_train(folder, "-m", *SMALL_ADDING, ONE_BY_ONE, "seed=2", "telemetry.every=2,0")
    assert ended.returncode == 0, ended.stderr
    found = [path.parent for path in folder.glob("runs/default/*/result.json")]
    return sorted(found, key=lambda run: OmegaConf.load(run / ".hydra" / "config.yaml").telemetry.every, reverse=True)


def test_a_run_trains_shows_its_result_and_leaves_a_whole_directory(digits):
    ended, folder = digits
    assert ended.returncode == 0, ended.stderr
    for words in ("test accuracy", "test loss", "majority class", "parameters", "seconds", "gradient reached",
                  "tensorboard --logdir runs/default", "runs/default/lstm-digits_pixels-s1-"):  # fmt: skip
        assert words in ended.stdout
    run = only_run(folder)
    left = {path.name for path in run.iterdir()}
    assert {".hydra", "status.json", "result.json", "metrics.csv", "model.keras", "environment.json"} <= left
    assert not [name for name in left if ".tmp" in name]
    assert status(run) == "completed"
    result = json.loads((run / "result.json").read_text())
    assert result["metrics"].keys() == {"accuracy", "loss"}
    assert result["metrics"]["accuracy"] > result["baselines"]["majority class"]["accuracy"]
    assert result["parameters"] == 4 * 16 * (1 + 16 + 1) + 16 * 10 + 10
    assert result["epochs"] == 3
    assert sum(result["speed"][f"share_{part}"] for part in ("data", "step", "logging")) == pytest.approx(1)
    assert result["speed"]["timesteps_per_second"] == pytest.approx(result["speed"]["steps_per_second"] * 16 * 64)
    assert f"{result['speed']['steps_per_second']:,.0f}" in ended.stdout
    assert result["gradient"].keys() == {"layer_1"}
    assert 0 <= result["gradient"]["layer_1"]["horizon"] <= 63
    assert result["gradient"]["layer_1"]["verdict"] in ("vanishing", "healthy", "exploding")
    assert result["gradient"]["layer_1"]["per_step_factor"] > 0
    assert result["gradient"]["layer_1"]["first_to_last"] > 0
    rows = list(csv.DictReader((run / "metrics.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= rows[0].keys()
    environment = json.loads((run / "environment.json").read_text())
    assert environment["seed"] == 1
    assert environment["packages"]["keras"] == keras.__version__


def test_the_trained_network_loads_in_plain_keras_and_scores_what_was_reported(digits):
    from rnnscope.experiments.data.datasets.digits import digits_pixels

    run = only_run(digits[1])
    network = keras.models.load_model(run / "model.keras")
    assert isinstance(network.get_layer("stack"), rnnscope.Stacked)
    test = digits_pixels(permuted=False).test
    accuracy = np.mean(network.predict(test.inputs, verbose=0).argmax(axis=1) == test.targets)
    assert accuracy == pytest.approx(json.loads((run / "result.json").read_text())["metrics"]["accuracy"])


def test_norms_of_every_layer_and_direction_are_written_every_so_many_steps(train, tmp_path):
    ended = train(*SMALL_ADDING, "architecture.depth=2", "architecture.bidirectional=true", "telemetry.every=3")
    assert ended.returncode == 0, ended.stderr
    records = read(only_run(tmp_path))
    assert set(records) == {
        f"gradient_flow/{direction}_layer_{index}/{signal}"
        for direction in ("forward", "backward")
        for index in (1, 2)
        for signal in ("h", "c")
    }
    for tag, record in records.items():
        assert record.steps == [3, 6]
        assert all(norms.shape == (12,) for norms in record.norms)
        assert all((norms > 0).all() for norms in record.norms)
        assert record.metadata["layer"] in tag
        assert record.metadata["direction"] == tag.split("/")[1].split("_")[0]
        assert (record.metadata["cell"], record.metadata["units"]) == ("LSTMCell", 6)


def test_kernel_gradients_and_looks_inside_are_written_where_they_are_asked_for(train, tmp_path):
    asked = ["telemetry.signals=[h,kernel]", "telemetry.inspect_every=1", "telemetry.inspect_examples=3"]
    ended = train(*SMALL_ADDING, "cell=rnn", "architecture.depth=2", *asked)
    assert ended.returncode == 0, ended.stderr
    records = read(only_run(tmp_path))
    kinds = {tag.removeprefix("gradient_flow/"): record.metadata["kind"] for tag, record in records.items()}
    inside = {"jacobian": "jacobian", "jacobian_bound": "jacobian", "activation": "activation"}
    expected = {"h": "gradient", "kernel": "gradient", **inside}
    assert kinds == {f"layer_{index}/{name}": kind for index in (1, 2) for name, kind in expected.items()}
    for tag, record in records.items():
        assert record.steps == ([4, 8] if tag.split("/")[-1] in inside else [2, 4, 6, 8])
        assert all(vector.shape == (12,) for vector in record.norms)
    jacobian, bound = (records[f"gradient_flow/layer_1/{name}"].norms[-1] for name in ("jacobian", "jacobian_bound"))
    assert jacobian[-1] == bound[-1] == 1
    assert (jacobian <= bound * 1.001).all()


def test_every_cell_that_can_be_chosen_trains_and_is_measured(every_cell):
    ended, runs = every_cell
    assert ended.returncode == 0, ended.stdout
    assert sorted(runs) == cells()
    for run in runs.values():
        record = read(run)["gradient_flow/layer_1/h"]
        assert all((norms > 0).all() for norms in record.norms)


def test_without_telemetry_nothing_is_measured(others):
    _, without = others
    assert read(without) == {}
    assert json.loads((without / "result.json").read_text())["gradient"] == {}


def assert_table_of_completed(ended, runs, of):
    table = [line for line in ended.stdout.splitlines() if line.startswith("│")]
    assert [line.split()[1] for line in table] == of
    assert all("completed" in line for line in table)
    assert all(status(run) == "completed" for run in runs)


def test_a_sweep_ends_with_one_table_that_has_a_row_for_each_run(sweep):
    ended, folder = sweep
    assert_table_of_completed(ended, [path.parent for path in folder.glob("*/status.json")], ["rnn", "lstm", "gru"])


def test_a_sweep_of_every_cell_ends_with_one_table_that_has_a_row_for_each_cell(every_cell):
    ended, runs = every_cell
    assert_table_of_completed(ended, runs.values(), cells())


def test_the_same_seed_gives_the_same_figures_alone_or_in_a_sweep(alone, sweep):
    (in_sweep,) = sweep[1].glob("lstm-*")
    assert (only_run(alone[1]) / "metrics.csv").read_bytes() == (in_sweep / "metrics.csv").read_bytes()


def test_the_same_seed_gives_the_same_figures_alone_or_in_a_sweep_of_every_cell(alone, every_cell):
    _, in_sweep = every_cell
    assert (only_run(alone[1]) / "metrics.csv").read_bytes() == (in_sweep["lstm"] / "metrics.csv").read_bytes()


def test_another_seed_gives_other_figures(alone, others):
    another, _ = others
    assert (only_run(alone[1]) / "metrics.csv").read_bytes() != (another / "metrics.csv").read_bytes()


def test_a_run_that_is_complete_is_shown_again_and_trained_again_only_when_asked(alone, train, tmp_path):
    first, folder = alone
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    changed = (only_run(tmp_path) / "status.json").read_text()
    second = train(*SMALL_ADDING)
    assert second.returncode == 0
    assert "complete already" in second.stdout
    assert "rerun=true" in second.stdout
    assert next(line for line in first.stdout.splitlines() if "test loss" in line) in second.stdout
    assert (only_run(tmp_path) / "status.json").read_text() == changed
    events = list(only_run(tmp_path).glob("events.*"))
    anew = train(*SMALL_ADDING, "rerun=true")
    assert anew.returncode == 0
    assert "epoch 1/2" in anew.stdout
    assert "gradient reached" in anew.stdout
    assert (only_run(tmp_path) / "status.json").read_text() != changed
    assert len(list(only_run(tmp_path).glob("events.*"))) == len(events)
    assert not any(path.exists() for path in events)


def test_a_loss_that_is_no_longer_finite_ends_the_run_as_diverged(train, tmp_path):
    ended = train(*SMALL_ADDING, "cell=rnn", "cell.activation=relu", "optimizer=sgd",
                  "optimizer.learning_rate=1e20", "optimizer.global_clipnorm=null")  # fmt: skip
    assert ended.returncode == 1
    run = only_run(tmp_path)
    assert status(run) == "diverged"
    assert "diverged: the loss became" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    assert not (run / "result.json").exists()


def test_a_run_that_raises_is_recorded_and_the_others_finish(tmp_path):
    broken = "dataset._target_=tests.e2e.broken.fail_to_load,rnnscope.experiments.data.datasets.long_range.adding"
    ended = run_train(tmp_path, "-m", *SMALL_ADDING, ONE_BY_ONE, broken)
    assert ended.returncode == 1
    assert "failed: RuntimeError: the file is broken (the traceback is in train.log)" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    runs = {status(run): run for run in tmp_path.glob("runs/default/*") if run.is_dir()}
    assert runs.keys() == {"failed", "completed"}
    assert "Traceback" in (runs["failed"] / "train.log").read_text()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "terminate"])
def test_a_sweep_that_is_stopped_ends_as_interrupted_with_its_table(tmp_path, stop):
    asked = ["cell=lstm,gru,rnn", "hydra.launcher.n_jobs=2", *SMALL_ADDING, "trainer.epochs=100000"]
    command = [sys.executable, str(TRAIN), "-m", *asked]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("runs/default/*/metrics.csv"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(stop)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    states = [RunDirectory(path.parent).state for path in tmp_path.glob("runs/default/*/status.json")]
    assert states == ["interrupted", "interrupted"]
    assert "interrupted" in stdout
    assert "not run" in stdout
    assert f"Interrupted. To go on: {shlex.join(['rnnscope', 'train', *command[2:]])}\n" in stdout
    assert "Traceback" not in stdout + stderr
