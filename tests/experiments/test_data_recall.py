"""Sentences that ask for what was said at the beginning."""

import re

import numpy as np
import pytest

from rnnscope.experiments.data import load
from rnnscope.experiments.data.datasets.recall import LANGUAGES, VOCABULARY

SIZES = ("train_size=300", "validation_size=150", "test_size=160")


@pytest.fixture
def task_of(compose):
    """`recall` with options."""
    return lambda *options, seed=3: load(
        compose("dataset=recall", *(f"dataset.{option}" for option in options)).dataset, seed
    )


def sentences(task, part):
    return [" ".join(task.symbols[word] for word in row) for row in part.inputs]


@pytest.mark.parametrize("gap", [0, 1, 2, 3, 4, 5, 17, 30, 200])
def test_a_country_a_gap_of_just_so_many_words_and_a_question_for_its_language(task_of, gap):
    task = task_of(f"gap={gap}", *SIZES)
    assert [len(part) for part in task.parts] == [300, 150, 160]
    for part in task.parts:
        assert part.inputs.shape[1] == gap + 9
        assert part.mask is None
        for sentence, target in zip(sentences(task, part), part.targets, strict=True):
            words = sentence.split()
            country, filler, question = words[4], words[5 : 5 + gap], " ".join(words[5 + gap :])
            assert task.output.names[target] == LANGUAGES[country]
            assert re.fullmatch("(I|my) .*", sentence)
            assert not {*LANGUAGES, *LANGUAGES.values()} & {word.capitalize() for word in filler}
            assert re.fullmatch("so I speak fluent|(my|I|at|as) .* (is|was|spoke|in|learned)", question), (
                "the language would be the next word"
            )


def test_every_country_has_a_language_of_its_own_which_no_sentence_tells(task_of):
    assert len(LANGUAGES) == len(set(LANGUAGES.values())) == 20
    assert set(LANGUAGES) < set(VOCABULARY)
    assert not set(LANGUAGES.values()) & set(VOCABULARY)
    task = task_of()
    assert set(task.output.names) == set(LANGUAGES.values())
    assert set(task.train.targets) == set(range(20))


def test_words_are_the_same_symbols_for_every_seed_and_gap(task_of):
    assert list(VOCABULARY) == sorted(set(VOCABULARY))
    assert all(re.fullmatch("[A-Za-z]+", word) for word in VOCABULARY)
    assert task_of("gap=7", *SIZES, seed=1).symbols == task_of("gap=9", *SIZES, seed=2).symbols == VOCABULARY
    used = np.unique(task_of("gap=60").train.inputs)
    assert set(VOCABULARY) - {VOCABULARY[word] for word in used} <= {"well", "anyway"}


@pytest.mark.parametrize("gap", [0, 1, 3, 30])
def test_no_sentence_is_in_two_parts(task_of, gap):
    task = task_of(f"gap={gap}")
    train, validation, test = (set(sentences(task, part)) for part in task.parts)
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_gaps_are_filled_in_many_ways_with_whole_sentences(task_of):
    task = task_of("gap=30")
    gaps = [" ".join(sentence.split()[5:35]) for sentence in sentences(task, task.train)]
    assert len(set(gaps)) > 0.999 * len(gaps)
    assert len({gap.split()[0] for gap in gaps}) > 10
    assert len({gap.split()[-1] for gap in gaps}) > 50
    assert not [gap for gap in gaps if re.search(" (a|the|and|who|near|that|was|of|after)$", gap)]
    assert not [gap for gap in gaps if re.search(r"\ba [aeiou]", gap)]


def test_facts_and_questions_have_several_forms_which_do_not_give_the_answer_away(task_of):
    task = task_of()
    words = [sentence.split() for sentence in sentences(task, task.train)]
    assert len({tuple(sentence[:4]) for sentence in words}) == 6
    questions = [" ".join(sentence[-4:]) for sentence in words]
    assert len(set(questions)) == 8
    for question in set(questions):
        languages = task.train.targets[[asked == question for asked in questions]]
        assert np.bincount(languages, minlength=20).max() < 3 * len(languages) / 20


def test_sentences_follow_from_the_seed_and_a_part_does_not_depend_on_the_size_of_another(task_of):
    task, again, other = (task_of(*SIZES, seed=seed) for seed in (1, 1, 2))
    less = task_of("train_size=10", "validation_size=150", "test_size=7", seed=1)
    for part, same, different in zip(task.parts, again.parts, other.parts, strict=True):
        np.testing.assert_array_equal(part.inputs, same.inputs)
        np.testing.assert_array_equal(part.targets, same.targets)
        assert not np.array_equal(part.inputs, different.inputs)
    np.testing.assert_array_equal(less.validation.inputs, task.validation.inputs)


def test_guessing_is_right_once_in_twenty_times(task_of):
    task = task_of("gap=0", "test_size=4000")
    scores = task.baseline_metrics(task.test)["majority class"]
    most = np.bincount(task.train.targets).argmax()
    assert scores["accuracy"] == np.mean(task.test.targets == most)
    assert scores["accuracy"] < 0.1
    assert task.solved == ("accuracy", 0.99)
