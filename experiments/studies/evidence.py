"""Statistics of studies: confidence intervals and effect sizes over seeds, outcomes of rules, and verdicts."""

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
"""Seed of the resampling, so that the same runs always yield the same interval."""


@dataclass(frozen=True)
class Interval:
    """A mean over seeds, or a difference of two means, with its 95 % confidence interval.

    Attributes:
        mean: estimate.
        low, high: ends of the interval; `None` for a single seed.
    """

    mean: float
    low: float | None = None
    high: float | None = None


def interval(*samples: Sequence[float], paired: bool = False) -> Interval:
    """Compute the mean of a sample, or the difference of the means of two samples, with its bootstrap interval.

    The difference is the first mean minus the second. The ends of the interval are percentiles of `RESAMPLES` resampled
    means: the expanded percentile interval of Hesterberg 2015, *What teachers should know about the bootstrap*. For few
    seeds it uses more extreme percentiles than 2.5 and 97.5, just as Student's t distribution is wider than the normal
    distribution. Without this expansion, the bootstrap interval of five values covers the true mean in far less than
    95 % of cases.

    Args:
        samples: one or two samples, with one value per seed.
        paired: whether both samples have the same seeds in the same order.

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
    if all(np.ptp(array) == 0 for array in arrays):  # all resamples are equal
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
    """Compute Cliff's δ, an effect size between −1 and 1 (Cliff 1993).

    It is the fraction of pairs in which the value of the first group is larger than that of the second, minus the
    fraction in which it is smaller.

    >>> cliffs_delta([2.0, 3.0], [1.0, 2.0])
    0.75
    """
    return float(np.sign(np.subtract.outer(np.asarray(first), np.asarray(second))).mean())


# ---------------------------------------------------------------------- groups


@dataclass(frozen=True)
class Values:
    """The values of a metric in a group of runs.

    Attributes:
        by_seed: mean over the configurations of the group, by seed. A seed is missing if one of its runs has no value.
        left_out: runs that have ended without a value, with the reason.
        unfinished: runs that have not ended, with their message or state.
    """

    by_seed: dict[str, float]
    left_out: dict[str, str]
    unfinished: dict[str, str]


def values(runs: Sequence[Run], conditions: Mapping[str, str], metric: str, floor: float | None = None) -> Values:
    """Collect the values of a metric in a group of runs.

    Args:
        runs: all runs of a study.
        conditions: conditions that select the group.
        metric: name of the metric.
        floor: lower bound. Smaller values are replaced by it.
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
    """The result of testing a rule.

    Attributes:
        rule: tested rule.
        outcome: `holds`, `fails` or `undecided`.
        why: reason for the outcome, in one line.
        effect: difference between `of` and `against`, or their ratio on a ratio scale, with its confidence interval;
            `None` without values.
        means: mean of each group; the geometric mean on a ratio scale. If `against` is a number, there is one group.
        counts: number of seeds in each group.
        paired: whether the groups were compared seed by seed.
        delta: Cliff's δ.
        left_out: runs that are not counted, with the reason.
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
    """Test a rule on the runs of a study.

    Args:
        rule: rule to test.
        runs: all runs of the study.
        scale: scale of the runs. Below full scale, every rule is undecided.
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
    """Compute the numerical fields of a finding, from two groups or from a group and a number."""
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
    """Return the outcome of a rule and the reason.

    The rule holds if the whole confidence interval lies beyond the threshold, fails if the whole interval lies short of
    it, and is undecided if the interval contains the threshold.
    """
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
    """Return `supported` if all rules hold, `not supported` if one fails, and otherwise `undecided`."""
    outcomes = {finding.outcome for finding in findings}
    return "supported" if outcomes == {"holds"} else "not supported" if "fails" in outcomes else "undecided"


# ----------------------------------------------------------- published results


@dataclass(frozen=True)
class Beside:
    """A comparison of a published result with the runs of a study.

    Attributes:
        published: published result.
        ours: mean of the runs over seeds; `None` without values.
        apart: mean of the runs minus the published value; `None` without values.
        seeds: number of seeds.
    """

    published: Published
    ours: Interval | None
    apart: Interval | None
    seeds: int


def beside(published: Published, runs: Sequence[Run]) -> Beside:
    """Compare a published result with the runs of a study.

    Args:
        published: published result.
        runs: all runs of the study.
    """
    found = list(values(runs, published.of, published.metric).by_seed.values())
    if not found:
        return Beside(published, None, None, 0)
    return Beside(published, interval(found), interval([value - published.value for value in found]), len(found))
