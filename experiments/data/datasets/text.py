"""Prediction of the next character of a text."""

import re

import numpy as np

from ...common.errors import UserError
from ...common.seeds import fixed_stream
from ..baselines import bigram, majority
from ..outputs import Symbols
from ..paths import own_file, package_folder
from ..split import Split
from ..task import Task

_UNKNOWN = "\ufffd"
"""The symbol of all characters that are not in the alphabet."""
_ALPHABET = 500
"""Maximum size of the alphabet, which contains the most frequent characters."""


def text_chars(path: str | None, length: int, stateful: bool) -> Task:
    """Return the task of predicting the next character of a text.

    The first 80 % of the text are for training, the next 10 % for validation, and the last 10 % for testing.

    Args:
        path: a text file in UTF-8; `None` for Python's help on the language (pydoc_data.topics), with the topics in
            alphabetical order. Paragraphs that occur in several topics are included once.
        length: T, number of characters per example. Each example starts where the previous one ends.
        stateful: whether the states of the network are carried from example to example.

    Raises:
        UserError: the file cannot be read, or is too short.
    """
    text = _topics() if path is None else _own_text(path)
    tenth = len(text) // 10
    if tenth <= length:
        raise UserError(
            f"dataset.path={path}: {len(text)} characters are too few for dataset.length={length}; expected "
            f"{10 * (length + 1)} or more, or a smaller dataset.length"
        )
    return next_character((text[: -2 * tenth], text[-2 * tenth : -tenth], text[-tenth:]), length, stateful)


def tunes(length: int, stateful: bool) -> Task:
    """Return the task of predicting the next character of Irish tunes in ABC notation (O'Neill 1903).

    The tunes are those of O'Neill's 1850 that are in the files of the package music21, in a random order that is the
    same in every run. The first 80 % are for training, the next 10 % for validation, and the last 10 % for testing. The
    text of a tune consists of the ABC fields that are required to play it, of its notes, and of an empty line. The
    fields are X (number), T (title), M (meter), L (unit length) and K (key).

    Args:
        length: T, number of characters per example. Each example starts where the previous one ends.
        stateful: whether the states of the network are carried from example to example.
    """
    found = _tunes()
    order = fixed_stream("split").permutation(len(found))
    tenth = len(found) // 10
    parts = np.split(order, [-2 * tenth, -tenth])
    texts = tuple("".join(f"{found[index]}\n\n" for index in part) for part in parts)
    return next_character(texts, length, stateful)


def next_character(parts: tuple[str, ...], length: int, stateful: bool) -> Task:
    """Return the task of predicting the next character at every timestep.

    The alphabet is computed from the training split. All other characters share one additional symbol, the last.

    Args:
        parts: the texts of the training, validation and test split, each longer than `length`.
        length, stateful: see `text_chars`.
    """
    numbers = [np.frombuffer(part.encode("utf-32-le"), np.uint32) for part in parts]
    characters, counts = np.unique(numbers[0], return_counts=True)
    alphabet = np.sort(characters[np.argsort(-counts, kind="stable")[:_ALPHABET]])
    symbols = (*map(chr, alphabet), _UNKNOWN)
    train, validation, test = (_windows(_symbols(part, alphabet), length) for part in numbers)
    size = len(symbols)
    baselines = (majority(size, "unigram", added=1), bigram(size))
    output = Symbols(size, names=symbols)
    return Task(train, validation, test, output, baselines, symbols=symbols, ordered=True, stateful=stateful)


def _symbols(characters: np.ndarray, alphabet: np.ndarray) -> np.ndarray:
    """Return the index of each character in the alphabet, int32. Unknown characters get the index after the last."""
    places = np.searchsorted(alphabet, characters)
    known = alphabet[np.minimum(places, len(alphabet) - 1)] == characters
    return np.where(known, places, len(alphabet)).astype(np.int32)


def _windows(symbols: np.ndarray, length: int) -> Split:
    """Return consecutive examples, with the next symbols as targets. Symbols left over at the end are dropped."""
    count = (len(symbols) - 1) // length
    inputs, targets = (symbols[start : start + count * length].reshape(count, length) for start in (0, 1))
    return Split(inputs, targets)


# ------------------------------------------------------------------------ texts


def _topics() -> str:
    from pydoc_data.topics import topics

    paragraphs = (paragraph for name in sorted(topics) for paragraph in topics[name].strip().split("\n\n"))
    return "\n\n".join(dict.fromkeys(paragraphs))


def _own_text(path: str) -> str:
    """Return the text of a user's file, with all line ends converted to `\\n`."""
    try:
        text = own_file(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"dataset.path={path}: expected text in UTF-8, got {error.object[error.start]:#04x} at byte {error.start}; "
            f"convert it, from Latin 1 by iconv -f latin1 -t utf-8 {path}"
        ) from error
    except OSError as error:
        raise UserError(f"dataset.path={path}: cannot be read ({error.strerror}); choose another file") from error
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise UserError(f"dataset.path={path}: the file is empty; choose one with text")
    return text


_LEFT_OUT = re.compile(r"%|(?![XTMLK])[A-Za-z]:")
"""The start of a line to leave out: a comment, or a field that is not needed to play the tune, such as its source."""


def _tunes() -> list[str]:
    """Return the tunes. A second transcription of the same tune, with the same number or notes, is left out."""
    tunes: list[str] = []
    known: set[str] = set()
    for file in sorted((package_folder("music21") / "corpus" / "oneills1850").glob("*.abc")):
        for tune in re.split(r"^(?=X:)", file.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            lines = [re.sub(r"^(\w:)\s*", r"\1", line.rstrip()) for line in tune.splitlines()]
            kept = [line for line in lines if line and not _LEFT_OUT.match(line)]
            number, notes = kept[0], "".join("".join(kept).partition("K:")[2].split())
            if not known & {number, notes}:
                tunes.append("\n".join(kept))
                known |= {number, notes}
    return tunes
