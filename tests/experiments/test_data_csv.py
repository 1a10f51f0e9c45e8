"""A time series in the user's own CSV or Parquet file, and what is said of a file that is not one."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.configuration.composition import prepare
from rnnscope.experiments.data import load
from rnnscope.experiments.sweeps import request as requests

ROWS = 220
DATES = pd.date_range("2024-01-01", periods=ROWS, freq="D")


def table(**changes):
    """Temperature and wind by day; `temperature_5=""` changes the cell of that column in the row numbered from 0."""
    random = np.random.default_rng(0)
    made = pd.DataFrame(
        {
            "date": DATES.strftime("%Y-%m-%d"),
            "temperature": random.normal(15, 5, ROWS).round(3),
            "station": "north",
            "wind": random.integers(0, 12, ROWS),
        }
    ).astype(object)
    for place, value in changes.items():
        column, _, row = place.rpartition("_")
        made.loc[int(row), column] = value
    return made


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Relative paths are meant from where the command is started."""
    monkeypatch.chdir(tmp_path)
    prepare()
    return tmp_path


def read(*options, path="rooms.csv", target="temperature"):
    """What the command line says to a dataset of one's own."""
    return requests.read(["dataset=csv", f"dataset.path={path}", f"dataset.target={target}", *options])


def task(*options, **where):
    (run,) = read(*options, **where).runs
    return load(run.dataset, seed=1)


def refusal(*options, **where):
    with pytest.raises(UserError) as error:
        read(*options, **where)
    assert "\n" not in str(error.value)
    return str(error.value)


def written(text="", **changes):
    """A file as text or bytes, or the table with changes."""
    if changes:
        text = table(**changes).to_csv(index=False)
    Path("rooms.csv").write_bytes(text if isinstance(text, bytes) else text.encode())


# ------------------------------------------------------------------------ what works


def test_all_columns_of_numbers_are_read_and_one_is_forecast():
    table().to_csv("rooms.csv", index=False)
    made = task("dataset.window=10", "dataset.horizon=2")
    assert made.features == ("temperature", "wind")
    assert made.output.names == ("temperature +1", "temperature +2")
    assert made.standardise
    numbers = table()[["temperature", "wind"]].to_numpy(np.float32)
    sizes = []
    for part, begin, end in ((made.train, 0, 154), (made.validation, 154, 187), (made.test, 187, 220)):
        first = begin if part is not made.test else begin - 10
        for n in range(len(part)):
            np.testing.assert_array_equal(part.inputs[n], numbers[first + n : first + n + 10])
            np.testing.assert_array_equal(part.targets[n], numbers[first + n + 10 : first + n + 12, 0])
        assert first + len(part) + 11 == end
        sizes.append(len(part))
    assert sizes == [143, 22, 32]


def test_several_targets_are_forecast_together_from_the_columns_that_are_named():
    table().to_csv("rooms.csv", index=False)
    made = task("dataset.columns=[wind]", "dataset.horizon=2", target="[wind,temperature]")
    assert made.features == ("wind",)
    assert made.output.names == ("wind +1", "temperature +1", "wind +2", "temperature +2")
    numbers = table()[["wind", "temperature"]].to_numpy(np.float32)
    np.testing.assert_array_equal(made.train.inputs[3, :, 0], numbers[3:33, 0])
    np.testing.assert_array_equal(made.train.targets[3], numbers[33:35].ravel())
    assert [baseline.name for baseline in made.baselines] == ["training mean"]


def test_dates_give_times_and_a_climatology():
    table().to_csv("rooms.csv", index=False)
    made = task("dataset.time=date")
    np.testing.assert_array_equal(made.train.times.astype("datetime64[D]")[:3], DATES.to_numpy()[30:33])
    assert [baseline.name for baseline in made.baselines] == ["persistence", "climatology", "training mean"]
    assert task().train.times is None


def test_every_step_and_shares_and_stride_are_options():
    table().to_csv("rooms.csv", index=False)
    made = task("dataset.every_step=true", "dataset.stride=7", "dataset.validation_share=0.3", "dataset.test_share=0.2")
    assert made.train.targets.shape == (12, 30, 1)
    assert (len(made.validation), len(made.test)) == (6, 15)


def test_parquet_says_the_same_as_csv():
    table().to_csv("rooms.csv", index=False)
    plain = table().astype({"temperature": float, "wind": "int64"}).assign(date=DATES)
    plain.to_parquet("rooms.parquet")
    plain.set_index("date").to_parquet("by_date.pq")
    expected = task("dataset.time=date")
    for path in ("rooms.parquet", "by_date.pq"):
        made = task("dataset.time=date", path=path)
        assert made.features == expected.features
        np.testing.assert_array_equal(made.test.inputs, expected.test.inputs)
        np.testing.assert_array_equal(made.test.times, expected.test.times)


