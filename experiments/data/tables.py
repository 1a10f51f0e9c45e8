"""Tables in a user's files. Error messages about an invalid cell contain its file, row and column."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..common.errors import UserError
from .paths import own_file

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_table(path: str) -> Any:
    """Read a CSV or Parquet file (`.parquet`, `.pq`) into a `pandas.DataFrame`.

    For a CSV file, all cells are text, and columns without a name are left out. The index counts rows as users do: for
    a CSV file it is called `line`, and line 1 contains the column names; for a Parquet file it is called `row` and
    starts at 1.

    Args:
        path: path as on the command line.

    Raises:
        UserError: the file does not exist, or does not contain a table.
    """
    import pandas as pd

    file = own_file(path)
    parquet = file.suffix.lower() in (".parquet", ".pq")
    try:
        table = pd.read_parquet(file) if parquet else _text(path, file)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: its text is not UTF-8; save it as CSV in UTF-8") from error
    except pd.errors.EmptyDataError as error:
        raise UserError(f"{path}: the file is empty") from error
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise UserError(f"{path}: cannot be read as {'Parquet' if parquet else 'CSV'} ({reason})") from error
    if parquet and any(table.index.names):
        table = table.reset_index()
    table.columns = [str(name).strip() for name in table.columns]
    for name in table.columns[table.columns.duplicated()]:
        raise UserError(f"{path}: two columns are called {name}; rename one")
    if table.empty:
        raise UserError(f"{path}: expected columns with names and rows below them, got none")
    first, counted = (1, "row") if parquet else (2, "line")
    table.index = pd.RangeIndex(first, first + len(table), name=counted)
    return table


def _text(path: str, file: Path) -> Any:
    """Return the cells of a CSV file, without empty lines at its end."""
    import pandas as pd

    with file.open(encoding="utf-8", errors="replace") as lines:
        header = lines.readline()
    for separator, name in _SEPARATORS.items():
        if separator in header and "," not in header:
            raise UserError(f"{path}: its columns are separated by {name}, expected commas")
    cells = pd.read_csv(
        file,
        header=None,  # so that duplicate names and rows with too many cells are detected
        dtype=str,
        keep_default_na=False,
        skip_blank_lines=False,
        skipinitialspace=True,
    )
    names, cells = cells.iloc[0], cells.iloc[1:]
    filled = np.flatnonzero((cells != "").any(axis=1))
    cells = cells.iloc[: filled[-1] + 1 if len(filled) else 0]
    cells.columns = names
    return cells.loc[:, (names != "").to_numpy()]


def numbers(column: Any) -> np.ndarray:
    """Return a column as float64 `[S]`, with NaN for cells that are not numbers."""
    import pandas as pd

    if column.dtype.kind in "mM":  # dates
        return np.full(len(column), np.nan)
    return pd.to_numeric(column.astype(object), errors="coerce").to_numpy(np.float64, na_value=np.nan)


def check_numbers(path: str, column: Any, hint: str = "") -> None:
    """Raise `UserError` for the first cell of a column that is not a finite number.

    Args:
        path: path of the file, as on the command line.
        column: a column of a table from `read_table`.
        hint: text to append to the error message.
    """
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(numbers(column).astype(np.float32))
    for row in column.index[wrong]:
        raise UserError(f"{_place(path, column, row)}: expected a number, {_got(column, row)}{hint}")


def times(path: str, column: Any) -> np.ndarray:
    """Return a column of dates as `datetime64` `[S]`. Dates with a time zone are converted to UTC.

    Raises:
        UserError: a cell is not a date, the dates do not increase, or the interval between two dates is less than 0.5
            times or more than 1.5 times the median interval.
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about dates without a common format, which raise errors below
        text = column if column.dtype.kind == "M" else column.astype(str)
        dates = pd.to_datetime(text, errors="coerce", utc=True).dt.tz_localize(None)
    for row in dates.index[dates.isna()]:
        like = "such as 2026-01-31 15:30" if row == dates.index[0] else f"written as the one before, {column[row - 1]}"
        raise UserError(f"{_place(path, column, row)}: expected a date {like}; {_got(column, row)}")
    apart = dates.diff()
    usual = apart.median()
    for row in dates.index[apart <= pd.Timedelta(0)]:
        wrong = "comes twice" if dates[row] == dates[row - 1] else f"comes after {column[row - 1]}"
        raise UserError(f"{_place(path, column, row)}: {column[row]} {wrong}; expected dates that increase")
    for row in dates.index[(apart > 1.5 * usual) | (apart < 0.5 * usual)]:
        raise UserError(
            f"{_place(path, column, row)}: {column[row]} is {apart[row]} after the date before it, elsewhere it is "
            f"{usual}; expected even steps: fill in what is missing, or count rows instead by dataset.time=null"
        )
    return dates.to_numpy()


def _place(path: str, column: Any, row: int) -> str:
    return f"{path}, {column.index.name} {row}, column {column.name}"


def _got(column: Any, row: int) -> str:
    import pandas as pd

    cell = column[row]
    return "got an empty cell" if pd.isna(cell) or cell == "" else f"got {cell!s:.40}"
