"""The wheel: `layers` under its unique name, usable where nothing of the checkout is."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import rnnscope

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = folder.glob("rnnscope-*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """A fresh environment that has the wheel and its dependencies, and does not know the checkout.

    The dependencies are those of the running environment, lent by a path, so that they need not be fetched again.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python, folder, code):
    ended = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_the_wheel_holds_two_typed_packages_and_nothing_else_at_the_top(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"rnnscope", "tensorboard_gradient_flow"}
    assert {"rnnscope/py.typed", "tensorboard_gradient_flow/py.typed", "rnnscope/bptt/lstm.py"} <= set(names)


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
assert importlib.util.find_spec("layers") is None
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
