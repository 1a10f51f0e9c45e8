"""Figures of a study as vector graphics fit for print, made from run directories. No TensorFlow."""

import io
import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from rnnscope.signals import SIGNALS as GRADIENT_SIGNALS
from tensorboard_gradient_flow.profile import RECORDS

from ..common.figures import COLORS, DARK_GRAY, new_figure
from ..common.values import mapping, plain
from ..runs.directory import RunDirectory
from ..runs.events import last_profiles
from ..runs.reader import Run
from . import metrics
from .evidence import Interval, interval, values
from .store import meets
from .study import SIGNALS, Figure, Profile, said

_MARKERS = "osD^vPX*<>"
_DASHES = ((6, 2), (1, 1.5), (6, 2, 1, 2))
"""Of baselines: how long a dash is, how long the gap behind it, …"""
_UNITS = {
    "length": "steps",
    "horizon": "steps",
    "gap": "words",
    "units": "units",
    "train_size": "sequences",
    "depth": "layers",
}
"""Of options, by the last part of their names."""
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "rnnscope",  # the same runs give the same file
}


@dataclass(frozen=True)
class Point:
    """A point of a figure.

    Attributes:
        line: the value of the option that lines stand for.
        x: the value of the option drawn to the right.
        y: mean over seeds with its interval; on a logarithmic axis the geometric one.
        seeds: how many.
    """

    line: str
    x: str
    y: Interval
    seeds: int


@dataclass(frozen=True)
class Drawn:
    """A figure with what belongs below it.

    Attributes:
        figure: what was asked for.
        svg: the picture; empty where there is nothing to draw.
        caption: what it shows.
        points: the numbers in it.
    """

    figure: Figure | Profile
    svg: str
    caption: str
    points: list[Point]


def draw(figure: Figure | Profile, runs: Sequence[Run]) -> Drawn:
    """Draws a figure from the runs of a study that are over."""
    shown = [run for run in runs if meets(run.options_and_seed, figure.where)]
    if isinstance(figure, Profile):
        points, missing = _of_profiles(figure, shown)
        x, y, log = "steps back from the last one", f"{SIGNALS[figure.signal]}, over the last step's", "y"
    else:
        points, missing = _of_metric(figure, shown)
        x, y, log = option_label(figure.x), _metric_label(figure.metric, shown), "".join(figure.log)
    caption = f"{y} against {x}, by {figure.lines}{f', where {said(figure.where)}' if figure.where else ''}"
    if not points:
        return Drawn(figure, "", f"{caption}: no run has a value yet.", points)
    caption += f". {_about(points, 'y' in log)}{f' {missing} runs have no value and are not shown.' if missing else ''}"
    if isinstance(figure, Figure) and figure.floor is not None:
        caption += f" Values below {figure.floor:g} are drawn as {figure.floor:g}."
    if isinstance(figure, Profile):
        caption += " A line ends where the norm of one of its runs is 0 or not finite."
    band = isinstance(figure, Profile)
    levels = () if isinstance(figure, Profile) else figure.baselines
    svg = _svg(points, x, y, figure.lines, log, band, levels)
    return Drawn(figure, svg, caption, points)


def _about(points: Sequence[Point], geometric: bool) -> str:
    """What points are, of how many seeds, and what the bars are."""
    seeds = sorted({point.seeds for point in points})
    count = f"n = {seeds[0]}" if len(seeds) == 1 else f"n = {seeds[0]} to {seeds[-1]}"
    bars = "bars and bands are bootstrap 95 % intervals of the mean over seeds" if seeds[-1] > 1 else "no interval"
    return f"Points are the {'geometric mean' if geometric else 'mean'} over seeds ({count}); {bars}."


def option_label(option: str) -> str:
    """An option with its unit.

    >>> option_label("dataset.length")
    'dataset.length (steps)'
    """
    unit = _UNITS.get(option.rpartition(".")[2])
    return option if unit is None else f"{option} ({unit})"


