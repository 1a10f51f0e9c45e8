"""Datasets from the internet, in the formats in which they come from there, and what is said without internet."""

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.data import Split, load
from rnnscope.experiments.data.datasets.online import download, images, texts

ROOT = Path(__file__).parents[2]
WORDS = ["the", "film", "good", "bad", "not", "a", "plot", "long", "actor", "zyzzyva"]


# ----------------------------------------------------- files as they are on the internet


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keras's cache, where files made by the tests are taken for those of the internet."""
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.validate_file", lambda *_, **__: True)
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


def ragged(draw, size):
    """Sequences of ranks, as an array of lists; the most frequent word has rank 1."""
    made = np.empty(size, object)
    for number in range(size):
        made[number] = draw.integers(1, len(WORDS) + 1, draw.integers(1, 12)).tolist()
    return made


@pytest.fixture
def mnist(cache):
    draw = np.random.default_rng(0)
    made = {}
    for part, size in (("train", 10_050), ("test", 30)):
        made[f"x_{part}"] = draw.integers(0, 256, (size, 28, 28), np.uint8)
        made[f"y_{part}"] = draw.integers(0, 10, size, np.uint8)
    np.savez(cache / "mnist.npz", **made)
    return made


@pytest.fixture
def imdb(cache):
    draw = np.random.default_rng(1)
    made = {}
    for part, size in (("train", 100), ("test", 40)):
        made[f"x_{part}"], made[f"y_{part}"] = ragged(draw, size), draw.integers(0, 2, size)
    np.savez(cache / "imdb.npz", **made)
    (cache / "imdb_word_index.json").write_text(json.dumps({word: rank for rank, word in enumerate(WORDS, start=1)}))
    return made


@pytest.fixture
def reuters(cache):
    draw = np.random.default_rng(2)
    made = {"x": ragged(draw, 300), "y": draw.integers(0, 46, 300)}
    np.savez(cache / "reuters.npz", **made)
    (cache / "reuters_word_index.json").write_text(json.dumps({word: rank for rank, word in enumerate(WORDS, start=1)}))
    return made


def test_mnist_is_read_row_by_row_and_its_last_10000_images_validate(compose, mnist):
    task = load(compose("dataset=mnist_pixels").dataset, seed=1)
    assert [part.inputs.shape for part in task.parts] == [(50, 784, 1), (10_000, 784, 1), (30, 784, 1)]
    learn = np.concatenate([task.train.inputs, task.validation.inputs])
    np.testing.assert_allclose(learn[..., 0] * 255, mnist["x_train"].reshape(-1, 784), rtol=1e-6)
    np.testing.assert_allclose(task.test.inputs[..., 0] * 255, mnist["x_test"].reshape(-1, 784), rtol=1e-6)
    assert (task.test.inputs.min(), task.test.inputs.max()) == (0, 1)
    np.testing.assert_array_equal(task.train.targets, mnist["y_train"][:50])
    np.testing.assert_array_equal(task.test.targets, mnist["y_test"])


def test_permuted_mnist_has_one_permutation_for_all_images_and_all_seeds(compose, mnist):
    plain = load(compose("dataset=mnist_pixels").dataset, seed=1)
    permuted = load(compose("dataset=mnist_pixels", "dataset.permuted=true").dataset, seed=2)
    columns = [plain.train.inputs[:, t].tobytes() for t in range(784)]
    order = [columns.index(permuted.train.inputs[:, t].tobytes()) for t in range(784)]
    assert sorted(order) == list(range(784)) != order
    np.testing.assert_array_equal(plain.test.inputs[:, order], permuted.test.inputs)


def read_back(task, part):
    """Texts and their classes."""
    return Counter(
        (" ".join(task.symbols[number] for number in sequence[mask]), task.output.names[target])
        for sequence, mask, target in zip(part.inputs, part.mask, part.targets, strict=True)
    )


def said(ranks, known, length):
    """What a text should read: its start, and its words; the last of them if it is long."""
    words = [WORDS[rank - 1] if rank <= known else "[unknown]" for rank in ranks]
    return " ".join(["[start]", *words][-length:])


@pytest.mark.parametrize("length, known", [(20, 10), (6, 10), (20, 4)])
def test_reviews_are_read_word_by_word(compose, imdb, length, known):
    config = compose("dataset=imdb", f"dataset.length={length}", f"dataset.words={known + 3}").dataset
    task = load(config, seed=1)
    assert task.symbols == ("[padding]", "[start]", "[unknown]", *WORDS[:known])
    assert [len(part) for part in task.parts] == [90, 10, 40]
    for read, part in ((task.parts[:2], "train"), (task.parts[2:], "test")):
        expected = Counter(
            (said(ranks, known, length), ("negative", "positive")[label])
            for ranks, label in zip(imdb[f"x_{part}"], imdb[f"y_{part}"], strict=True)
        )
        assert sum((read_back(task, split) for split in read), Counter()) == expected


