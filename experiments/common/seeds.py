"""Named streams of randomness: every random choice of a run follows from its seed and from what it is for."""

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for one purpose, so that one purpose's draws never shift another's.

    Args:
        seed: the run's seed.
        name: what the numbers are for: `data`, `initialisation`, `order`, …

    >>> stream(1, "data").integers(100) == stream(1, "data").integers(100)
    np.True_
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))


def fixed_stream(name: str) -> np.random.Generator:
    """Return a generator whose numbers are the same in every run: for splits of a dataset, which no seed changes.

    Args:
        name: what the numbers are for: `split`, `permutation`, …
    """
    return stream(0, name)


def number(seed: int, name: str) -> int:
    """One number below 2³¹ from a stream, for libraries that want a seed."""
    return int(stream(seed, name).integers(2**31))
