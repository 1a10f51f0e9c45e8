"""Groups of runs that share a configuration, and their statistics over seeds for the table and the report."""

import csv
import io
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..common.values import number
from ..data.outputs import HIGHER_IS_BETTER
from ..runs.reader import STATES, Run, swept


@dataclass(frozen=True)
class Group:
    """The runs of one configuration.

    Attributes:
        choices: the options that distinguish this configuration from the others, by column.
        runs: the runs in the order of their seeds.
    """

    choices: dict[str, str]
    runs: tuple[Run, ...]

    @cached_property
    def metric(self) -> str:
        """Name of the primary metric; empty if no run has a result."""
        return next((run.metric for run in self.runs if run.metric), "")

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        return self.runs[0].options.get("dataset", "")

    @cached_property
    def values(self) -> dict[str, float]:
        """Primary metric on the test split, by seed. If a seed has two runs, the newer one counts."""
        in_time = sorted(self.runs, key=lambda run: run.changed)
        found = {run.seed: run.value for run in in_time if run.value is not None and run.metric == self.metric}
        return {run.seed: found[run.seed] for run in self.runs if run.seed in found}

    @cached_property
    def mean(self) -> float | None:
        """Mean of the primary metric over seeds; `None` without results."""
        return statistics.fmean(self.values.values()) if self.values else None

    @cached_property
    def half_width(self) -> float | None:
        """Half-width of the mean's 95 % confidence interval, by Student's t; `None` for fewer than two seeds."""
        return half_width(list(self.values.values()))

    @cached_property
    def best_seed(self) -> str | None:
        """Seed with the best value."""
        return min(self.values, key=lambda seed: self.better(self.values[seed]), default=None)

    @cached_property
    def baselines(self) -> dict[str, float]:
        """Mean of each baseline over seeds, by name, in order from best to worst."""
        found = defaultdict(list)
        for run in self.runs:
            for name, value in run.baselines.items():
                found[name].append(value)
        means = {name: statistics.fmean(values) for name, values in found.items()}
        return dict(sorted(means.items(), key=lambda item: self.better(item[1])))

    @cached_property
    def parameters(self) -> float | None:
        """Median over seeds of the number of parameters."""
        return _median(number(run.result.get("parameters")) for run in self.runs)

    @cached_property
    def seconds_per_epoch(self) -> float | None:
        """Median over seeds of the seconds per epoch."""
        return _median(run.seconds_per_epoch for run in self.runs)

    @cached_property
    def horizon(self) -> tuple[float, float] | None:
        """Medians over seeds of the two values of `Run.horizon`."""
        reached = [run.horizon for run in self.runs if run.horizon is not None]
        if not reached:
            return None
        return statistics.median(far for far, _ in reached), statistics.median(steps for _, steps in reached)

    @cached_property
    def states(self) -> dict[str, int]:
        """Number of runs in each state."""
        counts = Counter(run.state for run in self.runs)
        return {state: counts[state] for state in STATES if counts[state]}

    @property
    def label(self) -> str:
        """One line with the options that distinguish this configuration from the others of its dataset."""
        told = {key: value for key, value in self.choices.items() if value and key != "dataset"}
        parts = (f"{key.rpartition('.')[2]}={value}" if "." in key else value for key, value in told.items())
        return ", ".join(parts) or self.runs[0].options.get("cell", "")

    def better(self, value: float) -> float:
        """Return a sort key, which is smaller for better values."""
        return -value if self.metric in HIGHER_IS_BETTER else value


def half_width(values: Sequence[float]) -> float | None:
    """Return the half-width of a mean's 95 % confidence interval, by Student's t; `None` for fewer than two values.

    >>> round(half_width([1.0, 2.0, 3.0]), 4)
    2.4841
    """
    if len(values) < 2:
        return None
    from scipy.special import stdtrit  # quantiles of Student's t

    return float(stdtrit(len(values) - 1, 0.975) * statistics.stdev(values) / math.sqrt(len(values)))


