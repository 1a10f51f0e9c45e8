"""Figures of a study as vector graphics fit for print, made from run directories. No TensorFlow."""

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure as Canvas

from ..summaries.runs import Run
from . import metrics
from .evidence import Interval, interval, values
from .kept import meets
from .study import Figure, said

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Of Okabe & Ito 2008, which people who see few colours tell apart; in print, and with more lines, markers do."""
_MARKERS = "osD^vPX*<>"
_UNITS = {"length": "steps", "gap": "words", "units": "units", "train_size": "sequences", "depth": "layers"}
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

    figure: Figure
    svg: str
    caption: str
    points: list[Point]


def draw(figure: Figure, runs: Sequence[Run]) -> Drawn:
    """Draws a figure from the runs of a study that are over."""
    found, left_out = _points(figure, runs)
    return Drawn(figure, _svg(figure, found) if found else "", _caption(figure, found, left_out), found)


def _points(figure: Figure, runs: Sequence[Run]) -> tuple[list[Point], int]:
    """The points, line after line; and how many runs have no value."""
    shown = [run for run in runs if meets(run.options_and_seed, figure.where)]
    lines, places = (_in_order(run.options_and_seed.get(key, "") for run in shown) for key in (figure.lines, figure.x))
    points, left_out = [], 0
    for line in lines:
        for x in places:
            of_point = figure.where | {figure.lines: line, figure.x: x}
            group = values(runs, of_point, figure.metric, figure.floor)
            left_out += len(group.left_out | group.unfinished)
            drawn = [value for value in group.by_seed.values() if "y" not in figure.log or value > 0]
            if drawn:
                points.append(Point(line, x, _mean(drawn, "y" in figure.log), len(drawn)))
    return points, left_out


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
    return Interval(*(None if end is None else math.exp(end) for end in (found.mean, found.low, found.high)))  # type: ignore[arg-type]


def _svg(figure: Figure, points: Sequence[Point]) -> str:
    places = _in_order(point.x for point in points)
    numeric = all(math.isfinite(_as_number(x)) for x in places)
    at = {x: _as_number(x) if numeric else float(place) for place, x in enumerate(places)}
    with matplotlib.rc_context(_STYLE):
        canvas = Canvas(figsize=(3.5, 2.6), layout="constrained")  # inches: a column of most journals
        axes = canvas.subplots()
        for number, line in enumerate(dict.fromkeys(point.line for point in points)):
            of_line = [point for point in points if point.line == line]
            ends = [_distances(point.y) for point in of_line]
            axes.errorbar(
                [at[point.x] for point in of_line],
                [point.y.mean for point in of_line],
                yerr=([low for low, _ in ends], [high for _, high in ends]),
                color=COLOURS[number % len(COLOURS)],
                marker=_MARKERS[number % len(_MARKERS)],
                markersize=4,
                linewidth=1.2,
                elinewidth=0.8,
                capsize=2,
                linestyle="-" if numeric else "none",
                label=_plain(line),
            )
        axes.set(xlabel=_plain(option_label(figure.x)), ylabel=_plain(metrics.find(figure.metric).label))
        axes.set(**{f"{axis}scale": "log" for axis in figure.log if axis == "y" or numeric})
        axes.set_xticks(list(at.values()), [_plain(x) for x in at], minor=False)
        axes.set_xticks([], minor=True)
        axes.legend(title=_plain(figure.lines), frameon=False, fontsize="small", title_fontsize="small")
        text = io.StringIO()
        canvas.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _distances(of: Interval) -> tuple[float, float]:
    """From the mean to the interval's ends; rounding puts no end beyond it."""
    low, high = (of.mean if end is None else end for end in (of.low, of.high))
    return max(of.mean - low, 0.0), max(high - of.mean, 0.0)


def _plain(text: str) -> str:
    """A text that is not taken for mathematics."""
    return text.replace("$", r"\$")


def option_label(option: str) -> str:
    """An option with its unit.

    >>> option_label("dataset.length")
    'dataset.length (steps)'
    """
    unit = _UNITS.get(option.rpartition(".")[2])
    return option if unit is None else f"{option} ({unit})"


def _caption(figure: Figure, points: Sequence[Point], left_out: int) -> str:
    """What is drawn, of how many seeds, and what the bars are."""
    what = f"{metrics.find(figure.metric).label} against {option_label(figure.x)}, by {figure.lines}"
    where = f", where {said(figure.where)}" if figure.where else ""
    if not points:
        return f"{what}{where}: no run has a value yet."
    seeds = sorted({point.seeds for point in points})
    count = f"n = {seeds[0]}" if len(seeds) == 1 else f"n = {seeds[0]} to {seeds[-1]}"
    mean = "geometric mean" if "y" in figure.log else "mean"
    bars = "; bars are bootstrap 95 % intervals of the mean over seeds" if seeds[-1] > 1 else "; one seed, no interval"
    floor = f" Values below {figure.floor:g} are drawn as {figure.floor:g}." if figure.floor is not None else ""
    missing = f" {left_out} runs have no value and are not shown." if left_out else ""
    return f"{what}{where}. Points are the {mean} over seeds ({count}){bars}.{floor}{missing}"
