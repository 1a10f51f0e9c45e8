"""`rnnscope …`, for real."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import rnnscope  # noqa: F401  (its classes are needed to load a model)
from rnnscope.experiments.commands.main import main
from rnnscope.experiments.runs.directory import RunDirectory
from tests.e2e.conftest import SMALL, SMALL_ADDING, run_command, run_train

ROOT = Path(__file__).parents[2]
TEXT = "the cat sat on the mat, and the dog sat on the cat.\n" * 60


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    """A small run that has learnt a text by heart, more or less."""
    folder = tmp_path_factory.mktemp("writer")
    (folder / "cat.txt").write_text(TEXT)
    overrides = [
        "dataset=text_chars",
        "dataset.path=cat.txt",
        "dataset.length=30",
        "cell.units=48",
        "trainer.epochs=25",
    ]
    options = ["optimizer.learning_rate=0.01", "architecture.depth=2", "dataset.stateful=true", "trainer.batch_size=4"]
    ended = run_train(folder, *overrides, *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (run,) = folder.glob("runs/default/lstm-text_chars-*")
    return folder, run


def test_a_dataset_is_shown_as_text_and_as_a_picture_without_tensorflow(tmp_path):
    script = (
        "import sys, rnnscope.experiments.commands.main as command; command.main(); assert 'keras' not in sys.modules"
    )
    command = [sys.executable, "-c", script, "show", "dataset=adding", "dataset.length=20", "--examples", "2"]
    ended = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    for words in (
        "adding",
        "20 steps of 2 numbers → 1 value",
        "4,000",
        "training mean",
        "value",
        "marker",
        "example 2",
    ):
        assert words in ended.stdout
    assert "example 3" not in ended.stdout
    with Image.open(tmp_path / "show-adding.png") as picture:
        assert picture.width > 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "dataset=addin"], r"dataset=addin: there is no such choice; did you mean adding\?.*"),
        (["show", "dataset=adding", "dataset.length=1"], r"dataset.length=1: expected a value of at least 2"),
        (["show", "dataset=adding", "--picture", "no/where.png"], r"no/where.png: cannot be written \(.*\); choose .*"),
        (["generate", "nowhere"], r"nowhere: expected the directory of a completed run, .*"),
        (["evaluate", "nowhere"], r"nowhere: there is no such directory; expected a run's, .*"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, arguments, message):
    ended = run_command(tmp_path, *arguments)
    assert ended.returncode == 2
    assert re.fullmatch(rf"rnnscope {arguments[0]}: {message}\n", ended.stderr)


def test_help_lists_the_verbs(tmp_path):
    ended = run_command(tmp_path, "--help")
    assert ended.returncode == 0
    assert "show" in ended.stdout
    assert "generate" in ended.stdout
    assert "evaluate" in ended.stdout


def test_a_run_that_learnt_a_text_goes_on_with_it(writer):
    folder, run = writer
    ended = run_command(folder, "generate", run, "--prompt", "the cat sat on", "--length", "30", "--temperature", "0")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == TEXT[:44] + "\n"


def test_what_is_written_is_what_the_saved_network_finds_likeliest(writer):
    folder, run = writer
    prompt = "dog sat on the"
    ended = run_command(folder, "generate", run, "--prompt", prompt, "--length", "8", "--temperature", "0")
    written = ended.stdout[:-1]
    symbols = RunDirectory(run).signature.symbols
    network = keras.models.load_model(run / "model.keras")
    for end in range(len(prompt), len(prompt) + 8):
        window = np.zeros((4, 30), "int32")
        window[:, :end] = [symbols.index(character) for character in written[:end]]
        network.get_layer("stack").reset_state()
        logits = network.predict_on_batch(window)[0, end - 1]
        assert symbols[logits.argmax()] == written[end]


def test_the_seed_and_the_temperature_decide_what_is_written_and_a_file_keeps_it(writer, tmp_path, capsys):
    _, run = writer
    options = ["--length", "60", "--temperature", "1.5", "--output", str(tmp_path / "out.txt")]
    texts = []
    for seed in ("1", "1", "2"):
        assert main(["generate", str(run), *options, "--seed", seed]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    assert (tmp_path / "out.txt").read_text() == texts[2][:-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prompt", "THE"], r"--prompt: 'T' is not in the run's alphabet: .*"),
        (["--output", "no/where.txt"], r"no/where.txt: cannot be written \(.*\); choose another file"),
    ],
)
def test_a_mistake_in_generating_is_one_line(writer, capsys, arguments, message):
    _, run = writer
    assert main(["generate", str(run), "--length", "1", *arguments]) == 2
    assert re.fullmatch(rf"rnnscope generate: {message}\n", capsys.readouterr().err)


def test_a_run_that_answers_otherwise_cannot_write(tmp_path, capsys):
    assert run_train(tmp_path, *SMALL, *SMALL_ADDING).returncode == 0
    (run,) = tmp_path.glob("runs/default/lstm-adding-*")
    assert main(["generate", str(run)]) == 2
    assert "its network answers with values; expected a run that learnt the next symbol" in capsys.readouterr().err


def test_a_run_is_scored_as_it_was_and_its_network_written_for_plain_keras(writer, tmp_path):
    folder, run = writer
    ended = run_command(folder, "evaluate", run, "--export", tmp_path / "mine.keras")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for name, value in RunDirectory(run).result["metrics"].items():
        assert re.search(rf"{name} .* {value:.6f} ", ended.stdout)
    window = np.arange(120, dtype="int32").reshape(4, 30) % len(RunDirectory(run).signature.symbols)
    kept, exported = (keras.models.load_model(path) for path in (run / "model.keras", tmp_path / "mine.keras"))
    np.testing.assert_array_equal(exported.predict_on_batch(window), kept.predict_on_batch(window))


def test_a_run_that_is_not_completed_is_scored_with_its_best_weights_so_far(writer, tmp_path, monkeypatch, capsys):
    folder, run = writer
    stopped = RunDirectory(shutil.copytree(run, tmp_path / "stopped"))
    result = stopped.result
    for name in ("result.json", "model.keras"):
        (stopped.path / name).unlink()
    stopped.set_state("interrupted")
    monkeypatch.chdir(folder)
    assert main(["evaluate", str(stopped.path)]) == 0
    printed = capsys.readouterr().out
    assert "interrupted at epoch 25 of 25, best weights so far" in printed
    assert float(re.search(r"loss +(\S+)", printed)[1]) == pytest.approx(result["metrics"]["loss"], rel=1e-4)
