"""Types and limits of the datasets' options. Values stand in `conf/dataset/`."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from ..limits import limited


@dataclass
class Dataset:
    """What every dataset has."""

    _target_: str = MISSING
    name: str = MISSING
    requires: dict[str, str] = field(default_factory=dict)
    """Importable module → package to install, for datasets that come with a package."""
    train_size: int | None = limited(None, at_least=1)
    """Examples to learn from; `null` for all."""
    train_fraction: float = limited(1.0, above=0, at_most=1)
    """The share of the training part that is kept."""


# ------------------------------------------------------------------ made to order


@dataclass
class Generated(Dataset):
    """Sequences made to order, anew for each seed."""

    train_size: int | None = limited(at_least=1)
    validation_size: int = limited(at_least=1)
    """How many to validate."""
    test_size: int = limited(at_least=1)
    """How many to test."""


@dataclass
class Adding(Generated):
    """`experiments.data.long_range.adding`."""

    length: int = limited(at_least=2)
    protocol: str = limited(choices=("le2015", "hochreiter1997"))


@dataclass
class CopyMemory(Generated):
    """`experiments.data.long_range.copy_memory`."""

    length: int = limited(at_least=1)


@dataclass
class TemporalOrder(Generated):
    """`experiments.data.long_range.temporal_order`."""

    length: int = limited(at_least=20)
    variant: str = limited(choices=("6a", "6b"))


@dataclass
class Recall(Generated):
    """`experiments.data.recall.recall`."""

    gap: int = limited(at_least=0)


@dataclass
class Parity(Generated):
    """`experiments.data.long_range.parity`."""

    length: int = limited(at_least=4)
    every_step: bool = MISSING


@dataclass
class Dates(Generated):
    """`experiments.data.rewriting.dates`."""


@dataclass
class Reverse(Generated):
    """`experiments.data.rewriting.reverse`."""

    length: int = limited(at_least=1)


# --------------------------------------------------------------------- forecasts


@dataclass
class Series(Dataset):
    """Windows of a time series, and what comes after them."""

    window: int = limited(at_least=1)
    horizon: int = limited(at_least=1)
    stride: int = limited(at_least=1)
    every_step: bool = MISSING


@dataclass
class Weather(Series):
    """`experiments.data.weather.weather`."""

    target: str = limited(choices=("temperature", "class"))


@dataclass
class WeatherHourly(Series):
    """`experiments.data.weather.weather_hourly`."""

    city: str = limited(choices=("seattle", "san_francisco"))


@dataclass
class Csv(Series):
    """`experiments.data.own.csv`."""

    path: str = MISSING
    target: Any = MISSING
    """A column's name, or a list of them."""
    time: str | None = MISSING
    columns: list[str] | None = MISSING
    validation_share: float = limited(above=0, at_most=1)
    test_share: float = limited(above=0, at_most=1)
    """The share to test."""


# ------------------------------------------------------------------ classification


@dataclass
class DigitsPixels(Dataset):
    """`experiments.data.digits.digits_pixels`, `experiments.data.online.mnist_pixels`."""

    permuted: bool = MISSING


@dataclass
class Mnist1d(Dataset):
    """`experiments.data.packaged.mnist1d`."""

    shuffled: bool = MISSING


@dataclass
class Words(Dataset):
    """`experiments.data.online.imdb` and `reuters`."""

    length: int = limited(at_least=1)
    words: int = limited(at_least=4)


@dataclass
class Npz(Dataset):
    """`experiments.data.own.npz`."""

    path: str = MISSING
    validation_share: float = limited(above=0, at_most=1)
    test_share: float = limited(above=0, at_most=1)
    """The share to test."""


# ----------------------------------------------------------------- the next symbol


@dataclass
class NextStep(Dataset):
    """What comes next, asked at every step; a network that reads backwards would only have to look."""

    length: int = limited(at_least=1)


@dataclass
class Text(NextStep):
    """`experiments.data.text.tunes`."""

    stateful: bool = MISSING


@dataclass
class TextChars(Text):
    """`experiments.data.text.text_chars`."""

    path: str | None = MISSING


@dataclass
class Chorales(NextStep):
    """`experiments.data.chorales.chorales`."""

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
