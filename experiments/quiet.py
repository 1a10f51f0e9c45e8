"""Keeps what compiled libraries print away from the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_stderr() -> Iterator[None]:
    """Nothing reaches the process's standard error meanwhile, not even from compiled code.

    Exceptions pass as always.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
