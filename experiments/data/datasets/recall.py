"""Generated English texts whose last words ask for a fact from the first words."""

import functools
import re
from random import Random

import numpy as np

from ..baselines import majority
from ..outputs import Classes
from ..split import Split
from ..task import Task
from .long_range import generated

LANGUAGES = {
    "China": "Chinese", "Denmark": "Danish", "Finland": "Finnish", "France": "French", "Germany": "German",
    "Greece": "Greek", "Hungary": "Hungarian", "Iceland": "Icelandic", "Italy": "Italian", "Japan": "Japanese",
    "Korea": "Korean", "Norway": "Norwegian", "Poland": "Polish", "Portugal": "Portuguese", "Romania": "Romanian",
    "Russia": "Russian", "Spain": "Spanish", "Sweden": "Swedish", "Thailand": "Thai", "Turkey": "Turkish",
}  # fmt: skip
"""Language of each country. No language occurs twice."""

_FACTS = (
    "I grew up in", "I was born in", "I was raised in", "my family comes from", "my native country is",
    "my childhood home was",
)  # fmt: skip
"""Four words each; the country follows."""

_QUESTIONS = (
    "so I speak fluent", "my mother tongue is", "my first language was", "at home we spoke", "I still dream in",
    "I always count in", "my poems are in", "as children we learned",
)  # fmt: skip
"""Four words each; the language to predict follows."""

_SENTENCES = (
    "well", "anyway", "you know", "of course", "after all",
    "the {animal} {slept}", "nobody {found} anything",
    "the {small} {animal} {slept}", "{yesterday} the {baker} {slept}", "the {baker} {slept} {slowly}",
    "the {baker} {found} the {lamp}", "it rained all {morning} long", "every {animal} {slept} that {morning}",
    "{yesterday} the {animal} {found} the {lamp}", "the {small} {baker} {found} a {lamp}",
    "the {animal} {slept} {near} the {garden}", "somebody {slowly} {found} a {small} {lamp}",
    "the {baker} and the {animal} {slept} {slowly}", "one {morning} the {baker} {found} a {lamp}",
    "{yesterday} the {baker} {found} a {small} {lamp}", "the {lamp} was {small} and the {garden} {small}",
    "the {baker} {found} the {lamp} {near} the {garden}", "the {small} {baker} {slowly} {found} the {small} {lamp}",
    "{yesterday} a {small} {animal} {slept} {near} the {garden}",
    "that {morning} the {small} {baker} {found} the {lamp} {slowly}",
    "the {baker} who {slept} {near} the {garden} {found} a {lamp}",
    "while the {animal} {slept} the {baker} {found} a {small} {lamp}",
)  # fmt: skip
"""Sentences that fill the gap. A word in braces is replaced by a random word of the same kind in `_KINDS`."""

_KINDS = {
    "baker": "baker teacher sailor farmer doctor painter gardener neighbour driver singer captain tailor",
    "animal": "animal dog cat horse fox goat duck parrot donkey",
    "lamp": "lamp boat kettle basket letter hammer violin bicycle ladder blanket clock carpet",
    "garden": "garden kitchen harbour market forest village library station valley attic",
    "small": "small green quiet heavy bright clever broken round tired gentle dusty young",
    "slept": "slept waited laughed sang vanished returned smiled stumbled",
    "found": "found carried painted repaired sold forgot borrowed noticed cleaned dropped",
    "slowly": "slowly quietly happily carefully suddenly again",
    "near": "near behind inside beyond outside",
    "morning": "morning evening Monday Friday summer winter",
    "yesterday": "yesterday later sometimes finally meanwhile once",
}
_WORDS = {kind: words.split() for kind, words in _KINDS.items()}

VOCABULARY = tuple(
    sorted(
        set(" ".join((*LANGUAGES, *_FACTS, *_QUESTIONS, *_KINDS.values(), *_SENTENCES)).split())
        - {f"{{{kind}}}" for kind in _KINDS}
    )
)
"""All words in alphabetical order. The index of a word is its symbol."""


def recall(seed: int, gap: int, train_size: int, validation_size: int, test_size: int) -> Task:
    """Return the recall problem: *I grew up in France … so I speak fluent* what?

    The country is the fifth word. It is followed by `gap` words of unrelated sentences, such as *the painter carried a
    lamp*, and by four words that ask for the language. The target is one of twenty languages. The network must remember
    the country for gap + 4 words. The task measures the accuracy as a function of the gap, for example with
    `dataset.gap=10,20,40,80`.

    The inputs are words of `VOCABULARY`, which is the same for all seeds. There is no punctuation. All sequences have
    gap + 9 words.

    Args:
        seed: seed of the run. Each seed generates different sentences.
        gap: number of words between the country and the question.
        train_size, validation_size, test_size: number of sequences. No sequence is in two splits.
    """
    parts = generated(
        seed, (train_size, validation_size, test_size), lambda random, size: _recall(random, size, gap), apart="inputs"
    )
    output = Classes(len(LANGUAGES), names=tuple(LANGUAGES.values()))
    return Task(*parts, output, (majority(len(LANGUAGES)),), VOCABULARY, solved=("accuracy", 0.99))


def _recall(random: np.random.Generator, size: int, gap: int) -> Split:
    choose = Random(int(random.integers(2**63)))
    symbol = {word: number for number, word in enumerate(VOCABULARY)}
    countries = list(LANGUAGES)
    targets = random.integers(len(countries), size=size, dtype=np.int32)
    texts = (
        [*choose.choice(_FACTS).split(), countries[target], *_filler(choose, gap), *choose.choice(_QUESTIONS).split()]
        for target in targets
    )
    return Split(np.array([[symbol[word] for word in text] for text in texts], np.int32), targets)


def _filler(choose: Random, gap: int) -> list[str]:
    """Return the words of random sentences, `gap` words in total."""
    words: list[str] = []
    while len(words) < gap:
        sentence = choose.choice(_fitting(gap - len(words)))
        words += re.sub("{(.*?)}", lambda kind: choose.choice(_WORDS[kind[1]]), sentence).split()
    return words


@functools.cache
def _fitting(room: int) -> list[str]:
    """Return the sentences that fill `room` words exactly, or leave at least the three words of a complete sentence."""
    lengths = {sentence: len(sentence.split()) for sentence in _SENTENCES}
    return [sentence for sentence, length in lengths.items() if length == room or length <= room - 3]
