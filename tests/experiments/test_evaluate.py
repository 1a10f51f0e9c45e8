"""`evaluate`, on run directories written without training: what it makes of them, and what it refuses."""

import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from omegaconf import OmegaConf

import rnnscope
from rnnscope.experiments.__main__ import main
from rnnscope.experiments.data import load
from rnnscope.experiments.runs.directory import RunDirectory
from rnnscope.experiments.training.batches import network_inputs
from rnnscope.experiments.training.model import build_network
from tests.experiments.written_runs import result

ROOT = Path(__file__).parents[2]
SMALL = ("cell.units=4", "dataset.train_size=24", "dataset.validation_size=8", "dataset.test_size=16")
ADDING = ("dataset=adding", "dataset.length=12", *SMALL)


@pytest.fixture
def write(tmp_path, compose):
    """`write("dataset=adding", …)`: an untrained network's run, as if completed; with its network and its task."""

    def written(*overrides, name="run"):
        config = compose(*overrides)
        task = load(config.dataset, config.seed)
        network = build_network(config, task.signature)
        run = RunDirectory(tmp_path / name)
        (run.path / ".hydra").mkdir(parents=True)
        OmegaConf.save(config, run.path / ".hydra" / "config.yaml")
        OmegaConf.save(list(overrides), run.path / ".hydra" / "overrides.yaml")
        network.save(run.path / "model.keras")
        run.write_task(task.signature)
        run.set_state("completed")
        return run, network, task

    return written


@pytest.fixture
def adding(write):
    """A run on the adding problem, whose stored error was found by hand."""
    run, network, task = write(*ADDING)
    run.write_result(result(error(network, task.test)))
    forget_loss(run)
    return run


def error(network, part):
    return float(np.abs(network.predict(part.inputs, verbose=0) - part.targets).mean())


def forget_loss(run):
    values = run.result
    del values["metrics"]["loss"]
    run.write_result(values)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def evaluate(capsys, run, *arguments):
    """The exit status, and what was printed."""
    status = main(["evaluate", str(run.path), *map(str, arguments)])
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def refused(capsys, run, *arguments):
    """The one line with which it was refused."""
    status, printed = evaluate(capsys, run, *arguments)
    assert status == 2
    assert re.fullmatch(r"rnnscope evaluate: [^\n]+\n", printed)
    return printed


# --------------------------------------------------------------------- the scores


def test_what_a_network_scores_stands_beside_what_was_stored_and_the_best_baseline(adding, capsys):
    status, printed = evaluate(capsys, adding)
    assert status == 0
    stored = adding.result["metrics"]["mae"]
    now, before = re.search(r"mae +(\S+) +(\S+) +\d\.\d{4} \(training mean\)", printed).groups()
    assert float(now) == pytest.approx(stored, abs=1e-5)
    assert float(before) == pytest.approx(stored, abs=1e-6)
    assert "test part, 16 examples" in printed


def test_each_part_can_be_scored(write, capsys):
    run, network, task = write(*ADDING)
    run.write_result(result(0.0))
    for part, split in (("train", task.train), ("validation", task.validation)):
        status, printed = evaluate(capsys, run, "--part", part)
        assert status == 0
        assert f"{part} part, {len(split)} examples" in printed
        assert float(re.search(r"mae +(\S+)", printed)[1]) == pytest.approx(error(network, split), abs=1e-5)
    run.write_result(result(0.0) | {"validation": {"mae": 0.0}})
    assert evaluate(capsys, run, "--part", "validation")[0] == 1


@pytest.mark.parametrize(("factor", "status"), [(1 + 1e-6, 0), (1.001, 1)])
def test_a_difference_beyond_rounding_is_said_and_told_by_the_exit_status(adding, capsys, factor, status):
    values = adding.result
    values["metrics"]["mae"] *= factor
    adding.write_result(values)
    ended, printed = evaluate(capsys, adding)
    assert ended == status
    assert ("Not what result.json says, beyond float32 rounding: mae." in printed) == bool(status)


