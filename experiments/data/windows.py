"""Forecasts: windows of a time series and what comes after them, parts by time, and answers without learning."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..common.errors import UserError
from .baselines import Baseline, mean, rule
from .outputs import Predict, Values
from .split import Split
from .task import Task


@dataclass(frozen=True)
class Series:
    """A time series, a row a step, S of them.

    Attributes:
        features: what the columns of `values` are called.
        values: `[S, F]`, what is known of every step.
        wanted: what is to be forecast: numbers `[S, K]`, or a class `[S]`.
        times: `[S]` `datetime64`, increasing; `None` where they are not known.
    """

    features: tuple[str, ...]
    values: np.ndarray
    wanted: np.ndarray
    times: np.ndarray | None = None

    @property
    def runs(self) -> np.ndarray:
        """`[S]`: a number that grows by one where a step is missing, that is, comes late by half a step or more."""
        if self.times is None:
            return np.zeros(len(self.values), int)
        apart = np.diff(self.times)
        return np.cumsum(np.append(False, apart > 1.5 * np.median(apart)))

    @property
    def steps_of_a_day(self) -> int:
        """How many steps make a day; 0 if there is but one, or times are not known."""
        if self.times is None:
            return 0
        steps = round(float(np.timedelta64(1, "D") / np.median(np.diff(self.times))))
        return steps if steps > 1 else 0

    def until(self, *dates: str) -> tuple[int, ...]:
        """The rows before which these dates lie."""
        return tuple(int(np.searchsorted(self.times, np.datetime64(date))) for date in dates)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Cut:
    """How a series is cut into examples.

    Attributes:
        window: T, steps that are read.
        horizon: steps that are forecast.
        stride: steps from one window to the next; the test part has every window, so that no stride changes what is
            asked there.
        every_step: whether a forecast is asked for at every step of the window, or only after its last.
    """

    window: int
    horizon: int
    stride: int
    every_step: bool

    def parts(self, series: Series, bounds: tuple[int, ...]) -> tuple[Split, Split, Split]:
        """Training, validation and test part, one after the other in time.

        A window belongs to the part in which what it asks for lies. What it reads may lie in the part before, but
        never in the training part, unless it is a training window: no window of the others overlaps one of these.
        Windows with a missing step inside are left out.

        Args:
            series: the whole series.
            bounds: the rows at which validation and test part begin.

        Raises:
            UserError: a part is too short.
        """
        train, validation, test = (self._examples(series, starts) for starts in self._starts(series, bounds))
        return train, validation, test

    def _starts(self, series: Series, bounds: tuple[int, ...]) -> Iterator[np.ndarray]:
        runs, length = series.runs, self.window + self.horizon
        edges = zip(("training", "validation", "test"), pairwise((0, *bounds, len(runs))), strict=True)
        for part, (begin, end) in edges:
            first = 0 if part == "training" else max(bounds[0], begin - self._lead)
            starts = np.arange(first, end - length + 1, 1 if part == "test" else self.stride)
            starts = starts[runs[starts] == runs[starts + length - 1]]
            if not len(starts):
                raise UserError(
                    f"dataset.window={self.window}, dataset.horizon={self.horizon}: expected together at most "
                    f"{max(0, end - first)} steps, which is what the {part} part has to read and to forecast"
                )
            yield starts

    @property
    def _lead(self) -> int:
        """Steps from the first that is read to the first that is forecast."""
        return 1 if self.every_step else self.window

    def rows(self, first: np.ndarray) -> np.ndarray:
        """Rows of the series that are forecast, `[N, horizon]` or `[N, T, horizon]`, from the first of each."""
        rows = first[:, None] + np.arange(self.horizon)
        return rows[:, None] + np.arange(self.window)[:, None] if self.every_step else rows

    def _examples(self, series: Series, starts: np.ndarray) -> Split:
        inputs = series.values.astype(np.float32)[starts[:, None] + np.arange(self.window)]
        rows = self.rows(starts + self._lead)
        times = None if series.times is None else series.times[starts + self._lead]
        if series.wanted.ndim == 1:
            return Split(inputs, series.wanted[rows[..., 0]].astype(np.int32), times=times)
        targets = series.wanted.astype(np.float32)[rows]
        return Split(inputs, targets.reshape(*rows.shape[:-1], -1), times=times)


def forecast(series: Series, bounds: tuple[int, ...], cut: Cut, targets: tuple[str, ...], unit: str = "") -> Task:
    """The values of the next steps, all of the first step before those of the second.

    Args:
        series: a series whose `wanted` are numbers `[S, K]`.
        bounds: the rows at which validation and test part begin.
        cut: windows and horizon.
        targets: what the K numbers are called.
        unit: in what they are measured.
    """
    names = tuple(f"{target} +{lead}" for lead in range(1, cut.horizon + 1) for target in targets)
    return Task(
        *cut.parts(series, bounds),
        Values(len(names), cut.every_step, names, unit),
        tuple(_baselines(series, cut, targets)),
        features=series.features,
        standardise=True,
        ordered=True,
    )


def _baselines(series: Series, cut: Cut, targets: tuple[str, ...]) -> Iterator[Baseline]:
    day = series.steps_of_a_day
    if set(targets) <= set(series.features):
        columns = [series.features.index(target) for target in targets]
        yield rule("persistence", _persistence(columns, cut))
        if day and day <= cut.window and not cut.every_step:
            yield rule("a day before", _cycle(columns, cut, day))
    if series.times is not None:
        yield _climatology(series.times, cut)
    yield mean()


def _persistence(columns: list[int], cut: Cut) -> Predict:
    """As now, at every later step."""

    def answer(part: Split) -> np.ndarray:
        now = part.inputs if cut.every_step else part.inputs[:, -1]
        return np.tile(now[..., columns], cut.horizon)

    return answer


def _cycle(columns: list[int], cut: Cut, period: int) -> Predict:
    """As the last period went, over and over."""

    def answer(part: Split) -> np.ndarray:
        last = part.inputs[:, -period:][..., columns]
        return last[:, np.arange(cut.horizon) % period].reshape(len(part), -1)

    return answer


def _climatology(times: np.ndarray, cut: Cut, days: int = 7) -> Baseline:
    """What the time of the year and of the day suggests.

    The mean over those days of the training part whose place in the year is within so many days, at the same time
    of the day; if there are none, over all days at that time; if that time is not there either, over everything.

    Args:
        times: `[S]`, of the whole series.
        cut: windows and horizon.
        days: see above.
    """
    date = times.astype("datetime64[D]")
    day = (date - date.astype("datetime64[Y]")).astype(int)
    moment = np.unique(times - date, return_inverse=True)[1]

    def rows(part: Split) -> np.ndarray:
        return cut.rows(np.searchsorted(times, part.times))  # type: ignore[arg-type]

    def fit(train: Split) -> Predict:
        there, once = np.unique(rows(train), return_index=True)
        values = train.targets.reshape(rows(train).size, -1)[once]
        table = np.zeros((366, moment.max() + 1, values.shape[1] + 1))  # sums, and last how many
        np.add.at(table, (day[there], moment[there]), np.append(values, np.ones((len(values), 1)), axis=1))
        near = np.sum([np.roll(table, shift, axis=0) for shift in range(-days, days + 1)], axis=0)
        for wider in (table.sum(axis=0), table.sum(axis=(0, 1))):
            near = np.where(near[..., -1:] > 0, near, wider)
        means = near[..., :-1] / near[..., -1:]

        def answer(part: Split) -> np.ndarray:
            asked = rows(part)
            return means[day[asked], moment[asked]].reshape(part.targets.shape)

        return answer

    return Baseline("climatology", fit)