def test_a_file_as_spreadsheets_write_it():
    cells = table().to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC).replace(",", ", ").replace("\n", "\r\n")
    written("\ufeff" + cells + ",,,\r\n\r\n")
    made = task("dataset.time=date")
    table().to_csv("rooms.csv")  # with a column without a name, that counts rows
    again = task("dataset.time=date")
    assert made.features == again.features == ("temperature", "wind")
    np.testing.assert_array_equal(made.train.inputs, again.train.inputs)


def test_a_column_of_years_is_no_quantity():
    table().assign(date=range(1800, 1800 + ROWS)).to_csv("rooms.csv", index=False)
    assert task("dataset.time=date").features == ("temperature", "wind")
    assert task().features == ("date", "temperature", "wind")


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (pd.date_range("2024-01-01", periods=ROWS, freq="D").strftime("%Y/%m/%d"), "2024-01-31"),
        (pd.date_range("2010-01-01", periods=ROWS, freq="MS").strftime("%Y-%m"), "2012-07-01"),
        (pd.date_range("2024-01-01", periods=ROWS, freq="h", tz="Europe/Berlin").astype(str), "2024-01-02T05:00"),
    ],
)
def test_dates_may_be_written_in_several_ways(dates, expected):
    table().assign(date=dates).to_csv("rooms.csv", index=False)
    assert task("dataset.time=date").train.times[0] == np.datetime64(expected)


def test_a_path_is_relative_to_where_the_command_is_started_or_whole(here, monkeypatch):
    table().to_csv("rooms.csv", index=False)
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    assert "there is no such file" in refusal()
    monkeypatch.setenv("HOME", str(here))
    for path in ("../rooms.csv", str(here / "rooms.csv"), "'~/rooms.csv'"):
        assert task(path=path).train
    assert refusal(path="~/rooms.csv").endswith(""" is quoted twice: "dataset.path='~/rooms.csv'\"""")


# ---------------------------------------------------------------------- what does not


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["dataset=csv"], "dataset.path is not set; name your file, as in dataset.path=…"),
        (["dataset=npz"], "dataset.path is not set; name your file, as in dataset.path=…"),
        (
            ["dataset=csv", "dataset.path=rooms.csv"],
            "dataset.target is not set; name the column to forecast, as in dataset.target=…",
        ),
    ],
)
def test_what_must_be_said_is_asked_for(options, message):
    with pytest.raises(UserError, match=re.escape(message)):
        requests.read(options)