def _metric_label(metric: str, runs: Sequence[Run]) -> str:
    """A metric with its unit, if all runs share it; a score is called what it is, if all are judged by the same."""
    headlines = {run.metric for run in runs if run.metric}
    headline = headlines.pop() if metric == "score" and len(headlines) == 1 else None
    label = f"test {headline}" if headline else metrics.find(metric).label
    units = {_unit(run, headline or metric.removeprefix("metrics.")) for run in runs}
    unit = units.pop() if len(units) == 1 else ""
    return f"{label} ({unit})" if unit else label


def _unit(run: Run, metric: str) -> str:
    """In what a metric is measured; empty if it is a share, or not known."""
    if metric.startswith("mae"):
        return plain(mapping(RunDirectory(run.path).task.get("output")).get("unit", ""))
    return "nats" if metric == "nll" else ""


# ---------------------------------------------------------------------- points


def _of_metric(figure: Figure, runs: Sequence[Run]) -> tuple[list[Point], int]:
    """The points, line after line or in the order of their means; and how many runs have no value."""
    lines, places = (_in_order(run.options_and_seed.get(key, "") for run in runs) for key in (figure.lines, figure.x))
    points, missing = [], 0
    for line in lines:
        for x in places:
            group = values(runs, {figure.lines: line, figure.x: x}, figure.metric, figure.floor)
            missing += len(group.left_out | group.unfinished)
            drawn = [value for value in group.by_seed.values() if "y" not in figure.log or value > 0]
            if drawn:
                points.append(Point(line, x, _mean(drawn, "y" in figure.log), len(drawn)))
    if figure.ranked:
        points.sort(key=lambda point: point.y.mean)
    return [*points, *_of_baselines(figure, runs, places)], missing


def _of_baselines(figure: Figure, runs: Sequence[Run], places: Sequence[str]) -> Iterator[Point]:
    """The same of baselines, which do not depend on what is told apart by the lines."""
    for baseline in figure.baselines:
        for x in places:
            by_seed = values(runs, {figure.x: x}, metrics.of_baseline(baseline, figure.metric)).by_seed.values()
            drawn = [value for value in by_seed if "y" not in figure.log or value > 0]
            if drawn:
                yield Point(baseline, x, _mean(drawn, "y" in figure.log), len(drawn))


def _of_profiles(figure: Profile, runs: Sequence[Run]) -> tuple[list[Point], int]:
    """The same at every distance from the last step, as far as all runs of a line have a norm that can be drawn.

    A norm of 0 has no place on a logarithmic axis, and a mean over those runs that are left would leap up.
    """
    points, missing = [], 0
    for line in _in_order(run.options_and_seed.get(figure.lines, "") for run in runs):
        of_line = [run for run in runs if meets(run.options_and_seed, {figure.lines: line})]
        found = [profile(run, figure.signal) for run in of_line if metrics.is_over(run)]
        known = [norms for norms in found if norms is not None]
        missing += len(of_line) - len(known)
        for distance in range(max(map(len, known), default=0)):
            here = [norms[distance] for norms in known if distance < len(norms) and 0 < norms[distance] < math.inf]
            if len(here) < len(known):
                break
            points.append(Point(line, str(distance), _mean(here, geometric=True), len(here)))
    return points, missing


def profile(run: Run, signal: str) -> np.ndarray | None:
    """A signal over its value at the last step `[T]`, from the last step read backwards.

    At the end of training, of the layer where the gradient reaches furthest back; without padding.

    Args:
        run: a run.
        signal: one of `SIGNALS`.
    """
    known = last_profiles(run.path, signal, RECORDS if signal in GRADIENT_SIGNALS else 1)
    layers = metrics.layers_by_reach(run)
    name = next((layer for layer in layers if layer in known), next(iter(known), None))
    if name is None or not known[name].any():
        return None
    norms: np.ndarray = known[name][np.flatnonzero(known[name])[0] :]
    return norms / norms[0]


