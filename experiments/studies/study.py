"""What a study is: a claim, the runs that put it to the test, the rules by which it is judged."""

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
"""What runs measure at every timestep, in words."""


@dataclass(frozen=True)
class Rule:
    """What has to come out for the claim to hold: one group of runs beside another, or beside a number.

    Attributes:
        metric: what is compared, a name that `metrics.find` knows.
        of: conditions that choose the one group.
        against: conditions that choose the other; or a number.
        direction: whether `of` is to be `higher` or `lower`.
        where: conditions on both groups.
        scale: what is compared: the `difference` of means, or the `ratio` of geometric means.
        by: the difference, or ratio, beyond which it counts; `None` for any.
        within: instead, the difference, or ratio, by which `of` may be on the wrong side: it is to be as good.
        floor: values below it count as it; a ratio needs values above 0.
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
        """Of each group."""
        groups = [self.of, self.against] if isinstance(self.against, dict) else [self.of]
        return [self.where | group for group in groups]

    def in_words(self) -> str:
        """The rule as a sentence."""
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
    """A figure from the literature, to stand beside what the runs gave.

    Attributes:
        metric: what it is, a name that `metrics.find` knows.
        of: conditions that choose the runs to compare with.
        value: the figure.
        source: where it is published.
        differs: what was done differently there.
    """

    metric: str
    of: dict[str, str]
    value: float
    source: str
    differs: str


@dataclass(frozen=True)
class Figure:
    """A picture: a metric against an option, a line for each value of another.

    Attributes:
        metric: what is drawn upwards.
        x: the option drawn to the right.
        lines: the option whose values are told apart.
        where: conditions on the runs that are drawn.
        log: the axes with logarithmic scales, of x and y.
        floor: values below it are drawn as it.
        baselines: names of the datasets' baselines whose scores stand beside.
        ranked: whether names drawn to the right stand in the order of the metric's means.
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
        """What is drawn, in a word."""
        return self.metric

    @property
    def options(self) -> list[str]:
        """The options that it tells apart."""
        return [self.x, self.lines]


@dataclass(frozen=True)
class Profile:
    """A picture: a signal at every timestep against the distance from the last one, a line for each value of an option.

    Attributes:
        signal: what was measured there, one of `SIGNALS`.
        lines: the option whose values are told apart.
        where: conditions on the runs that are drawn.
    """

    signal: str
    lines: str
    where: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What is drawn, in a word."""
        return f"profile_{self.signal}"

    @property
    def options(self) -> list[str]:
        """The options that it tells apart."""
        return [self.lines]


@dataclass(frozen=True)
class Study:
    """A claim, and how it is put to the test.

    Attributes:
        claim: a sentence that can be wrong.
        source: who says so.
        minutes: how long it takes at full scale on 2 cores; `None` while not measured.
        measured: the last result at full scale, in a line; `None` while there is none.
        grids: options and their values as they are typed, each a sweep.
        smoke: what is otherwise at smoke scale; one for all grids, or one for each.
        rules: by which the claim is judged.
        figures: what is drawn.
        published: figures from the literature.
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
        """The options that rules, figures and what is published speak of."""
        of_rules = [key for rule in self.rules for conditions in rule.conditions for key in conditions]
        of_figures = [key for figure in self.figures for key in (*figure.options, *figure.where)]
        of_published = [key for each in self.published for key in each.of]
        return list(dict.fromkeys([*of_rules, *of_figures, *of_published]))


def said(conditions: Mapping[str, str]) -> str:
    """Conditions as they would be typed."""
    return " ".join(f"{key}={value}" for key, value in conditions.items())
