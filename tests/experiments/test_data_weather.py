"""Weather and sea against the packages' files, read here by hand, and against figures known beforehand."""

import csv
import gzip
import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.data import load
from rnnscope.experiments.data.datasets.online import climate
from rnnscope.experiments.data.windows import Cut

ROOT = Path(__file__).parents[2]
CLASSES = ["drizzle", "fog", "rain", "snow", "sun"]


def rows(package, name):
    path = Path(importlib.util.find_spec(package).submodule_search_locations[0]) / "_data" / name
    with (gzip.open if name.endswith(".gz") else open)(path, "rt") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def seattle():
    """`[(date, row)]`, by day."""
    found = rows("vega_datasets", "seattle-weather.csv")
    return [(np.datetime64(row["date"].replace("/", "-")), row) for row in found]


@pytest.fixture(scope="module")
def sea():
    """Times and readings as the file has them."""
    found = rows("bokeh_sampledata", "sea_surface_temperature.csv.gz")
    times = np.array([np.datetime64(row["time (UTC)"].rstrip("Z")) for row in found])
    return times, np.array([float(row["temperature (celsius)"]) for row in found])


@pytest.fixture
def dataset(compose):
    return lambda name, *options: load(compose(f"dataset={name}", *options).dataset, seed=1)


def scores(task, part, baseline):
    return task.baseline_metrics(part)[baseline]


# --------------------------------------------------------------------- every day


def test_a_day_in_seattle_is_what_the_file_says_of_it(dataset, seattle):
    task = dataset("weather")
    assert task.features[:4] == ("precipitation", "temp_max", "temp_min", "wind")
    assert task.features[4:9] == tuple(CLASSES)
    days = dict(seattle)
    for part, size in ((task.train, 695), (task.validation, 329), (task.test, 359)):
        assert part.inputs.shape == (size, 30, 11)
        assert part.targets.shape == (size, 7)
        for n in range(0, size, 50):
            for t in (0, 29):
                day = part.times[n].astype("datetime64[D]") - 30 + t
                row, angle = days[day], 2 * np.pi * (day - day.astype("datetime64[Y]")).astype(int) / 365.25
                expected = [float(row[name]) for name in task.features[:4]]
                expected += [float(row["weather"] == name) for name in CLASSES] + [np.sin(angle), np.cos(angle)]
                np.testing.assert_allclose(part.inputs[n, t], expected, rtol=1e-5, atol=1e-6)
            maxima = [float(days[part.times[n].astype("datetime64[D]") + lead]["temp_max"]) for lead in range(7)]
            np.testing.assert_allclose(part.targets[n], maxima, rtol=1e-6)


def test_years_are_parts(dataset):
    task = dataset("weather")
    year = lambda part: set(part.times.astype("datetime64[Y]").astype(str))
    assert [year(part) for part in task.parts] == [{"2012", "2013"}, {"2014"}, {"2015"}]
    assert task.validation.times[0] == np.datetime64("2014-01-31")
    assert task.test.times[0] == np.datetime64("2015-01-01")


def test_tomorrow_as_today_is_off_by_2_24_degrees_on_all_days_of_2015(dataset, seattle):
    task = dataset("weather", "dataset.horizon=1")
    maxima = np.array([float(row["temp_max"]) for _, row in seattle])
    assert len(task.test) == 365
    error = scores(task, task.test, "persistence")["mae"]
    assert error == pytest.approx(abs(np.diff(maxima))[-365:].mean(), rel=1e-5)
    assert round(error, 2) == 2.24


def test_the_week_ahead_has_a_first_day_and_a_last(dataset, seattle):
    task = dataset("weather")
    maxima = np.array([float(row["temp_max"]) for _, row in seattle])
    today = maxima[-366:-7]
    found = scores(task, task.test, "persistence")
    assert found["mae_first"] == pytest.approx(abs(maxima[-365:-6] - today).mean(), rel=1e-5)
    assert found["mae_last"] == pytest.approx(abs(maxima[-359:] - today).mean(), rel=1e-5)


