"""Prediction of the next chord in Bach's four-part chorales, as piano rolls."""

import math
import zipfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from ...common.errors import UserError
from ...common.seeds import fixed_stream
from ..baselines import marginal, markov
from ..outputs import Labels
from ..paths import own_file, package_folder
from ..split import Split, padded
from ..task import Task

KEYS = 88
"""Number of keys of a piano, from A0 to C8."""
_LOWEST = 21
"""The MIDI number of A0."""
_SHARES = (0.7, 0.85)
"""Ends of the training and the validation split, as fractions of the chorales."""


def chorales(path: str | None, length: int) -> Task:
    """Return the task of predicting chorales by J. S. Bach (Boulanger-Lewandowski, Bengio & Vincent 2012).

    Each timestep is one quarter note. The input consists of the keys that sound at this timestep, float32 0 or 1
    `[T, 88]`. The target is the input of the next timestep. Repeats are not expanded, and pieces are not transposed.

    Args:
        path: a MATLAB file like that of the paper, whose variables `traindata`, `validdata` and `testdata` are cells of
            matrices `[steps, 88]`; `None` for the scores of the package music21. These are split at random, in the same
            way in every run: 70 % for training, 15 % for validation, 15 % for testing.
        length: T. Longer chorales are cut into several examples, and shorter ones are padded.

    Raises:
        UserError: the file cannot be read, or has a different format.
    """
    train, validation, test = (_examples(rolls, length) for rolls in (_scores() if path is None else _matlab(path)))
    baselines = (marginal("marginal per key"), markov("Markov chain per key"))
    return Task(train, validation, test, Labels(KEYS, names=NAMES), baselines, features=NAMES)


_OCTAVE = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
NAMES = tuple(f"{_OCTAVE[key % 12]}{key // 12 - 1}" for key in range(_LOWEST, _LOWEST + KEYS))
"""Names of the keys, starting with the lowest."""


def _examples(rolls: Iterable[np.ndarray], length: int) -> Split:
    """Cut piano rolls `[steps, 88]` into examples, whose targets are the keys of the next timestep."""
    starts = [(roll, start) for roll in rolls for start in range(0, len(roll) - 1, length)]
    nothing = np.zeros(len(starts), np.int32)
    now = padded([roll[start : min(start + length, len(roll) - 1)] for roll, start in starts], nothing, length)
    then = padded([roll[start + 1 : start + 1 + length] for roll, start in starts], nothing, length)
    return Split(now.inputs, then.inputs, now.mask, now.mask)


# ------------------------------------------------------------------------ scores


class Note(NamedTuple):
    """A sounding key. Its start and end are in quarter notes after the first bar line of the score."""

    start: Fraction
    end: Fraction
    key: int


def _scores() -> Iterator[list[np.ndarray]]:
    """Return the piano rolls of each split, from the scores in music21 that have four voices.

    If two scores are very similar, the later one is left out.
    """
    rolls: list[np.ndarray] = []
    known: set[bytes] = set()
    for file in sorted((package_folder("music21") / "corpus" / "bach").glob("*.mxl")):
        voices = read_musicxml(file)
        if len(voices) != 4:
            continue
        roll = piano_roll(list(chain.from_iterable(voices)))
        passages = set(_passages(roll))
        if len(passages & known) < _ALIKE * len(passages):
            rolls.append(roll)
            known |= passages
    order = fixed_stream("split").permutation(len(rolls))
    ends = [round(share * len(rolls)) for share in _SHARES]
    return ([rolls[index] for index in indices] for indices in np.split(order, ends))


_ALIKE = 0.25
"""Fraction of shared passages at or above which a score is left out as too similar to previous scores."""


def _passages(roll: np.ndarray, steps: int = 8) -> Iterator[bytes]:
    """Yield all passages of `steps` timesteps, in a form that does not change when a passage is transposed."""
    for start in range(len(roll) - steps + 1):
        times, keys = np.nonzero(roll[start : start + steps])
        if len(keys):
            yield np.stack([times, keys - keys.min()]).astype(np.uint8).tobytes()


