"""Imports point one way: every folder of the project imports only what is below it."""

import ast
import functools
import re
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BELOW = {
    "rnnscope": {"tensorboard_gradient_flow"},
    "tensorboard_gradient_flow": set(),
    "common": set(),
    "data": {"common"},
    "configuration": {"common", "data", "rnnscope"},
    "runs": {"common", "data", "configuration", "tensorboard_gradient_flow"},
    "training": {"common", "data", "configuration", "runs", "rnnscope", "tensorboard_gradient_flow"},
    "summaries": {"common", "data", "configuration", "runs", "tensorboard_gradient_flow"},
    "sweeps": {"common", "data", "configuration", "runs", "training", "summaries"},
    "studies": {"common", "data", "configuration", "runs", "summaries", "rnnscope", "tensorboard_gradient_flow"},
    "commands": {"rnnscope", "common", "data", "configuration", "runs", "training", "summaries", "sweeps", "studies"},
    "hydra_plugins": {"common"},
}
"""By folder, those that it may import besides itself. No folder is below one that it is above."""
FILES = sorted(
    path
    for folder in ("layers", "experiments", "tensorboard_gradient_flow", "hydra_plugins")
    for path in (ROOT / folder).rglob("*.py")
)


def module_of(path: Path) -> str:
    """A file's module, as it is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts).removesuffix(".__init__")
    renamed = {"layers": "rnnscope", "experiments": "rnnscope.experiments"}
    top, dot, rest = name.partition(".")
    return f"{renamed.get(top, top)}{dot}{rest}"


MODULES = {module_of(path): path for path in FILES}


def folder_of(module: str) -> str:
    """The folder of a module, as `BELOW` calls it."""
    if module.startswith("rnnscope.experiments."):
        return module.split(".")[2]
    return module.split(".")[0]


def imported(path: Path, everywhere: bool) -> set[str]:
    """The project's modules that a file imports; `everywhere`, also those that its functions import."""
    module, package = module_of(path), path.name == "__init__.py"
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = module.split(".")[: len(module.split(".")) - node.level + package] if node.level else []
            name = ".".join([*parent, *filter(None, [node.module])])
            found |= {f"{name}.{alias.name}" if f"{name}.{alias.name}" in MODULES else name for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("rnnscope", "tensorboard_gradient_flow", "hydra_plugins")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_is_below_its_folder(path):
    folder = folder_of(module_of(path))
    if module_of(path) in ("rnnscope.experiments", "rnnscope.experiments.__main__"):
        allowed = {"commands"}
    else:
        allowed = {folder} | BELOW[folder]
    wrong = {name for name in imported(path, everywhere=True) if folder_of(name) not in allowed}
    assert {name for name in wrong if not name.startswith("hydra_plugins.hydra_")} == set()


def test_no_folder_is_below_one_that_it_is_above():
    order: list[str] = []
    left = dict(BELOW)
    while left:
        lowest = [folder for folder, below in left.items() if below <= set(order)]
        assert lowest, f"a circle among {sorted(left)}"
        order += lowest
        for folder in lowest:
            del left[folder]


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: imported(path, everywhere=True) & set(MODULES) for module, path in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " → ".join([*trail[trail.index(module) :], module])
        if module not in done:
            for other in sorted(graph[module]):
                visit(other, (*trail, module))
            done.add(module)

    sys.setrecursionlimit(10_000)
    for module in graph:
        visit(module, ())


# ------------------------------------------------------------- packages of others

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PART_OF = {
    "google": "tensorboard",
    "joblib": "hydra-joblib-launcher",
    "omegaconf": "hydra-core",
    "optuna": "hydra-optuna-sweeper",
    "ray": "hydra-ray-launcher",
    "submitit": "hydra-submitit-launcher",
    "werkzeug": "tensorboard",
}
"""By module, the declared package that it comes with."""
ALSO = {
    "experiments/data": ("data",),
    "experiments/sweeps/search.py": ("search",),
    "hydra_plugins": ("ray", "slurm"),
}
"""Extras whose packages a file may import besides those of the base and of `train`."""


def declared(extra: str) -> set[str]:
    """The distributions that an extra names, in the form in which names are compared."""
    requirements = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    return {re.split(r"[<>=\[]", requirement)[0].replace("_", "-").lower() for requirement in requirements}


def foreign_imports(path: Path) -> set[str]:
    """The top-level modules of others that a file imports, also within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).split(".")[0])
    ours = {"rnnscope", "tensorboard_gradient_flow", "hydra_plugins"}
    return found - ours - set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_whatever_a_file_imports_is_declared_in_the_base_or_its_extra(path):
    name = path.relative_to(ROOT).as_posix()
    extras = [*(["train"] if name.startswith(("experiments/", "hydra_plugins/")) else [])]
    extras += [extra for place, more in ALSO.items() if name.startswith(place) for extra in more]
    allowed = {*declared(""), *(package for extra in extras for package in declared(extra))}
    if name in ("layers/backend.py", "layers/callbacks.py", "layers/_tensorflow.py"):
        allowed |= {"tensorflow", "jax", "torch"}  # whichever Keras runs on
    for module in foreign_imports(path):
        assert brought_by(module) & allowed, module


def brought_by(module: str) -> set[str]:
    """The distributions that bring a module, and the declared one that brings these."""
    names = {PART_OF.get(module, module), *distributions().get(module, ())}
    return {name.replace("_", "-").lower() for name in names}


@functools.cache
def distributions() -> Mapping[str, list[str]]:
    """By module, the distributions that are installed and hold it. To find them takes half a second."""
    return packages_distributions()


def test_the_package_s_two_lists_of_public_names_are_one():
    import rnnscope
    from rnnscope import public

    assert rnnscope.__all__ == public.__all__
