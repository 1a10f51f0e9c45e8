"""Ctrl-C, or a request to terminate, ends what runs; at the next training step where a library swallowed the exception.

A signal may arrive while somebody's `__del__` or callback from C runs, and what is raised there goes nowhere.
"""

import signal
from types import FrameType

_requested = False


def listen(once: bool = False) -> None:
    """From now on both signals raise `KeyboardInterrupt`, and are remembered.

    Args:
        once: whether those that follow are ignored, so that what is under way can end.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt_once if once else _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _requested
    _requested = True
    raise KeyboardInterrupt


def _interrupt_once(number: int, frame: FrameType | None) -> None:
    if not _requested:
        _interrupt(number, frame)


def check() -> None:
    """Raises `KeyboardInterrupt` if one of the signals has come."""
    if _requested:
        raise KeyboardInterrupt
