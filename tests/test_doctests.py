"""The examples in docstrings print what they show.

pytest's own `--doctest-modules` would import the folder `layers/` as a second copy of `rnnscope`.
"""

import ast
import doctest
import importlib
import random
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "layers": "rnnscope",
    "experiments": "rnnscope.experiments",
    "tensorboard_gradient_flow": "tensorboard_gradient_flow",
}
"""By folder, the package that it is imported as."""
FLAGS = doctest.REPORT_ONLY_FIRST_FAILURE


def has_examples(path: Path) -> bool:
    """Return whether a docstring of a file has an example. Reads the file: an import of them all would take seconds."""
    text = path.read_text(encoding="utf-8")
    if ">>>" not in text:
        return False
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [ast.get_docstring(node) for node in ast.walk(ast.parse(text)) if isinstance(node, documented)]
    return any(">>>" in docstring for docstring in docstrings if docstring)


def module_of(path: Path) -> str:
    """Return the name under which a file of the checkout is imported."""
    folder, *parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join([PACKAGES[folder], *parts]).removesuffix(".__init__")


MODULES = sorted(module_of(path) for folder in PACKAGES for path in (ROOT / folder).rglob("*.py") if has_examples(path))


@pytest.fixture(autouse=True)
def seeded():
    """Keras's initializers and dropout take their seeds from this generator."""
    random.seed(0)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_print_what_they_show(name):
    module = importlib.import_module(name)
    tests = [test for test in doctest.DocTestFinder(exclude_empty=True).find(module, name) if test.examples]
    assert tests
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report: list[str] = []
    for test in tests:
        random.seed(0)
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_examples_of_every_package_are_found():
    assert {"rnnscope", "rnnscope.cells.lstm", "rnnscope.experiments.common.errors"} <= set(MODULES)
    assert "tensorboard_gradient_flow.profile" in MODULES