def grouped(runs: Iterable[Run]) -> list[Group]:
    """Group the runs by configuration, sorted by dataset and then from best to worst.

    Runs whose configuration cannot be read are left out.
    """
    known = [run for run in runs if run.options]
    columns = sorted(swept(run.options for run in known), key=lambda key: (key != "dataset", "." in key))
    together: dict[tuple[str, ...], list[Run]] = defaultdict(list)
    for run in known:
        together[tuple(run.options.get(column, "") for column in columns)].append(run)
    groups = [
        Group(dict(zip(columns, key, strict=True)), tuple(sorted(found, key=lambda run: (len(run.seed), run.seed))))
        for key, found in together.items()
    ]
    worst_last = lambda group: math.inf if group.mean is None else group.better(group.mean)
    return sorted(groups, key=lambda group: (group.dataset, worst_last(group), group.label))


def _median(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def columns_of(groups: Sequence[Group]) -> list[str]:
    """Return the names of the table's columns."""
    metrics = {group.metric for group in groups if group.metric}
    test = [f"test {next(iter(metrics))}"] if len(metrics) == 1 else ["metric", "test"]
    measured = ["± 95 %", "best seed", "best baseline", "parameters", "s/epoch", "horizon", "runs"]
    return [*(groups[0].choices if groups else []), "seeds", *test, *measured]


def cells_of(group: Group, columns: Sequence[str]) -> list[str]:
    """Return the table row of a configuration."""
    value = group.values.get(group.best_seed or "")
    baseline = next(iter(group.baselines.items()), None)
    reached = "–" if group.horizon is None else "{:g}/{:g}".format(*group.horizon)
    return [
        *group.choices.values(),
        str(len(group.values)),
        *([group.metric] if "metric" in columns else []),
        figure(group.mean),
        figure(group.half_width),
        "–" if value is None else f"{figure(value)} (s{group.best_seed})",
        "–" if baseline is None else f"{figure(baseline[1])} {baseline[0]}",
        "–" if group.parameters is None else f"{group.parameters:,.0f}",
        "–" if group.seconds_per_epoch is None else f"{group.seconds_per_epoch:.2f}",
        reached,
        ", ".join(f"{count} {state}" for state, count in group.states.items()),
    ]


def figure(value: float | None) -> str:
    """Return a measured number as text.

    >>> figure(0.12345), figure(0.00001234), figure(None)
    ('0.1235', '1.23e-05', '–')
    """
    return "–" if value is None else f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.2e}"


def troubled(runs: Iterable[Run]) -> list[Run]:
    """Return the runs that failed, or whose files cannot all be read."""
    return [run for run in runs if run.message or run.state in ("failed", "diverged", "killed", "timed_out")]


def as_csv(groups: Sequence[Group]) -> str:
    """Return the table as CSV for other programs, with full precision."""
    text = io.StringIO()
    choices = list(groups[0].choices) if groups else []
    measured = ["seeds", "metric", "mean", "low", "high", "best", "best_seed", "baseline", "baseline_value"]
    sizes = ["parameters", "seconds_per_epoch", "horizon", "steps"]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*choices, *measured, *sizes, *STATES])
    for group in groups:
        ends: tuple[float, float] | tuple[None, None] = (None, None)
        if group.mean is not None and group.half_width is not None:
            ends = (group.mean - group.half_width, group.mean + group.half_width)
        values = [len(group.values), group.metric, group.mean, *ends, group.values.get(group.best_seed or "")]
        baseline = next(iter(group.baselines.items()), (None, None))
        sizes_of = [group.parameters, group.seconds_per_epoch, *(group.horizon or (None, None))]
        counts = [group.states.get(state, 0) for state in STATES]
        writer.writerow([*group.choices.values(), *values, group.best_seed, *baseline, *sizes_of, *counts])
    return text.getvalue()