def test_tomorrows_class_as_todays_is_right_on_0_688_of_the_days_of_2015(dataset, seattle):
    task = dataset("weather", "dataset.target=class")
    names = [row["weather"] for _, row in seattle]
    assert task.output.names == tuple(CLASSES)
    np.testing.assert_array_equal(task.test.targets, [CLASSES.index(name) for name in names[-365:]])
    right = scores(task, task.test, "persistence")["accuracy"]
    assert right == np.mean([one == other for one, other in zip(names[-366:], names[-365:], strict=False)])
    assert round(right, 3) == 0.688
    majority = scores(task, task.test, "majority class")["accuracy"]
    assert majority == np.mean([name == "sun" for name in names[-365:]])


def test_of_the_class_it_is_tomorrows_whatever_the_horizon(dataset):
    one, seven = (dataset("weather", "dataset.target=class", f"dataset.horizon={horizon}") for horizon in (1, 7))
    np.testing.assert_array_equal(one.test.targets, seven.test.targets)


def test_every_day_of_the_window_can_be_asked(dataset):
    values = dataset("weather", "dataset.every_step=true")
    assert values.output.per_step
    assert values.train.targets.shape == (695, 30, 7)
    maxima = values.features.index("temp_max")
    np.testing.assert_array_equal(values.test.targets[:, :-1, 0], values.test.inputs[:, 1:, maxima])
    classes = dataset("weather", "dataset.target=class", "dataset.every_step=true")
    assert classes.output.per_step
    np.testing.assert_array_equal(classes.test.targets[:, :-1], classes.test.inputs[:, 1:, 4:9].argmax(axis=-1))
    right = scores(classes, classes.test, "persistence")["accuracy"]
    today = classes.test.inputs[..., 4:9].argmax(axis=-1)
    assert right == pytest.approx(np.mean(today == classes.test.targets))


def test_less_to_train_on_is_what_is_nearest_to_the_future(dataset):
    whole, less = dataset("weather"), dataset("weather", "dataset.train_size=100")
    np.testing.assert_array_equal(less.train.inputs, whole.train.inputs[-100:])
    np.testing.assert_array_equal(less.test.inputs, whole.test.inputs)
    assert less.input_mean != whole.input_mean


def test_a_window_longer_than_a_year_is_too_long(dataset):
    with pytest.raises(UserError, match=r"dataset.window=400, .* at most 365 steps.* the validation part"):
        dataset("weather", "dataset.window=400")


# -------------------------------------------------------------------- every hour


@pytest.mark.parametrize(("city", "file"), [("seattle", "seattle-temps.csv"), ("san_francisco", "sf-temps.csv")])
def test_the_hours_of_2010_without_the_one_that_summer_time_skips(dataset, city, file):
    task = dataset("weather_hourly", f"dataset.city={city}", "dataset.stride=1")
    hours = {np.datetime64(row["date"].replace("/", "-")): float(row["temp"]) for row in rows("vega_datasets", file)}
    hour = np.timedelta64(1, "h")
    for part in task.parts:
        for n in range(0, len(part), 97):
            read = [hours[part.times[n] + t * hour] for t in range(-48, 0)]
            np.testing.assert_allclose(part.inputs[n, :, 0], read, rtol=1e-6)
            np.testing.assert_allclose(part.targets[n], [hours[part.times[n] + t * hour] for t in range(24)], rtol=1e-6)
    august, october = (31 + 28 + 31 + 30 + 31 + 30 + 31 + 31) * 24, (30 + 31) * 24
    assert len(task.train) == august - 1 - 71 - 71  # windows of 72 hours on either side of the one that is not there
    assert len(task.validation) == october - 71
    assert task.test.times[0] == np.datetime64("2010-11-01T00")
    assert len(task.test) == october - 23


