"""A Python that lacks what Windows lacks, as far as the libraries survive it on another system.

A copy of this file with the name `sitecustomize.py` on PYTHONPATH is executed by every Python process when it starts.
"""

import enum
import multiprocessing
import os
import signal
import sys
from multiprocessing import context, popen_fork
from typing import Any

_SIGNALS = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM"}
_OF_SIGNAL = ("SIG", "ITIMER_", "alarm", "getitimer", "pause", "pidfd_", "pthread_", "setitimer", "sig")
_OF_OS = ("execv", "execve", "fork", "forkpty", "geteuid", "getpgid", "getuid", "killpg", "register_at_fork", "setsid")
_MODULES = ("grp", "pwd", "resource", "termios")


def _kill(pid: int, number: int, send: Any = os.kill, sigkill: int = signal.SIGKILL) -> None:
    """End a process at once, whatever the signal. (0 is how POSIX code asks whether a process is alive.)"""
    send(pid, number and sigkill)


def _lose_names() -> None:
    signals = {name: int(getattr(signal, name)) for name in _SIGNALS}
    for name in dir(signal):
        if name.startswith(_OF_SIGNAL) and name not in {*_SIGNALS, "SIG_DFL", "SIG_IGN", "signal"}:
            delattr(signal, name)
    signal.Signals = enum.IntEnum("Signals", signals)  # type: ignore[misc]
    for name in _OF_OS:
        delattr(os, name)
    sys.modules.update(dict.fromkeys(_MODULES))  # type: ignore[arg-type]  # an import raises ImportError


def _spawn_only() -> None:
    spawn = context.SpawnContext()
    context._concrete_contexts = {"spawn": spawn}  # type: ignore[attr-defined]
    context.DefaultContext.get_all_start_methods = lambda self: ["spawn"]  # type: ignore[method-assign]
    default = context._default_context = context.DefaultContext(spawn)  # type: ignore[attr-defined]
    for name in multiprocessing.__all__:
        setattr(multiprocessing, name, getattr(default, name))


if __name__ == "sitecustomize":
    _lose_names()
    _spawn_only()
    os.kill = _kill
    popen_fork.Popen.kill = popen_fork.Popen.terminate  # type: ignore[method-assign]
