"""Comparisons of two configurations by seed, and of two runs by option, from run directories without TensorFlow."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table
from rich.text import Text

from ..common.console import console
from ..common.errors import UserError
from ..configuration.flattening import as_text, flatten
from ..data.outputs import HIGHER_IS_BETTER
from ..runs.directory import RunDirectory
from ..runs.reader import Run, conditions_of, read_runs, swept, where
from .groups import Group, figure, half_width

_FEWEST_FOR_WILCOXON = 6
"""Smallest number of pairs for the signed-rank test: with n pairs its smallest p is 2 / 2ⁿ, above 5 % if n < 6."""


@dataclass(frozen=True)
class Paired:
    """The differences of a metric between two configurations, paired by seed.

    Attributes:
        differences: value of the first configuration minus value of the second, by seed.
    """

    differences: dict[str, float]

    @property
    def mean(self) -> float:
        """Mean of the differences."""
        return statistics.fmean(self.differences.values())

    @property
    def half_width(self) -> float | None:
        """Half-width of the mean's 95 % confidence interval, by Student's t; `None` for a single pair."""
        return half_width(list(self.differences.values()))

    @property
    def t_test(self) -> float | None:
        """Two-sided p of the paired t-test; `None` for a single pair, or if all differences are equal."""
        if not self._testable:
            return None
        from scipy.stats import ttest_1samp

        return float(ttest_1samp(list(self.differences.values()), 0.0).pvalue)

    @property
    def wilcoxon(self) -> float | None:
        """Two-sided p of Wilcoxon's signed-rank test; `None` for fewer than six nonzero differences."""
        unequal = sum(difference != 0 for difference in self.differences.values())
        if unequal < _FEWEST_FOR_WILCOXON:
            return None
        from scipy.stats import wilcoxon

        return float(wilcoxon(list(self.differences.values())).pvalue)

    @property
    def _testable(self) -> bool:
        return len(self.differences) > 1 and np.ptp(list(self.differences.values())) > 0


# --------------------------------------------------------------------- compare


def compare(folder: Path, other: Path, given: Sequence[str], instead: Sequence[str]) -> None:
    """Show how two configurations differ in the primary metric on the test split, over the seeds that both have.

    Args:
        folder: folder with the runs of the first configuration.
        other: folder with the runs of the second configuration; may be the same folder.
        given: conditions that select the first configuration, such as `cell=lstm`. They also apply to the second
            configuration, except for options that `instead` contains.
        instead: conditions that select the second configuration, such as `cell=gru`.

    Raises:
        UserError: a side is not exactly one configuration, or the two cannot be compared.
    """
    conditions, replaced = conditions_of(given), conditions_of(instead)
    if folder == other and not replaced:
        raise UserError("expected two configurations: give --with cell=gru, or a second folder")
    first = _configuration(folder, conditions)
    second = _configuration(other, conditions | replaced)
    if {run.path.resolve() for run in first.runs} & {run.path.resolve() for run in second.runs}:
        raise UserError("the same runs are on both sides; expected --where and --with to choose different ones")
    pairs = paired(first, second)
    screen = console()
    screen.print(_differing(first.runs[0], second.runs[0]))
    screen.print(_by_seed(first, second, pairs))
    for line in verdict(pairs, first.metric):
        screen.print(line, highlight=False, markup=False, soft_wrap=True)


def _configuration(folder: Path, conditions: dict[str, str]) -> Group:
    """Return the only configuration in a folder that meets the conditions."""
    runs = [run for run in where(read_runs(folder), conditions) if run.options]
    asked = " ".join([str(folder), *(f"{key}={value}" for key, value in conditions.items())])
    if not runs:
        raise UserError(f"{asked}: the configuration of no run can be read")
    if several := swept(run.options for run in runs):
        values = sorted({run.options[several[0]] for run in runs if several[0] in run.options})
        raise UserError(
            f"{asked}: several configurations, which differ in {', '.join(several)}; expected one: "
            f"add --where {several[0]}=…, one of {', '.join(values)}"
        )
    return Group({}, tuple(sorted(runs, key=lambda run: (len(run.seed), run.seed))))


