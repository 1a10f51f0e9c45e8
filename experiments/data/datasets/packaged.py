"""Classification datasets that are installed with a package."""

import importlib
import random

import numpy as np

from ..baselines import majority, naive_bayes
from ..outputs import Classes
from ..paths import package_folder
from ..split import Split, held_out, padded
from ..task import Task

LANGUAGES = {
    "Dutch": "nl_NL",
    "English": "en_GB",
    "Finnish": "fi_FI",
    "French": "fr_FR",
    "German": "de_DE",
    "Irish": "ga_IE",
    "Italian": "it_IT",
    "Slovak": "sk_SK",
    "Spanish": "es_ES",
    "Swedish": "sv_SE",
}
"""Faker's locale of each language. These ten have several hundred surnames or more, in Latin letters."""


def mnist1d(shuffled: bool) -> Task:
    """Return MNIST-1D: ten shapes, shifted, stretched and blurred, of 40 timesteps each (Greydanus & Kobak 2024).

    The package mnist1d generates the published examples: 4000 for training and validation, of which one in ten is used
    for validation, and 1000 for testing. Over all examples, the mean is 0 and the standard deviation is 1.

    Args:
        shuffled: whether to permute the timesteps of all examples, with the fixed permutation of the package.
    """
    from mnist1d.data import get_dataset_args, make_dataset

    options = get_dataset_args()
    options.shuffle_seq = shuffled
    before, before_of_numpy = random.getstate(), np.random.get_state()
    try:
        made = make_dataset(options)  # sets the seeds of both global generators
    finally:
        random.setstate(before)
        np.random.set_state(before_of_numpy)
    learn, test = (
        Split(made[x].astype(np.float32)[:, :, None], made[y].astype(np.int32))
        for x, y in (("x", "y"), ("x_test", "y_test"))
    )
    train, validation = held_out(learn, one_in=10)
    return Task(train, validation, test, Classes(10), (majority(10),), features=("signal",))


def japanese_vowels() -> Task:
    """Return the task of recognizing which of nine men speaks two vowels, /ae/ (Kudo, Toyama & Shimbo 1999).

    The utterances are files of the package aeon, with 7 to 29 timesteps of 12 LPC cepstrum coefficients. There are 270
    for training and validation, of which one in five is used for validation, and 370 for testing.
    """
    folder = package_folder("aeon") / "datasets" / "data" / "JapaneseVowels"
    read = {part: _utterances((folder / f"JapaneseVowels_{part}.ts").read_text("utf-8")) for part in ("TRAIN", "TEST")}
    steps = max(len(utterance) for utterances, _ in read.values() for utterance in utterances)
    learn, test = (padded(utterances, targets, steps) for utterances, targets in read.values())
    train, validation = held_out(learn, one_in=5)
    output = Classes(9, names=tuple(f"speaker {number}" for number in range(1, 10)))
    features = tuple(f"coefficient {number}" for number in range(1, 13))
    return Task(train, validation, test, output, (majority(9),), features=features, standardise=True)


def _utterances(text: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Read the text of a .ts file. After @data, each line is an example: dimensions and class, separated by colons.

    Returns:
        The examples, float32 `[steps, 12]` each, and their classes, starting at 0.
    """
    utterances, targets = [], []
    for line in text.partition("@data\n")[2].split():
        *dimensions, label = line.split(":")
        utterances.append(np.array([dimension.split(",") for dimension in dimensions], np.float32).T)
        targets.append(int(label) - 1)
    return utterances, np.array(targets, np.int32)


def surnames() -> Task:
    """Return the task of classifying surnames by their language, letter by letter (package Faker).

    Names that occur in several of the ten languages have no unique class and are left out. Names that differ only in
    capitalization are merged. One in five names is used for testing, and one in eight of the others for validation.
    """
    languages: dict[str, set[str]] = {}
    spelling: dict[str, str] = {}
    for language, locale in LANGUAGES.items():
        for name in importlib.import_module(f"faker.providers.person.{locale}").Provider.last_names:
            languages.setdefault(name.casefold(), set()).add(language)
            spelling.setdefault(name.casefold(), name)
    classes = {name: next(iter(used)) for name, used in sorted(languages.items()) if len(used) == 1}
    characters = sorted(set("".join(spelling[name] for name in classes)))
    symbols = ("", *characters)  # symbol 0 is the padding
    numbers = {character: number for number, character in enumerate(symbols)}
    names = [np.array([numbers[character] for character in spelling[name]], np.int32) for name in classes]
    targets = np.array([list(LANGUAGES).index(language) for language in classes.values()], np.int32)
    rest, test = held_out(padded(names, targets, max(map(len, names))), one_in=5)
    train, validation = held_out(rest, one_in=8)
    output = Classes(len(LANGUAGES), names=tuple(LANGUAGES))
    baselines = (majority(output.size), naive_bayes(len(symbols), output.size, "naive Bayes on letters"))
    return Task(train, validation, test, output, baselines, symbols=symbols)
