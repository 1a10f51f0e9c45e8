"""A process for each run, so that the sweep continues however the run ends.

Processes are forked from a server that has imported TensorFlow and not yet started it: the import takes seconds, and is
paid once for all runs that a worker of the launcher executes. Windows cannot fork; there each run imports it.
"""

import math
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

from ..common import platform
from ..common.console import console
from ..runs.directory import RunDirectory, State
from ..runs.lease import claim
from .run_job import GRACE, UNWRITABLE, Work

START_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
"""How a run's process is started. A process that has imported TensorFlow and not started it may set `fork`."""
_LOOK = 0.5
"""Seconds between two looks at whether a process is still alive."""
_LOST = 255
"""The exit status that is reported where the server of the processes is gone."""
_OF_MEMORY = " (as the system does where memory runs out)"


@cache
def end_with_command() -> None:
    """Make a worker of joblib end, and its run with it, once the command that started it has ended.

    Otherwise it would wait forever: it holds both ends of the pipe from which it reads its work.
    """
    if multiprocessing.parent_process() is None:  # this is the command
        return

    def watch() -> None:
        platform.wait_for_parent_to_end()
        os._exit(1)  # no other process waits for a result

    Thread(target=watch, daemon=True).start()


def run_isolated(work: Work) -> None:
    """Does the work in a process of its own, and records its end where that process could not.

    Args:
        work: what to do.

    Raises:
        KeyboardInterrupt: stopped by a signal.
    """
    limit = work.config.trainer.time_limit
    process = _started(work)
    try:
        in_time = _ends_within(process, math.inf if limit is None else limit)
    finally:
        _stop(process)
    if not in_time:
        message = f"it took longer than trainer.time_limit={limit:g} seconds"
        settle(work.path, "timed_out", message, instead_of=("running", "interrupted"))
    elif process.exitcode == UNWRITABLE:
        settle(work.path, "interrupted", "its process could not write its files", instead_of=(None, "running"))
    elif process.exitcode:
        settle(work.path, *_end(process.exitcode))


def _started(work: Work) -> BaseProcess:
    context = multiprocessing.get_context(START_METHOD)
    here, there = context.Pipe(duplex=False)
    _use_public_start_method()
    with _without_current_folder():
        if START_METHOD == "forkserver":
            context.set_forkserver_preload([f"{__package__}.worker"])
        process = context.Process(target=_enter, args=(work, there))  # type: ignore[attr-defined]
        process.start()
    there.close()
    with here, console().status("starting TensorFlow") if work.alone else nullcontext():
        wait([here, process.sentinel])
    return process


def _enter(work: Work, begun: Connection) -> None:
    """The process's first lines: what follows imports TensorFlow, which only this side of the fork has use for."""
    from .worker import do

    do(work, begun)


def _use_public_start_method() -> None:
    """In a worker of joblib, replace joblib's start method as the default by one that every process knows.

    A child is sent its parent's default, and fails if it does not know the name. joblib's is known only where its
    private module `joblib.externals.loky` has been imported (seen in joblib 1.5.3).
    """
    if multiprocessing.get_start_method() not in multiprocessing.get_all_start_methods():
        multiprocessing.set_start_method(START_METHOD, force=True)


@contextmanager
def _without_current_folder() -> Iterator[None]:
    """Start Python meanwhile without the current folder on its path, where a user may have a `random.py`."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTHONSAFEPATH"]
        os.environ |= {} if before is None else {"PYTHONSAFEPATH": before}


def _ends_within(process: BaseProcess, seconds: float) -> bool:
    """Waits for a process; Ray interrupts what it cancels between two looks, and could not in a long wait."""
    deadline = time.monotonic() + seconds
    while process.exitcode is None and time.monotonic() < deadline:
        process.join(min(_LOOK, max(0.0, deadline - time.monotonic())))
    return process.exitcode is not None


def _stop(process: BaseProcess) -> None:
    """Asks a process that still runs to end, and then ends it."""
    try:
        if process.is_alive():
            platform.ask_to_end(process)
            process.join(GRACE)
    finally:
        process.kill()
        process.join()
        if process.exitcode == _LOST and process.pid is not None:
            platform.kill(process.pid)


def _end(exitcode: int) -> tuple[State, str]:
    """Return state and message of a run whose process did not record how it ended."""
    if exitcode == _LOST:
        return "killed", "its process was lost"
    how, cause = platform.ending(exitcode)
    if how == "exited":
        return "failed", f"its process ended with {cause} (what it said is in train.log)"
    if how == "crashed":
        return "failed", f"its process crashed, {cause} (what it said is in train.log)"
    return "killed", f"its process was ended by {cause}{_OF_MEMORY if cause == 'SIGKILL' else ''}"


def settle(path: Path, state: State, message: str, instead_of: Sequence[State | None] = ("running",)) -> None:
    """Writes down how a run ended whose process could not, unless somebody is at work on it again.

    Args:
        path: the run's directory.
        state: how it ended.
        message: why.
        instead_of: what the process may have said; `None` for nothing.
    """
    run = RunDirectory(path)
    if run.status.get("state") not in instead_of:
        return
    try:
        with claim(path) as ours:
            if ours and run.status.get("state") in instead_of:
                run.set_state(state, message)
    except OSError as error:
        print(f"{path}: {state}: {message}; it could not be written down ({error.strerror})", file=sys.stderr)
