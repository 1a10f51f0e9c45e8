"""Summary of a folder of runs, one row per configuration, made from run directories without TensorFlow."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..common import files
from ..common.console import console
from ..common.errors import UserError
from ..runs.reader import Run, conditions_of, read_runs, where
from .groups import Group, as_csv, cells_of, columns_of, grouped, troubled

# --------------------------------------------------------------------- showing


def summary(folder: Path, given: Sequence[str], report: bool = True) -> None:
    """Show the configurations in a folder as a table, and write `summary.csv` and `report.html` into the folder.

    Args:
        folder: folder with the runs.
        given: conditions that select runs, such as `cell=lstm`.
        report: whether to write `report.html`.

    Raises:
        UserError: there are no runs to show, or the files cannot be written.
    """
    runs = where(read_runs(folder), conditions_of(given))
    groups = grouped(runs)
    screen = console()
    screen.print(_table(groups, f"{folder}: {len(runs)} runs, {len(groups)} configurations"))
    _print_notes(screen, runs, groups)
    try:
        files.write_text(folder / "summary.csv", as_csv(groups))
        screen.print(f"table: {folder / 'summary.csv'}", highlight=False, soft_wrap=True, markup=False)
        if report:
            from .page import write_page

            write_page(folder / "report.html", runs, groups)
            screen.print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True, markup=False)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}); what is above is all there is") from error


def _table(groups: Sequence[Group], title: str) -> Table:
    columns = columns_of(groups)
    shown = Table(title=Text(title), title_justify="left")
    left = len(groups[0].choices) if groups else 0
    for place, name in enumerate(columns):
        words = place < left or name in ("metric", "best baseline", "runs")
        shown.add_column(Text(name), justify="left" if words else "right", no_wrap=not words)
    for group, following in zip(groups, [*groups[1:], None], strict=True):
        ends = following is not None and following.dataset != group.dataset
        shown.add_row(*map(Text, cells_of(group, columns)), end_section=ends)
    return shown


def _print_notes(screen: Console, runs: Sequence[Run], groups: Sequence[Group]) -> None:
    """Print what the table does not show: failed runs, unreadable files and repeated runs."""
    for run in troubled(runs):
        screen.print(f"{run.path.name}: {run.state}: {run.message}", soft_wrap=True, markup=False, highlight=False)
    twice = sum(len(group.runs) - len({run.seed for run in group.runs}) for group in groups)
    if twice:
        screen.print(f"{twice} of the runs repeat a configuration and seed: the newest counts.")
