"""Datasets that are downloaded when they are first used, and then stored in the cache of Keras."""

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
"""Timeout of a connection in seconds."""

Arrays = tuple[tuple[Any, Any], tuple[Any, Any]]
"""`(x_train, y_train), (x_test, y_test)`, as returned by `keras.datasets`."""


@contextmanager
def download(dataset: str) -> Iterator[None]:
    """Convert errors of a download to `UserError`, and set a timeout for its connections.

    Raises:
        UserError: the file is not in the cache of Keras, and cannot be downloaded.
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
    """Return the task of classifying MNIST's images of 28×28 pixels as sequences of 784 timesteps.

    The images are from LeCun et al. (1998), the task is from Le, Jaitly & Hinton (2015).

    Args:
        permuted: whether to shuffle the pixels, with the same fixed permutation for every image.
    """
    from keras.datasets import mnist

    with download("mnist_pixels"):
        arrays = mnist.load_data()
    return images(arrays, 10_000, permuted)


def imdb(length: int, words: int) -> Task:
    """Return the task of classifying film reviews, as sequences of words, as positive or negative (Maas et al. 2011).

    There are 25,000 reviews for training and validation, and 25,000 for testing.

    Args:
        length: T. Only the last T words of a longer review are used.
        words: size of the vocabulary.
    """
    from keras.datasets import imdb

    with download("imdb"):
        arrays, ranks = imdb.load_data(num_words=words, index_from=_WORDS_FROM), imdb.get_word_index()
    return texts(arrays, ranks, length, words, ("negative", "positive"))


def reuters(length: int, words: int) -> Task:
    """Return the task of classifying newswires of 1987, as sequences of words, by 46 topics (Lewis 1997).

    There are 8,982 newswires for training and validation, and 2,246 for testing.

    Args:
        length: T. Only the last T words of a longer newswire are used.
        words: size of the vocabulary.
    """
    from keras.datasets import reuters

    with download("reuters"):
        arrays, ranks = reuters.load_data(num_words=words, index_from=_WORDS_FROM), reuters.get_word_index()
    return texts(arrays, ranks, length, words, reuters.get_label_names())


def jena_climate(window: int, horizon: int, stride: int, every_step: bool) -> Task:
    """Return the task of forecasting the hourly temperature in Jena in °C, from the weather of the previous hours.

    The Max Planck Institute for Biogeochemistry measured the weather every ten minutes from 2009 to 2016. Only the
    measurements on the full hour are used. 2009 to 2014 are for training, 2015 for validation, and 2016 for testing.

    Args:
        window: number of hours to read.
        horizon: number of hours to forecast.
        stride: number of hours from one window to the next; always 1 in the test split.
        every_step: whether to forecast at every hour of the window.
    """
    import pandas as pd
    from keras.utils import get_file

    with download("jena_climate"):
        table = pd.read_csv(get_file(origin=_JENA))
    return climate(table, Cut(window, horizon, stride, every_step))


# ------------------------------------------------------------- arrays → task


def images(arrays: Arrays, validation_size: int, permuted: bool) -> Task:
    """Return the task of classifying images `[N, rows, columns]` of pixels from 0 to 255.

    The pixels are read row by row from the top left, and are scaled to [0, 1].

    Args:
        arrays: as returned by `keras.datasets.mnist`.
        validation_size: number of images at the end of the training set that are used for validation.
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
"""Offset from the rank of a word, which starts at 1, to its symbol. The first three symbols are not words."""


def texts(arrays: Arrays, ranks: dict[str, int], length: int, words: int, classes: Sequence[str]) -> Task:
    """Return the task of classifying sequences of words, padded to `length`.

    One in ten examples of the training set is used for validation.

    Args:
        arrays: as returned by `keras.datasets.imdb`: 1 is the start of a text, 2 is a word that is not in the
            vocabulary, and all other values are the rank of a word plus `_WORDS_FROM`.
        ranks: rank of each word; 1 is the most frequent word.
        length, words: see `imdb`.
        classes: names of the classes.
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
"""The value in the file for a missing measurement of an anemometer."""


def climate(table: Any, cut: Cut) -> Task:
    """Return the task of forecasting the temperature from the measurements on the full hour.

    Duplicates are removed, and no window contains a missing hour. The direction of the wind is represented by its sine
    and cosine.

    Args:
        table: a `pandas.DataFrame` with `Date Time` as text, and a column for every instrument.
        cut: specification of the windows.
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
