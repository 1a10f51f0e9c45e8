"""Where data lie."""

import importlib.util
import os
from pathlib import Path

from hydra.utils import to_absolute_path

from ..common.errors import UserError


def own_file(path: str) -> Path:
    """A file by the path that the user wrote, which is relative to where the command was started.

    Raises:
        UserError: there is none.
    """
    file = Path(to_absolute_path(os.path.expanduser(path)))  # noqa: PTH111 - the user's ~, which the shell left
    if file.is_dir():
        raise UserError(f"dataset.path={path}: expected a file, got a folder")
    if not file.exists():
        raise UserError(f"dataset.path={path}: there is no such file in {file.parent}")
    return file


def package_folder(package: str) -> Path:
    """The folder of an installed package, which is not imported: its data may be light where its code is heavy."""
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])  # type: ignore[union-attr,index]
