"""Paths of data files."""

import importlib.util
import os
from pathlib import Path

from hydra.utils import to_absolute_path

from ..common.errors import UserError


def own_file(path: str) -> Path:
    """Return the path of a user's file. A relative path starts at the folder in which the command was started.

    Raises:
        UserError: the file does not exist.
    """
    file = Path(to_absolute_path(os.path.expanduser(path)))  # noqa: PTH111 - a ~ that the shell did not expand
    if file.is_dir():
        raise UserError(f"dataset.path={path}: expected a file, got a folder")
    if not file.exists():
        raise UserError(f"dataset.path={path}: there is no such file in {file.parent}")
    return file


def package_folder(package: str) -> Path:
    """Return the folder of an installed package. The package is not imported, because this may be slow."""
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])  # type: ignore[union-attr,index]
