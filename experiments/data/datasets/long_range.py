"""Generated problems whose targets depend on inputs far back in the sequence."""

import itertools
from collections.abc import Callable
from dataclasses import fields
from hashlib import blake2b

import numpy as np

from ...common.errors import UserError
from ...common.seeds import stream
from ..baselines import majority, mean, rule
from ..outputs import Classes, Values
from ..split import Split
from ..task import Task

Sizes = tuple[int, int, int]
Generate = Callable[[np.random.Generator, int], Split]


def adding(seed: int, length: int, protocol: str, train_size: int, validation_size: int, test_size: int) -> Task:
    """Return the adding problem, whose target is the sum of the two marked numbers of a sequence.

    `le2015` (Le, Jaitly & Hinton 2015): each timestep has a number from U(0, 1) and a marker. The marker is 1 once in
    each half of the sequence, and 0 elsewhere. Always predicting 1 has an expected squared error of 1/6.

    `hochreiter1997` (Hochreiter & Schmidhuber 1997, experiment 4): the numbers are from U(−1, 1), and the sequences
    have T to 1.1 T timesteps, padded. One marker is at one of the first T/10 timesteps, which are the first ten in the
    publication with T = 100. The other is at another one of the first T/2 timesteps. The first and the last timestep
    have the marker −1. If one of the two markers is at the first timestep, −1 replaces it, and its number counts as 0.
    The target is 0.5 + (X₁ + X₂)/4. A prediction is correct if its error is less than 0.04. Unlike in the publication,
    all sequences are generated before training, and the output has no sigmoid.

    Args:
        seed: seed of the run. Each seed generates different data.
        length: T, at least 2; at least 20 for `hochreiter1997`.
        protocol: see above.
        train_size, validation_size, test_size: number of sequences.

    Raises:
        UserError: the sequences are too short for the protocol.
    """
    sizes = (train_size, validation_size, test_size)
    features = ("value", "marker")
    if protocol == "le2015":
        parts = generated(seed, sizes, lambda random, size: _le2015(random, size, length))
        return Task(*parts, Values(1), (mean(),), features=features, solved=("mse", 0.01))
    if length < 20:
        raise UserError(
            f"dataset.length={length}: expected at least 20 beside dataset.protocol=hochreiter1997, which marks one of "
            "the first length/10 steps"
        )
    parts = generated(seed, sizes, lambda random, size: _hochreiter1997(random, size, length))
    return Task(*parts, Values(1, tolerance=0.04), (mean(),), features=features, solved=("correct", 0.99))


def copy_memory(seed: int, length: int, train_size: int, validation_size: int, test_size: int) -> Task:
    """Return the copy memory problem (Hochreiter & Schmidhuber 1997; in the form of Arjovsky, Shah & Bengio 2016).

    The input consists of ten symbols out of eight kinds, T − 1 blanks `_`, a marker `?`, and ten blanks. The target
    consists of T + 10 blanks and the ten symbols. The best prediction without memory is a blank up to the marker, and
    all eight symbols with equal probability after it. Its loss is 10 ln 8 / (T + 20), as a mean over all timesteps.
    Only the ten symbols count in the accuracy.

    Args:
        seed: seed of the run. Each seed generates different data.
        length: T. A sequence has T + 20 timesteps.
        train_size, validation_size, test_size: number of sequences. No sequence is in two splits.
    """
    parts = generated(
        seed, (train_size, validation_size, test_size), lambda random, size: _copy(random, size, length), apart="inputs"
    )
    symbols = tuple("abcdefgh_?")
    output = Classes(9, per_step=True, names=symbols[:9], silent=_BLANK)
    return Task(*parts, output, (rule("no memory", _forgetful),), symbols, solved=("accuracy", 0.99))


def temporal_order(seed: int, length: int, variant: str, train_size: int, validation_size: int, test_size: int) -> Task:
    """Return the temporal order problem (Hochreiter & Schmidhuber 1997, experiments 6a and 6b).

    A sequence has T to 1.1 T symbols, padded. It starts with E, ends with B, and consists of random symbols a, b, c and
    d, except for two or three symbols that are X or Y. The class is the order of these. For T = 100, as in the
    publication, they are at the following timesteps, counted from 0:

        6a: t₁ from 10 to 20, t₂ from 50 to 60; 4 classes XX, XY, YX, YY
        6b: t₁ from 10 to 20, t₂ from 33 to 43, t₃ from 66 to 76; 8 classes XXX, …, YYY

    For other values of T, these timesteps are scaled in proportion to T and rounded down.

    Args:
        seed: seed of the run. Each seed generates different data.
        length: T, at least 20.
        variant: `6a` or `6b`.
        train_size, validation_size, test_size: number of sequences. No sequence is in two splits.
    """
    windows = {"6a": ((10, 20), (50, 60)), "6b": ((10, 20), (33, 43), (66, 76))}[variant]
    parts = generated(
        seed,
        (train_size, validation_size, test_size),
        lambda random, size: _temporal_order(random, size, length, windows),
        apart="inputs",
    )
    names = tuple(map("".join, itertools.product("XY", repeat=len(windows))))
    output = Classes(len(names), names=names)
    return Task(*parts, output, (majority(len(names)),), ("", *"EBabcdXY"), solved=("accuracy", 0.99))


