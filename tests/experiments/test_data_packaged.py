"""Classification from packages against what the packages hold."""

import importlib
import random
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy.special import log_softmax

from rnnscope.experiments.data import Split, load
from rnnscope.experiments.data.baselines import naive_bayes
from rnnscope.experiments.data.datasets.packaged import LANGUAGES
from rnnscope.experiments.data.outputs import Classes
from rnnscope.experiments.data.paths import package_folder
from rnnscope.experiments.data.split import held_out, padded

pytestmark = pytest.mark.slow  # its packages come with the extra `data`


def rows(*splits):
    return Counter(
        (sequence.tobytes(), int(target))
        for part in splits
        for sequence, target in zip(part.inputs, part.targets, strict=True)
    )


# ----------------------------------------------------------------------- mnist1d


@pytest.fixture(scope="module")
def published():
    from mnist1d.data import make_dataset

    made = make_dataset()
    return {name: made[name] for name in ("x", "y", "x_test", "y_test")}


def test_mnist1d_is_what_its_package_makes(compose, published):
    task = load(compose("dataset=mnist1d").dataset, seed=1)
    assert [part.inputs.shape for part in task.parts] == [(3600, 40, 1), (400, 40, 1), (1000, 40, 1)]
    np.testing.assert_array_equal(task.test.inputs[..., 0], published["x_test"].astype("float32"))
    np.testing.assert_array_equal(task.test.targets, published["y_test"])
    learn = Split(published["x"].astype("float32"), published["y"])
    assert rows(task.train, task.validation) == rows(learn)
    assert np.ptp(np.bincount(task.validation.targets)) <= 2


def test_shuffled_mnist1d_has_its_steps_in_one_other_order(compose):
    plain, shuffled = (
        load(compose("dataset=mnist1d", f"dataset.shuffled={flag}").dataset, seed=1) for flag in (False, True)
    )
    steps = [plain.train.inputs[:, t].tobytes() for t in range(40)]
    order = [steps.index(shuffled.train.inputs[:, t].tobytes()) for t in range(40)]
    assert sorted(order) == list(range(40)) != order
    for before, after in zip(plain.parts, shuffled.parts, strict=True):
        np.testing.assert_array_equal(before.inputs[:, order], after.inputs)
        np.testing.assert_array_equal(before.targets, after.targets)


def test_making_mnist1d_leaves_the_global_randomness_alone(compose, published):
    from mnist1d.data import get_dataset_args

    config = compose("dataset=mnist1d").dataset
    random.seed(5)
    np.random.seed(6)
    expected = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(6)
    first = load(config, seed=1)
    assert (random.random(), np.random.random()) == expected
    np.testing.assert_array_equal(first.train.inputs, load(config, seed=2).train.inputs)
    assert get_dataset_args().shuffle_seq is False


# --------------------------------------------------------------- japanese vowels


@pytest.fixture
def vowels(compose):
    return load(compose("dataset=japanese_vowels").dataset, seed=1)


def test_japanese_vowels_are_the_utterances_of_the_files(vowels):
    folder = package_folder("aeon") / "datasets" / "data" / "JapaneseVowels"
    for file, read in (("TRAIN", vowels.train), ("TEST", vowels.test)):
        examples = {
            np.array(sequence[mask], "float32").tobytes(): target
            for sequence, mask, target in zip(read.inputs, read.mask, read.targets, strict=True)
        }
        lines = (folder / f"JapaneseVowels_{file}.ts").read_text().split("@data\n")[1].splitlines()
        found = 0
        for line in lines:
            series = [[float(number) for number in part.split(",")] for part in line.split(":")[:-1]]
            target = examples.get(np.array(series, "float32").T.tobytes())
            found += target is not None
            assert target in (None, int(line[-1]) - 1)
        assert found == len(read)


def test_japanese_vowels_have_the_published_sizes(vowels):
    assert np.bincount(vowels.train.targets).tolist() == [24] * 9
    assert np.bincount(vowels.validation.targets).tolist() == [6] * 9
    assert np.bincount(vowels.test.targets).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    lengths = np.concatenate([part.mask.sum(axis=1) for part in vowels.parts])
    assert (lengths.min(), lengths.max()) == (7, 29)
    assert vowels.train.inputs.shape == (216, 29, 12)
    assert vowels.output.names[0] == "speaker 1"


def test_utterances_are_followed_by_steps_that_are_masked(vowels):
    for part in vowels.parts:
        assert (np.diff(part.mask.astype(int), axis=1) <= 0).all()
        assert not part.inputs[~part.mask].any()
        assert part.inputs[part.mask].any(axis=1).all()


def test_no_utterance_is_in_two_parts(vowels):
    assert max(rows(*vowels.parts).values()) == 1


