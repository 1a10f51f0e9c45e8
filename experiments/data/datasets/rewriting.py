"""Generated problems in which the target is another sequence of symbols."""

import datetime
from string import ascii_lowercase

import numpy as np

from ..baselines import majority_by_step
from ..outputs import Sequences
from ..split import Split
from ..task import Task
from .long_range import generated

_PADDING = ""
"""Symbol 0: the padding of inputs and targets, and the first input of the decoder."""
_STOP = "."

# ------------------------------------------------------------------------------- dates

FIRST, LAST = datetime.date(1970, 1, 1), datetime.date(2029, 12, 31)
FORMS = (
    "{d.day} {d:%B %Y}",
    "{d.day}{th} of {d:%B %Y}",
    "the {d.day}{th} of {d:%B}, {d:%Y}",
    "{d:%A}, {d.day} {d:%B %Y}",
    "{d:%A} the {d.day}{th} of {d:%B}, {d:%Y}",
    "{d:%B} {d.day}, {d:%Y}",
    "{d:%B} {d.day}{th}, {d:%Y}",
    "{d:%b} {d.day}, {d:%Y}",
    "{d:%a} {d.day} {d:%b %Y}",
    "{d.day} {d:%b} '{d:%y}",
    "{d:%d-%b-%y}",
    "{d:%d/%m/%Y}",
    "{d.day}/{d.month}/{d:%y}",
    "{d.day}.{d.month}.{d:%Y}",
    "{d:%Y/%m/%d}",
)
"""Formats of a written date `d`; `th` is the ordinal suffix of the day, such as `rd`."""
_ISO = (_PADDING, *"-0123456789")


def dates(seed: int, train_size: int, validation_size: int, test_size: int) -> Task:
    """Return the task of converting written dates to ISO 8601: `3rd of March 1998` becomes `1998-03-03`.

    Faker draws the days from 1970 to 2029. Each is written in one of the following formats, shown for Tuesday, 3 March
    1998:

        3 March 1998                        Tuesday, 3 March 1998             03-Mar-98
        3rd of March 1998                   Tuesday the 3rd of March, 1998    03/03/1998
        the 3rd of March, 1998              Tue 3 Mar 1998                    3/3/98
        March 3, 1998    March 3rd, 1998    Mar 3, 1998                       3.3.1998
        3 Mar '98                                                             1998/03/03

    All dates are in lowercase. They are unambiguous: if the month is a number and the year comes last, the day comes
    first, and a year of two digits is between 1970 and 2029. No day is in two splits.

    Args:
        seed: seed of the run. Each seed generates different data.
        train_size, validation_size, test_size: number of dates.
    """
    from faker import Faker

    faker = Faker("en_GB")
    year = [written_date(FIRST + datetime.timedelta(days=days), form) for days in range(365) for form in FORMS]
    symbols, longest = (_PADDING, *sorted(set("".join(year)))), max(map(len, year))

    def generate(random: np.random.Generator, size: int) -> Split:
        faker.seed_instance(int(random.integers(2**31)))
        days = [faker.date_between_dates(FIRST, LAST + datetime.timedelta(days=1)) for _ in range(size)]
        written = [written_date(day, form) for day, form in zip(days, faker.random_choices(FORMS, size), strict=True)]
        inputs = _codes(written, symbols, longest)
        return Split(inputs, _codes([day.isoformat() for day in days], _ISO, 10), inputs > 0)

    parts = generated(seed, (train_size, validation_size, test_size), generate, apart="targets")
    return _rewriting(parts, symbols, Sequences(len(_ISO), names=_ISO))


def written_date(day: datetime.date, form: str) -> str:
    """Return a date in one of the formats, in lowercase."""
    ending = "th" if day.day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return form.format(d=day, th=ending).lower()


# ----------------------------------------------------------------------------- reverse

_LETTERS = (_PADDING, *ascii_lowercase)


def reverse(seed: int, length: int, train_size: int, validation_size: int, test_size: int) -> Task:
    """Return the task of reversing strings of 1 to `length` lowercase letters. The target ends with a period.

    Args:
        seed: seed of the run. Each seed generates different data.
        length: number of letters of the longest string.
        train_size, validation_size, test_size: number of strings. No string is in two splits.
    """
    names = (*_LETTERS, _STOP)
    stop = len(_LETTERS)

    def generate(random: np.random.Generator, size: int) -> Split:
        lengths = random.integers(1, length + 1, (size, 1))
        step = np.arange(length + 1)
        inputs = random.integers(1, stop, (size, length), dtype=np.int32) * (step[:length] < lengths)
        back = np.take_along_axis(inputs, np.maximum(lengths - 1 - step, 0), axis=1)
        targets = np.where(step < lengths, back, np.where(step == lengths, stop, 0)).astype(np.int32)
        return Split(inputs, targets, inputs > 0, targets > 0)

    parts = generated(seed, (train_size, validation_size, test_size), generate, apart="inputs")
    return _rewriting(parts, _LETTERS, Sequences(len(names), names=names, stop=stop))


# -------------------------------------------------------------------------------- both


def _rewriting(parts: tuple[Split, Split, Split], symbols: tuple[str, ...], output: Sequences) -> Task:
    return Task(*parts, output, (majority_by_step(output.size),), symbols, solved=("exact_match", 0.99))


def _codes(texts: list[str], symbols: tuple[str, ...], length: int) -> np.ndarray:
    """Return texts as indices of symbols `[N, length]`, padded with 0 at the end."""
    number = {symbol: code for code, symbol in enumerate(symbols)}
    codes = np.zeros((len(texts), length), np.int32)
    for row, text in zip(codes, texts, strict=True):
        row[: len(text)] = [number[character] for character in text]
    return codes
