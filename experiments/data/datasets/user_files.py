"""Tasks from a user's files: a time series in a table, or examples in a NumPy archive."""

import math
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...common.errors import UserError, suggestion
from ...common.seeds import fixed_stream
from ..baselines import majority, mean
from ..outputs import Classes, Output, Values
from ..paths import own_file
from ..split import SPLITS, Split
from ..tables import check_numbers, numbers, read_table, times
from ..task import Task
from ..windows import Cut, Series, forecast

# ----------------------------------------------------------------------- a table


def csv(
    path: str,
    target: str | list[str],
    time: str | None,
    columns: list[str] | None,
    window: int,
    horizon: int,
    stride: int,
    every_step: bool,
    validation_share: float,
    test_share: float,
) -> Task:
    """Return the task of forecasting columns of a CSV or Parquet file that contains a time series.

    Each row is one timestep. The first rows are the training split, the next rows the validation split, and the last
    rows the test split.

    Args:
        path: path of the file, Parquet if it ends in .parquet or .pq. A relative path starts at the folder in which the
            command was started.
        target: one or several columns to forecast.
        time: the column with the date of each row, at regular intervals; `None` for no dates.
        columns: the columns to read; `None` for all columns with numbers, except `time`.
        window: number of rows to read.
        horizon: number of rows to forecast.
        stride: number of rows from one window to the next; always 1 in the test split.
        every_step: whether to forecast at every row of the window.
        validation_share, test_share: fraction of the rows in the validation and in the test split.

    Raises:
        UserError: the file does not exist, cannot be read, or is not such a table.
    """
    table = read_table(path)
    targets = [str(name) for name in (target if isinstance(target, list) else [target])]
    for option, named in (("target", targets), ("columns", columns), ("time", time and [time])):
        if named is not None:
            _check_names(path, f"dataset.{option}", named, table.columns)
    values = {name: numbers(table[name]) for name in table.columns}
    known = columns or [name for name in values if name != time and np.isfinite(values[name]).any()]
    for name in dict.fromkeys([*targets, *known]):
        chosen = columns or name in targets
        check_numbers(path, table[name], "" if chosen else "; or leave the column out, by dataset.columns=[…]")
    series = Series(
        tuple(known),
        np.column_stack([values[name] for name in known]),
        np.column_stack([values[name] for name in targets]),
        None if time is None else times(path, table[time]),
    )
    bounds = _bounds(path, len(table), (validation_share, test_share), window, horizon)
    return forecast(series, bounds, Cut(window, horizon, stride, every_step), tuple(targets))


def _check_names(path: str, option: str, names: Sequence[str], there: Iterable[str]) -> None:
    if not names:
        raise UserError(f"{option}=[]: expected a column of {path}")
    for name in names:
        if name not in there:
            alone = "" if len(list(there)) > 1 else "; if these are several, separate them by commas"
            raise UserError(f"{option}={name}: {path} has no such column; {suggestion(name, there)}{alone}")
        if names.count(name) > 1:
            raise UserError(f"{option}=[{','.join(names)}]: expected each column once")


def _bounds(path: str, rows: int, shares: tuple[float, float], window: int, horizon: int) -> tuple[int, int]:
    """Return the first row of the validation split, and of the test split."""
    validation, test = _sizes(rows, shares)
    learning, needed = rows - validation - test, window + horizon
    for part, size in (("training", learning), ("validation", validation), ("test", test)):
        if size < needed:
            enough = math.ceil((needed + 1) / min(*shares, 1 - sum(shares)))
            raise UserError(
                f"{path}: of its {rows} rows {size} are the {part} part, expected at least {needed}, which is "
                f"dataset.window={window} + dataset.horizon={horizon}; shorten these, or give {enough} rows"
            )
    return learning, learning + validation


def _sizes(examples: int, shares: tuple[float, float]) -> tuple[int, int]:
    """Return the sizes of the validation and test splits."""
    validation, test = shares
    if validation + test >= 1:
        raise UserError(
            f"dataset.validation_share={validation}, dataset.test_share={test}: expected a sum below 1, "
            "to leave something to train on"
        )
    return round(examples * validation), round(examples * test)


