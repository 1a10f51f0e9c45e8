"""Text against the text that it was made of."""

import math
import re
from collections import Counter
from itertools import chain, pairwise
from pydoc_data.topics import topics

import numpy as np
import pytest

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.data import load
from rnnscope.experiments.data.datasets.text import next_character

UNKNOWN = "\ufffd"


def read_back(task, part):
    """The text of a part: its inputs, and the last target."""
    return "".join(task.symbols[number] for number in [*part.inputs.ravel(), part.targets[-1, -1]])


@pytest.fixture
def own(compose, tmp_path):
    """Loads a file of the given content; further arguments are overrides."""

    def loaded(content, *overrides):
        path = tmp_path / "own.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(compose("dataset=text_chars", f"dataset.path={path}", *overrides).dataset, seed=1)

    return loaded


@pytest.fixture(scope="module")
def sentences():
    draw = np.random.default_rng(0)
    return "".join(draw.choice(list("abc de\n"), 2000))


def test_a_text_is_cut_into_three_stretches_and_these_into_examples(own, sentences):
    task = own(sentences, "dataset.length=7")
    for part, stretch in zip(task.parts, (sentences[:1600], sentences[1600:1800], sentences[1800:]), strict=True):
        text = read_back(task, part)
        assert stretch.startswith(text)
        assert len(stretch) - len(text) < 7
        assert part.inputs.shape[1] == 7
        np.testing.assert_array_equal(part.inputs.ravel()[1:], part.targets.ravel()[:-1])


def test_the_alphabet_is_that_of_the_training_part(own, sentences):
    task = own(sentences, "dataset.length=10")
    assert task.symbols == (*sorted(set(sentences[:1600])), UNKNOWN)
    assert task.output.size == len(task.symbols)
    assert task.output.names == task.symbols


def test_characters_that_are_only_in_later_parts_are_unknown(own, sentences):
    text = sentences[:1650] + "é" + sentences[1650:1850] + "😀" + sentences[1850:]
    task = own(text, "dataset.length=9")
    first, second = 1602, 1802  # of 2002 characters
    assert UNKNOWN not in read_back(task, task.train)
    assert read_back(task, task.validation).index(UNKNOWN) == text.index("é") - first
    assert read_back(task, task.test).index(UNKNOWN) == text.index("😀") - second


def test_an_alphabet_has_at_most_500_characters_the_most_frequent_ones():
    rare, frequent = map(chr, range(0x4E00, 0x4E00 + 100)), [chr(code) for code in range(0x5000, 0x5000 + 500)]
    text = "".join(rare) + "".join(frequent) * 2
    task = next_character((text, text, text), length=10, stateful=False)
    assert task.symbols == (*frequent, UNKNOWN)
    assert read_back(task, task.train) == (UNKNOWN * 100 + text[100:])[: 10 * len(task.train) + 1]


def test_line_ends_and_a_byte_order_mark_leave_no_trace(own):
    lines = "one two\nthree\n" * 50
    written = b"\xef\xbb\xbf" + lines.replace("\n", "\r\n").encode()
    task, plain = own(written, "dataset.length=10"), own(lines, "dataset.length=10")
    assert task.symbols == plain.symbols
    np.testing.assert_array_equal(task.train.inputs, plain.train.inputs)


@pytest.mark.slow  # needs music21
@pytest.mark.parametrize("stateful", [True, False])
def test_examples_follow_one_another_whether_states_are_kept_or_not(compose, stateful):
    for dataset in ("text_chars", "tunes"):
        task = load(compose(f"dataset={dataset}", f"dataset.stateful={stateful}").dataset, seed=1)
        assert task.signature.stateful is stateful
        assert task.ordered
        np.testing.assert_array_equal(task.train.inputs[1:, 0], task.train.targets[:-1, -1])


def test_unigram_and_bigram_are_the_training_parts_counts(own, sentences):
    task = own(sentences[:1900] + "ü" * 100, "dataset.length=10")
    train, size = read_back(task, task.train), len(task.symbols)
    first, pairs, follow = Counter(train[1:]), Counter(pairwise(train)), Counter(train[:-1])
    test = read_back(task, task.test)
    unigram = [math.log2((first[b] + 1) / (len(train) - 1 + size)) for b in test[1:]]
    bigram = [math.log2((pairs[a, b] + 1) / (follow[a] + size)) for a, b in pairwise(test)]
    scores = task.baseline_metrics(task.test)
    assert scores["unigram"]["bits_per_character"] == pytest.approx(-np.mean(unigram))
    assert scores["bigram"]["bits_per_character"] == pytest.approx(-np.mean(bigram))
    assert scores["bigram"]["perplexity"] == pytest.approx(2 ** -np.mean(bigram))


