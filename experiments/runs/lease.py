"""One process at a time works on a run, also where several machines share a file system.

A claim is a lease: a marker file that its holder keeps fresh. Whoever finds the marker of a dead process of this
machine takes it over at once; of another machine, once nobody has refreshed it for a lease's length. No clocks are
compared.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import SoftFileLease, Timeout

from ..common import files, platform

_LEASE = 30.0
"""Seconds after which a marker that nobody refreshes is nobody's. The same for all who share a folder of runs."""
_PATIENCE = 5.0
"""Seconds that a process which is just ending is given."""


@contextmanager
def claim(directory: Path) -> Iterator[bool]:
    """Holds a run's directory, if nobody else does. A process that loses what it holds is ended at once.

    Args:
        directory: the run's; made if it is not there.

    Yields:
        Whether it is ours.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lease = _lease(directory)
    try:
        lease.acquire(timeout=_PATIENCE if _is_of_this_machine(directory) else _LEASE + _PATIENCE)
    except Timeout:
        yield False
        return
    try:
        files.remove_halves(directory)
        yield True
    finally:
        lease.release()


def is_claimed(directory: Path) -> bool:
    """Whether somebody may be at work on a run: somebody of another machine is believed."""
    if not _marker(directory).exists():
        return False
    lease = _lease(directory)
    with suppress(Timeout, OSError):
        lease.acquire(blocking=False)
        lease.release()
        return False
    return _marker(directory).exists()


def _marker(directory: Path) -> Path:
    return directory / ".lock"


def _lease(directory: Path) -> SoftFileLease:
    end = lambda lost: platform.kill(os.getpid())  # another process may work on the run already
    return SoftFileLease(_marker(directory), lease_duration=_LEASE, on_compromise=end)


def _is_of_this_machine(directory: Path) -> bool:
    owner = _lease(directory).owner
    return owner is None or owner.hostname == _this_machine()


@cache
def _this_machine() -> str:
    """What a marker calls this machine: its name, and in a container also which one it is."""
    with TemporaryDirectory() as folder, SoftFileLease(Path(folder) / "lock") as lease:
        return lease.owner.hostname if lease.owner is not None else ""