def test_a_run_whose_result_is_gone_is_scored_but_not_called_the_same(adding, capsys):
    (adding.path / "result.json").unlink()
    status, printed = evaluate(capsys, adding)
    assert status == 1
    assert "mae" in printed
    assert "result.json is missing or damaged: there is nothing to compare with." in printed


# ---------------------------------------------------------------------- exporting

LOAD = """
import sys, keras, rnnscope, numpy as np
for path in sys.argv[1:]:
    given = dict(np.load(path + ".npz"))
    network = keras.models.load_model(path)
    np.save(path + ".npy", network.predict_on_batch(given if len(given) > 1 else given["sequence"]))
"""


@pytest.mark.slow  # needs rapidfuzz
def test_exported_networks_of_every_kind_predict_alike_in_plain_keras(write, tmp_path, capsys):
    random = np.random.default_rng(1)
    mask = np.arange(10) < random.integers(3, 11, (40, 1))
    np.savez(tmp_path / "mine.npz", inputs=random.normal(size=(40, 10, 2)), targets=np.arange(40) % 4, mask=mask)
    masked = ("dataset=npz", f"dataset.path={tmp_path / 'mine.npz'}", "cell.units=4", "architecture=bidirectional")
    kinds = {
        "numbers": ADDING,
        "both directions, masked": masked,
        "encoder and decoder": ("dataset=reverse", *SMALL),
    }
    expected = {}
    for kind, overrides in kinds.items():
        run, network, task = write(*overrides, name=kind)
        assert evaluate(capsys, run, "--export", tmp_path / f"{kind}.keras")[0] == 1  # nothing to compare with
        given = network_inputs(task.test[:5], task.output)
        np.savez(tmp_path / f"{kind}.keras.npz", **(given if isinstance(given, dict) else {"sequence": given}))
        expected[tmp_path / f"{kind}.keras"] = network.predict_on_batch(given)
    command = [sys.executable, "-c", LOAD, *map(str, expected)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    for path, answers in expected.items():
        np.testing.assert_allclose(np.load(f"{path}.npy"), answers, rtol=1e-5, atol=1e-6)


def test_a_file_that_cannot_be_written_is_a_line(adding, tmp_path, capsys):
    (tmp_path / "folder.keras").mkdir()
    for target, message in {
        "mine.h5": "expected a file that ends in .keras",
        "no/where.keras": "there is no folder .*; choose another file",
        "folder.keras": r"cannot be written \(.*\); choose another file",
    }.items():
        status, printed = evaluate(capsys, adding, "--export", tmp_path / target)
        assert status == 2
        assert re.search(rf"evaluate: --export {re.escape(str(tmp_path / target))}: {message}\n", printed)


# --------------------------------------------------------- a directory of a stranger


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module that must not be imported."""
    (tmp_path / "trap.py").write_text("def spring(**options): ...\nload = spring\n")
    (tmp_path / "trap.yaml").write_text("_target_: trap.spring\nname: trap\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    assert "trap" not in sys.modules


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rnnscope.LSTMCell", "trap.spring", r"cell\._target_=trap\.spring: expected rnnscope\.LSTMCell for cell=lstm"),
        (
            "rnnscope.experiments.data.datasets.long_range.adding",
            "trap.spring",
            r"dataset\._target_=trap\.spring: expected rnnscope",
        ),
        ("keras.optimizers.Adam", "trap.spring", r"optimizer\._target_=trap\.spring: expected keras"),
        ("name: adding", "name: ../../trap", r"dataset=\.\./\.\./trap: there is no such choice; allowed: adding"),
        ("  units: 4\n", "  units: 4\n  extra: {_target_: trap.spring}\n", "cell.extra: there is no such option"),
        ("  units: 4\n", "  units: {_target_: trap.spring}\n", "cell.units"),
        ("cell:\n", "cell: !!python/object/apply:trap.spring []\nother:\n", "is damaged"),
        ("  units: 4\n", "  units: -4\n", "cell.units=-4: expected a value of at least 1"),
        ("  units: 4\n", "  units: many\n", "cell.units=many: expected a whole number"),
    ],
)
@pytest.mark.usefixtures("trap")
def test_a_configuration_that_is_none_of_ours_is_refused(adding, capsys, old, new, message):
    edit(adding.path / ".hydra" / "config.yaml", old, new)
    assert re.search(rf"config\.yaml: {message}", refused(capsys, adding))


@pytest.mark.usefixtures("trap")
def test_a_package_that_a_configuration_says_it_requires_is_not_looked_for(adding, capsys):
    edit(adding.path / ".hydra" / "config.yaml", "requires: {}", "requires: {trap.spring: trap}")
    assert evaluate(capsys, adding)[0] == 0


def test_code_in_a_saved_network_is_not_run(adding, tmp_path, capsys):
    inputs, trace = keras.Input((12, 2)), str(tmp_path / "trace")
    trap = keras.layers.Lambda(lambda x: (__import__("pathlib").Path(trace).touch(), x)[1], output_shape=(12, 2))
    keras.Model(inputs, keras.layers.Dense(1)(rnnscope.LSTM(4)(trap(inputs)))).save(adding.path / "model.keras")
    Path(trace).unlink(missing_ok=True)
    assert "model.keras: cannot be loaded (" in refused(capsys, adding)
    assert not Path(trace).exists()


# ------------------------------------------------------------------------- damage


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def another_network(path):
    inputs = keras.Input((12, 2))
    keras.Model(inputs, keras.layers.Dense(1)(rnnscope.LSTM(5)(inputs))).save(path)


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        (".hydra/config.yaml", truncated, "is damaged; expected a run's configuration"),
        (".hydra/config.yaml", Path.unlink, "cannot be read (No such file or directory)"),
        ("task.json", truncated, "is missing or damaged; rnnscope train dataset=adding"),
        ("task.json", lambda path: path.write_text('{"steps": 12}'), "is missing or damaged; rnnscope train"),
        ("model.keras", Path.unlink, "is missing or damaged; rnnscope train dataset=adding"),
        ("model.keras", truncated, "is missing or damaged; rnnscope train dataset=adding"),
        ("model.keras", another_network, "is not the network that the run's configuration describes"),
    ],
)
def test_what_is_damaged_is_said_in_a_line(adding, capsys, file, damage, message):
    damage(adding.path / file)
    assert f"{adding.path / file}: {message}" in refused(capsys, adding)


def test_data_that_are_no_longer_of_the_networks_form_are_said(adding, capsys):
    edit(adding.path / ".hydra" / "config.yaml", "length: 12", "length: 14")
    assert "their steps are 14, were 12" in refused(capsys, adding)


def test_a_package_that_the_data_need_is_named(write, adding, tmp_path, capsys):
    (tmp_path / "conf" / "dataset").mkdir(parents=True)
    choice = (ROOT / "conf" / "dataset" / "adding.yaml").read_text()
    choice = choice.replace("name: adding", "name: mine\nrequires: {no_such_module: nothing}")
    (tmp_path / "conf" / "dataset" / "mine.yaml").write_text(choice)
    edit(adding.path / ".hydra" / "config.yaml", "name: adding", "name: mine")
    assert "dataset=mine: there is no such choice" in refused(capsys, adding)
    told = refused(capsys, adding, "--config-dir", tmp_path / "conf")
    assert "dataset=mine needs the package nothing, which is not installed: pip install nothing" in told


# -------------------------------------------------------------- not (yet) completed


def test_a_run_without_a_network_says_its_state_and_the_command_that_completes_it(adding, capsys):
    adding.set_state("failed", "it broke")
    printed = refused(capsys, adding)
    assert "failed (it broke), without a checkpoint; rnnscope train dataset=adding dataset.length=12" in printed
    assert printed.endswith("sweep.retry_failed=true completes it\n")


def test_a_damaged_checkpoint_is_said(adding, capsys):
    adding.set_state("interrupted")
    for text in ("", json.dumps({})):
        adding.checkpoint.write_text(text)
        assert f"{adding.checkpoint}: is damaged; rnnscope train" in refused(capsys, adding)


def test_what_is_no_run_is_said(tmp_path, capsys):
    assert "there is no such directory" in refused(capsys, RunDirectory(tmp_path / "nowhere"))
    assert "is not a run's directory" in refused(capsys, RunDirectory(tmp_path))