def _in_order(given: Iterable[str]) -> list[str]:
    """Each value once, numbers in their order and before names, which keep theirs."""
    return sorted(dict.fromkeys(value for value in given if value), key=_as_number)


def _as_number(text: str) -> float:
    try:
        return float(text) if math.isfinite(float(text)) else math.inf
    except ValueError:
        return math.inf


def _mean(drawn: Sequence[float], geometric: bool) -> Interval:
    if not geometric:
        return interval(drawn)
    found = interval([math.log(value) for value in drawn])
    low, high = (None if end is None else math.exp(end) for end in (found.low, found.high))
    return Interval(math.exp(found.mean), low, high)


# --------------------------------------------------------------------- drawing


def _svg(points: Sequence[Point], x: str, y: str, lines: str, log: str, band: bool, levels: Sequence[str] = ()) -> str:
    """Points as a picture: with a band around them, or with bars and ticks of their own; `levels` are lines in grey."""
    places = _in_order(point.x for point in points)
    numeric = all(math.isfinite(_as_number(place)) for place in places)
    at = {place: _as_number(place) if numeric else float(number) for number, place in enumerate(places)}
    aslant = not numeric and sum(map(len, places)) > 30
    with matplotlib.rc_context(_STYLE):
        canvas = new_figure(3.5, 2.6, layout="constrained")  # inches: a column of most journals
        axes = canvas.subplots()
        for number, line in enumerate(dict.fromkeys(point.line for point in points)):
            style: Any = {"color": COLORS[number % len(COLORS)], "marker": _MARKERS[number % len(_MARKERS)]}
            style |= {"linestyle": "-" if numeric else "none", "markersize": 4, "linewidth": 1.2, "label": _plain(line)}
            if line in levels:
                style |= {"color": DARK_GRAY, "marker": "", "linestyle": "-"}
                style["dashes"] = _DASHES[levels.index(line) % len(_DASHES)]
            _draw_line(axes, at, [point for point in points if point.line == line], band, style)
        axes.set(xlabel=_plain(x), ylabel=textwrap.fill(_plain(y), 26 if aslant else 38))  # as much as fits
        axes.set(**{f"{axis}scale": "log" for axis in log if axis == "y" or numeric})
        _set_ticks(axes, {} if band else at, aslant)
        axes.legend(title=_plain(lines), frameon=False, fontsize="small", title_fontsize="small")
        text = io.StringIO()
        canvas.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _draw_line(axes: Axes, at: Mapping[str, float], points: Sequence[Point], band: bool, style: Any) -> None:
    """A line with its intervals, which hold its points also where an interval has no ends."""
    across, means = [at[point.x] for point in points], [point.y.mean for point in points]
    lows = [min(point.y.mean, math.inf if point.y.low is None else point.y.low) for point in points]
    highs = [max(point.y.mean, -math.inf if point.y.high is None else point.y.high) for point in points]
    if band:
        axes.plot(across, means, markevery=max(1, len(across) // 8), **style)
        axes.fill_between(across, lows, highs, color=style["color"], alpha=0.2, linewidth=0)
    else:
        away = np.abs(np.array([lows, highs]) - means)
        axes.errorbar(across, means, yerr=away, elinewidth=0.8, capsize=2, **style)


def _set_ticks(axes: Axes, at: Mapping[str, float], aslant: bool) -> None:
    """Ticks where there are values, if these are given; and numbers as people write them."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log" and high < 10 * low:  # hardly a power of ten among the ticks
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    if at:
        axes.set_xticks(list(at.values()), [_plain(place) for place in at], minor=False)
        axes.set_xticks([], minor=True)
    if aslant:
        axes.tick_params("x", rotation=45)
        for label in axes.get_xticklabels():
            label.set(horizontalalignment="right", rotation_mode="anchor")


def _plain(text: str) -> str:
    """A text that is not taken for mathematics."""
    return text.replace("$", r"\$")
