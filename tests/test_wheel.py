"""The wheel: one import name and one command, usable where nothing of the checkout is."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import rnnscope

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
IN_WHEEL = ("layers", "experiments", "conf", "hydra_plugins", "tensorboard_gradient_flow")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of what it is made of: setuptools keeps what it built before."""
    folder, source = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("source")
    for name in IN_WHEEL:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (source / "conf" / "local").mkdir(exist_ok=True)
    (source / "conf" / "local" / "default.yaml").write_text("# this machine's own settings\n")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = folder.glob("rnnscope-*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """A fresh environment that has the wheel and what it needs, and does not know the checkout.

    The other packages are those of the running environment, lent by a path, so that they need not be fetched again.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The `rnnscope` of a fresh environment into which pip has put the wheel with its extra `train`."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt"]
    subprocess.run([*pip, f"{wheel}[train]"], check=True, capture_output=True, text=True)
    return folder / "bin" / "rnnscope"


def run(python, folder, code):
    ended = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


# ----------------------------------------------------------------------- contents


def test_the_wheel_holds_one_package_of_ours_the_tab_and_hydra_s_plugins(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "rnnscope", "tensorboard_gradient_flow", "hydra_plugins",
    }  # fmt: skip
    assert {"rnnscope/py.typed", "tensorboard_gradient_flow/py.typed", "rnnscope/bptt/lstm.py"} <= names
    assert {"rnnscope/conf/config.yaml", "rnnscope/conf/study/vanishing.yaml"} <= names
    assert not [name for name in names if name.startswith("rnnscope/conf/local/")]


def test_the_wheel_has_every_module_of_the_checkout(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    renamed = {"layers": "rnnscope", "experiments": "rnnscope/experiments"}
    for folder in IN_WHEEL:
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            assert name.replace(folder, renamed.get(folder, folder), 1) in names


def test_the_metadata_is_what_an_index_accepts_and_has_links_that_work_there(wheel):
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", wheel], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (path,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".dist-info/METADATA")]
    metadata = zipfile.ZipFile(wheel).read(path).decode()
    assert "Project-URL: Homepage" in metadata
    assert "Classifier: Programming Language :: Python :: 3.13" in metadata
    links = re.findall(r"\]\(([^)]+)\)", metadata)
    assert len(links) > 10
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_base_needs_only_what_layers_and_the_tab_import():
    needed = {re.split(r"[<>=]", requirement)[0] for requirement in PROJECT["project"]["dependencies"]}
    assert needed == {"keras", "numpy", "tensorboard", "wrapt"}


def test_an_upper_and_a_lower_bound_is_given_for_every_required_package():
    for requirement in PROJECT["project"]["dependencies"]:
        assert re.fullmatch(r"[\w-]+>=[\d.]+,<\d+", requirement), requirement


# ---------------------------------------------------------------------- the tab


def test_the_wheel_carries_the_tab_s_page_and_tells_tensorboard_of_it(wheel):
    archive = zipfile.ZipFile(wheel)
    page = {path.name for path in (ROOT / "tensorboard_gradient_flow" / "page").iterdir()}
    assert {"index.js", "style.css"} <= page
    assert {f"tensorboard_gradient_flow/page/{name}" for name in page} <= set(archive.namelist())
    (points,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
    assert (
        "[tensorboard_plugins]\ngradient_flow = tensorboard_gradient_flow.plugin:Loader"
        in archive.read(points).decode()
    )


def test_tensorboard_finds_the_tab_where_only_the_wheel_is_installed(elsewhere, tmp_path):
    code = """
import sys
from tensorboard import default
from tensorboard.plugins.base_plugin import TBContext
(loader,) = [each for each in default.get_dynamic_plugins() if "gradient_flow" in each.__module__]
plugin = loader().load(TBContext(sampling_hints={}))
assert "tensorflow" not in sys.modules
print(*sorted(plugin.get_plugin_apps()))
"""
    assert "/page/index.js" in run(elsewhere, tmp_path, code).split()


def test_a_model_saved_from_the_checkout_loads_with_the_wheel_alone(elsewhere, tmp_path):
    stack = rnnscope.Stacked([rnnscope.Bidirectional(rnnscope.LSTM(4, return_sequences=True)), rnnscope.GRU(3)])
    model = keras.Sequential([keras.Input((7, 2)), stack, keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    inputs = np.random.default_rng(0).normal(size=(5, 7, 2)).astype("float32")
    np.save(tmp_path / "inputs.npy", inputs)
    code = """
import importlib.util, keras, numpy as np, rnnscope
for name in 'layers experiments conf tests docs train tools'.split():
    assert importlib.util.find_spec(name) is None, name
np.save("outputs.npy", keras.models.load_model("model.keras").predict(np.load("inputs.npy"), verbose=0))
"""
    run(elsewhere, tmp_path, code)
    np.testing.assert_allclose(
        np.load(tmp_path / "outputs.npy"), model.predict(inputs, verbose=0), rtol=1e-5, atol=1e-6
    )


def test_a_keras_layer_is_swapped_in_an_unrelated_model_with_its_weights(elsewhere, tmp_path):
    code = """
import keras, numpy as np, rnnscope
def model(LSTM):
    embedding = keras.layers.Embedding(9, 4, mask_zero=True)
    return keras.Sequential([keras.Input((None,)), embedding, LSTM(5), keras.layers.Dense(2)])
theirs, ours = model(keras.layers.LSTM), model(rnnscope.LSTM)
ours.set_weights(theirs.get_weights())
tokens = np.random.default_rng(0).integers(0, 9, (6, 8))
print(np.abs(ours.predict(tokens, verbose=0) - theirs.predict(tokens, verbose=0)).max())
"""
    assert float(run(elsewhere, tmp_path, code)) < 1e-6


# ----------------------------------------------------------------- the command line


def test_the_base_alone_names_the_extra_that_the_command_line_needs(wheel, tmp_path):
    venv.create(tmp_path / "bare")
    python = tmp_path / "bare" / "bin" / "python"
    packages = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    wrapt = f"wrapt=={importlib.metadata.version('wrapt')}"
    subprocess.run([*packages, str(wheel), wrapt], check=True)
    ended = subprocess.run([python.with_name("rnnscope"), "train"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("rnnscope train: needs packages that are not installed (")
    assert "pip install 'rnnscope[train]'" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_sweep_of_two_runs_where_only_the_wheel_is_installed(installed, tmp_path):
    small = ["trainer.epochs=1", "cell.units=4", "dataset.length=10", "dataset.train_size=32"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def rnnscope_(*arguments):
        command = [installed, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    ended = rnnscope_("train", "-m", "cell=rnn,gru", "dataset=adding", *small)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(list(tmp_path.glob("runs/default/*/result.json"))) == 2
    again = rnnscope_("train", "-m", "cell=rnn,gru", "dataset=adding", *small)
    assert "2 of 2 runs were complete already" in again.stdout
    summed = rnnscope_("summary", "runs/default")
    assert summed.returncode == 0, summed.stderr
    assert (tmp_path / "runs" / "default" / "report.html").exists()
    assert rnnscope_("studies").returncode == 0