def read_musicxml(file: Path) -> list[list[Note]]:
    """Return the notes of each voice of a score in compressed MusicXML, in the order of the file."""
    with zipfile.ZipFile(file) as archive:
        container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
        path = next(element.attrib["full-path"] for element in container.iter() if element.tag.endswith("rootfile"))
        score = ElementTree.fromstring(archive.read(path))
    return [_part(part) for part in score.findall("part")]


def _part(part: ElementTree.Element) -> list[Note]:
    """Return the notes of a voice. The first bar, which may be an incomplete pickup bar, has negative times."""
    notes: list[Note] = []
    end, bar_lines, divisions = Fraction(0), [Fraction(0)], 1
    for measure in part.findall("measure"):
        now = end
        for element in measure:
            if element.tag == "attributes":
                divisions = int(element.findtext("divisions", str(divisions)))
            if element.tag not in ("note", "backup", "forward") or element.find("grace") is not None:
                continue
            lasting = Fraction(int(element.findtext("duration", "0")), divisions)
            if element.tag == "note" and element.find("pitch") is not None:
                start = notes[-1].start if element.find("chord") is not None else now
                notes.append(Note(start, start + lasting, _key(element)))
            if element.find("chord") is None:
                now += -lasting if element.tag == "backup" else lasting
            end = max(end, now)
        bar_lines.append(end)
    first = bar_lines[:2][-1]
    return [Note(note.start - first, note.end - first, note.key) for note in notes]


def _key(note: ElementTree.Element) -> int:
    """Return the index of the key of a note on the piano, from 0."""
    step, octave = note.findtext("pitch/step", ""), int(note.findtext("pitch/octave", ""))
    return 12 * (octave + 1) + _OCTAVE.index(step) + int(note.findtext("pitch/alter", "0")) - _LOWEST


def piano_roll(notes: list[Note]) -> np.ndarray:
    """Return the keys that sound on each quarter note, float32 `[steps, 88]`, without silence at the start and the end.

    A note that is held over several quarter notes is in all of them. A note between two quarter notes is in none.
    """
    spans = [(math.ceil(note.start), math.ceil(note.end), note.key) for note in notes]
    first, last = min(start for start, _, _ in spans), max(end for _, end, _ in spans)
    roll = np.zeros((last - first, KEYS), np.float32)
    for start, end, key in spans:
        roll[start - first : end - first, key] = 1
    return roll


# --------------------------------------------------------------------- user files

_VARIABLES = ("traindata", "validdata", "testdata")


def _matlab(path: str) -> list[list[np.ndarray]]:
    """Return the piano rolls of each split, from a MATLAB file."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        variables = loadmat(own_file(path), appendmat=False)
    except (OSError, ValueError, TypeError, MatReadError, NotImplementedError) as error:
        raise UserError(
            f"dataset.path={path}: cannot be read as a MATLAB file of version 7 or below; save it by scipy.io.savemat, "
            "or by MATLAB's save(…, '-v7')"
        ) from error
    missing = [name for name in _VARIABLES if name not in variables]
    if missing:
        there = ", ".join(name for name in variables if not name.startswith("__")) or "none"
        raise UserError(f"dataset.path={path}: expected variables {', '.join(_VARIABLES)}, got {there}")
    return [_rolls(f"dataset.path={path}, {name}", variables[name]) for name in _VARIABLES]


def _rolls(place: str, cells: Any) -> list[np.ndarray]:
    if cells.dtype != object:
        raise UserError(f"{place}: expected cells, one for each piece, got one array of shape {list(cells.shape)}")
    rolls = [np.asarray(cell) for cell in cells.ravel()]
    for number, roll in enumerate(rolls, start=1):
        if roll.ndim != 2 or roll.shape[1] != KEYS:
            raise UserError(f"{place}, piece {number}: expected shape [steps, {KEYS}], got {list(roll.shape)}")
        if not np.isin(roll, (0, 1)).all():
            raise UserError(f"{place}, piece {number}: expected 0 for silent keys and 1 for those that sound")
    if not any(len(roll) > 1 for roll in rolls):
        raise UserError(f"{place}: expected at least one piece of two steps or more")
    return [roll.astype(np.float32) for roll in rolls]
