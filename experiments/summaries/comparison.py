"""Two configurations seed by seed, and two runs option by option. Made from run directories; no TensorFlow."""

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
"""With fewer pairs the signed-rank test cannot fall below 5 %: its smallest p is 2 / 2ⁿ."""


@dataclass(frozen=True)
class Paired:
    """A metric's differences between two configurations, seed by seed.

    Attributes:
        differences: by seed, the first's value minus the second's.
    """

    differences: dict[str, float]

    @property
    def mean(self) -> float:
        """Of the differences."""
        return statistics.fmean(self.differences.values())

    @property
    def half_width(self) -> float | None:
        """Of the mean's 95 % interval, by Student's t; `None` for a single pair."""
        return half_width(list(self.differences.values()))

    @property
    def t_test(self) -> float | None:
        """p of the paired t-test, two-sided; `None` for a single pair, or where all differences are equal."""
        if not self._testable:
            return None
        from scipy.stats import ttest_1samp

        return float(ttest_1samp(list(self.differences.values()), 0.0).pvalue)

    @property
    def wilcoxon(self) -> float | None:
        """p of Wilcoxon's signed-rank test, two-sided; `None` for fewer than six pairs that differ."""
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
    """Shows how two configurations differ in the headline metric of the test part, over the seeds that both have.

    Args:
        folder: holds the first's runs.
        other: holds the second's; may be the same.
        given: conditions that choose the first, `cell=lstm`; those of other options hold for the second too.
        instead: conditions that choose the second, `cell=gru`.

    Raises:
        UserError: not one configuration on each side, or two that cannot be compared.
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
    """The one configuration of a folder that meets the conditions."""
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
    """The differences over the seeds that both have completed.

    Raises:
        UserError: no such seed, or another metric.
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
    """What the differences say, in a few lines."""
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
    """What tells two configurations apart."""
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
    """Shows what differs between two runs: options, then code, packages and machine.

    Raises:
        UserError: a directory whose configuration cannot be read.
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
    """Code, packages and machine; empty if they cannot be read. The seed stands among the options."""
    told = RunDirectory(path).environment
    return as_text(flatten({key: value for key, value in told.items() if key not in ("seed", "command")}))


def _side_by_side(what: str, first: dict[str, str], second: dict[str, str], names: tuple[str, str]) -> Table | Text:
    """The entries that differ, a row each."""
    keys = [key for key in first | second if first.get(key) != second.get(key)]
    if not keys:
        return Text(f"{what}: no difference")
    shown = Table(box=None, padding=(0, 2))
    for name in (what, *names):
        shown.add_column(Text(name))
    for key in keys:
        shown.add_row(Text(key), *(Text(side.get(key, "–")) for side in (first, second)))
    return shown