def parity(seed: int, length: int, every_step: bool, train_size: int, validation_size: int, test_size: int) -> Task:
    """Return the parity problem: whether a sequence of random bits has an even or an odd number of ones.

    Every one inverts the target.

    Args:
        seed: seed of the run. Each seed generates different data.
        length: number of bits per sequence, at least 4.
        every_step: whether to predict the parity of all bits so far at every timestep, which is much easier to learn.
        train_size, validation_size, test_size: number of sequences. No sequence is in two splits.
    """

    def generate(random: np.random.Generator, size: int) -> Split:
        bits = random.integers(2, size=(size, length), dtype=np.int32)
        odd = bits.cumsum(axis=1, dtype=np.int32) % 2
        return Split(bits, odd if every_step else odd[:, -1])

    parts = generated(seed, (train_size, validation_size, test_size), generate, apart="inputs")
    output = Classes(2, per_step=every_step, names=("even", "odd"))
    return Task(*parts, output, (majority(2),), ("0", "1"), solved=("accuracy", 0.99))


# -------------------------------------------------------------------------- the splits


def generated(seed: int, sizes: Sizes, generate: Generate, apart: str | None = None) -> tuple[Split, Split, Split]:
    """Return generated training, validation and test splits. The size of one split does not change the others.

    Args:
        seed: seed of the run. Each split has a separate random number generator.
        sizes: number of examples in each split.
        generate: a function that generates a given number of examples.
        apart: `inputs` or `targets`, if the same symbols can be generated twice. Examples in which these symbols are
            equal are then in the same split. Half of all possible examples belong to the training split, and a quarter
            to each of the other splits.
    """
    streams = ("data", "data to validate", "data to test")
    parts = []
    for part, (name, size) in enumerate(zip(streams, sizes, strict=True)):
        random = stream(seed, name)
        parts.append(generate(random, size) if apart is None else _of_part(part, random, size, generate, apart))
    return tuple(parts)  # type: ignore[return-value]


def _of_part(part: int, random: np.random.Generator, size: int, generate: Generate, apart: str) -> Split:
    """Generate examples until `size` of them belong to this split."""
    found: list[Split] = []
    while sum(map(len, found)) < size:
        drawn = generate(random, size)
        owners = _OWNERS[[_checksum(row) % len(_OWNERS) for row in getattr(drawn, apart)]]
        found.append(drawn[owners == part])
    columns = ([getattr(split, field.name) for split in found] for field in fields(Split))
    joined = Split(*(None if column[0] is None else np.concatenate(column) for column in columns))  # type: ignore[arg-type]
    return joined[:size]


_OWNERS = np.array([0, 0, 1, 2])
"""The index of the split of an example, by the checksum of the example modulo 4."""


def _checksum(symbols: np.ndarray) -> int:
    """Return a checksum that is unrelated to the targets. A CRC, for example, would be a parity of the symbols."""
    return blake2b(symbols.tobytes(), digest_size=1).digest()[0]


# ------------------------------------------------------------------------- the problems


def _le2015(random: np.random.Generator, size: int, length: int) -> Split:
    values = random.random((size, length), dtype=np.float32)
    first, second = random.integers(0, length // 2, size), random.integers(length // 2, length, size)
    markers = np.zeros_like(values)
    rows = np.arange(size)
    markers[rows, first] = markers[rows, second] = 1
    targets = values[rows, first] + values[rows, second]
    return Split(np.stack([values, markers], axis=-1), targets[:, None])


def _hochreiter1997(random: np.random.Generator, size: int, length: int) -> Split:
    lengths, mask = _lengths(random, size, length)
    values = random.uniform(-1, 1, mask.shape).astype(np.float32) * mask
    first = random.integers(0, length // 10, size)
    second = random.integers(0, length // 2 - 1, size)
    second += second >= first  # excludes the first marker
    markers = np.zeros_like(values)
    rows = np.arange(size)
    markers[rows, first] = markers[rows, second] = 1
    markers[:, 0] = markers[rows, lengths - 1] = -1
    targets = 0.5 + np.sum(values, axis=1, where=markers == 1) / 4
    return Split(np.stack([values, markers], axis=-1), targets[:, None], mask)


_BLANK, _MARKER = 8, 9
_COPIED = 10
"""Number of symbols to remember."""


def _copy(random: np.random.Generator, size: int, length: int) -> Split:
    inputs = np.full((size, length + 2 * _COPIED), _BLANK, np.int32)
    targets = inputs.copy()
    inputs[:, :_COPIED] = targets[:, -_COPIED:] = random.integers(_BLANK, size=(size, _COPIED))
    inputs[:, _COPIED + length - 1] = _MARKER
    return Split(inputs, targets)


def _forgetful(part: Split) -> np.ndarray:
    """Return the logits of the best prediction without memory: blanks first, then each of the eight symbols."""
    steps = part.targets.shape[1]
    logits = np.full((steps, _BLANK + 1), -np.inf)
    logits[:-_COPIED, _BLANK] = 0
    logits[-_COPIED:, :_BLANK] = 0
    return np.broadcast_to(logits, (len(part), *logits.shape))


_START, _END, _A, _X = 1, 2, 3, 7
"""Indices of E, B, a and X among the symbols padding, E, B, a, b, c, d, X and Y."""


def _temporal_order(random: np.random.Generator, size: int, length: int, windows: tuple[tuple[int, int], ...]) -> Split:
    lengths, mask = _lengths(random, size, length)
    inputs = random.integers(_A, _X, mask.shape, dtype=np.int32)
    rows = np.arange(size)
    targets = np.zeros(size, np.int32)
    for earliest, latest in windows:
        step = random.integers(earliest * length // 100, latest * length // 100 + 1, size)
        is_y = random.integers(2, size=size, dtype=np.int32)
        inputs[rows, step] = _X + is_y
        targets = 2 * targets + is_y
    inputs[:, 0], inputs[rows, lengths - 1] = _START, _END
    return Split(inputs * mask, targets, mask)


def _lengths(random: np.random.Generator, size: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random lengths from T to 1.1 T, and their mask."""
    longest = length + length // 10
    lengths = random.integers(length, longest + 1, size)
    return lengths, np.arange(longest) < lengths[:, None]
