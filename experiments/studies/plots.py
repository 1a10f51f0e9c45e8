"""Figures of a study as SVG files for print, drawn from run directories. Does not import TensorFlow."""

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
"""Dash patterns of baselines: alternating lengths of dashes and gaps."""
_UNITS = {
    "length": "steps",
    "horizon": "steps",
    "gap": "words",
    "units": "units",
    "train_size": "sequences",
    "depth": "layers",
}
"""Units of options, by the last part of the option's name."""
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",  # text is stored as text, not as paths
    "svg.hashsalt": "rnnscope",  # the same runs yield the same file
}


@dataclass(frozen=True)
class Point:
    """A point of a figure.

    Attributes:
        line: line that the point belongs to: a value of an option, or the name of a baseline.
        x: value on the horizontal axis.
        y: mean over seeds with its confidence interval; the geometric mean on a logarithmic axis.
        seeds: number of seeds.
    """

    line: str
    x: str
    y: Interval
    seeds: int


@dataclass(frozen=True)
class Drawn:
    """A drawn figure with its caption and its data.

    Attributes:
        figure: definition of the figure.
        svg: SVG source; empty if there is no point to draw.
        caption: caption of the figure.
        points: data of the figure.
    """

    figure: Figure | Profile
    svg: str
    caption: str
    points: list[Point]


def draw(figure: Figure | Profile, runs: Sequence[Run]) -> Drawn:
    """Draw a figure from the completed and diverged runs of a study."""
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
    """Return a sentence that explains the points, the number of seeds and the error bars."""
    seeds = sorted({point.seeds for point in points})
    count = f"n = {seeds[0]}" if len(seeds) == 1 else f"n = {seeds[0]} to {seeds[-1]}"
    bars = "bars and bands are bootstrap 95 % intervals of the mean over seeds" if seeds[-1] > 1 else "no interval"
    return f"Points are the {'geometric mean' if geometric else 'mean'} over seeds ({count}); {bars}."


def option_label(option: str) -> str:
    """Return the axis label of an option, with its unit.

    >>> option_label("dataset.length")
    'dataset.length (steps)'
    """
    unit = _UNITS.get(option.rpartition(".")[2])
    return option if unit is None else f"{option} ({unit})"


def _metric_label(metric: str, runs: Sequence[Run]) -> str:
    """Return the axis label of a metric, with its unit if all runs have the same unit.

    The label of `score` is the name of the primary metric if all runs have the same primary metric.
    """
    headlines = {run.metric for run in runs if run.metric}
    headline = headlines.pop() if metric == "score" and len(headlines) == 1 else None
    label = f"test {headline}" if headline else metrics.find(metric).label
    units = {_unit(run, headline or metric.removeprefix("metrics.")) for run in runs}
    unit = units.pop() if len(units) == 1 else ""
    return f"{label} ({unit})" if unit else label


def _unit(run: Run, metric: str) -> str:
    """Return the unit of a metric, or an empty string if it has no unit or the unit is unknown."""
    if metric.startswith("mae"):
        return plain(mapping(RunDirectory(run.path).task.get("output")).get("unit", ""))
    return "nats" if metric == "nll" else ""


# ---------------------------------------------------------------------- points


def _of_metric(figure: Figure, runs: Sequence[Run]) -> tuple[list[Point], int]:
    """Return the points of a figure of a metric, and the number of runs without a value.

    Points are sorted by line, or by their mean if the figure is ranked.
    """
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
    """Generate the points of baselines, which do not depend on the option of the lines."""
    for baseline in figure.baselines:
        for x in places:
            by_seed = values(runs, {figure.x: x}, metrics.of_baseline(baseline, figure.metric)).by_seed.values()
            drawn = [value for value in by_seed if "y" not in figure.log or value > 0]
            if drawn:
                yield Point(baseline, x, _mean(drawn, "y" in figure.log), len(drawn))


def _of_profiles(figure: Profile, runs: Sequence[Run]) -> tuple[list[Point], int]:
    """Return the points of a figure of a signal, and the number of runs without a value.

    A line has one point for each number of steps back from the last timestep. It ends where the norm of one of its runs
    is 0 or not finite: a logarithmic axis has no 0, and the mean over the remaining runs would jump up.
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
    """Return a signal at the end of training, divided by its value at the last timestep, `[T]`.

    The first entry belongs to the last timestep. Padding is removed. The signal is that of the layer with the longest
    gradient horizon.

    Args:
        run: run to read.
        signal: one of `SIGNALS`.

    Returns:
        The signal, or `None` if the run has no nonzero values.
    """
    known = last_profiles(run.path, signal, RECORDS if signal in GRADIENT_SIGNALS else 1)
    layers = metrics.layers_by_reach(run)
    name = next((layer for layer in layers if layer in known), next(iter(known), None))
    if name is None or not known[name].any():
        return None
    norms: np.ndarray = known[name][np.flatnonzero(known[name])[0] :]
    return norms / norms[0]


def _in_order(given: Iterable[str]) -> list[str]:
    """Return the distinct values: first numbers in ascending order, then names in their given order."""
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
    """Return points as SVG.

    Args:
        points: points to draw.
        x, y: labels of the axes.
        lines: title of the legend.
        log: axes with a logarithmic scale, such as `y` or `xy`.
        band: whether intervals are drawn as a band, instead of error bars with a tick at each value.
        levels: names of lines that are drawn in gray without markers.
    """
    places = _in_order(point.x for point in points)
    numeric = all(math.isfinite(_as_number(place)) for place in places)
    at = {place: _as_number(place) if numeric else float(number) for number, place in enumerate(places)}
    aslant = not numeric and sum(map(len, places)) > 30
    with matplotlib.rc_context(_STYLE):
        canvas = new_figure(3.5, 2.6, layout="constrained")  # inches: the column width of most journals
        axes = canvas.subplots()
        for number, line in enumerate(dict.fromkeys(point.line for point in points)):
            style: Any = {"color": COLORS[number % len(COLORS)], "marker": _MARKERS[number % len(_MARKERS)]}
            style |= {"linestyle": "-" if numeric else "none", "markersize": 4, "linewidth": 1.2, "label": _plain(line)}
            if line in levels:
                style |= {"color": DARK_GRAY, "marker": "", "linestyle": "-"}
                style["dashes"] = _DASHES[levels.index(line) % len(_DASHES)]
            _draw_line(axes, at, [point for point in points if point.line == line], band, style)
        axes.set(xlabel=_plain(x), ylabel=textwrap.fill(_plain(y), 26 if aslant else 38))  # the longest lines that fit
        axes.set(**{f"{axis}scale": "log" for axis in log if axis == "y" or numeric})
        _set_ticks(axes, {} if band else at, aslant)
        axes.legend(title=_plain(lines), frameon=False, fontsize="small", title_fontsize="small")
        text = io.StringIO()
        canvas.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _draw_line(axes: Axes, at: Mapping[str, float], points: Sequence[Point], band: bool, style: Any) -> None:
    """Draw a line with its confidence intervals. They are extended where necessary to contain the points."""
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
    """Set the ticks of the x axis to the given values, and format small logarithmic ranges as plain numbers."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log" and high < 10 * low:  # at most one power of ten is among the ticks
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
    """Escape text so that Matplotlib does not parse it as mathematics."""
    return text.replace("$", r"\$")
