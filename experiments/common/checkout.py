"""Access to the checkout that this code runs from, if any."""

import sys
from pathlib import Path


def checkout() -> Path | None:
    """Return the folder of `train.py`, or `None` if the code runs from an installed wheel."""
    folder = Path(__file__).resolve().parents[2]
    return folder if (folder / "train.py").is_file() and (folder / "layers").is_dir() else None


def find_user_modules() -> None:
    """Add the folder of `train.py` to the import path, so that a user's modules in it can be imported.

    In an installed wheel nothing is added. There, the folder around this code is the package `rnnscope`, and its
    modules must not be importable without the name of the package.
    """
    folder = checkout()
    if folder is not None and str(folder) not in sys.path:
        sys.path.append(str(folder))
