"""What XLA has compiled for one run of a sweep, the next ones of the same shapes find ready."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

_VARIABLE = "TF_XLA_FLAGS"
_FLAG = "--tf_xla_persistent_cache_directory"


@contextmanager
def shared_programs() -> Iterator[None]:
    """Processes started meanwhile, on this machine, keep what they compile in one folder, which is removed at the end.

    A folder that the user has named for it (`TF_XLA_FLAGS`) is used, and stays.
    """
    before = os.environ.get(_VARIABLE, "")
    if _FLAG in before:
        yield
        return
    with TemporaryDirectory(prefix="rnnscope-", ignore_cleanup_errors=True) as folder:
        # On Windows the folder is below the user's name, in which a space is common; XLA would end the path there.
        quoted = f"'{folder}'" if " " in folder else folder
        os.environ[_VARIABLE] = f"{before} {_FLAG}={quoted}".strip()
        try:
            yield
        finally:
            os.environ[_VARIABLE] = before
            if not before:
                del os.environ[_VARIABLE]
