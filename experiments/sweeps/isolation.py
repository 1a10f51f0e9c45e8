"""A run in a process of its own, so that the sweep goes on whatever becomes of it.

Processes are forked from a server that has imported TensorFlow and not yet started it: the import takes seconds, and is
paid once for all runs that a worker of the launcher is given.
"""

import math
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

from ..common.console import console
from ..runs.directory import RunDirectory, State
from ..runs.lease import claim
from .run_job import GRACE, UNWRITABLE, Work

COMMAND = "RNNSCOPE_COMMAND"
"""The environment's name for the process of the command that a process works for."""
_LOOK = 0.5
"""Seconds between two looks at whether a process is still there."""
_LOST = 255
"""The exit status that is reported where the server of the processes is gone."""
_LOKY = "joblib.externals.loky"
"""Its import makes joblib's way to start processes known, which its workers hand down to theirs."""
_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")
_OF_MEMORY = " (as the system does where memory runs out)"


@cache
def end_with_command() -> None:
    """From now on a process of joblib's ends once the command that started it is gone, and its run with it.

    By itself it would wait for ever: it holds both ends of the pipe by which it is given work.
    """
    command = int(os.environ[COMMAND])
    if os.getpid() == command:
        return

    def watch() -> None:
        while os.getppid() == command:
            time.sleep(_LOOK)
        os._exit(1)  # there is nobody to whom anything could be said

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
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    here, there = context.Pipe(duplex=False)
    with _same_code():
        context.set_forkserver_preload([_LOKY, f"{__package__}.worker"])
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


@contextmanager
def _same_code() -> Iterator[None]:
    """Processes started meanwhile import this checkout, and nothing from the folder where the user happens to stand."""
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "PYTHONSAFEPATH")}
    checkout = str(Path(__file__).parents[2])
    os.environ |= {"PYTHONPATH": os.pathsep.join(filter(None, [checkout, before["PYTHONPATH"]])), "PYTHONSAFEPATH": "1"}
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ |= {} if value is None else {name: value}


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
            process.terminate()
            process.join(GRACE)
    finally:
        process.kill()
        process.join()
        if process.exitcode == _LOST and process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


def _end(exitcode: int) -> tuple[State, str]:
    """State and message of a run whose process did not say how it ended."""
    if exitcode == _LOST:
        return "killed", "its process was lost"
    if exitcode > 0:
        return "failed", f"its process ended with status {exitcode} (what it said is in train.log)"
    name = signal.Signals(-exitcode).name
    if name in _CRASHES:
        return "failed", f"its process crashed, {name} (what it said is in train.log)"
    return "killed", f"its process was ended by {name}{_OF_MEMORY if name == 'SIGKILL' else ''}"


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
