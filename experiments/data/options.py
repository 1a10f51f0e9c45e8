"""Types and limits of the datasets' options. Values stand in `conf/dataset/`."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from ..common.options import option


@dataclass
class Dataset:
    """What every dataset has."""

    _target_: str = option(not_for=("hparams", "summary"))
    name: str = MISSING
    requires: dict[str, str] = option(default_factory=dict, not_for=("hparams", "summary"))
    """Importable module → package to install, for datasets that come with a package."""
    train_size: int | None = option(None, at_least=1)
    """Examples to learn from; `null` for all."""
    train_fraction: float = option(1.0, above=0, at_most=1)
    """The share of the training part that is kept."""


# ------------------------------------------------------------------ made to order


@dataclass
class Generated(Dataset):
    """Sequences made to order, anew for each seed."""

    train_size: int | None = option(at_least=1)
    validation_size: int = option(at_least=1)
    """How many to validate."""
    test_size: int = option(at_least=1)
    """How many to test."""


@dataclass
class Adding(Generated):
    """`rnnscope.experiments.data.datasets.long_range.adding`."""

    length: int = option(at_least=2)
    protocol: str = option(choices=("le2015", "hochreiter1997"))


@dataclass
class CopyMemory(Generated):
    """`rnnscope.experiments.data.datasets.long_range.copy_memory`."""

    length: int = option(at_least=1)


@dataclass
class TemporalOrder(Generated):
    """`rnnscope.experiments.data.datasets.long_range.temporal_order`."""

    length: int = option(at_least=20)
    variant: str = option(choices=("6a", "6b"))


@dataclass
class Recall(Generated):
    """`rnnscope.experiments.data.datasets.recall.recall`."""

    gap: int = option(at_least=0)


@dataclass
class Parity(Generated):
    """`rnnscope.experiments.data.datasets.long_range.parity`."""

    length: int = option(at_least=4)
    every_step: bool = MISSING


@dataclass
class Dates(Generated):
    """`rnnscope.experiments.data.datasets.rewriting.dates`."""


@dataclass
class Reverse(Generated):
    """`rnnscope.experiments.data.datasets.rewriting.reverse`."""

    length: int = option(at_least=1)


# --------------------------------------------------------------------- forecasts


@dataclass
class Series(Dataset):
    """Windows of a time series, and what comes after them."""

    window: int = option(at_least=1)
    horizon: int = option(at_least=1)
    stride: int = option(at_least=1)
    every_step: bool = MISSING


@dataclass
class Weather(Series):
    """`rnnscope.experiments.data.datasets.weather.weather`."""

    target: str = option(choices=("temperature", "class"))


@dataclass
class WeatherHourly(Series):
    """`rnnscope.experiments.data.datasets.weather.weather_hourly`."""

    city: str = option(choices=("seattle", "san_francisco"))


@dataclass
class Csv(Series):
    """`rnnscope.experiments.data.datasets.user_files.csv`."""

    path: str = MISSING
    target: Any = MISSING
    """A column's name, or a list of them."""
    time: str | None = MISSING
    columns: list[str] | None = MISSING
    validation_share: float = option(above=0, at_most=1)
    test_share: float = option(above=0, at_most=1)
    """The share to test."""


# ------------------------------------------------------------------ classification


@dataclass
class DigitsPixels(Dataset):
    """`rnnscope.experiments.data.datasets.digits.digits_pixels` and `…datasets.online.mnist_pixels`."""

    permuted: bool = MISSING


@dataclass
class Mnist1d(Dataset):
    """`rnnscope.experiments.data.datasets.packaged.mnist1d`."""

    shuffled: bool = MISSING


@dataclass
class Words(Dataset):
    """`rnnscope.experiments.data.datasets.online.imdb` and `reuters`."""

    length: int = option(at_least=1)
    words: int = option(at_least=4)


@dataclass
class Npz(Dataset):
    """`rnnscope.experiments.data.datasets.user_files.npz`."""

    path: str = MISSING
    validation_share: float = option(above=0, at_most=1)
    test_share: float = option(above=0, at_most=1)
    """The share to test."""


# ----------------------------------------------------------------- the next symbol


@dataclass
class NextStep(Dataset):
    """What comes next, asked at every step; a network that reads backwards would only have to look."""

    length: int = option(at_least=1)


@dataclass
class Text(NextStep):
    """`rnnscope.experiments.data.datasets.text.tunes`."""

    stateful: bool = MISSING


@dataclass
class TextChars(Text):
    """`rnnscope.experiments.data.datasets.text.text_chars`."""

    path: str | None = MISSING


@dataclass
class Chorales(NextStep):
    """`rnnscope.experiments.data.datasets.chorales.chorales`."""

    path: str | None = MISSING


DATASETS: dict[str, type[Dataset]] = {
    "plain": Dataset,
    "generated": Generated,
    "adding": Adding,
    "copy_memory": CopyMemory,
    "temporal_order": TemporalOrder,
    "recall": Recall,
    "parity": Parity,
    "dates": Dates,
    "reverse": Reverse,
    "series": Series,
    "weather": Weather,
    "weather_hourly": WeatherHourly,
    "csv": Csv,
    "digits_pixels": DigitsPixels,
    "mnist1d": Mnist1d,
    "words": Words,
    "npz": Npz,
    "text": Text,
    "text_chars": TextChars,
    "chorales": Chorales,
}
"""The types behind the choices of `dataset`: a file there begins with `schema@_here_` and one of these names."""


def looks_ahead(dataset: Any, options: Any) -> bool:
    """Whether what is asked for at a step is part of a later step's input.

    Args:
        dataset: the type of a dataset's options.
        options: their values.
    """
    return issubclass(dataset, NextStep) or (issubclass(dataset, Series) and options.every_step)
