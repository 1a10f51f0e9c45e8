"""Forecasts of the weather and of the sea temperature, from data that are installed with packages."""

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
"""Kinds of weather in Seattle, in the order of their classes."""


def weather(window: int, horizon: int, stride: int, every_step: bool, target: str) -> Task:
    """Return the task of forecasting Seattle's daily weather (NOAA's records of 2012 to 2015, in vega_datasets).

    The inputs of a day are its precipitation in mm, maximum and minimum temperature in °C, wind in m/s, class, and the
    sine and cosine of the time of the year. 2012 and 2013 are for training, 2014 for validation, and 2015 for testing.

    Args:
        window: number of days to read.
        horizon: number of days to forecast; ignored for `target="class"`, which is always for the next day.
        stride: number of days from one window to the next; always 1 in the test split.
        every_step: whether to forecast at every day of the window.
        target: `temperature` for the maximum temperatures of the next days in °C, `class` for the weather of the next
            day, one of five classes.
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
    """Return the task of forecasting the hourly temperature of 2010 in °F (NOAA's records, in vega_datasets).

    The values are probably long-term averages for each hour, not measurements, because they are very smooth: the mean
    difference from the same hour of the day before is 0.16 °F in Seattle and 0.09 °F in San Francisco. January to
    August are for training, September and October for validation, and November and December for testing. The hour that
    daylight saving time skips, 2010-03-14 03:00, is missing, and no window contains it.

    Args:
        window: number of hours to read.
        horizon: number of hours to forecast.
        stride: number of hours from one window to the next; always 1 in the test split.
        every_step: whether to forecast at every hour of the window.
        city: `seattle` or `san_francisco`.
    """
    table = _read("vega_datasets", {"seattle": "seattle-temps.csv", "san_francisco": "sf-temps.csv"}[city])
    series = _alone("temperature", table["date"], table["temp"])
    bounds = series.until("2010-09-01", "2010-11-01")
    return forecast(series, bounds, Cut(window, horizon, stride, every_step), series.features, "°F")


def sea_temperature(window: int, horizon: int, stride: int, every_step: bool) -> Task:
    """Return the task of forecasting the sea temperature in °C for the next half hours (bokeh_sampledata).

    The buoy B01 of NERACOOS on the Western Maine Shelf measured it every half hour from 2016-02-15 to 2017-03-22. The
    measurements until the end of November 2016 are for training, until 2017-01-14 for validation, and from 2017-01-15
    for testing. There are two measurements for 2017-03-21 16:30, of which the first is used. Two gaps, of one
    measurement on 2016-06-14 and of 23 measurements on 2016-07-08, are in no window.

    Args:
        window: number of half hours to read.
        horizon: number of half hours to forecast.
        stride: number of half hours from one window to the next; always 1 in the test split.
        every_step: whether to forecast at every half hour of the window.
    """
    table = _read("bokeh_sampledata", "sea_surface_temperature.csv.gz").drop_duplicates("time (UTC)")
    series = _alone("temperature", table["time (UTC)"].dt.tz_localize(None), table["temperature (celsius)"])
    bounds = series.until("2016-12-01", "2017-01-15")
    return forecast(series, bounds, Cut(window, horizon, stride, every_step), series.features, "°C")


def _read(package: str, name: str) -> Any:
    """Return a table from the data of an installed package, with parsed dates."""
    import pandas as pd

    table = pd.read_csv(package_folder(package) / "_data" / name)
    dates = [column for column in table if column in ("date", "time (UTC)")]
    return table.assign(**{column: pd.to_datetime(table[column]) for column in dates})


def _alone(name: str, times: Any, readings: Any) -> Series:
    """Return a series whose only input is the quantity to forecast."""
    values = readings.to_numpy()[:, None]
    return Series((name,), values, values, times.to_numpy())


def _classes(series: Series, bounds: tuple[int, ...], cut: Cut) -> Task:
    """Return the task of forecasting the class of the next day. The class of each day is one of its inputs."""
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
    """Return a function that predicts the class of the current day for the next day."""

    def answer(part: Split) -> np.ndarray:
        now = part.inputs if cut.every_step else part.inputs[:, -1]
        return now[..., first : first + len(CLASSES)].argmax(axis=-1)

    return answer
