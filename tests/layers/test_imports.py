"""Imports of the package: keras, numpy and the standard library; backends and private APIs in modules of their own."""

import ast
import re
import sys
from pathlib import Path

import pytest

import rnnscope

PACKAGE = Path(rnnscope.__file__).parent
CHECKOUT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))
ALLOWED = {"keras", "numpy", *sys.stdlib_module_names}
ALLOWED_IN = {
    "__init__.py": {"wrapt"},
    "_tensorflow.py": {"tensorflow"},
    "backend.py": {"tensorflow", "jax", "torch"},
    "callbacks.py": {"tensorflow", "tensorboard_gradient_flow"},
}
"""Files that may import more, and what."""

PRIVATE = {
    "keras": re.compile(r"keras\.(src|_\w+)"),
    "tensorflow": re.compile(r"(tensorflow|tf)\.(python|_\w+)"),
    "hydra": re.compile(r"hydra\._\w+"),
    "joblib": re.compile(r"joblib\.(externals|_\w+)"),
}
"""Private modules by library. Only a module `_<library>.py` may name them."""

PROJECT = [
    *(
        path
        for folder in ("layers", "experiments", "tensorboard_gradient_flow", "hydra_plugins")
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
    ),
    CHECKOUT / "train.py",
]


def imports(path):
    """Return the top-level packages that a file imports, and how many folders its relative imports climb."""
    packages, climbs = set(), [0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            packages.add(node.module.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            climbs.append(node.level - 1)
    return packages, max(climbs)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_only_allowed_packages(path):
    name = path.relative_to(PACKAGE).as_posix()
    packages, climb = imports(path)
    assert packages <= ALLOWED | ALLOWED_IN.get(name, set())
    assert climb <= len(path.relative_to(PACKAGE).parents) - 1, "an import from outside the package"


def test_all_public_names_exist():
    assert all(hasattr(rnnscope, name) for name in rnnscope.__all__)


def test_the_private_parts_of_tensorflow_are_imported_only_by_the_backend_and_when_it_runs():
    importing = set()
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and "_tensorflow" in (node.module or ""):
                importing.add((path.name, "on import" if node in tree.body else "in a function"))
    assert importing == {("backend.py", "in a function")}


def private_names(source):
    """Return the private modules of libraries that a module imports, reads as attributes, or names in a string."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names.append(ast.unparse(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w.]+", node.value):
            names.append(node.value)
    return {
        (library, name)
        for name in names
        for library, private in PRIVATE.items()
        if re.match(rf"{private.pattern}\b", name)
    }


@pytest.mark.parametrize("path", PROJECT, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_only_a_module_named_after_a_library_names_its_private_modules(path):
    found = private_names(path.read_text(encoding="utf-8"))
    assert {(library, name) for library, name in found if path.stem != f"_{library}"} == set()


@pytest.mark.parametrize(
    "source",
    [
        "import keras.src.backend",
        "from keras import src",
        "from keras.src.backend import get_keras_mask",
        "keras.src.backend.get_keras_mask(x)",
        "from keras._tf_keras import keras",
        "from tensorflow.python.ops import while_loop",
        "tf.__internal__.FuncGraph('graph')",
        "from hydra._internal.utils import get_args_parser",
        "preload = ['joblib.externals.loky']",
    ],
)
def test_a_private_name_is_found(source):
    assert private_names(source)


@pytest.mark.parametrize(
    "source",
    [
        "import keras.ops",
        "from keras import ops, tree",
        "tf.function(f)",
        "from hydra.core.config_store import ConfigStore",
        "import joblib",
        "'''Prose that mentions keras.src is allowed.'''",
    ],
)
def test_a_public_name_is_not_a_private_one(source):
    assert not private_names(source)
