"""One process at a time works on a run. A claim ends with its process, however that ends: the system sees to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def claim(directory: Path) -> Iterator[bool]:
    """Holds a run's directory, if nobody else does.

    Args:
        directory: the run's; made if it is not there.

    Yields:
        Whether it is ours.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
