"""Sequences to classify that install with a package."""

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
"""By language, the locale whose surnames Faker has: ten with a few hundred of them or more, in Latin letters."""


def mnist1d(shuffled: bool) -> Task:
    """MNIST-1D: ten shapes, moved, stretched and blurred, of 40 steps each (Greydanus & Kobak 2024; package mnist1d).

    The package makes the published 4000 examples to learn from, one in ten of which are held out for validation, and
    1000 to test. All have mean 0 and standard deviation 1 together.

    Args:
        shuffled: the steps of all examples in one other order, the package's own.
    """
    from mnist1d.data import get_dataset_args, make_dataset

    options = get_dataset_args()
    options.shuffle_seq = shuffled
    before, before_of_numpy = random.getstate(), np.random.get_state()
    try:
        made = make_dataset(options)  # seeds both global generators
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
    """Two vowels, /ae/, said by nine men: who speaks? (Kudo, Toyama & Shimbo 1999; files of the package aeon)

    7 to 29 steps of 12 LPC cepstrum coefficients. 270 utterances to learn from, one in five of which are held out
    for validation, and 370 to test.
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
    """What a .ts file says: below @data a line for each example, its dimensions and its class separated by colons.

    Returns:
        Examples, float32 `[steps, 12]` each, and their classes from 0.
    """
    utterances, targets = [], []
    for line in text.partition("@data\n")[2].split():
        *dimensions, label = line.split(":")
        utterances.append(np.array([dimension.split(",") for dimension in dimensions], np.float32).T)
        targets.append(int(label) - 1)
    return utterances, np.array(targets, np.int32)


def surnames() -> Task:
    """Surnames of ten languages, letter by letter: which language? (package Faker)

    Names that are used in several of the languages have no right answer and are left out; two that differ in capital
    letters alone are one. One in five is to test, one in eight of the others to validate.
    """
    languages: dict[str, set[str]] = {}
    spelling: dict[str, str] = {}
    for language, locale in LANGUAGES.items():
        for name in importlib.import_module(f"faker.providers.person.{locale}").Provider.last_names:
            languages.setdefault(name.casefold(), set()).add(language)
            spelling.setdefault(name.casefold(), name)
    classes = {name: next(iter(used)) for name, used in sorted(languages.items()) if len(used) == 1}
    characters = sorted(set("".join(spelling[name] for name in classes)))
    symbols = ("", *characters)  # 0 is the padding
    numbers = {character: number for number, character in enumerate(symbols)}
    names = [np.array([numbers[character] for character in spelling[name]], np.int32) for name in classes]
    targets = np.array([list(LANGUAGES).index(language) for language in classes.values()], np.int32)
    rest, test = held_out(padded(names, targets, max(map(len, names))), one_in=5)
    train, validation = held_out(rest, one_in=8)
    output = Classes(len(LANGUAGES), names=tuple(LANGUAGES))
    baselines = (majority(output.size), naive_bayes(len(symbols), output.size, "naive Bayes on letters"))
    return Task(train, validation, test, output, baselines, symbols=symbols)
