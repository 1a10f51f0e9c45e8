"""The command `rnnscope show`, which shows the sizes, baselines and examples of a dataset without TensorFlow."""

from pathlib import Path
from textwrap import shorten

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import data
from ..common import files
from ..common.console import console
from ..common.errors import UserError
from ..configuration.composition import prepare
from ..data import Split, Task
from ..data.outputs import Classes, Labels, Sequences, Symbols, Values
from ..sweeps import request as requests
from .example_plots import examples_picture

_BARS = "▁▂▃▄▅▆▇█"
_STEPS = 72
"""Largest number of bars on a line."""
_FEATURES = 6
"""Largest number of features that are shown as text."""


def show(overrides: list[str], examples: int, picture: Path | None, config_dir: Path | None = None) -> None:
    """Show the dataset that the overrides select.

    Args:
        overrides: overrides as for `train.py`.
        examples: number of examples to show, spread evenly over the training split.
        picture: file of the figure; by default `show-<dataset>.png`.
        config_dir: folder with custom configuration files, as in `train.py --config-dir`.

    Raises:
        UserError: the overrides are invalid, the data cannot be loaded, or the figure cannot be written.
    """
    prepare()
    request = requests.read([*(["--config-dir", str(config_dir)] if config_dir else []), *overrides])
    if request is None:
        raise UserError("expected overrides such as dataset=adding, got options of train.py")
    config = request.runs[0]
    task = data.load(config.dataset, config.seed)
    shown = task.train[np.unique(np.linspace(0, len(task.train) - 1, examples).astype(int))]
    screen = console()
    screen.print(f"[bold]{config.dataset.name}[/bold]: {describe(task)}", highlight=False)
    screen.print(_parts(task))
    screen.print(_baselines(task))
    for number in range(len(shown)):
        _print_example(screen, task, shown, number)
    picture = picture or Path(f"show-{config.dataset.name}.png")
    answers = (target_text(task, shown, number) for number in range(len(shown)))
    titles = [shorten(f"example {number} → {answer}", 110) for number, answer in enumerate(answers, start=1)]
    png = examples_picture(shown, task, titles)
    try:
        files.write_whole(picture, lambda path: path.write_bytes(png))
    except OSError as error:
        raise UserError(f"{picture}: cannot be written ({error.strerror}); choose another file, --picture …") from error
    screen.print(f"picture: {picture}", highlight=False, soft_wrap=True)


def describe(task: Task) -> str:
    """Return a description of the inputs and targets of a task, in one line."""
    signature, output = task.signature, task.output
    read = (
        f"sequences of {'up to ' if signature.masked else ''}{signature.steps} steps of "
        f"{f'one of {signature.features} symbols' if task.symbols else _plural(signature.features, 'number')}"
    )
    return f"{read} → {_asked(output)}{' at every step' if output.per_step and type(output) is Classes else ''}"


def _asked(output: object) -> str:
    match output:
        case Symbols():
            return "the next symbol at every step"
        case Sequences(size=size):
            return f"another sequence, in {size} symbols"
        case Labels(size=size):
            return f"any of {size} labels at every step"
        case Values(size=size, unit=unit, per_step=per_step):
            return f"{_plural(size, 'value')}{f' in {unit}' if unit else ''}{' at every step' if per_step else ''}"
        case Classes(size=size):
            return f"one of {size} classes"
    raise NotImplementedError(type(output).__name__)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _parts(task: Task) -> Table:
    table = Table("part", "examples", box=None, padding=(0, 2))
    for name, part in zip(data.SPLITS, task.parts, strict=True):
        table.add_row(name, f"{len(part):,}")
    return table


def _baselines(task: Task) -> Table:
    found = task.baseline_metrics(task.test)
    metrics = sorted({name for scores in found.values() for name in scores})
    table = Table("baseline (test part)", *metrics, box=None, padding=(0, 2))
    for name, scores in found.items():
        table.add_row(name, *(f"{scores[metric]:.4f}" if metric in scores else "–" for metric in metrics))
    return table


# -------------------------------------------------------------------- examples


def _print_example(screen: Console, task: Task, part: Split, number: int) -> None:
    there = slice(None) if part.mask is None else part.mask[number]
    sequence = part.inputs[number][there]
    screen.rule(f"example {number + 1}", align="left")
    if task.symbols:
        screen.print(Text(written(sequence, task.symbols)))
    else:
        shown = _telling(sequence)
        for index in shown:
            name = task.features[index] if task.features else f"feature {index + 1}"
            values = sequence[:, index]
            screen.print(Text(f"{name:>16} {bars(values)}  {values.min():.3g} … {values.max():.3g}"))
        if more := sequence.shape[-1] - len(shown):
            screen.print(f"{'':>16} and {more} more, in the picture", highlight=False)
    screen.print(Text(f"{'→':>16} {target_text(task, part, number)}"))


def _telling(sequence: np.ndarray) -> list[int]:
    """Return the first features that change within the sequence, or the first features if none changes."""
    changing = np.flatnonzero(np.ptp(sequence, axis=0))
    return (changing if len(changing) else np.arange(sequence.shape[-1]))[:_FEATURES].tolist()


def bars(values: np.ndarray) -> str:
    """Draw a series as a row of bars. In a long series, each bar shows the maximum of several consecutive values.

    >>> bars(np.array([0.0, 1.0, 0.5, 0.25]))
    '▁█▅▃'
    """
    values = np.maximum.reduceat(values, range(0, len(values), -(-len(values) // _STEPS)))
    height = np.ptp(values)
    levels = np.zeros(len(values)) if height == 0 else (values - values.min()) / height * (len(_BARS) - 1)
    return "".join(_BARS[level] for level in np.rint(levels).astype(int))


def written(numbers: np.ndarray, symbols: tuple[str, ...]) -> str:
    """Convert indices of symbols to text. Words are separated by spaces, characters are not.

    >>> written(np.array([1, 2, 1]), ("", "a", "b"))
    'aba'
    >>> written(np.array([1, 0]), ("world", "hello"))
    'hello world'
    """
    between = "" if all(len(symbol) <= 1 for symbol in symbols) else " "
    return between.join(symbols[number] for number in numbers)


def target_text(task: Task, part: Split, number: int) -> str:
    """Return the targets of an example as text."""
    output, target = task.output, part.targets[number]
    asked = np.atleast_1d(part.asked[number])
    match output:
        case Labels(names=names):
            last = np.flatnonzero(asked)[-1]
            return f"at the last step: {', '.join(names[label] for label in np.flatnonzero(target[last] > 0.5))}"
        case Values(unit=unit):
            values = target if target.ndim == 1 else target[asked][-1]
            at_last = "" if target.ndim == 1 else "at the last step: "
            return f"{at_last}{', '.join(f'{value:.3g}' for value in values)} {unit}".rstrip()
        case Symbols():
            return written(target[asked], task.symbols)
        case Classes(names=names, size=size):
            return written(np.atleast_1d(target)[asked], names or tuple(map(str, range(size)))).strip()
    raise NotImplementedError(type(output).__name__)
