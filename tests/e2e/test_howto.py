"""The pages that add a cell, a dataset and a study, followed to the letter."""

import json
import os

import pytest

from tests.e2e.conftest import ONE_BY_ONE, SMALL, run_command
from tests.test_docs import ROOT, blocks, files_of

HOWTO = ROOT / "docs" / "howto"


@pytest.fixture
def follow(tmp_path):
    """Puts a page's files into place, its first Python into a module; gives what runs a program beside them."""

    def place(page, module):
        for name, text in files_of(HOWTO / page).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        if module:
            (tmp_path / "mine" / module).write_text(blocks(HOWTO / page, "python")[0])

        def say(*arguments):
            environment = {**os.environ, "PYTHONPATH": "mine"}
            ended = run_command(tmp_path, *arguments, environment=environment)
            assert ended.returncode == 0, ended.stdout + ended.stderr
            return ended.stdout

        return say

    return place


OWN = ("--config-dir", "mine")
TRAIN = ("train", *OWN)


def test_the_dataset_of_the_page_is_a_choice_like_any_other(follow, tmp_path):
    say = follow("own_dataset.md", "waves.py")
    say(*TRAIN, "dataset=sine", "dataset.train_fraction=0.5", "trainer.epochs=8", "optimizer.learning_rate=0.01")
    (run,) = tmp_path.glob("runs/default/lstm-sine-*")
    result = json.loads((run / "result.json").read_text())
    assert result["steps"] == 8 * -(-500 // 32)
    assert result["metrics"]["mae"] < 0.7 * result["baselines"]["training mean"]["mae"]
    assert "sequences of 50 steps of 1 number → 1 value in turns" in say("show", *OWN, "dataset=sine")


@pytest.mark.parametrize(("page", "begins"), [("own_dataset.md", "def sine"), ("own_cell.md", "@keras")])
def test_what_a_page_adds_has_less_than_twenty_lines(page, begins):
    code = blocks(HOWTO / page, "python")[0]
    assert len(code[code.index(begins) :].strip().splitlines()) < 20


def test_the_cell_of_the_page_is_a_choice_like_any_other(follow, tmp_path):
    say = follow("own_cell.md", "leaky.py")
    say(*TRAIN, "-m", "cell=leaky,rnn", *SMALL, "dataset=text_chars", "dataset.train_size=64", ONE_BY_ONE)
    (run,) = tmp_path.glob("runs/default/leaky-*")
    assert "result.json" in say("evaluate", *OWN, run)
    assert len(say("generate", *OWN, run, "--length", "20", "--prompt", "a").strip()) > 10


def test_the_study_of_the_page_ends_with_a_report(follow, tmp_path):
    say = follow("own_study.md", "")
    said = say(*TRAIN, "-m", "study=quicker", "study.scale=smoke", ONE_BY_ONE)
    assert "quicker: undecided: A GRU learns the adding problem in fewer epochs than an LSTM." in said
    for name in ("study.html", "figure-1-epochs_to-val_mae-0-1.svg", "figure-2-profile_h.svg"):
        assert (tmp_path / "runs" / "quicker-smoke" / name).exists()
    assert "quicker" in say("studies", *OWN)