# -------------------------------------------------------------------- an archive

_ARRAYS = ("inputs", "targets", "mask")
_MOST_SYMBOLS = 10**6
"""The largest accepted symbol or class. A larger number is probably an error in the data."""


def npz(path: str, validation_share: float, test_share: float) -> Task:
    """Return the task of the examples in a NumPy archive, as written by `numpy.savez`.

    - `inputs`: numbers `[N, T, F]`, or integers `[N, T]`, which are symbols.
    - `targets`: integers, which are classes, `[N]`, or `[N, T]` for one class per timestep; or floating-point numbers,
      which are values, `[N]` or `[N, V]`, or `[N, T, V]` for values at every timestep.
    - `mask`, for padded sequences: `[N, T]`, false for padding.

    The examples are split at random, in the same way in every run, unless the archive has `inputs_train`,
    `inputs_validation`, `inputs_test` and so on.

    Args:
        path: path of the file. A relative path starts at the folder in which the command was started.
        validation_share, test_share: fraction of the examples in the validation and in the test split; not used if the
            archive is split.

    Raises:
        UserError: the file does not exist, cannot be read, or is not such an archive.
    """
    arrays = _arrays(path)
    if "inputs" in arrays:
        parts = _shuffled(path, _examples(path, arrays, ""), (validation_share, test_share))
    else:
        parts = tuple(_examples(path, arrays, f"_{part}") for part in SPLITS)  # type: ignore[assignment]
        _check_alike(path, parts)
    symbols = 1 + max(int(part.inputs.max()) for part in parts) if parts[0].inputs.ndim == 2 else 0
    output = _output(parts)
    baseline = majority(output.size) if isinstance(output, Classes) else mean()
    return Task(*parts, output, (baseline,), tuple(map(str, range(symbols))), standardise=True)


def _arrays(path: str) -> dict[str, np.ndarray]:
    """Return the arrays of the archive by name."""
    arrays: dict[str, np.ndarray] = {}
    try:
        with own_file(path).open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise UserError(f"{path}: holds a single array; write it with numpy.savez(…, inputs=…, targets=…)")
            for name in archive.files:
                arrays[name] = _array(path, archive, name)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path}: cannot be read as a NumPy archive; write it with numpy.savez") from error
    split = any(name.startswith("inputs_") for name in arrays)
    allowed = [f"{name}_{part}" for name in _ARRAYS for part in SPLITS] if split else list(_ARRAYS)
    for name in arrays:
        if name not in allowed:
            raise UserError(f"{path}: there is no use for an array {name}; {suggestion(name, allowed)}")
    for name in allowed:
        if name not in arrays and not name.startswith("mask"):
            raise UserError(f"{path}: has no array {name}; it has {', '.join(arrays) or 'none at all'}")
    return arrays


def _array(path: str, archive: Any, name: str) -> np.ndarray:
    try:
        return archive[name]
    except ValueError as error:
        raise UserError(
            f"{path}, {name}: expected an array of numbers, got one of Python objects; sequences of different lengths "
            "are padded, with an array mask beside them"
        ) from error


def _examples(path: str, arrays: dict[str, np.ndarray], suffix: str) -> Split:
    """Return the examples of one split, or of all. Masked inputs and targets are set to 0."""
    inputs, targets, mask = arrays[f"inputs{suffix}"], arrays[f"targets{suffix}"], arrays.get(f"mask{suffix}")
    place = f"{path}, {{}}{suffix}".format
    symbols = inputs.ndim == 2 and inputs.dtype.kind in "iu"
    if not (symbols or inputs.ndim == 3) or inputs.dtype.kind not in "iufb" or not inputs.size:
        raise UserError(
            f"{place('inputs')}: expected numbers of shape [N, T, F], or [N, T] of whole numbers, which are symbols; "
            f"{_kind(inputs)}"
        )
    steps = inputs.shape[:2]
    if mask is not None:
        _check_mask(place("mask"), mask, steps)
        mask = mask.astype(bool)
    asked = mask if _per_step(place("targets"), targets, steps) else None
    inputs, targets = _valid(place("inputs"), inputs, mask), _valid(place("targets"), targets, asked)
    single = targets.ndim == 1 and targets.dtype == np.float32
    return Split(inputs, targets[:, None] if single else targets, mask, asked)