# ----------------------------------------------------------------- Python's help


def test_pythons_help_has_every_paragraph_once(compose):
    task = load(compose("dataset=text_chars", "dataset.length=1").dataset, seed=1)
    text = "".join(read_back(task, part)[:-1] for part in task.parts)
    for topic in topics.values():
        for paragraph in topic.strip().split("\n\n"):
            inside = paragraph.strip("\n")
            # Parts end within a paragraph, and lose their last character to the targets.
            assert inside[:40].strip() in text or inside[-40:].strip() in text
    assert len(text) < sum(map(len, topics.values()))


def test_no_long_passage_of_pythons_help_is_in_two_parts(compose):
    task = load(compose("dataset=text_chars").dataset, seed=1)
    passages = []
    for part in task.parts:
        text = " ".join(read_back(task, part).split())
        passages.append({text[start : start + 100] for start in range(len(text) - 100)})
    assert not passages[0] & passages[1]
    assert not passages[0] & passages[2]
    assert not passages[1] & passages[2]


# ------------------------------------------------------------------------- tunes


@pytest.fixture(scope="module")
def tunes():
    from rnnscope.experiments.data.datasets.text import tunes

    task = tunes(length=1, stateful=False)
    return [f"{read_back(task, part)}\n".strip("\n").split("\n\n") for part in task.parts]


@pytest.mark.slow  # needs music21
def test_every_tune_can_be_played(tunes):
    assert [len(part) for part in tunes] == [1472, 183, 183]
    for tune in chain(*tunes):
        assert re.match(r"X:\d+\n(T:.*\n)+((M|L|T):.*\n)*K:.+\n[^:]", tune), tune
        assert not re.search(r"^[A-JN-SU-WYZa-z]:", tune, flags=re.MULTILINE)
        assert "%" not in tune


@pytest.mark.slow  # needs music21
def test_no_tune_is_in_two_parts_nor_twice_in_one(tunes):
    numbers = Counter(re.match(r"X:(\d+)", tune)[1] for tune in chain(*tunes))
    notes = Counter("".join(tune.partition("\nK:")[2].split()) for tune in chain(*tunes))
    assert max(numbers.values()) == max(notes.values()) == 1


@pytest.mark.slow  # needs music21
def test_a_tune_keeps_its_notes(tunes):
    assert "X:3\nT:The Little Heathy Hill\nM:C\nL:1/8\nK:Gm\nB/2-c/2 | d2 d>-c B2 A-B |" in "\n".join(chain(*tunes))
    assert sum(line.startswith("|:") for tune in chain(*tunes) for line in tune.splitlines()) > 300


@pytest.mark.slow  # needs music21
def test_tunes_have_one_alphabet_and_a_fixed_split(compose):
    config = compose("dataset=tunes").dataset
    one, other = load(config, 1), load(config, 2)
    assert len(one.symbols) == 91
    np.testing.assert_array_equal(one.test.inputs, other.test.inputs)
    assert one.train.inputs.shape[1] == 100


# ------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "own.txt: the file is empty"),
        (b" \n\n", "own.txt: the file is empty"),
        ("naïve ".encode() + "naïve".encode("latin1"), "expected text in UTF-8, got 0xef at byte 9; convert it"),
        ("x" * 1009, "own.txt: 1009 characters are too few for dataset.length=100; expected 1010 or more"),
    ],
)
def test_a_file_that_is_no_text_to_learn_from_is_named(own, content, message):
    with pytest.raises(UserError, match=message) as raised:
        own(content)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("length", [1, 7, 100])
def test_the_number_of_characters_that_is_asked_for_is_enough(own, length):
    with pytest.raises(UserError) as raised:
        own("x", f"dataset.length={length}")
    enough = int(re.search(r"expected (\d+)", str(raised.value))[1])
    assert len(own("x" * enough, f"dataset.length={length}").test) == 1
    with pytest.raises(UserError, match="too few"):
        own("x" * (enough - 1), f"dataset.length={length}")


def test_a_file_that_cannot_be_read_is_named(compose, tmp_path):
    for path, message in (
        (tmp_path / "none.txt", "there is no such file"),
        (tmp_path, "expected a file, got a folder"),
    ):
        with pytest.raises(UserError, match=message):
            load(compose("dataset=text_chars", f"dataset.path={path}").dataset, seed=1)
