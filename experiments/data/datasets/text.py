"""Text, character by character: what comes next?"""

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
"""Stands for every character that is not in the alphabet."""
_ALPHABET = 500
"""Characters that it has at most; the most frequent ones."""


def text_chars(path: str | None, length: int, stateful: bool) -> Task:
    """A text; its first 80 % are to train on, the next 10 % to validate, the last 10 % to test.

    Args:
        path: a file in UTF-8; `None` for Python's own help on the language (pydoc_data.topics): the topics by
            alphabet, each paragraph once, for many stand in several.
        length: T, characters of an example; the next example begins where it ends.
        stateful: whether a network's states go on from example to example.

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
    """Irish tunes in ABC notation (O'Neill 1903; files of the package music21), one after another.

    Of the 1850 tunes those that the files have, each once, are put in an order drawn once and for all; the first
    80 % of them are to train on, the next 10 % to validate, the last 10 % to test. A tune is the ABC fields that it
    needs to be played, X (number), T (title), M (metre), L (unit length) and K (key), and its notes; an empty line
    follows.

    Args:
        length: T, characters of an example; the next example begins where it ends.
        stateful: whether a network's states go on from example to example.
    """
    found = _tunes()
    order = fixed_stream("split").permutation(len(found))
    tenth = len(found) // 10
    parts = np.split(order, [-2 * tenth, -tenth])
    texts = tuple("".join(f"{found[index]}\n\n" for index in part) for part in parts)
    return next_character(texts, length, stateful)


def next_character(parts: tuple[str, ...], length: int, stateful: bool) -> Task:
    """The task to say the next character at every step.

    The alphabet is that of the training part; all other characters are one more symbol, the last.

    Args:
        parts: the text to train on, to validate, and to test; each longer than `length`.
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
    """The place of each character in the alphabet, int32; of any other character, the place after its end."""
    places = np.searchsorted(alphabet, characters)
    known = alphabet[np.minimum(places, len(alphabet) - 1)] == characters
    return np.where(known, places, len(alphabet)).astype(np.int32)


def _windows(symbols: np.ndarray, length: int) -> Split:
    """Examples one after another, and what follows each of their symbols; what is left over is dropped."""
    count = (len(symbols) - 1) // length
    inputs, targets = (symbols[start : start + count * length].reshape(count, length) for start in (0, 1))
    return Split(inputs, targets)


# ------------------------------------------------------------------------ texts


def _topics() -> str:
    from pydoc_data.topics import topics

    paragraphs = (paragraph for name in sorted(topics) for paragraph in topics[name].strip().split("\n\n"))
    return "\n\n".join(dict.fromkeys(paragraphs))


def _own_text(path: str) -> str:
    """A user's file, with line ends as everywhere."""
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
"""What a comment begins with, or a field that says who wrote a tune down, where it is printed and the like."""


def _tunes() -> list[str]:
    """The tunes. Of some there is a second transcription under the same number, which is left out."""
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