def _check_mask(place: str, mask: np.ndarray, steps: tuple[int, ...]) -> None:
    if mask.shape != steps or not np.isin(mask, (0, 1)).all():
        raise UserError(f"{place}: expected true and false of shape {_shape(steps)}, as inputs have; {_kind(mask)}")
    for sequence in np.flatnonzero(~mask.astype(bool).any(axis=1)):
        raise UserError(f"{place}[{sequence}]: expected a step that is there, got a mask that hides all")


def _per_step(place: str, targets: np.ndarray, steps: tuple[int, ...]) -> bool:
    """Return whether there are targets at every timestep."""
    kind, shape = targets.dtype.kind, targets.shape
    if kind in "iub" and shape in (steps[:1], steps):
        return shape == steps
    if kind == "f" and 0 not in shape and shape[: len(shape) - 1 or 1] in (steps[:1], steps):
        return len(shape) == 3
    raise UserError(
        f"{place}: expected classes (whole numbers) [N] or [N, T], or values (floating-point numbers) [N], [N, V] or "
        f"[N, T, V], where [N, T] is {_shape(steps)} by inputs; {_kind(targets)}"
    )


def _valid(place: str, array: np.ndarray, there: np.ndarray | None) -> np.ndarray:
    """Return symbols or classes as int32, and other numbers as float32. Masked entries are set to 0."""
    whole = array.dtype.kind in "iub" and array.ndim < 3
    values: Any = array.astype(np.int64) if whole else array
    if there is not None:
        values = np.where(there.reshape(*there.shape, *[1] * (array.ndim - 2)), values, 0)
    with np.errstate(over="ignore"):
        right = (values >= 0) & (values <= _MOST_SYMBOLS) if whole else np.isfinite(values.astype(np.float32))
    for index in np.argwhere(~right):
        expected = f"a whole number from 0 to {_MOST_SYMBOLS:,}" if whole else "a finite number"
        raise UserError(f"{place}{index.tolist()}: expected {expected}, got {array[tuple(index)]}")
    return values.astype(np.int32 if whole else np.float32)


def _kind(array: np.ndarray) -> str:
    return f"got {array.dtype} of shape {_shape(array.shape)}"


def _shape(shape: Sequence[Any]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _check_alike(path: str, parts: Sequence[Split]) -> None:
    """Raise `UserError` if the arrays of the splits differ in their type, or in a dimension other than the first."""
    for array in _ARRAYS:
        kinds = []
        for part in parts:
            values = getattr(part, array)
            kinds.append("none" if values is None else f"{values.dtype} of shape {_shape(['N', *values.shape[1:]])}")
        for name, kind in zip(SPLITS, kinds, strict=True):
            if kind != kinds[0]:
                raise UserError(f"{path}, {array}_{name}: expected {kinds[0]}, as {array}_train, got {kind}")


def _shuffled(path: str, examples: Split, shares: tuple[float, float]) -> tuple[Split, Split, Split]:
    validation, test = _sizes(len(examples), shares)
    learning = len(examples) - validation - test
    if min(learning, validation, test) < 1:
        raise UserError(
            f"{path}: its {len(examples)} examples would be {learning} to train on, {validation} to validate, {test} "
            "to test; expected at least one each: set dataset.validation_share and dataset.test_share"
        )
    order = fixed_stream("split").permutation(len(examples))
    first, second, third = np.split(order, [learning, learning + validation])
    return examples[first], examples[second], examples[third]


def _output(parts: Sequence[Split]) -> Output:
    targets = parts[0].targets
    if targets.dtype == np.int32:
        return Classes(1 + max(int(part.targets.max()) for part in parts), targets.ndim == 2)
    return Values(targets.shape[-1], targets.ndim == 3)
