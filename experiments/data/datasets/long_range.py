"""Generated problems whose answer lies far back in the sequence."""

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
    """The adding problem: the sum of the two numbers of a sequence that are marked.

    `le2015` (Le, Jaitly & Hinton 2015): each step shows a number from U(0, 1) and a marker, which is 1 once in each
    half of the sequence and 0 elsewhere. Always answering 1 has an expected squared error of 1/6.

    `hochreiter1997` (Hochreiter & Schmidhuber 1997, experiment 4): numbers from U(−1, 1), sequences of T to 1.1 T
    steps, padded. Marked are one of the first ten steps, here of the first T/10, which is the same at their T of 100,
    and one of the first T/2 that is left; the first and the last step have the marker −1, the first even if it was
    chosen: its number counts 0 then. The target is 0.5 + (X₁ + X₂)/4, and an answer is right that is off by less than
    0.04. Here all of a run's sequences are drawn before it, and the output has no sigmoid.

    Args:
        seed: the run's seed; each draws data of its own.
        length: T, at least 2; at least 20 for `hochreiter1997`.
        protocol: see above.
        train_size, validation_size, test_size: how many sequences.

    Raises:
        UserError: sequences too short for the protocol.
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
    """The copy memory problem (Hochreiter & Schmidhuber 1997; this form: Arjovsky, Shah & Bengio 2016).

    Ten symbols of eight, T − 1 blanks `_`, a marker `?`, ten blanks; due are T + 10 blanks, then the ten symbols. Who
    knows the task and remembers nothing says blank, and after the marker any of the eight: the loss, a mean over
    T + 20 steps, is 10 ln 8 / (T + 20). The accuracy is that of the ten symbols alone.

    Args:
        seed: the run's seed; each draws data of its own.
        length: T; a sequence has T + 20 steps.
        train_size, validation_size, test_size: how many sequences; none is in two parts.
    """
    parts = generated(
        seed, (train_size, validation_size, test_size), lambda random, size: _copy(random, size, length), apart="inputs"
    )
    symbols = tuple("abcdefgh_?")
    output = Classes(9, per_step=True, names=symbols[:9], silent=_BLANK)
    return Task(*parts, output, (rule("no memory", _forgetful),), symbols, solved=("accuracy", 0.99))


def temporal_order(seed: int, length: int, variant: str, train_size: int, validation_size: int, test_size: int) -> Task:
    """The temporal order problem (Hochreiter & Schmidhuber 1997, experiments 6a and 6b): which came when, X or Y?

    A sequence of T to 1.1 T symbols, padded, starts with E, ends with B, and is made of a, b, c and d at random but
    for two or three symbols, X or Y each. With T = 100 as published they stand at steps (the first of all is step 0)

        6a: t₁ from 10 to 20, t₂ from 50 to 60; 4 classes XX, XY, YX, YY
        6b: t₁ from 10 to 20, t₂ from 33 to 43, t₃ from 66 to 76; 8 classes XXX, …, YYY

    and with another T in proportion to it, rounded down.

    Args:
        seed: the run's seed; each draws data of its own.
        length: T, at least 20.
        variant: `6a` or `6b`.
        train_size, validation_size, test_size: how many sequences; none is in two parts.
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
    """Whether a sequence of random bits has an even or an odd number of ones: each of them turns the answer round.

    Args:
        seed: the run's seed; each draws data of its own.
        length: bits of a sequence, at least 4.
        every_step: ask at every step, for the bits up to there, which is far easier to learn.
        train_size, validation_size, test_size: how many sequences; none is in two parts.
    """

    def generate(random: np.random.Generator, size: int) -> Split:
        bits = random.integers(2, size=(size, length), dtype=np.int32)
        odd = bits.cumsum(axis=1, dtype=np.int32) % 2
        return Split(bits, odd if every_step else odd[:, -1])

    parts = generated(seed, (train_size, validation_size, test_size), generate, apart="inputs")
    output = Classes(2, per_step=every_step, names=("even", "odd"))
    return Task(*parts, output, (majority(2),), ("0", "1"), solved=("accuracy", 0.99))


# ------------------------------------------------------------------- parts of the data


def generated(seed: int, sizes: Sizes, generate: Generate, apart: str | None = None) -> tuple[Split, Split, Split]:
    """Training, validation and test part, each from a stream of its own: the size of one does not change another.

    Args:
        seed: the run's seed.
        sizes: how many examples of each.
        generate: draws so many examples.
        apart: `inputs` or `targets`, symbols, where the same could be drawn twice: what has the same ones is in the
            same part. Of all that can be drawn one half is for training, a quarter for each of the others.
    """
    streams = ("data", "data to validate", "data to test")
    parts = []
    for part, (name, size) in enumerate(zip(streams, sizes, strict=True)):
        random = stream(seed, name)
        parts.append(generate(random, size) if apart is None else _of_part(part, random, size, generate, apart))
    return tuple(parts)  # type: ignore[return-value]


def _of_part(part: int, random: np.random.Generator, size: int, generate: Generate, apart: str) -> Split:
    """Draws until there are enough that belong to this part."""
    found: list[Split] = []
    while sum(map(len, found)) < size:
        drawn = generate(random, size)
        owners = _OWNERS[[_checksum(row) % len(_OWNERS) for row in getattr(drawn, apart)]]
        found.append(drawn[owners == part])
    columns = ([getattr(split, field.name) for split in found] for field in fields(Split))
    joined = Split(*(None if column[0] is None else np.concatenate(column) for column in columns))  # type: ignore[arg-type]
    return joined[:size]


_OWNERS = np.array([0, 0, 1, 2])
"""The part to which a checksum, modulo 4, gives an example."""


def _checksum(symbols: np.ndarray) -> int:
    """Has nothing to do with what is asked of the symbols: a CRC, for one, would be a parity of them."""
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
    second += second >= first  # the first one is no longer there to be chosen
    markers = np.zeros_like(values)
    rows = np.arange(size)
    markers[rows, first] = markers[rows, second] = 1
    markers[:, 0] = markers[rows, lengths - 1] = -1
    targets = 0.5 + np.sum(values, axis=1, where=markers == 1) / 4
    return Split(np.stack([values, markers], axis=-1), targets[:, None], mask)


_BLANK, _MARKER = 8, 9
_COPIED = 10
"""Symbols to keep in mind."""


def _copy(random: np.random.Generator, size: int, length: int) -> Split:
    inputs = np.full((size, length + 2 * _COPIED), _BLANK, np.int32)
    targets = inputs.copy()
    inputs[:, :_COPIED] = targets[:, -_COPIED:] = random.integers(_BLANK, size=(size, _COPIED))
    inputs[:, _COPIED + length - 1] = _MARKER
    return Split(inputs, targets)


def _forgetful(part: Split) -> np.ndarray:
    """Logits of a blank up to the marker, of any of the other eight after it."""
    steps = part.targets.shape[1]
    logits = np.full((steps, _BLANK + 1), -np.inf)
    logits[:-_COPIED, _BLANK] = 0
    logits[-_COPIED:, :_BLANK] = 0
    return np.broadcast_to(logits, (len(part), *logits.shape))


_START, _END, _A, _X = 1, 2, 3, 7
"""Among padding, E, B, a, b, c, d, X and Y."""


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
    """From T to 1.1 T steps, and the mask of them."""
    longest = length + length // 10
    lengths = random.integers(length, longest + 1, size)
    return lengths, np.arange(longest) < lengths[:, None]
