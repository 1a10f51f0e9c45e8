"""Keeps libraries from what nobody asked them for: from printing, and from importing one another."""

import importlib
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


@contextmanager
def not_installed(*modules: str) -> Iterator[None]:
    """Whoever tries to import one of these modules meanwhile is told that there is none.

    What was imported before stays.
    """
    hidden = [module for module in modules if module not in sys.modules]
    sys.modules |= dict.fromkeys(hidden)  # type: ignore[arg-type]  # how Python marks what is not to be found
    try:
        yield
    finally:
        for module in hidden:
            del sys.modules[module]


def import_tensorflow() -> None:
    """Imports TensorFlow and Keras, without their notes about the machine.

    Neither do they import what they have no need of here and take only because it is there: a quarter of the time.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with without_stderr(), not_installed("jax", "matplotlib", "pandas", "sklearn"):
        importlib.import_module("keras")
        importlib.import_module("tensorflow")
