"""Datasets that are fetched from the internet once; Keras keeps them in its cache afterwards."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...common.errors import UserError
from ...common.seeds import fixed_stream
from ..baselines import majority, naive_bayes
from ..outputs import Classes
from ..split import Split, held_out, padded
from ..task import Task
from ..windows import Cut, Series, forecast

_PATIENCE = 30
"""Seconds without a word after which a connection is given up."""

Arrays = tuple[tuple[Any, Any], tuple[Any, Any]]
"""`(x_train, y_train), (x_test, y_test)`, as `keras.datasets` gives them."""


@contextmanager
def download(dataset: str) -> Iterator[None]:
    """Around what takes a file from Keras's cache or, where it is not there, from the internet.

    Raises:
        UserError: whatever went wrong.
    """
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"dataset={dataset}: its download failed ({reason}); it needs the internet once, and is kept in Keras's "
            "cache afterwards; all datasets but imdb, jena_climate, mnist_pixels and reuters work without"
        ) from error
    finally:
        socket.setdefaulttimeout(patience)


def mnist_pixels(permuted: bool) -> Task:
    """MNIST's images of 28×28 pixels as sequences of 784 steps (LeCun et al. 1998; Le, Jaitly & Hinton 2015).

    Args:
        permuted: shuffle the pixels, with the same fixed permutation for every image.
    """
    from keras.datasets import mnist

    with download("mnist_pixels"):
        arrays = mnist.load_data()
    return images(arrays, 10_000, permuted)


def imdb(length: int, words: int) -> Task:
    """Film reviews, as their words: was the film liked? 25,000 to learn from, 25,000 to test (Maas et al. 2011).

    Args:
        length: T; of a longer review the last words are kept.
        words: V, the size of the vocabulary.
    """
    from keras.datasets import imdb

    with download("imdb"):
        arrays, ranks = imdb.load_data(num_words=words, index_from=_WORDS_FROM), imdb.get_word_index()
    return texts(arrays, ranks, length, words, ("negative", "positive"))


def reuters(length: int, words: int) -> Task:
    """Newswires of 1987, as their words: which of 46 topics? 8,982 to learn from, 2,246 to test (Lewis 1997).

    Args:
        length: T; of a longer newswire the last words are kept.
        words: V, the size of the vocabulary.
    """
    from keras.datasets import reuters

    with download("reuters"):
        arrays, ranks = reuters.load_data(num_words=words, index_from=_WORDS_FROM), reuters.get_word_index()
    return texts(arrays, ranks, length, words, reuters.get_label_names())


def jena_climate(window: int, horizon: int, stride: int, every_step: bool) -> Task:
    """The weather in Jena, hour by hour from 2009 to 2016: the temperature of the next hours in °C.

    Measured by the Max Planck Institute for Biogeochemistry every ten minutes, of which those of the full hour are
    taken. 2009 to 2014 are to train on, 2015 to validate, 2016 to test.

    Args:
        window: hours that are read.
        horizon: hours that are forecast.
        stride: hours from one window to the next; 1 in the test part.
        every_step: ask at every hour of the window.
    """
    import pandas as pd
    from keras.utils import get_file

    with download("jena_climate"):
        table = pd.read_csv(get_file(origin=_JENA))
    return climate(table, Cut(window, horizon, stride, every_step))


# ------------------------------------------------------------- arrays → task


def images(arrays: Arrays, validation_size: int, permuted: bool) -> Task:
    """Images `[N, rows, columns]` of values 0…255 as sequences, row by row from the top left; pixels in [0, 1].

    Args:
        arrays: as `keras.datasets.mnist` gives them.
        validation_size: images held out at the end of the training part.
        permuted: see `mnist_pixels`.
    """
    learn, test = (
        Split((np.reshape(x, (len(x), -1, 1)) / 255).astype(np.float32), np.asarray(y, np.int32)) for x, y in arrays
    )
    if permuted:
        steps = learn.inputs.shape[1]
        order = fixed_stream("permutation").permutation(steps)
        learn, test = (Split(part.inputs[:, order], part.targets) for part in (learn, test))
    train, validation = learn[:-validation_size], learn[-validation_size:]
    return Task(train, validation, test, Classes(10), (majority(10),), features=("pixel",))


_WORDS_FROM = 2
"""What is added to a word's rank, of which the first is 1, to make room for the symbols that are no words."""


def texts(arrays: Arrays, ranks: dict[str, int], length: int, words: int, classes: Sequence[str]) -> Task:
    """Sequences of words, padded to `length`; one in ten of the training part is held out for validation.

    Args:
        arrays: as `keras.datasets.imdb` gives them: 1 is a text's start, 2 a word that is not in the vocabulary, all
            else a word's rank plus `_WORDS_FROM`.
        ranks: rank by word; 1 is the most frequent.
        length, words: see `imdb`.
        classes: their names.
    """
    learn, test = (
        padded([np.array(text[-length:], np.int32) for text in x], np.asarray(y, np.int32), length) for x, y in arrays
    )
    symbols = np.full(words, "", object)
    symbols[:3] = "[padding]", "[start]", "[unknown]"
    for word, rank in ranks.items():
        if rank + _WORDS_FROM < words:
            symbols[rank + _WORDS_FROM] = word
    train, validation = held_out(learn, one_in=10)
    output = Classes(len(classes), names=tuple(classes))
    baselines = (majority(output.size), naive_bayes(words, output.size, "naive Bayes on words"))
    return Task(train, validation, test, output, baselines, symbols=tuple(symbols))


_JENA = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/jena_climate_2009_2016.csv.zip"
_ABSENT = -9999
"""Stands in the file where an anemometer gave nothing."""


def climate(table: Any, cut: Cut) -> Task:
    """The readings of full hours, each once; windows do not reach across hours that are not there.

    The wind's direction is told by its sine and cosine.

    Args:
        table: a `pandas.DataFrame`: `Date Time` as text, and a column for every instrument.
        cut: windows and horizon.
    """
    import pandas as pd

    times = pd.to_datetime(table["Date Time"], format="%d.%m.%Y %H:%M:%S")
    numbers = table.drop(columns="Date Time")
    right = (times.dt.minute == 0) & ~times.duplicated() & (numbers != _ABSENT).all(axis=1)
    times = times[right].sort_values()
    numbers = numbers.loc[times.index]
    angle = np.deg2rad(numbers.pop("wd (deg)"))
    numbers = numbers.assign(**{"sine of wd": np.sin(angle), "cosine of wd": np.cos(angle)})
    temperature = numbers[["T (degC)"]].to_numpy()
    series = Series(tuple(numbers), numbers.to_numpy(), temperature, times.to_numpy())
    return forecast(series, series.until("2015-01-01", "2016-01-01"), cut, ("T (degC)",), "°C")
