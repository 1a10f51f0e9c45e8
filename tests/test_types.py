"""Type checkers find wrong arguments of the layers in a user's script, and accept right ones."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import check_types

IMPORTS = "from rnnscope import GRU, LSTM, RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNN, Stacked"
RIGHT = [
    'LSTM(8, "tanh", "sigmoid", True, "glorot_uniform", "orthogonal", "zeros", True, "l2")',
    "LSTM(8, activation=abs, seed=1, projection_units=4, use_cudnn=False)",
    'GRU(8, reset_after=False, return_sequences=True, dtype="float32", name="layer")',
    "SimpleRNN(units=8, dropout=0.1, layer_normalization=True)",
    'RNN([LSTMCell(8, dropout=0.1), GRUCell(4, update_gate="write")], return_state=True)',
    'Bidirectional(LSTM(8), merge_mode=None, name="both")',
    'Stacked([LSTM(8, return_sequences=True), LSTM(8)], skip="residual")',
]
WRONG = [
    "LSTM(32, dropot=0.1)",
    "LSTM()",
    'Bidirectional(LSTM(8), merge="sum")',
    'Bidirectional(LSTM(8), "add")',
    'GRU("8")',
    'GRU(8, return_sequences="yes")',
    "RNN(LSTMCell(8), dropout=0.1)",
    "LSTMCell(32, dropot=0.1)",
    'Stacked([LSTM(8)], skip="residul")',
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the packages as an installation has them."""
    folder = tmp_path_factory.mktemp("installed")
    check_types.link_packages(folder)
    return folder


def mypy(script, installed):
    """Return the lines of a script in which mypy finds an error, as it would with the package in site-packages."""
    found = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports", "silent"),
            *("--cache-dir", str(installed / ".mypy_cache"), script.name),
        ],
        cwd=script.parent,
        env={**os.environ, "MYPYPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stderr == ""
    return {int(line) for line in re.findall(rf"^{script.name}:(\d+): error", found.stdout, re.MULTILINE)}


def pyright(script, installed):
    """Return the lines of a script in which pyright finds an error."""
    settings = {"include": [script.name], "extraPaths": [str(installed)], "typeCheckingMode": "strict"}
    (script.parent / "pyrightconfig.json").write_text(json.dumps(settings))
    found = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    diagnostics = json.loads(found.stdout)["generalDiagnostics"]
    return {each["range"]["start"]["line"] + 1 for each in diagnostics if each["severity"] == "error"}


@pytest.mark.slow
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_right_arguments_are_accepted_and_wrong_ones_are_found(checker, installed, tmp_path):
    script = tmp_path / "script.py"
    lines = [IMPORTS, *RIGHT, *WRONG]
    script.write_text("\n".join(lines) + "\n")
    assert [lines[number - 1] for number in sorted(checker(script, installed))] == WRONG


def test_paths_of_a_report_are_those_of_the_checkout():
    folder = Path("/links")
    sources = {
        folder / "rnnscope": check_types.CHECKOUT / "layers",
        folder / "rnnscope" / "experiments": check_types.CHECKOUT / "experiments",
    }
    report = (
        "rnnscope/loop.py:1: error: in rnnscope/loop.py\n"
        "rnnscope/experiments/paths.py:2: note: see\n"
        "Found 1 error in 1 file\n"
    )
    assert check_types.in_checkout(report, folder, sources) == (
        "layers/loop.py:1: error: in rnnscope/loop.py\nexperiments/paths.py:2: note: see\nFound 1 error in 1 file\n"
    )
