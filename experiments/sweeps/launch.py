"""From a checked request to results on the screen."""

import math
import multiprocessing
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from textwrap import shorten
from threading import Event, Thread

from omegaconf import DictConfig
from rich.console import Console

from ..common import platform
from ..common.console import console
from ..common.errors import UserError
from ..configuration.composition import prepare
from ..runs.directory import RunDirectory
from ..runs.identity import run_directory
from ..summaries.results import panel, table
from .isolation import settle
from .live import watching
from .programs import shared_programs
from .request import Grid, Request
from .search import best, search

_LAUNCHES = 3
"""How often a sweep is launched whose launcher loses processes of its own, as where memory runs out."""
_STILL = 60.0
"""Seconds without a running run, after which the command is restarted."""


def launch(request: Request, run: Callable[[], object]) -> int:
    """Runs what was asked for, through Hydra, then shows it.

    Args:
        request: what `request.read` made of the arguments.
        run: the task, decorated by `hydra.main`.

    Returns:
        The exit status: 0 if every run is complete, 1 if one is not, 130 after Ctrl-C.

    Raises:
        UserError: another process searches in the folder of the runs.
    """
    command = shlex.join(["rnnscope", "train", *sys.argv[1:]])
    screen = console()
    left = [config for grid in request.grids for config in _left(grid)]
    if request.multirun and (left or request.trials is not None):
        count = f"{len(left)} runs" if request.trials is None else f"{request.trials} trials in all"
        screen.print(f"{count}, {request.grids[0].how}", highlight=False)
    unfinished = [grid.arguments for grid in request.grids if _left(grid)]
    with search(request) if request.trials is not None else nullcontext(unfinished) as arguments:
        to_the_end = not arguments or _ran(request, arguments, run, screen)
    _say_what_was_not_run(request, left, screen)
    complete = _show_results(request, screen)
    if not to_the_end:
        screen.print(f"Interrupted. To go on: {command}", soft_wrap=True, markup=False, highlight=False)
        return 130
    return 0 if complete else 1


def _left(grid: Grid) -> list[DictConfig]:
    """The configurations that have to be run, or gone on with."""
    return [config for config in grid.runs if RunDirectory(run_directory(config)).is_to_run(config)]


def _ran(request: Request, arguments: list[list[str]], run: Callable[[], object], screen: Console) -> bool:
    """Pass the runs to Hydra, one grid at a time; return whether all grids were executed without an interruption."""
    try:
        with ExitStack() as meanwhile:
            if request.multirun:
                meanwhile.enter_context(watching(lambda: request.directories, screen))
            if request.multirun and request.grids[0].launcher in ("basic", "joblib"):
                meanwhile.enter_context(shared_programs())
            for of_grid in arguments:
                sys.argv[1:] = of_grid
                for _ in range(_LAUNCHES):
                    prepare()  # once joblib has run something in this process, Hydra has forgotten
                    with _restart_when_stalled(request, meanwhile):
                        lost = _lost_a_worker(run, screen)
                    if not lost:
                        break
    except KeyboardInterrupt:
        for directory in request.directories:  # of those whose process was not left the time to say so
            settle(directory, "interrupted", "stopped with its sweep")
        return False
    finally:
        _write_overview(request.folder, screen)
    return True


@contextmanager
def _restart_when_stalled(request: Request, meanwhile: ExitStack) -> Iterator[None]:
    """Restart this command once no run has been running for a while although some remain, if joblib launches them.

    A worker of joblib that is killed while it passes on a result leaves joblib waiting for the others. Before the first
    run has changed its state no worker has a result, and TensorFlow may be slow to start.

    Args:
        request: what the command asks for.
        meanwhile: what is to be closed before a restart: the live table, and the folder of compiled programs.
    """
    if request.grids[0].launcher != "joblib":
        yield
        return
    over = Event()
    states = lambda: [RunDirectory(path).state for path in request.directories]

    def watch() -> None:
        before, moved = states(), math.inf
        while not over.wait(1):
            now = states()
            if "running" in now or now != before:
                before, moved = now, time.monotonic()
            elif time.monotonic() - moved > _STILL:
                meanwhile.close()
                for process in multiprocessing.active_children():
                    platform.kill(process.pid)  # type: ignore[arg-type]
                platform.restart_this_command()

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()  # forever, if it is restarting the command and joblib has only now noticed the loss


def _lost_a_worker(run: Callable[[], object], screen: Console) -> bool:
    """Runs; returns whether the launcher lost one of its processes, and with it what had not begun."""
    try:
        run()
    except UserError:
        raise
    except Exception as error:  # the launcher's: what befalls a run is in its directory
        said = shorten(f"{type(error).__name__}: {error}", 300, placeholder=" …")
        screen.print(f"the launcher says: {said}", soft_wrap=True, markup=False, highlight=False)
        return isinstance(error, BrokenProcessPool)
    return False


def _write_overview(folder: Path, screen: Console) -> None:
    from ..runs.hparams import write_overview

    try:
        write_overview(folder)
    except OSError as error:
        screen.print(f"{folder}: TensorBoard's HParams could not be written ({error.strerror})", soft_wrap=True)


def make_writable(folder: Path) -> None:
    """Makes the folder of the runs. Raises `UserError` if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_bytes(b"anything")
        probe.unlink(missing_ok=True)  # another command may have tried it at the same time
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with name=…, "
            "or start from a directory in which you may write"
        ) from error


def _say_what_was_not_run(request: Request, left: list[DictConfig], screen: Console) -> None:
    if request.trials is not None:
        return
    before = len(request.runs) - len(left)
    badly = sum(RunDirectory(run_directory(config)).ended_badly for config in request.runs if config not in left)
    if before - badly:
        screen.print(
            f"{before - badly} of {len(request.runs)} runs were complete already and were not run again; "
            "rerun=true trains anew."
        )
    if badly:
        screen.print(f"{badly} had ended badly and were not tried again; sweep.retry_failed=true does.")


def _show_results(request: Request, screen: Console) -> bool:
    """Shows the table of a sweep or the panel of a run.

    Returns:
        Whether all runs are complete.
    """
    directories = request.directories
    unfinished = [run for run in map(RunDirectory, directories) if run.state != "completed"]
    if request.multirun:
        screen.print(table(request.options))
        if request.trials is not None:
            screen.print(best(request), soft_wrap=True, markup=False, highlight=False)
        screen.print(f"see them: tensorboard --logdir {request.folder}", soft_wrap=True, highlight=False)
        screen.print(f"sum them up: rnnscope summary {request.folder}", soft_wrap=True, highlight=False)
    elif not unfinished:
        screen.print(panel(directories[0]))
    for run in unfinished:
        if run.state is not None:
            message = "another process is at work on it" if run.state == "running" else run.status.get("message", "")
            screen.print(f"{run.path}: {run.state}: {message}", soft_wrap=True, markup=False, highlight=False)
    return all(run.state in request.outcomes for run in unfinished)
