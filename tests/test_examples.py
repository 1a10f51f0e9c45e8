"""The scripts and the notebook in `examples/` run, and print and plot what they announce."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tensorboard_gradient_flow import profile
from tensorboard_gradient_flow.reader import read

nbformat = pytest.importorskip("nbformat", reason='needs nbformat: pip install -e ".[test-full]"')
nbclient = pytest.importorskip("nbclient", reason='needs nbclient: pip install -e ".[test-full]"')

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
NOTEBOOK = EXAMPLES / "vanishing_gradients.ipynb"


@pytest.fixture
def say(tmp_path):
    """Runs an example in a folder of its own; gives what it says."""

    def run(script, *arguments):
        command = [sys.executable, EXAMPLES / script, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run


def numbers(pattern, text):
    """What the groups of a pattern hold, as numbers, a row for each place where it is found."""
    return np.array(re.findall(pattern, text), dtype=float)


def test_a_swapped_layer_predicts_and_learns_as_keras_s_does(say):
    said = say("swap_a_layer.py", "--epochs", "1")
    assert float(*re.findall(r"differ by at most (\S+)\.\n", said)) < 1e-5
    theirs, ours = numbers(r"\.LSTM: loss (\S+), accuracy (\S+), \S+ s per epoch", said)
    np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_logging_says_how_far_back_and_where_to_look(say, tmp_path):
    said = say("log_gradient_flow.py", "--epochs", "1", "--logs", "here")
    logs = tmp_path / re.findall(r"^tensorboard --logdir (here/\S+)$", said, re.MULTILINE)[0]
    reached = re.findall(
        r"^(\w+): squared error .+; gradient horizon (\d+) of 39 steps at the start of training, (\d+) at the end$",
        said,
        re.MULTILINE,
    )
    assert [name for name, *_ in reached] == ["rnn", "lstm"]
    for name, first, last in reached:
        record = read(logs / name)["gradient_flow/memory/h"]
        assert record.steps == list(range(10, 126, 10))
        assert {norms.shape for norms in record.norms} == {(40,)}
        assert int(first) == profile.horizon(record.norms[0])
        assert int(last) == profile.horizon(profile.root_mean_square(record.norms[-10:]))


def test_a_cell_of_one_s_own_learns_and_shows_its_gradient(say):
    said = say("custom_cell.py", "--epochs", "1")
    assert numbers(r"val_accuracy: (\S+)", said)[-1] > 0.2
    layers = re.findall(r"^ *(\w+)/h +(.+)$", said, re.MULTILINE)
    assert [name for name, _ in layers] == ["forward_lower", "backward_lower", "forward_upper", "backward_upper"]
    for _, norms in layers:
        assert np.all(np.array(norms.split(), dtype=float) > 0)
        assert len(norms.split()) == 8


def outputs(notebook, kind):
    """What a notebook shows of one kind, cell after cell."""
    found = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert "error" not in {output.output_type for output in found}
    return [output.data[kind] for output in found if kind in output.get("data", {})]


def test_the_notebook_is_stored_as_it_ran_from_top_to_bottom():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert len(outputs(notebook, "image/png")) == 1
    links = re.findall(r"\]\(([^)]+)\)", "".join(cell.source for cell in notebook.cells))
    assert links
    assert [link for link in links if not (EXAMPLES / link).exists()] == []


def test_the_notebook_runs_and_draws_what_its_text_tells(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (figure,) = outputs(notebook, "image/png")
    assert base64.b64decode(figure).startswith(b"\x89PNG")
    said = "".join(output.text for output in notebook.cells[-2].outputs if output.output_type == "stream")
    found = re.findall(r"^(\w+): squared error (\S+), (\w+)\n.*\n  steps reached .*?(\d+)$", said, re.MULTILINE)
    errors, verdicts, reached = ({name: row[column] for name, *row in found} for column in range(3))
    (constant,) = re.findall(r"squared error (\S+)$", said, re.MULTILINE)
    # Of the RNN only what holds on every processor: its training amplifies differences in rounding.
    assert 0.9 < float(errors["RNN"]) / float(constant) < 1.1
    assert int(reached["RNN"]) < 39
    for name in ("LSTM", "GRU"):
        assert (float(errors[name]) < 0.01, verdicts[name], reached[name]) == (True, "healthy", "39")
