"""Check the types of the project with mypy, in the layout of an installed package.

Run `python tools/check_types.py` from anywhere; extra arguments go to mypy. The package `rnnscope` is the folder
`layers/`, which mypy cannot see in a checkout, so this script links the folders of `[tool.setuptools.package-dir]`
under their import names into a temporary folder. How strict mypy is with each module is in `[tool.mypy]`.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGES = ("rnnscope", "tensorboard_gradient_flow", "hydra_plugins")
SCRIPT = "train.py"


def link_packages(folder: Path) -> dict[Path, Path]:
    """Link the packages of the checkout into a folder, under their import names.

    Args:
        folder: an existing, empty folder; to be put on `MYPYPATH`, or on the `extraPaths` of pyright.

    Returns:
        For each package the path in `folder`, and the folder of the checkout.
    """
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    sources = {
        folder.joinpath(*name.split(".")): CHECKOUT / source
        for name, source in sorted(settings["tool"]["setuptools"]["package-dir"].items())
    }
    for package, source in sources.items():
        package.mkdir()
        for child in source.iterdir():
            # Sub-packages that are folders of their own come later in the order of names.
            if child.name != "__pycache__":
                (package / child.name).symlink_to(child, target_is_directory=child.is_dir())
    return sources


def check_types(arguments: list[str]) -> int:
    """Run mypy on all packages and `train.py`, print its report, and return its exit status."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        sources = link_packages(folder)
        (folder / SCRIPT).symlink_to(CHECKOUT / SCRIPT)
        report = subprocess.run(
            [
                *(sys.executable, "-m", "mypy"),
                *("--config-file", str(CHECKOUT / "pyproject.toml")),
                *("--cache-dir", str(CHECKOUT / ".mypy_cache")),
                *arguments,
                *(flag for package in PACKAGES for flag in ("--package", package)),
                *("--module", Path(SCRIPT).stem),
            ],
            cwd=folder,
            env={**os.environ, "MYPYPATH": name},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(in_checkout(report.stdout, folder, sources), end="")
    return report.returncode


def in_checkout(report: str, folder: Path, sources: dict[Path, Path]) -> str:
    """Return a report of mypy in which every path is relative to the checkout."""
    for package, source in sorted(sources.items(), reverse=True):
        names = os.path.relpath(package, folder), os.path.relpath(source, CHECKOUT)
        report = "\n".join(
            line.replace(f"{names[0]}/", f"{names[1]}/", 1) if line.startswith(f"{names[0]}/") else line
            for line in report.split("\n")
        )
    return report


if __name__ == "__main__":
    sys.exit(check_types(sys.argv[1:]))
