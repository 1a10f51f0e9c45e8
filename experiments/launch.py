"""From a checked request to results on the screen."""

from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from .commandline import Request
from .errors import UserError
from .identity import run_directory
from .record import RunDirectory
from .report import console, panel, table


def launch(request: Request, run: Callable[[], object]) -> int:
    """Runs what was asked for, through Hydra, then shows it.

    Args:
        request: what `commandline.read` made of the arguments.
        run: the task, decorated by `hydra.main`.

    Returns:
        The exit status: 0 if every run is complete, 1 if one is not, 130 after Ctrl-C.

    Raises:
        UserError: the folder of the runs cannot be written.
    """
    folder = request.directories[0].parent
    _make_writable(folder)
    show = console()
    before = [is_complete(config) for config in request.runs]
    interrupted = False
    try:
        run()
    except KeyboardInterrupt:
        interrupted = True
    if any(before):
        show.print(
            f"{sum(before)} of {len(before)} runs were complete already and were not run again; rerun=true trains anew."
        )
    if not all(before):
        from .hparams import write_overview

        write_overview(folder)
    complete = _show_results(request, show)
    if interrupted:
        show.print("Interrupted. The same command runs what is not complete.")
        return 130
    return 0 if complete else 1


def is_complete(config: DictConfig) -> bool:
    """Whether this configuration's result is there, and is to be kept."""
    return not config.rerun and RunDirectory(run_directory(config)).state == "completed"


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with name=…, "
            "or start from a directory in which you may write"
        ) from error


def _show_results(request: Request, show: Console) -> bool:
    """Shows the table of a sweep or the panel of a run; returns whether all runs are complete."""
    directories = request.directories
    unfinished = [run for run in map(RunDirectory, directories) if run.state != "completed"]
    if request.multirun:
        show.print(table(directories))
        show.print(f"see them: tensorboard --logdir {directories[0].parent}", soft_wrap=True, highlight=False)
    elif not unfinished:
        show.print(panel(directories[0]))
    for run in unfinished:
        if run.status:
            message = "another process is at work on it" if run.state == "running" else run.status.get("message", "")
            show.print(f"{run.path}: {run.state}: {message}", soft_wrap=True, markup=False, highlight=False)
    return not unfinished
