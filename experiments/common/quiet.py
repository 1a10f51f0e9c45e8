"""Suppression of the messages and optional imports of libraries."""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_stderr() -> Iterator[None]:
    """Discard everything that is written to standard error in this context, even by compiled code.

    Exceptions are raised as usual.
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


@contextmanager
def not_installed(*modules: str) -> Iterator[None]:
    """Make imports of these modules fail in this context, as if the modules were not installed.

    Modules that were imported before remain available.
    """
    hidden = [module for module in modules if module not in sys.modules]
    sys.modules |= dict.fromkeys(hidden)  # type: ignore[arg-type]  # None makes an import fail
    try:
        yield
    finally:
        for module in hidden:
            del sys.modules[module]


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without their messages about the machine.

    Packages that they would import only because they are installed are hidden. This saves a quarter of the time.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with without_stderr(), not_installed("jax", "matplotlib", "pandas", "sklearn"):
        importlib.import_module("keras")
        importlib.import_module("tensorflow")
