"""Forecasting tasks: windows of a time series with the values that follow, splits by time, and baselines."""

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
    """A time series of S timesteps, one row per timestep.

    Attributes:
        features: names of the columns of `values`.
        values: `[S, F]`, inputs at each timestep.
        wanted: quantities to forecast: numbers `[S, K]`, or a class `[S]`.
        times: `datetime64` `[S]`, increasing; `None` if they are unknown.
    """

    features: tuple[str, ...]
    values: np.ndarray
    wanted: np.ndarray
    times: np.ndarray | None = None

    @property
    def runs(self) -> np.ndarray:
        """The index of the gap-free section of each timestep, `[S]`.

        A gap is an interval of more than 1.5 times the median interval.
        """
        if self.times is None:
            return np.zeros(len(self.values), int)
        apart = np.diff(self.times)
        return np.cumsum(np.append(False, apart > 1.5 * np.median(apart)))

    @property
    def steps_of_a_day(self) -> int:
        """The number of timesteps per day; 0 if it is not more than one, or if the times are unknown."""
        if self.times is None:
            return 0
        steps = round(float(np.timedelta64(1, "D") / np.median(np.diff(self.times))))
        return steps if steps > 1 else 0

    def until(self, *dates: str) -> tuple[int, ...]:
        """Return, for each date, the index of the first row that is not before it."""
        return tuple(int(np.searchsorted(self.times, np.datetime64(date))) for date in dates)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Cut:
    """The specification of the windows of a series.

    Attributes:
        window: T, number of timesteps to read.
        horizon: number of timesteps to forecast.
        stride: number of timesteps from one window to the next. In the test split it is always 1, so that it does not
            change the test split.
        every_step: whether to forecast at every timestep of the window, instead of only after its last.
    """

    window: int
    horizon: int
    stride: int
    every_step: bool

    def parts(self, series: Series, bounds: tuple[int, ...]) -> tuple[Split, Split, Split]:
        """Split a series by time into a training, a validation and a test split.

        A window belongs to the split that contains its targets. The inputs of a test window may be in the validation
        split. No validation or test window contains rows of the training split. Windows with a missing timestep are
        left out.

        Args:
            series: the complete series.
            bounds: first row of the validation split, and of the test split.

        Raises:
            UserError: a split is too short.
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
        """The number of timesteps from the first input to the first target."""
        return 1 if self.every_step else self.window

    def rows(self, first: np.ndarray) -> np.ndarray:
        """Return the rows of the series that are forecast, `[N, horizon]` or `[N, T, horizon]`.

        Args:
            first: `[N]`, the first row that is forecast from each window.
        """
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
    """Return the task of forecasting the next values of a series.

    The targets of a window are all K values of the first timestep, then those of the second, and so on.

    Args:
        series: a series whose `wanted` are numbers `[S, K]`.
        bounds: first row of the validation split, and of the test split.
        cut: specification of the windows.
        targets: names of the K numbers.
        unit: unit of the K numbers.
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
    """Predict the current value for all later timesteps."""

    def answer(part: Split) -> np.ndarray:
        now = part.inputs if cut.every_step else part.inputs[:, -1]
        return np.tile(now[..., columns], cut.horizon)

    return answer


def _cycle(columns: list[int], cut: Cut, period: int) -> Predict:
    """Predict that the last period repeats."""

    def answer(part: Split) -> np.ndarray:
        last = part.inputs[:, -period:][..., columns]
        return last[:, np.arange(cut.horizon) % period].reshape(len(part), -1)

    return answer


def _climatology(times: np.ndarray, cut: Cut, days: int = 7) -> Baseline:
    """Return a baseline that predicts the mean for the time of the year and the time of the day.

    The mean is over the days of the training split that are at most `days` days away in the calendar, at the same time
    of the day. If there are none, it is over all days at this time of the day. If there are none either, it is over the
    complete training split.

    Args:
        times: `[S]`, times of the complete series.
        cut: specification of the windows.
        days: largest distance in the calendar.
    """
    date = times.astype("datetime64[D]")
    day = (date - date.astype("datetime64[Y]")).astype(int)
    moment = np.unique(times - date, return_inverse=True)[1]

    def rows(part: Split) -> np.ndarray:
        return cut.rows(np.searchsorted(times, part.times))  # type: ignore[arg-type]

    def fit(train: Split) -> Predict:
        there, once = np.unique(rows(train), return_index=True)
        values = train.targets.reshape(rows(train).size, -1)[once]
        table = np.zeros((366, moment.max() + 1, values.shape[1] + 1))  # sums, and in the last column the counts
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
