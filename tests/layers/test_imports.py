"""What the package may import: keras, numpy and the standard library; a backend behind one door."""

import ast
import sys
from pathlib import Path

import pytest

import rnnscope

PACKAGE = Path(rnnscope.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
ALLOWED = {"keras", "numpy", *sys.stdlib_module_names}
DOORS = {
    "backend.py": {"tensorflow", "jax", "torch"},
    "callbacks.py": {"tensorflow", "tensorboard_gradient_flow"},
}
"""Files that may import more, and what."""


def imports(path):
    """The top-level packages that a file imports, and how many folders its relative imports climb."""
    packages, climbs = set(), [0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            packages.add(node.module.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            climbs.append(node.level - 1)
    return packages, max(climbs)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_room_may(path):
    name = str(path.relative_to(PACKAGE))
    packages, climb = imports(path)
    assert packages <= ALLOWED | DOORS.get(name, set())
    assert climb <= len(path.relative_to(PACKAGE).parents) - 1, "an import from outside the package"


def test_all_names_of_the_package_are_there():
    assert all(hasattr(rnnscope, name) for name in rnnscope.__all__)
