"""The layers on JAX and torch: `tests/backends`, which run on TensorFlow here, in a process of its own for each."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
BACKENDS = ("jax", "torch")
# The tests run many small programs once each, so that compiling them is what takes the time.
QUICK_TO_COMPILE = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false"
)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A process by backend, both at once; each writes `<backend>.xml` and `<backend>.log` into the folder."""
    folder, processes = tmp_path_factory.mktemp("backends"), {}
    for backend in BACKENDS:
        command = [sys.executable, "-m", "pytest", "tests/backends", "-n", "0", f"--junitxml={folder / backend}.xml"]
        environment = {**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": QUICK_TO_COMPILE}
        with (folder / f"{backend}.log").open("w") as log:
            processes[backend] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
    yield folder, processes
    for process in processes.values():
        process.kill()
        process.wait()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_layers_pass_their_tests_on_every_backend(running, backend):
    assert importlib.util.find_spec(backend), f'{backend} is not installed; pip install -e ".[test]" installs it'
    folder, processes = running
    assert processes[backend].wait(timeout=1800) == 0, (folder / f"{backend}.log").read_text()[-5000:]
    (suite,) = ElementTree.parse(folder / f"{backend}.xml").iter("testsuite")
    properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert properties["backend"] == backend
    assert int(suite.get("tests")) > 0
    assert [suite.get(kind) for kind in ("failures", "errors", "skipped")] == ["0", "0", "0"]