def test_utterances_are_standardised_without_their_padding(vowels):
    there = vowels.train.inputs[vowels.train.mask]
    np.testing.assert_allclose(vowels.input_mean, there.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(vowels.input_scale, there.std(axis=0), rtol=1e-4)


# ---------------------------------------------------------------------- surnames


@pytest.fixture
def surnames(compose):
    return load(compose("dataset=surnames").dataset, seed=1)


def names(task, part):
    return [
        ("".join(task.symbols[number] for number in sequence[mask]), task.output.names[target])
        for sequence, mask, target in zip(part.inputs, part.mask, part.targets, strict=True)
    ]


def test_surnames_are_those_of_one_language(surnames):
    used = {
        language: {name.casefold() for name in _provider(locale).last_names} for language, locale in LANGUAGES.items()
    }
    assert surnames.output.names == tuple(used)
    found = [name for part in surnames.parts for name in names(surnames, part)]
    for name, language in found:
        assert [other for other in used if name.casefold() in used[other]] == [language]
    several = set().union(*(used[a] & used[b] for a, b in combinations(used, 2)))
    assert {name.casefold() for name, _ in found} == set().union(*used.values()) - several
    assert "thomas" in several


def _provider(locale):
    return importlib.import_module(f"faker.providers.person.{locale}").Provider


def test_no_surname_is_in_two_parts(surnames):
    found = Counter(name.casefold() for part in surnames.parts for name, _ in names(surnames, part))
    assert max(found.values()) == 1


def test_every_language_has_its_share_in_every_part(surnames):
    of_all = sum(np.bincount(part.targets) for part in surnames.parts)
    assert of_all.min() > 250
    np.testing.assert_allclose(np.bincount(surnames.test.targets), of_all / 5, atol=1)
    np.testing.assert_allclose(np.bincount(surnames.validation.targets), of_all / 10, atol=1)


def test_surnames_keep_their_capitals_and_are_padded_with_symbol_0(surnames):
    assert surnames.symbols[0] == ""
    assert len(set(surnames.symbols)) == len(surnames.symbols)
    assert ("Schäfer", "German") in [name for part in surnames.parts for name in names(surnames, part)]
    for part in surnames.parts:
        np.testing.assert_array_equal(part.inputs != 0, part.mask)
        assert (np.diff(part.mask.astype(int), axis=1) <= 0).all()


def test_letters_alone_tell_more_than_the_most_frequent_language(surnames):
    scores = surnames.baseline_metrics(surnames.test)
    most = np.bincount(surnames.train.targets).argmax()
    assert scores["majority class"]["accuracy"] == pytest.approx(np.mean(surnames.test.targets == most))
    assert scores["naive Bayes on letters"]["accuracy"] > 2 * scores["majority class"]["accuracy"]


# ------------------------------------------------------------------- in general


def test_naive_bayes_counts_the_symbols_of_each_class():
    draw = np.random.default_rng(0)
    lengths = draw.integers(1, 6, 60)
    mask = np.arange(5) < lengths[:, None]
    split = Split(draw.integers(1, 4, (60, 5)) * mask, draw.integers(0, 3, 60), mask)
    train, test = split[:40], split[40:]
    logits = naive_bayes(4, 3).fit(train)(test)
    for sequence, there, logit in zip(test.inputs, test.mask, logits, strict=True):
        expected = []
        for label in range(3):
            mine = train.targets == label
            own = train.inputs[mine][train.mask[mine]].tolist()
            likelihood = np.prod([(own.count(s) + 1) / (len(own) + 4) for s in sequence[there]])
            expected.append(likelihood * (mine.sum() + 1) / (40 + 3))
        np.testing.assert_allclose(log_softmax(logit), np.log(expected / np.sum(expected)))


def test_naive_bayes_reads_sequences_without_a_mask():
    train = Split(np.array([[0, 0], [1, 1]]), np.array([0, 1]))
    assert naive_bayes(2, 2).fit(train)(train).argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("one_in", [2, 5, 10])
def test_what_is_held_out_is_a_share_of_every_class(one_in):
    targets = np.random.default_rng(1).choice(4, 300, p=[0.7, 0.2, 0.07, 0.03])
    rest, chosen = held_out(Split(np.arange(300)[:, None], targets), one_in)
    assert sorted([*rest.inputs[:, 0], *chosen.inputs[:, 0]]) == list(range(300))
    np.testing.assert_allclose(np.bincount(chosen.targets, minlength=4), np.bincount(targets) / one_in, atol=1)
    np.testing.assert_array_equal(targets[chosen.inputs[:, 0]], chosen.targets)
    np.testing.assert_array_equal(held_out(Split(np.arange(300)[:, None], targets), one_in)[1].inputs, chosen.inputs)


def test_padding_follows_each_sequence():
    split = padded([np.array([[1.0, 2]]), np.array([[3.0, 4], [5, 6]])], np.array([7, 8]), 3)
    assert split.inputs.tolist() == [[[1, 2], [0, 0], [0, 0]], [[3, 4], [5, 6], [0, 0]]]
    assert split.mask.tolist() == [[True, False, False], [True, True, False]]
    assert split.targets.tolist() == [7, 8]


@pytest.mark.parametrize("dataset", ["japanese_vowels", "surnames"])
def test_the_parts_are_the_same_for_every_seed(compose, dataset):
    config = compose(f"dataset={dataset}").dataset
    for one, other in zip(load(config, 1).parts, load(config, 2).parts, strict=True):
        np.testing.assert_array_equal(one.inputs, other.inputs)
    assert type(load(config, 1).output) is Classes
