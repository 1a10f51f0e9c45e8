"""The definition of a study: a claim, the runs that test it, and the rules that determine the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SIGNALS = {
    "h": "gradient norm with respect to h",
    "c": "gradient norm with respect to c",
    "kernel": "norm of a step's share of U's gradient",
    "jacobian": "norm of the last state's Jacobian",
    "jacobian_bound": "bound of the last state's Jacobian",
    "activation": "norm of h",
}
"""Descriptions of the signals, which are measured at every timestep."""


@dataclass(frozen=True)
class Rule:
    """A testable condition for a claim, which compares a group of runs with another group or with a number.

    Attributes:
        metric: metric to compare; see `metrics.find`.
        of: conditions that select the first group of runs.
        against: conditions that select the second group of runs; or a number.
        direction: whether `of` must be `higher` or `lower` than `against`.
        where: conditions on both groups.
        scale: type of comparison: `difference` of means, or `ratio` of geometric means.
        by: smallest difference or ratio that counts; `None` for any.
        within: instead of `by`, for a rule that `of` is at least as good: largest difference or ratio in the wrong
            direction that is tolerated.
        floor: lower bound, which replaces smaller values; a ratio needs values above 0.
    """

    metric: str
    of: dict[str, str]
    against: dict[str, str] | float
    direction: str
    where: dict[str, str] = field(default_factory=dict)
    scale: str = "difference"
    by: float | None = None
    floor: float | None = None
    within: float | None = None

    @property
    def conditions(self) -> list[dict[str, str]]:
        """Conditions of each group."""
        groups = [self.of, self.against] if isinstance(self.against, dict) else [self.of]
        return [self.where | group for group in groups]

    def in_words(self) -> str:
        """Return the rule as a sentence."""
        against = f"of {said(self.against)}" if isinstance(self.against, dict) else f"{self.against:g}"
        times = "a factor of " if self.scale == "ratio" else ""
        by = self.by if self.within is None else self.within
        beyond = "" if by is None else f" by more than {times}{by:g}"
        where = f", where {said(self.where)}" if self.where else ""
        wrong = {"higher": "not lower", "lower": "not higher"}[self.direction]
        is_to_be = self.direction if self.within is None else wrong
        return f"{self.metric} of {said(self.of)} is {is_to_be} than {against}{beyond}{where}"


@dataclass(frozen=True)
class Published:
    """A result from the literature, which is compared with the runs of a study.

    Attributes:
        metric: published metric; see `metrics.find`.
        of: conditions that select the runs to compare with.
        value: published value.
        source: publication.
        differs: differences between the published experiment and the runs.
    """

    metric: str
    of: dict[str, str]
    value: float
    source: str
    differs: str


@dataclass(frozen=True)
class Figure:
    """A plot of a metric against an option, with one line for each value of a second option.

    Attributes:
        metric: metric on the vertical axis; see `metrics.find`.
        x: option on the horizontal axis.
        lines: option whose values are separate lines.
        where: conditions on the runs to draw.
        log: axes with a logarithmic scale: `x`, `y` or both.
        floor: lower bound, which replaces smaller values.
        baselines: names of baselines of the dataset to draw as gray lines.
        ranked: whether names on the horizontal axis are sorted by the mean of the metric.
    """

    metric: str
    x: str
    lines: str
    where: dict[str, str] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    floor: float | None = None
    baselines: tuple[str, ...] = ()
    ranked: bool = False

    @property
    def name(self) -> str:
        """Short name of the figure."""
        return self.metric

    @property
    def options(self) -> list[str]:
        """Options whose values the figure distinguishes."""
        return [self.x, self.lines]


@dataclass(frozen=True)
class Profile:
    """A plot of a signal against the number of steps back, with one line for each value of an option.

    Attributes:
        signal: signal on the vertical axis, divided by its value at the last timestep; one of `SIGNALS`.
        lines: option whose values are separate lines.
        where: conditions on the runs to draw.
    """

    signal: str
    lines: str
    where: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Short name of the figure."""
        return f"profile_{self.signal}"

    @property
    def options(self) -> list[str]:
        """Options whose values the figure distinguishes."""
        return [self.lines]


@dataclass(frozen=True)
class Study:
    """A claim, with the sweeps and rules that test it.

    Attributes:
        claim: claim to test, a sentence that can be false.
        source: source of the claim.
        minutes: duration at full scale on 2 CPU cores, in minutes; `None` if not measured.
        measured: last result at full scale, in one line; `None` if there is none.
        grids: options of each sweep, with values as on the command line.
        smoke: options that replace those of the grids at smoke scale; one entry for all grids, or one per grid.
        rules: rules that determine the verdict.
        figures: figures of the report.
        published: results from the literature to compare with.
    """

    claim: str
    source: str
    minutes: float | None
    measured: str | None
    grids: tuple[dict[str, str], ...]
    smoke: tuple[dict[str, str], ...]
    rules: tuple[Rule, ...]
    figures: tuple[Figure | Profile, ...]
    published: tuple[Published, ...] = ()

    @property
    def options(self) -> list[str]:
        """Options that the rules, figures and published results use."""
        of_rules = [key for rule in self.rules for conditions in rule.conditions for key in conditions]
        of_figures = [key for figure in self.figures for key in (*figure.options, *figure.where)]
        of_published = [key for each in self.published for key in each.of]
        return list(dict.fromkeys([*of_rules, *of_figures, *of_published]))


def said(conditions: Mapping[str, str]) -> str:
    """Return conditions as on the command line."""
    return " ".join(f"{key}={value}" for key, value in conditions.items())