def paired(first: Group, second: Group) -> Paired:
    """Return the differences over the seeds for which both configurations have results.

    Raises:
        UserError: there is no such seed, or the metrics are not the same.
    """
    metrics = first.metric, second.metric
    if all(metrics) and metrics[0] != metrics[1]:
        raise UserError(f"one is judged by {metrics[0]}, the other by {metrics[1]}; expected the same metric")
    common = [seed for seed in first.values if seed in second.values]
    if not common:
        listed = " and ".join(", ".join(group.values) or "none" for group in (first, second))
        raise UserError(f"no seed has a result on both sides (seeds {listed}); train both with the same, seed=1,2,3")
    return Paired({seed: first.values[seed] - second.values[seed] for seed in common})


def verdict(pairs: Paired, metric: str) -> list[str]:
    """Return a few lines that interpret the differences."""
    count, half = len(pairs.differences), pairs.half_width
    lines = [f"A − B in test {metric}, over {count} common seed{'s' * (count > 1)}: mean {_signed(pairs.mean)}"]
    if half is None:
        return [
            *lines,
            "One common seed: no interval and no test; expected at least two, better five (seed=1,2,3,4,5).",
        ]
    lines[0] += f", 95 % interval {_signed(pairs.mean - half)} to {_signed(pairs.mean + half)}"
    lines.append(f"paired t-test: {_p(pairs.t_test, 'none, all differences are equal')}")
    lines.append(f"Wilcoxon signed-rank test: {_p(pairs.wilcoxon, 'needs at least six seeds that differ')}")
    sign = 1 if metric in HIGHER_IS_BETTER else -1
    wins = sum(sign * difference > 0 for difference in pairs.differences.values())
    losses = sum(sign * difference < 0 for difference in pairs.differences.values())
    told = f"A is better at {wins} of {count} seeds, B at {losses}"
    if abs(pairs.mean) > half:
        return [
            *lines,
            f"{told}; over seeds {'A' if sign * pairs.mean > 0 else 'B'} is better: 0 is not in the interval.",
        ]
    return [*lines, f"{told}; over seeds no difference is shown: 0 is in the interval."]


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{figure(abs(value))}"


def _p(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"p = {value:.3g}"


def _differing(first: Run, second: Run) -> Table | Text:
    """Return a table of the options in which two configurations differ."""
    return _side_by_side("option", first.options, second.options, ("A", "B"))


def _by_seed(first: Group, second: Group, pairs: Paired) -> Table:
    shown = Table("seed", box=None, padding=(0, 2))
    for name in ("A", "B", "A − B"):
        shown.add_column(name, justify="right")
    for seed, difference in pairs.differences.items():
        shown.add_row(seed, figure(first.values[seed]), figure(second.values[seed]), _signed(difference))
    return shown


# ------------------------------------------------------------------------ diff


def diff(first: Path, second: Path) -> None:
    """Show the differences between two runs: first options, then code, packages and machine.

    Raises:
        UserError: the configuration of a run cannot be read.
    """
    options = [_options(path) for path in (first, second)]
    environments = [_environment(path) for path in (first, second)]
    names = first.name or str(first), second.name or str(second)
    screen = console()
    screen.print(_side_by_side("option", options[0], options[1], names))
    screen.print(_side_by_side("made with", environments[0], environments[1], names))


def _options(path: Path) -> dict[str, str]:
    config = RunDirectory(path).configuration
    if config is None:
        raise UserError(f"{path}: its configuration cannot be read; expected the directory of a run, runs/default/…")
    return as_text(flatten(config))


def _environment(path: Path) -> dict[str, str]:
    """Return code, packages and machine; empty if they cannot be read.

    The seed and the command are left out, because the options contain them.
    """
    told = RunDirectory(path).environment
    return as_text(flatten({key: value for key, value in told.items() if key not in ("seed", "command")}))


def _side_by_side(what: str, first: dict[str, str], second: dict[str, str], names: tuple[str, str]) -> Table | Text:
    """Return a table of the entries that differ, one row per entry."""
    keys = [key for key in first | second if first.get(key) != second.get(key)]
    if not keys:
        return Text(f"{what}: no difference")
    shown = Table(box=None, padding=(0, 2))
    for name in (what, *names):
        shown.add_column(Text(name))
    for key in keys:
        shown.add_row(Text(key), *(Text(side.get(key, "–")) for side in (first, second)))
    return shown