def test_a_file_that_is_not_there(here):
    assert refusal(path="room.csv") == f"dataset.path=room.csv: there is no such file in {here}"
    assert refusal(path=".") == "dataset.path=.: expected a file, got a folder"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "rooms.csv: the file is empty"),
        ("\n", "rooms.csv: the file is empty"),
        ("temperature,wind\n", "rooms.csv: expected columns with names and rows below them, got none"),
        (",\n1,2\n", "rooms.csv: expected columns with names and rows below them, got none"),
        ("temperature;wind\n1,5;2\n", "rooms.csv: its columns are separated by semicolons, expected commas"),
        ("temperature\twind\n1\t2\n", "rooms.csv: its columns are separated by tabs, expected commas"),
        ("temperature|wind\n1|2\n", "rooms.csv: its columns are separated by bars, expected commas"),
        (
            "temperature wind\n1 2\n",
            "dataset.target=temperature: rooms.csv has no such column; did you mean temperature wind? (allowed: "
            "temperature wind); if these are several, separate them by commas",
        ),
        ("temperature,wind,wind\n1,2,3\n", "rooms.csv: two columns are called wind; rename one"),
        ("temperature,wind\n1,2\n1,2,3\n", "rooms.csv: cannot be read as CSV (Expected 2 fields in line 3, saw 3)"),
        ("temperature,wind\n1,2\n\n3,4\n", "rooms.csv, line 3, column temperature: expected a number, got an empty"),
        ("temperature,wind\n1,2\n1\n", "rooms.csv, line 3, column wind: expected a number, got an empty cell; or"),
        ("température,wind\n1,2\n".encode("latin1"), "rooms.csv: its text is not UTF-8; save it as CSV in UTF-8"),
        ("temperature,wind\n1,2\n".encode("utf16"), "rooms.csv: its text is not UTF-8; save it as CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_such_table(content, message):
    written(content)
    assert refusal().startswith(message)


def test_a_file_that_is_no_parquet(here):
    (here / "rooms.parquet").write_text("temperature,wind\n1,2\n")
    assert refusal(path="rooms.parquet").startswith("rooms.parquet: cannot be read as Parquet (")


@pytest.mark.parametrize(
    ("options", "target", "message"),
    [
        (
            [],
            "temprature",
            "dataset.target=temprature: rooms.csv has no such column; did you mean temperature? (allowed",
        ),
        (["dataset.columns=[wnd]"], "wind", "dataset.columns=wnd: rooms.csv has no such column; did you mean wind? ("),
        (["dataset.time=day"], "wind", "dataset.time=day: rooms.csv has no such column; "),
        ([], "[wind,wind]", "dataset.target=[wind,wind]: expected each column once"),
        ([], "[]", "dataset.target=[]: expected a column of rooms.csv"),
        (["dataset.columns=[]"], "wind", "dataset.columns=[]: expected a column of rooms.csv"),
        ([], "station", "rooms.csv, line 2, column station: expected a number, got north"),
        (["dataset.columns=[station]"], "wind", "rooms.csv, line 2, column station: expected a number, got north"),
    ],
)
def test_columns_that_are_not_there_or_hold_no_numbers(options, target, message):
    table().to_csv("rooms.csv", index=False)
    assert refusal(*options, target=target).startswith(message)


@pytest.mark.parametrize(
    ("cell", "got"),
    [
        ("", "an empty cell"),
        ("warm", "warm"),
        ("NA", "NA"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1e99", "1e99"),
        ("1 5", "1 5"),
    ],
)
def test_a_cell_that_is_no_number(cell, got):
    written(temperature_5=cell)
    assert refusal() == f"rooms.csv, line 7, column temperature: expected a number, got {got}"


def test_a_column_that_nobody_named_can_be_left_out():
    written(wind_9="calm")
    hint = "; or leave the column out, by dataset.columns=[…]"
    assert refusal() == f"rooms.csv, line 11, column wind: expected a number, got calm{hint}"
    assert task("dataset.columns=[temperature]").train


def test_rows_of_parquet_are_counted_from_one():
    plain = table().astype({"temperature": float, "wind": float})
    plain.loc[3, "temperature"] = np.nan
    plain.to_parquet("rooms.parquet")
    message = "rooms.parquet, row 4, column temperature: expected a number, got an empty cell"
    assert refusal(path="rooms.parquet") == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"date_0": "soon"}, "line 2, column date: expected a date such as 2026-01-31 15:30; got soon"),
        (
            {"date_9": "2024-13-01"},
            "line 11, column date: expected a date written as the one before, 2024-01-09; got 2",
        ),
        ({"date_9": ""}, "line 11, column date: expected a date written as the one before, 2024-01-09; got an empty"),
        ({"date_9": "2024-01-09"}, "line 11, column date: 2024-01-09 comes twice; expected dates that increase"),
        ({"date_9": "2023-01-10"}, "line 11, column date: 2023-01-10 comes after 2024-01-09; expected dates that incr"),
    ],
)
def test_dates_that_are_none_or_do_not_increase(change, message):
    written(**change)
    assert refusal("dataset.time=date").startswith(f"rooms.csv, {message}")
    assert task().train


def test_a_row_that_is_missing():
    table().drop(index=50).to_csv("rooms.csv", index=False)
    message = refusal("dataset.time=date")
    assert message.startswith(
        "rooms.csv, line 52, column date: 2024-02-21 is 2 days 00:00:00 after the date before it,"
    )
    assert message.endswith("or count rows instead by dataset.time=null")
    assert task("dataset.time=null").train


@pytest.mark.parametrize(("window", "part", "size"), [(33, "validation", 33), (160, "training", 154)])
def test_too_few_rows_for_a_window(window, part, size):
    table().to_csv("rooms.csv", index=False)
    message = refusal(f"dataset.window={window}")
    assert f"of its 220 rows {size} are the {part} part, expected at least {window + 1}, which is" in message
    enough = int(re.search(r"give (\d+) rows$", message)[1])
    pd.DataFrame({"temperature": np.arange(enough)}).to_csv("rooms.csv", index=False)
    assert task(f"dataset.window={window}").train


def test_shares_that_leave_nothing():
    table().to_csv("rooms.csv", index=False)
    message = refusal("dataset.validation_share=0.5", "dataset.test_share=0.5")
    assert message.startswith("dataset.validation_share=0.5, dataset.test_share=0.5: expected a sum below 1")


def test_more_to_train_on_than_there_is():
    table().to_csv("rooms.csv", index=False)
    assert refusal("dataset.train_size=1000").startswith("dataset.train_size=1000: expected at most 124")


def test_a_sweep_is_refused_for_any_of_its_files():
    table().to_csv("rooms.csv", index=False)
    sweep = ["-m", "dataset=csv", "dataset.path=rooms.csv,halls.csv", "dataset.target=temperature"]
    with pytest.raises(UserError, match=r"dataset.path=halls.csv: there is no such file"):
        requests.read(sweep)
    table().to_csv("halls.csv", index=False)
    assert len(requests.read(sweep).runs) == 2


def test_who_only_asks_for_the_configuration_needs_no_file():
    assert requests.read(["--cfg", "job", "dataset=csv", "dataset.path=none.csv", "dataset.target=a"]) is None
