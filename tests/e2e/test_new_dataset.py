"""The page that adds a dataset, followed to the letter."""

import json
import os
import subprocess
import sys

from tests.e2e.conftest import TRAIN
from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs" / "data" / "new_dataset.md"


def test_the_dataset_of_the_page_has_less_than_twenty_lines():
    (code,) = blocks(PAGE, "python")
    function = code[code.index("def sine") :]
    assert len(function.strip().splitlines()) < 20


def test_the_dataset_of_the_page_is_a_choice_like_any_other(tmp_path):
    (code,), (conf,) = blocks(PAGE, "python"), blocks(PAGE, "yaml")
    (tmp_path / "waves.py").write_text(code)
    (tmp_path / "conf" / "dataset").mkdir(parents=True)
    (tmp_path / "conf" / "dataset" / "sine.yaml").write_text(conf)
    overrides = ["dataset=sine", "dataset.train_fraction=0.5", "trainer.epochs=8", "optimizer.learning_rate=0.01"]
    ended = subprocess.run(
        [sys.executable, str(TRAIN), "--config-dir", "conf", *overrides],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (run,) = tmp_path.glob("runs/default/lstm-sine-*")
    result = json.loads((run / "result.json").read_text())
    assert result["steps"] == 8 * -(-500 // 32)
    assert result["metrics"]["mae"] < 0.7 * result["baselines"]["training mean"]["mae"]
