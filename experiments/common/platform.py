"""Differences between POSIX systems and Windows. No other module depends on the operating system.

Windows has few signals, and none that asks another process to shut down: `os.kill` ends the process immediately.
Windows can neither fork a process nor replace it by another program.
"""

import _thread
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal, NoReturn

_WINDOWS = not hasattr(signal, "SIGKILL")
"""Detected by the missing SIGKILL, so that a test on another system can simulate Windows by removing it."""
_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")
_BY_TASK_MANAGER = 1
"""The exit status on Windows of a process that the Task Manager ended, or that ended with an exception."""
_CONTROL_C = 0xC000013A
_FIRST_ERROR = 0xC0000000
"""The lowest status with which Windows reports a crash. For example, 0xC0000005 is an access violation."""
_READER = 1.0
"""Seconds that a reader of a file is given to close it."""
_INTERVAL = 0.5
"""Seconds between two checks of whether the parent process is alive."""


def kill(pid: int) -> None:
    """End a process immediately, if it is still running."""
    with suppress(OSError):  # ProcessLookupError on POSIX, several others on Windows
        os.kill(pid, signal.SIGTERM if _WINDOWS else signal.SIGKILL)


def replace(source: Path, target: Path) -> None:
    """Rename a file, and replace another by it. On Windows, wait up to a second while a reader has that file open.

    Raises:
        OSError: the file cannot be replaced.
    """
    deadline = time.monotonic() + _READER
    while True:
        try:
            source.replace(target)
            return
        except PermissionError:
            if not _WINDOWS or time.monotonic() > deadline:
                raise
        time.sleep(_INTERVAL / 10)


def interrupt_this_process() -> None:
    """Run the SIGTERM handler of this process. Can be called from any thread."""
    if _WINDOWS:
        _thread.interrupt_main(signal.SIGTERM)  # os.kill would end the process without its handler
    else:
        os.kill(os.getpid(), signal.SIGTERM)  # also wakes a sleeping main thread, which interrupt_main does not


def ask_to_end(process: BaseProcess) -> None:
    """Send SIGTERM to a process. Do nothing on Windows, where Ctrl-C already reaches every process of the console."""
    if not _WINDOWS:
        process.terminate()


def ignore_user_signal() -> None:
    """Ignore SIGUSR2, which Slurm sends to all processes of a job before its end. Windows has no such signal."""
    if not _WINDOWS:
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def wait_for_parent_to_end() -> None:
    """Wait until the parent process, which started this one with multiprocessing or joblib, has ended."""
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        raise RuntimeError("this process was not started by multiprocessing or joblib")
    if parent.sentinel is not None:
        wait([parent.sentinel])
        return
    # A joblib worker on POSIX has no sentinel. On Windows it has one, and getppid never changes.
    while os.getppid() == parent.pid:
        time.sleep(_INTERVAL)


def restart_this_command() -> NoReturn:
    """Replace this process with a new execution of its command. Can be called from any thread.

    On Windows the new process is a child, and this process ends with its exit status. `os.execv` would end this process
    immediately, and the shell would not wait for the new one.
    """
    command = [sys.executable, *sys.orig_argv[1:]]
    sys.stdout.flush()
    sys.stderr.flush()
    if not _WINDOWS:
        os.execv(sys.executable, command)
    os._exit(subprocess.run(command, check=False).returncode)


def ending(exitcode: int) -> tuple[Literal["exited", "crashed", "killed"], str]:
    """Describe the end of a process that could not report it: the kind of end, and the exit status or signal.

    Args:
        exitcode: `multiprocessing.Process.exitcode`; negative for a signal.

    >>> ending(3)
    ('exited', 'status 3')
    """
    if _WINDOWS:
        return _ending_on_windows(exitcode)
    if exitcode >= 0:
        return "exited", f"status {exitcode}"
    name = _name_of_signal(-exitcode)
    return ("crashed" if name in _CRASHES else "killed"), name


def _ending_on_windows(exitcode: int) -> tuple[Literal["exited", "crashed", "killed"], str]:
    if exitcode == _CONTROL_C:
        return "killed", "Ctrl-C"
    if exitcode >= _FIRST_ERROR:
        return "crashed", f"{exitcode:#X}".replace("X", "x")
    if exitcode in (signal.SIGTERM, -signal.SIGTERM):  # from os.kill, from multiprocessing
        return "killed", "another process"
    if exitcode == _BY_TASK_MANAGER:
        return "killed", "another process, or by an error that it could not record"
    if exitcode < 0:  # not on Windows itself, only in a test that simulates it
        return "killed", _name_of_signal(-exitcode)
    return "exited", f"status {exitcode}"


def _name_of_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no name
        return f"signal {number}"