def test_texts_are_followed_by_padding_that_is_masked(compose, imdb):
    task = load(compose("dataset=imdb", "dataset.length=8").dataset, seed=1)
    for part in task.parts:
        assert part.inputs.shape[1] == 8
        np.testing.assert_array_equal(part.inputs != 0, part.mask)
        assert (np.diff(part.mask.astype(int), axis=1) <= 0).all()
    assert task.symbols[3:13] == tuple(WORDS)
    assert len(task.symbols) == 10_000


def test_newswires_are_read_word_by_word(compose, reuters):
    task = load(compose("dataset=reuters", "dataset.words=13").dataset, seed=1)
    assert len(task.output.names) == 46
    assert task.output.names[3] == "earn"
    assert len(task.test) == 60
    expected = Counter(
        (said(ranks, 10, 100), task.output.names[label])
        for ranks, label in zip(reuters["x"], reuters["y"], strict=True)
    )
    assert sum((read_back(task, part) for part in task.parts), Counter()) == expected
    assert set(task.baseline_metrics(task.test)) == {"majority class", "naive Bayes on words"}


# -------------------------------------------------------------------- arrays alone


def test_pixels_are_divided_by_255_and_classes_kept():
    arrays = np.array([[[0, 51], [102, 255]]] * 3, np.uint8), np.array([7, 8, 9], np.uint8)
    task = images((arrays, arrays), validation_size=1, permuted=False)
    np.testing.assert_allclose(task.train.inputs[0, :, 0], [0, 0.2, 0.4, 1])
    assert [part.targets.tolist() for part in task.parts] == [[7, 8], [9], [7, 8, 9]]
    assert task.train.inputs.dtype == np.float32


def test_naive_bayes_finds_the_word_that_tells():
    draw = np.random.default_rng(4)
    labels = draw.integers(0, 2, 200)
    sequences = [[1, *draw.integers(3, 5, 6), 5 + label] for label in labels]
    arrays = (sequences[:100], labels[:100]), (sequences[100:], labels[100:])
    task = texts(arrays, {"a": 1, "b": 2, "good": 3, "bad": 4}, length=8, words=7, classes=("yes", "no"))
    assert isinstance(task.train, Split)
    assert task.baseline_metrics(task.test)["naive Bayes on words"]["accuracy"] == 1


# ----------------------------------------------------------------- without internet

_LOAD_ALL = """
import hydra
from rnnscope.experiments.configuration.composition import CONF, prepare
from rnnscope.experiments.data import load
from rnnscope.experiments.common.errors import UserError

prepare()
for dataset in ("mnist_pixels", "imdb", "reuters"):
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        config = hydra.compose("config", [f"dataset={dataset}"])
    try:
        load(config.dataset, 1)
    except UserError as error:
        print("said:", error)
"""


@pytest.fixture
def cut_off(tmp_path):
    """An environment with an empty cache, in which every connection is refused."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nowhere)
    return {**os.environ, **proxies, "no_proxy": "", "NO_PROXY": "", "KERAS_HOME": str(tmp_path)}


def test_without_internet_one_line_says_what_needs_it(cut_off, tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "imdb.npz").write_bytes(b"half a file")
    ended = subprocess.run(
        [sys.executable, "-c", _LOAD_ALL], env=cut_off, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    said = [line for line in ended.stdout.splitlines() if line.startswith("said:")]
    assert ended.returncode == 0, ended.stderr
    for line, dataset in zip(said, ("mnist_pixels", "imdb", "reuters"), strict=True):
        assert line.startswith(f"said: dataset={dataset}: its download failed (URL fetch failure on https://")
        assert line.endswith("all datasets but imdb, jena_climate, mnist_pixels and reuters work without")
        assert "needs the internet once, and is kept in Keras's cache" in line
    assert list((tmp_path / "datasets").iterdir()) == []


def test_a_connection_that_says_nothing_is_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr("rnnscope.experiments.data.datasets.online._PATIENCE", 0.2)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/none.npz"
        message = r"dataset=none: its download failed \(.*timed out"
        with pytest.raises(UserError, match=message) as raised, download("none"):
            keras.utils.get_file("none.npz", url, cache_dir=tmp_path)
    assert "\n" not in str(raised.value)
    assert socket.getdefaulttimeout() is None


def test_the_datasets_that_need_the_internet_are_those_that_the_message_names():
    needy = [
        file.stem
        for file in sorted((ROOT / "conf" / "dataset").glob("*.yaml"))
        if "datasets.online." in file.read_text()
    ]
    message = f"all datasets but {', '.join(needy[:-1])} and {needy[-1]} work"
    with pytest.raises(UserError, match=message), download("any"):
        raise OSError("no route")