def test_the_same_hour_of_two_days_hardly_differs(dataset):
    for city, difference in (("seattle", 0.16), ("san_francisco", 0.09)):
        file = {"seattle": "seattle-temps.csv", "san_francisco": "sf-temps.csv"}[city]
        readings = np.array([float(row["temp"]) for row in rows("vega_datasets", file)])
        assert round(abs(readings[24:] - readings[:-24]).mean(), 2) == difference
    assert scores(dataset("weather_hourly"), dataset("weather_hourly").test, "a day before")["mae"] < 0.2


# ----------------------------------------------------------------- every half hour


@pytest.mark.slow  # needs bokeh_sampledata
def test_the_sea_has_two_gaps_and_a_reading_too_many(sea):
    times, _ = sea
    assert len(times) == 19226
    odd = [
        (str(times[i]), int(apart / np.timedelta64(1, "m")))
        for i, apart in enumerate(np.diff(times))
        if apart != np.timedelta64(30, "m")
    ]
    assert odd == [("2016-06-14T13:00:00", 60), ("2016-07-08T01:30:00", 720), ("2017-03-21T16:30:00", 0)]


@pytest.mark.slow  # needs bokeh_sampledata
def test_how_far_the_sea_gets_in_an_hour_and_in_a_day(sea):
    _, readings = sea
    errors = [abs(readings[lead:] - readings[:-lead]).mean() for lead in (1, 24, 48)]
    np.testing.assert_allclose(errors, [0.049, 0.350, 0.385], atol=5e-4)


@pytest.mark.slow  # needs bokeh_sampledata
def test_windows_of_the_sea_are_half_hours_in_a_row(dataset, sea):
    task = dataset("sea_temperature", "dataset.stride=5")
    readings = dict(zip(reversed(sea[0].tolist()), reversed(sea[1].tolist()), strict=True))  # of two the first
    half = np.timedelta64(30, "m")
    for part in task.parts:
        for n in range(0, len(part), 61):
            at = [readings[(part.times[n].astype("datetime64[s]") + t * half).tolist()] for t in range(-96, 48)]
            np.testing.assert_allclose(np.append(part.inputs[n, :, 0], part.targets[n]), at, rtol=1e-6)
    assert task.train.times.max() < np.datetime64("2016-12-01") <= task.validation.times.min()
    assert task.validation.times.max() < np.datetime64("2017-01-15") == task.test.times.min()


@pytest.mark.slow  # needs bokeh_sampledata
def test_persistence_of_the_sea_in_the_test_part(dataset, sea):
    task = dataset("sea_temperature")
    times, readings = (np.delete(array, 19210) for array in sea)
    begin = int(np.searchsorted(times, np.datetime64("2017-01-15")))
    now = np.arange(begin - 1, len(times) - 48)
    assert len(task.test) == len(now)
    errors = [abs(readings[now + lead] - readings[now]).mean() for lead in range(1, 49)]
    found = scores(task, task.test, "persistence")
    assert found["mae"] == pytest.approx(np.mean(errors), rel=1e-4)
    assert found["mae_first"] == pytest.approx(errors[0], rel=1e-4)
    assert found["mae_last"] == pytest.approx(errors[-1], rel=1e-4)
    np.testing.assert_allclose([errors[0], errors[23], errors[47]], [0.024, 0.167, 0.212], atol=5e-4)


@pytest.mark.slow  # needs bokeh_sampledata
@pytest.mark.parametrize("name", ["weather", "weather_hourly", "sea_temperature"])
def test_no_training_window_shares_a_step_with_one_of_another_part(dataset, name):
    task = dataset(name)
    step = np.diff(task.test.times)[0]
    window, horizon = task.train.inputs.shape[1], task.train.targets.shape[1]
    last_learnt = task.train.times.max() + step * (horizon - 1)
    for part in (task.validation, task.test):
        assert (part.times - step * window).min() > last_learnt
    assert task.validation.times.max() + step * (horizon - 1) < task.test.times.min()


