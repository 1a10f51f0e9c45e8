"""What runs say about a rule: the difference between two groups over seeds, how sure it is, and what follows."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..runs.reader import Run
from . import metrics
from .store import meets
from .study import Published, Rule, said

RESAMPLES = 10_000
_SEED = 20_000
"""Of the resampling: the same runs give the same interval."""


@dataclass(frozen=True)
class Interval:
    """A mean over seeds, or a difference of two, with its 95 % interval.

    Attributes:
        mean: the estimate.
        low, high: the interval's ends; `None` for a single seed.
    """

    mean: float
    low: float | None = None
    high: float | None = None


def interval(*samples: Sequence[float], paired: bool = False) -> Interval:
    """The mean of one sample, or the first's minus the second's, with its bootstrap interval.

    Its ends are percentiles of `RESAMPLES` resampled means. For few seeds they lie further out than 2.5 and 97.5 %, as
    Student's t is wider than the normal distribution: the expanded percentile interval of Hesterberg 2015, *What
    teachers should know about the bootstrap*. By itself the bootstrap of five values covers far less than 95 %.

    Args:
        samples: one or two, a value a seed.
        paired: whether the two have the same seeds, in the same order.

    >>> interval([1.0, 2.0, 3.0]).mean
    2.0
    """
    from scipy.special import ndtr, stdtrit
    from scipy.stats import bootstrap

    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    if paired:
        arrays = [arrays[0] - arrays[1]]
    difference = lambda *of, axis=-1: of[0].mean(axis) - (of[1].mean(axis) if len(of) > 1 else 0.0)
    mean, count = float(difference(*arrays)), min(map(len, arrays))
    if count < 2:
        return Interval(mean)
    if all(np.ptp(array) == 0 for array in arrays):  # every resample is the same
        return Interval(mean, mean, mean)
    z = math.sqrt(count / (count - 1)) * stdtrit(count - 1, 0.975)
    found = bootstrap(
        arrays,
        difference,
        n_resamples=RESAMPLES,
        vectorized=True,
        confidence_level=2 * ndtr(z) - 1,
        method="percentile",
        random_state=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high))


def cliffs_delta(first: Sequence[float], second: Sequence[float]) -> float:
    """How often a value of the first group is above one of the second, minus how often below (Cliff 1993).

    >>> cliffs_delta([2.0, 3.0], [1.0, 2.0])
    0.75
    """
    return float(np.sign(np.subtract.outer(np.asarray(first), np.asarray(second))).mean())


# ---------------------------------------------------------------------- groups


@dataclass(frozen=True)
class Values:
    """What the runs of a group have of a metric.

    Attributes:
        by_seed: by seed, mean over the group's configurations; without seeds that lack a value.
        left_out: runs without a value that are over, with the reason.
        unfinished: runs that are not over, with their state.
    """

    by_seed: dict[str, float]
    left_out: dict[str, str]
    unfinished: dict[str, str]


def values(runs: Sequence[Run], conditions: Mapping[str, str], metric: str, floor: float | None = None) -> Values:
    """A metric's values in a group of runs.

    Args:
        runs: all of a study.
        conditions: that choose the group.
        metric: its name.
        floor: values below it count as it.
    """
    measure = metrics.find(metric).of
    found: dict[str, list[float | None]] = defaultdict(list)
    left_out, unfinished = {}, {}
    for run in runs:
        if not meets(run.options_and_seed, conditions):
            continue
        value = measure(run) if metrics.is_over(run) else None
        found[run.seed].append(value if value is None or floor is None else max(value, floor))
        if not metrics.is_over(run):
            unfinished[run.path.name] = run.message or run.state
        elif value is None:
            left_out[run.path.name] = "it diverged" if run.state == "diverged" else f"it has no {metric}"
    known = {seed: [each for each in of if each is not None] for seed, of in found.items() if None not in of}
    by_seed = {seed: float(np.mean(of)) for seed, of in sorted(known.items(), key=lambda item: (len(item[0]), item[0]))}
    return Values(by_seed, left_out, unfinished)


# --------------------------------------------------------------------- judging


@dataclass(frozen=True)
class Finding:
    """What became of a rule.

    Attributes:
        rule: the rule.
        outcome: `holds`, `fails` or `undecided`.
        why: the reason, in a line.
        effect: `of` minus `against`, on a ratio scale their quotient, with its interval; `None` without values.
        means: of each group; on a ratio scale geometric. Of `against` only if it is a group.
        counts: of seeds in each group.
        paired: whether seeds were compared one by one.
        delta: Cliff's delta.
        left_out: runs that do not count, with the reason.
    """

    rule: Rule
    outcome: str
    why: str
    effect: Interval | None = None
    means: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    paired: bool = False
    delta: float | None = None
    left_out: Mapping[str, str] | None = None


def judge(rule: Rule, runs: Sequence[Run], scale: str) -> Finding:
    """Judges a rule.

    Args:
        rule: the rule.
        runs: all of its study.
        scale: at which they were made; only full scale decides anything.
    """
    groups = [values(runs, conditions, rule.metric, rule.floor) for conditions in rule.conditions]
    left_out = {name: why for group in groups for name, why in (group.left_out | group.unfinished).items()}
    for group, conditions in zip(groups, rule.conditions, strict=True):
        if not group.by_seed:
            return Finding(rule, "undecided", f"no run with {said(conditions)} has a value", left_out=left_out)
        if rule.scale == "ratio" and min(group.by_seed.values()) <= 0:
            return Finding(rule, "undecided", "a ratio needs values above 0; give the rule a floor", left_out=left_out)
    measured = _effect(rule, groups)
    outcome, why = _outcome(rule, measured["effect"])
    unfinished = sum(len(group.unfinished) for group in groups)
    if unfinished:
        outcome, why = "undecided", f"{unfinished} of its runs are not over"
    elif min(measured["counts"]) < 2:
        outcome, why = "undecided", "a single seed says nothing about chance; expected at least two, better five"
    elif scale != "full":
        outcome, why = "undecided", f"{scale} scale shows that the study runs, and decides nothing"
    return Finding(rule, outcome, why, left_out=left_out, **measured)


def _effect(rule: Rule, groups: Sequence[Values]) -> dict[str, Any]:
    """What a finding says of two groups, or of a group and a number."""
    to, back = (math.log, math.exp) if rule.scale == "ratio" else (float, float)
    paired = len(groups) == 2 and set(groups[0].by_seed) == set(groups[1].by_seed)
    samples = [[to(value) for value in group.by_seed.values()] for group in groups]
    if isinstance(rule.against, float):
        number = to(rule.against)
        found, others = interval([value - number for value in samples[0]]), [number]
    else:
        found, others = interval(*samples, paired=paired), samples[1]
    ends = [None if end is None else back(end) for end in (found.low, found.high)]
    return {
        "effect": Interval(back(found.mean), *ends),
        "means": tuple(back(float(np.mean(sample))) for sample in samples),
        "counts": tuple(map(len, samples)),
        "paired": paired,
        "delta": cliffs_delta(samples[0], others),
    }


def _outcome(rule: Rule, effect: Interval) -> tuple[str, str]:
    """What follows from an effect whose interval lies beyond the rule's threshold, on this side of it, or across."""
    if effect.low is None or effect.high is None:
        return "undecided", "there is no interval"
    ratio = rule.scale == "ratio"
    by = (1.0 if ratio else 0.0) if rule.by is None else rule.by
    if rule.within is not None:
        by = 1 / rule.within if ratio else -rule.within
    threshold = by if rule.direction == "higher" else 1 / by if ratio else -by
    beyond = (effect.low > threshold, effect.high < threshold)
    holds, fails = beyond if rule.direction == "higher" else beyond[::-1]
    if holds:
        return "holds", "the whole interval lies beyond what the rule asks for"
    if fails:
        return "fails", "the whole interval lies short of what the rule asks for"
    return "undecided", "the interval reaches across what the rule asks for"


def verdict(findings: Sequence[Finding]) -> str:
    """`supported` if every rule holds, `not supported` if one fails, otherwise `undecided`."""
    outcomes = {finding.outcome for finding in findings}
    return "supported" if outcomes == {"holds"} else "not supported" if "fails" in outcomes else "undecided"


# ------------------------------------------------------------------ literature


@dataclass(frozen=True)
class Beside:
    """What runs gave beside what is published.

    Attributes:
        published: the figure from the literature.
        ours: the mean over seeds; `None` without values.
        apart: ours minus the published one; `None` without values.
        seeds: how many.
    """

    published: Published
    ours: Interval | None
    apart: Interval | None
    seeds: int


def beside(published: Published, runs: Sequence[Run]) -> Beside:
    """Puts what the runs gave beside what is published.

    Args:
        published: the figure from the literature.
        runs: all of its study.
    """
    found = list(values(runs, published.of, published.metric).by_seed.values())
    if not found:
        return Beside(published, None, None, 0)
    return Beside(published, interval(found), interval([value - published.value for value in found]), len(found))
