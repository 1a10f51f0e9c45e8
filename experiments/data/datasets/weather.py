"""Weather, and the temperature of the sea: series that come with packages."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..baselines import certain, majority
from ..outputs import Classes
from ..paths import package_folder
from ..split import Split
from ..task import Task
from ..windows import Cut, Series, forecast

CLASSES = ("drizzle", "fog", "rain", "snow", "sun")
"""The weather of a day in Seattle, in the order of their numbers."""


def weather(window: int, horizon: int, stride: int, every_step: bool, target: str) -> Task:
    """Seattle's weather, day by day from 2012 to 2015 (vega_datasets, from NOAA's records).

    A day is known by its precipitation in mm, maximum and minimum temperature in °C, wind in m/s, its class, and sine
    and cosine of its place in the year. 2012 and 2013 are to train on, 2014 to validate, 2015 to test.

    Args:
        window: days that are read.
        horizon: days whose maximum is forecast; of the class it is tomorrow's alone, whatever the horizon.
        stride: days from one window to the next; 1 in the test part.
        every_step: ask at every day of the window.
        target: `temperature` for the maxima of the next days in °C, `class` for tomorrow's weather, one of five.
    """
    table = _read("vega_datasets", "seattle-weather.csv")
    classes = np.array([CLASSES.index(name) for name in table["weather"]])
    numbers = ("precipitation", "temp_max", "temp_min", "wind")
    place = 2 * np.pi * (table["date"].dt.dayofyear.to_numpy() - 1) / 365.25
    series = Series(
        (*numbers, *CLASSES, "sine of the year", "cosine of the year"),
        np.column_stack([table[list(numbers)], np.eye(5)[classes], np.sin(place), np.cos(place)]),
        table[["temp_max"]].to_numpy(),
        table["date"].to_numpy(),
    )
    bounds = series.until("2014-01-01", "2015-01-01")
    if target == "class":
        return _classes(replace(series, wanted=classes), bounds, Cut(window, 1, stride, every_step))
    return forecast(series, bounds, Cut(window, horizon, stride, every_step), ("temp_max",), "°C")


def weather_hourly(window: int, horizon: int, stride: int, every_step: bool, city: str) -> Task:
    """The temperature of every hour of 2010 in °F (vega_datasets, from NOAA's records).

    So smooth that it must be what is normal for the hour rather than what was measured: from one day to the next the
    same hour changes by 0.16 °F in Seattle, by 0.09 °F in San Francisco, in the mean. January to August are to train
    on, September and October to validate, November and December to test. The hour that summer time skips,
    2010-03-14 03:00, is not there; windows do not reach across it.

    Args:
        window: hours that are read.
        horizon: hours that are forecast.
        stride: hours from one window to the next; 1 in the test part.
        every_step: ask at every hour of the window.
        city: `seattle` or `san_francisco`.
    """
    table = _read("vega_datasets", {"seattle": "seattle-temps.csv", "san_francisco": "sf-temps.csv"}[city])
    series = _alone("temperature", table["date"], table["temp"])
    bounds = series.until("2010-09-01", "2010-11-01")
    return forecast(series, bounds, Cut(window, horizon, stride, every_step), series.features, "°F")


def sea_temperature(window: int, horizon: int, stride: int, every_step: bool) -> Task:
    """The temperature of the sea in °C, every half hour from 2016-02-15 to 2017-03-22 (bokeh_sampledata).

    Measured by NERACOOS's buoy B01 on the Western Maine Shelf. Until November 2016 it is to train on, until the
    middle of January to validate, from 2017-01-15 to test. Of two readings for 2017-03-21 16:30 the first counts.
    Windows do not reach across the two gaps, of one reading on 2016-06-14 and of twenty-three on 2016-07-08.

    Args:
        window: half hours that are read.
        horizon: half hours that are forecast.
        stride: half hours from one window to the next; 1 in the test part.
        every_step: ask at every half hour of the window.
    """
    table = _read("bokeh_sampledata", "sea_surface_temperature.csv.gz").drop_duplicates("time (UTC)")
    series = _alone("temperature", table["time (UTC)"].dt.tz_localize(None), table["temperature (celsius)"])
    bounds = series.until("2016-12-01", "2017-01-15")
    return forecast(series, bounds, Cut(window, horizon, stride, every_step), series.features, "°C")


def _read(package: str, name: str) -> Any:
    """A table among the data of an installed package; the dates are read as such."""
    import pandas as pd

    table = pd.read_csv(package_folder(package) / "_data" / name)
    dates = [column for column in table if column in ("date", "time (UTC)")]
    return table.assign(**{column: pd.to_datetime(table[column]) for column in dates})


def _alone(name: str, times: Any, readings: Any) -> Series:
    """A series that is to be forecast from itself."""
    values = readings.to_numpy()[:, None]
    return Series((name,), values, values, times.to_numpy())


def _classes(series: Series, bounds: tuple[int, ...], cut: Cut) -> Task:
    """Tomorrow's class, from days whose own class is among what is known of them."""
    first = series.features.index(CLASSES[0])
    return Task(
        *cut.parts(series, bounds),
        Classes(len(CLASSES), cut.every_step, CLASSES),
        (majority(len(CLASSES)), certain("persistence", _today(first, cut), len(CLASSES))),
        features=series.features,
        standardise=True,
        ordered=True,
    )


def _today(first: int, cut: Cut) -> Callable[[Split], np.ndarray]:
    """The class of the last day that is known."""

    def answer(part: Split) -> np.ndarray:
        now = part.inputs if cut.every_step else part.inputs[:, -1]
        return now[..., first : first + len(CLASSES)].argmax(axis=-1)

    return answer
