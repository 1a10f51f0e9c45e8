"""Interruption of a command by Ctrl-C or SIGTERM.

The signal handlers raise `KeyboardInterrupt`. If a signal arrives while a `__del__` method or a callback from C runs,
Python discards this exception. Training therefore calls `check` at every training step, which raises it again.
"""

import signal
from types import FrameType

_requested = False


def listen(once: bool = False) -> None:
    """Make SIGINT and SIGTERM raise `KeyboardInterrupt` from now on, and remember that one arrived.

    Args:
        once: whether to ignore the signals after the first one, so that the shutdown can finish.
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
    """Raise `KeyboardInterrupt` if one of the signals has arrived."""
    if _requested:
        raise KeyboardInterrupt
