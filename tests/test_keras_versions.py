"""The oldest and the newest Keras that pyproject.toml allows: the private parts of Keras that are used differ."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
REQUIREMENTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
(ALLOWED,) = (requirement for requirement in REQUIREMENTS if requirement.startswith("keras"))
OLDEST = re.sub(r"keras>=(\d+\.\d+),.*", r"keras==\1.0", ALLOWED)
FILES = ("tests/layers/test_with_keras.py", "tests/layers/test_saving.py", "tests/layers/test_models.py")


@pytest.mark.parametrize("requirement", [OLDEST, ALLOWED])
def test_layers_agree_with_keras_and_load_its_files(requirement, tmp_path):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path / "keras")]
    subprocess.run([*pip, requirement], check=True, capture_output=True)
    (metadata,) = tmp_path.glob("keras/keras-*.dist-info")
    version = metadata.name.removeprefix("keras-").removesuffix(".dist-info")
    if version == keras.__version__:  # which all other tests run with
        return
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "keras")}
    told = "import keras; print('keras', keras.__version__)"
    said = subprocess.run([sys.executable, "-c", told], env=environment, capture_output=True, text=True, check=True)
    assert f"keras {version}" in said.stdout
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "slow or not slow", *FILES]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-5000:]
