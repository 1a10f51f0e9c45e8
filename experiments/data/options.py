"""Types and limits of the options of datasets. Their values are in `conf/dataset/`."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from ..common.options import option


@dataclass
class Dataset:
    """Options of every dataset."""

    _target_: str = option(not_for=("hparams", "summary"))
    name: str = MISSING
    requires: dict[str, str] = option(default_factory=dict, not_for=("hparams", "summary"))
    """Importable module → package to install, for datasets that require a package."""
    train_size: int | None = option(None, at_least=1)
    """Number of training examples to use; `null` for all."""
    train_fraction: float = option(1.0, above=0, at_most=1)
    """Fraction of the training examples to use."""


# ---------------------------------------------------------------------- generated


@dataclass
class Generated(Dataset):
    """Options of a dataset that is generated separately for each seed."""

    train_size: int | None = option(at_least=1)
    validation_size: int = option(at_least=1)
    """Number of validation examples."""
    test_size: int = option(at_least=1)
    """Number of test examples."""


@dataclass
class Adding(Generated):
    """Options of `rnnscope.experiments.data.datasets.long_range.adding`."""

    length: int = option(at_least=2)
    protocol: str = option(choices=("le2015", "hochreiter1997"))


@dataclass
class CopyMemory(Generated):
    """Options of `rnnscope.experiments.data.datasets.long_range.copy_memory`."""

    length: int = option(at_least=1)


@dataclass
class TemporalOrder(Generated):
    """Options of `rnnscope.experiments.data.datasets.long_range.temporal_order`."""

    length: int = option(at_least=20)
    variant: str = option(choices=("6a", "6b"))


@dataclass
class Recall(Generated):
    """Options of `rnnscope.experiments.data.datasets.recall.recall`."""

    gap: int = option(at_least=0)


@dataclass
class Parity(Generated):
    """Options of `rnnscope.experiments.data.datasets.long_range.parity`."""

    length: int = option(at_least=4)
    every_step: bool = MISSING


@dataclass
class Dates(Generated):
    """Options of `rnnscope.experiments.data.datasets.rewriting.dates`."""


@dataclass
class Reverse(Generated):
    """Options of `rnnscope.experiments.data.datasets.rewriting.reverse`."""

    length: int = option(at_least=1)


# --------------------------------------------------------------------- forecasts


@dataclass
class Series(Dataset):
    """Options of a dataset that consists of windows of a time series and the values after them."""

    window: int = option(at_least=1)
    horizon: int = option(at_least=1)
    stride: int = option(at_least=1)
    every_step: bool = MISSING


@dataclass
class Weather(Series):
    """Options of `rnnscope.experiments.data.datasets.weather.weather`."""

    target: str = option(choices=("temperature", "class"))


@dataclass
class WeatherHourly(Series):
    """Options of `rnnscope.experiments.data.datasets.weather.weather_hourly`."""

    city: str = option(choices=("seattle", "san_francisco"))


@dataclass
class Csv(Series):
    """Options of `rnnscope.experiments.data.datasets.user_files.csv`."""

    path: str = MISSING
    target: Any = MISSING
    """Name of a column, or a list of names."""
    time: str | None = MISSING
    columns: list[str] | None = MISSING
    validation_share: float = option(above=0, at_most=1)
    test_share: float = option(above=0, at_most=1)
    """Fraction of the data in the test split."""


# ------------------------------------------------------------------ classification


@dataclass
class DigitsPixels(Dataset):
    """Options of `rnnscope.experiments.data.datasets.digits.digits_pixels` and `…datasets.online.mnist_pixels`."""

    permuted: bool = MISSING


@dataclass
class Mnist1d(Dataset):
    """Options of `rnnscope.experiments.data.datasets.packaged.mnist1d`."""

    shuffled: bool = MISSING


@dataclass
class Words(Dataset):
    """Options of `rnnscope.experiments.data.datasets.online.imdb` and `reuters`."""

    length: int = option(at_least=1)
    words: int = option(at_least=4)


@dataclass
class Npz(Dataset):
    """Options of `rnnscope.experiments.data.datasets.user_files.npz`."""

    path: str = MISSING
    validation_share: float = option(above=0, at_most=1)
    test_share: float = option(above=0, at_most=1)
    """Fraction of the data in the test split."""


# ----------------------------------------------------------------- the next symbol


@dataclass
class NextStep(Dataset):
    """Options of a dataset whose target at every timestep is the input at the next timestep.

    A network that reads backward would already have seen the target.
    """

    length: int = option(at_least=1)


@dataclass
class Text(NextStep):
    """Options of `rnnscope.experiments.data.datasets.text.tunes`."""

    stateful: bool = MISSING


@dataclass
class TextChars(Text):
    """Options of `rnnscope.experiments.data.datasets.text.text_chars`."""

    path: str | None = MISSING


@dataclass
class Chorales(NextStep):
    """Options of `rnnscope.experiments.data.datasets.chorales.chorales`."""

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
"""Types by name. Each file in `conf/dataset/` selects one of them with `schema@_here_: <name>`."""


def looks_ahead(dataset: Any, options: Any) -> bool:
    """Return whether the target at a timestep is part of the input at a later timestep.

    Args:
        dataset: the type of the options of a dataset.
        options: the values of these options.
    """
    return issubclass(dataset, NextStep) or (issubclass(dataset, Series) and options.every_step)
