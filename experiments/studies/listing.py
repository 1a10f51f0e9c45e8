"""The command `rnnscope studies`, which lists all studies."""

from pathlib import Path

from rich.table import Table
from rich.text import Text

from ..common.console import console
from .definition import read_study, study_files
from .request import command_of


def studies(config_dir: Path | None = None) -> None:
    """Print all studies: claim, minutes on 2 CPU cores, last verdict and command.

    Args:
        config_dir: folder with custom studies in its subfolder `study/`.

    Raises:
        UserError: a study file is invalid.
    """
    shown = Table("study", "claim", "minutes", "last verdict", "command", box=None, padding=(0, 2, 1, 0))
    for name, path in study_files([config_dir] if config_dir else []).items():
        study = read_study(path)
        minutes = "–" if study.minutes is None else f"{study.minutes:g}"
        shown.add_row(*map(Text, (name, study.claim, minutes, study.measured or "–", command_of(name, "full"))))
    console().print(shown)
