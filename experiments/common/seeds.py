"""Random number generators for each purpose: every random choice of a run depends on its seed and its purpose."""

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Return a separate random number generator for one purpose, so that no other purpose changes its numbers.

    Args:
        seed: seed of the run.
        name: purpose of the numbers: `data`, `initialisation`, `order`, …

    >>> stream(1, "data").integers(100) == stream(1, "data").integers(100)
    np.True_
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))


def fixed_stream(name: str) -> np.random.Generator:
    """Return a random number generator that is the same in every run, for example for the splits of a dataset.

    Args:
        name: purpose of the numbers: `split`, `permutation`, …
    """
    return stream(0, name)


def number(seed: int, name: str) -> int:
    """Return an integer below 2³¹ for one purpose, as a seed for a library."""
    return int(stream(seed, name).integers(2**31))