# ------------------------------------------------------------------------ Jena

INSTRUMENTS = [
    "p (mbar)", "T (degC)", "Tpot (K)", "Tdew (degC)", "rh (%)", "VPmax (mbar)", "VPact (mbar)", "VPdef (mbar)",
    "sh (g/kg)", "H2OC (mmol/mol)", "rho (g/m**3)", "wv (m/s)", "max. wv (m/s)", "wd (deg)",
]  # fmt: skip


@pytest.fixture(scope="module")
def jena():
    """Three months in the form of the published file; one reading is there twice, and an hour has no wind."""
    import pandas as pd

    months = [
        pd.date_range(f"{month}-01", periods=31 * 144, freq="10min") for month in ("2014-12", "2015-01", "2016-01")
    ]
    times = pd.DatetimeIndex(np.concatenate(months))
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(len(times), 14)).round(2), columns=INSTRUMENTS)
    table["wd (deg)"] = np.random.default_rng(1).integers(0, 360, len(times)).astype(float)
    table.insert(0, "Date Time", times.strftime("%d.%m.%Y %H:%M:%S"))
    table.loc[600, "wv (m/s)"] = -9999.0
    return pd.concat([table.iloc[:1201], table.iloc[1200:]], ignore_index=True)


def test_of_jena_the_full_hours_are_taken_without_those_of_no_wind(jena):
    task = climate(jena, Cut(10, 3, 1, False))
    hourly = jena[jena["Date Time"].str.endswith(":00:00")].drop_duplicates("Date Time")
    assert [len(part) for part in task.parts] == [744 - 1 - 12 - 12, 744 - 12, 744 - 12]
    by_time = {row["Date Time"]: row for _, row in hourly.iterrows()}
    for part in task.parts:
        for n in range(0, len(part), 97):
            written = [(part.times[n] + np.timedelta64(t, "h")).astype("datetime64[s]").item() for t in range(-10, 3)]
            found = [by_time[time.strftime("%d.%m.%Y %H:%M:%S")] for time in written]
            np.testing.assert_allclose(part.targets[n], [row["T (degC)"] for row in found[10:]], rtol=1e-6)
            angle = np.deg2rad([row["wd (deg)"] for row in found[:10]])
            expected = np.column_stack([[row[INSTRUMENTS[:-1]] for row in found[:10]], np.sin(angle), np.cos(angle)])
            np.testing.assert_allclose(part.inputs[n], expected.astype(float), rtol=1e-5, atol=1e-6)
    assert task.train.inputs.min() > -10


def load_jena(home):
    """What a process with this cache, and no way into the internet, says of the dataset."""
    script = (
        "from rnnscope.experiments.data.datasets.online import jena_climate\n"
        "from rnnscope.experiments.common.errors import UserError\n"
        "try:\n"
        "    print(len(jena_climate(10, 3, 1, False).train))\n"
        "except UserError as error:\n"
        "    print(error)\n"
    )
    nowhere = "http://127.0.0.1:9"
    environment = {"KERAS_HOME": str(home), "KERAS_BACKEND": "numpy", "https_proxy": nowhere, "http_proxy": nowhere}
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.splitlines()[-1]


@pytest.mark.slow  # Keras's NumPy backend needs jax
def test_jena_comes_from_the_cache_of_keras(jena, tmp_path):
    (tmp_path / "datasets").mkdir()
    name = "jena_climate_2009_2016.csv"
    with zipfile.ZipFile(tmp_path / "datasets" / f"{name}.zip", "w") as archive:
        archive.writestr(name, jena.to_csv(index=False))
    assert load_jena(tmp_path) == str(744 - 1 - 12 - 12)


@pytest.mark.slow  # Keras's NumPy backend needs jax
def test_without_the_internet_jena_says_so_in_a_line(tmp_path):
    assert load_jena(tmp_path).startswith("dataset=jena_climate: its download failed (")
