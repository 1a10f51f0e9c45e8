"""Plots of the configurations of one dataset for `report.html`, as PNG bytes, made without TensorFlow."""

import math
import warnings
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from tensorboard_gradient_flow.profile import REACH, horizon

from ..common.figures import COLORS, GRAY, as_png, new_figure
from ..runs.events import last_profiles
from ..runs.history import metrics_of
from .groups import Group

COLOURED = len(COLORS)
"""Number of configurations with their own color and legend entry: the best ones. The others are gray."""
ROWS = 40
"""Largest number of configurations in the plot of test results."""
_SEEDS = 3
"""Number of runs per configuration whose profile is drawn. Their event files are the largest files to read."""
_FLOOR = 1e-9
"""Lower end of the vertical axis of the profiles."""


def pictures(groups: Sequence[Group]) -> list[tuple[str, bytes]]:
    """Return the titles and images of all plots of one dataset's configurations, sorted from best to worst."""
    drawn = {
        "Learning curves, a line a run": learning_curves,
        "Test results: every seed, mean and 95 % interval": results_by_seed,
        "What each option does: mean over all else": main_effects,
        "What it costs": costs,
        "Gradient profiles at the end of training, over the largest norm": profiles,
    }
    found = []
    with matplotlib.rc_context({"font.size": 9}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # a box is drawn instead
        for title, draw in drawn.items():
            figure = draw(groups)
            if figure is not None:
                found.append((title, as_png(figure)))
    return found


def learning_curves(groups: Sequence[Group]) -> Figure | None:
    """Plot the primary metric on the validation split by training step, or the loss if that metric is not recorded."""
    tables = [[metrics_of(run.path) for run in group.runs] for group in groups]
    names = (f"val_{next((group.metric for group in groups if group.metric), '')}", "val_loss")
    known = {name for of_group in tables for table in of_group for name in table}
    name = next((name for name in names if name in known), None)
    if name is None:
        return None
    lines = [
        [np.column_stack([table["step"], table[name]]) for table in of_group if {"step", name} <= set(table)]
        for of_group in tables
    ]
    values = np.concatenate([line[:, 1] for of_group in lines for line in of_group])
    if not np.isfinite(values).any():
        return None
    figure, axes = _beside_a_legend()
    _draw_lines(axes, lines)
    axes.set(xlabel="training step", ylabel=_short(name.replace("val_", "validation ")))
    low, high = np.percentile(values[np.isfinite(values)], [0, 98])  # one diverging run must not flatten the others
    axes.set_ylim(low - 0.05 * (high - low) - 1e-12, high + 0.05 * (high - low) + 1e-12)
    _legend(axes, groups)
    return figure


def results_by_seed(groups: Sequence[Group]) -> Figure | None:
    """Plot test results with one row per configuration: a dot per seed, the mean and its confidence interval.

    The baselines are vertical lines.
    """
    shown = [(group, group.mean) for group in groups if group.mean is not None][:ROWS]
    if not shown:
        return None
    height = 1.1 + 0.22 * len(shown)
    figure = _figure(height)
    axes = figure.add_axes((0.3, 0.6 / height, 0.42, (height - 0.8) / height))
    for row, (group, mean) in enumerate(shown):
        axes.plot(list(group.values.values()), [row] * len(group.values), ".", color="#9a9a9a", markersize=5)
        axes.errorbar(mean, row, xerr=group.half_width or 0, fmt="o", color=COLORS[0], markersize=5, capsize=3)
    found = defaultdict(list)
    for group in groups:
        for name, value in group.baselines.items():
            found[name].append(value)
    for number, (name, values) in enumerate(found.items(), start=1):
        axes.axvline(float(np.mean(values)), color=COLORS[number % len(COLORS)], linestyle="--", label=_short(name, 26))
    axes.set_yticks(range(len(shown)), [_short(group.label) for group, _ in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlabel(_short(f"test {shown[0][0].metric}"))
    if found:
        axes.legend(title="baselines", loc="upper left", bbox_to_anchor=(1.02, 1), fontsize="small")
    return figure


def main_effects(groups: Sequence[Group]) -> Figure | None:
    """Plot the test results against the values of each option that was swept.

    Each small dot is a configuration with that value, and each large dot is the mean of these configurations.
    """
    measured = [group for group in groups if group.mean is not None]
    by_option = {key: _by_value(measured, key) for key in (groups[0].choices if groups else {}) if key != "dataset"}
    by_option = {key: values for key, values in by_option.items() if len(values) > 1}
    if not by_option:
        return None
    down = -(-len(by_option) // 3)
    figure = _figure(2.6 * down)
    grid = figure.subplots(down, 3, squeeze=False, sharey=True)
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.3 / down, top=1 - 0.1 / down, hspace=0.7, wspace=0.08)
    for axes in grid.flat[len(by_option) :]:
        axes.set_axis_off()
    for axes, (key, values) in zip(grid.flat, by_option.items(), strict=False):
        for place, of_value in enumerate(values.values()):
            axes.plot([place] * len(of_value), of_value, ".", color="#9a9a9a", markersize=4)
        in_a_row = all(math.isfinite(_as_number(value)) for value in values)
        means = [float(np.mean(of_value)) for of_value in values.values()]
        axes.plot(means, "o-" if in_a_row else "o", color=COLORS[0])
        axes.set_xticks(range(len(values)), [_short(value, 14) for value in values], rotation=30, ha="right")
        axes.set_xlabel(_short(key))
    for axes in grid[:, 0]:
        axes.set_ylabel(_short(f"test {measured[0].metric}"))
    return figure


def costs(groups: Sequence[Group]) -> Figure | None:
    """Plot the test result against the number of parameters, and against the seconds per epoch."""
    measured = [(number, group, group.mean) for number, group in enumerate(groups) if group.mean is not None]
    if not measured:
        return None
    figure = _figure(3.4)
    places = ((0.07, 0.16, 0.29, 0.78), (0.38, 0.16, 0.29, 0.78))
    left, right = (figure.add_axes(place) for place in places)
    for axes, cost, name in ((left, "parameters", "parameters"), (right, "seconds_per_epoch", "seconds an epoch")):
        for number, group, mean in measured:
            if getattr(group, cost):
                axes.plot(getattr(group, cost), mean, "o", color=_colour(number), zorder=-number)
        axes.set(xscale="log", xlabel=_short(name, 26))
    left.set_ylabel(_short(f"test {measured[0][1].metric}"))
    right.tick_params(labelleft=False)
    _legend(right, groups)
    return figure


def profiles(groups: Sequence[Group]) -> Figure | None:
    """Plot the gradient norm with respect to h against the distance from the last timestep read, one line per run."""
    read = ([_profile(run.path) for run in group.runs[:_SEEDS]] for group in groups)
    lines = [[line for line in of_group if line is not None] for of_group in read]
    if not any(lines):
        return None
    figure, axes = _beside_a_legend()
    _draw_lines(axes, lines)
    axes.axhline(REACH, color="black", linestyle=":", linewidth=1)
    axes.set(yscale="log", xlabel="steps back from the last step read", ylabel="gradient norm over its largest")
    axes.set_ylim(_FLOOR, 2)
    _legend(axes, groups)
    return figure


# --------------------------------------------------------------------- reading


def _profile(path: Path) -> np.ndarray | None:
    """Return `[T, 2]`: the distance from the last timestep read, and the norm divided by the largest norm.

    The values are those of the layer with the largest gradient horizon.
    """
    found = [norms / norms.max() for norms in last_profiles(path).values() if np.isfinite(norms).all() and norms.any()]
    if not found:
        return None
    furthest = max(
        (norms[np.flatnonzero(norms)[0] :] for norms in found), key=lambda norms: horizon(norms, backward=True)
    )  # without padding, whose norms are zero
    return np.column_stack([np.arange(len(furthest)), np.maximum(furthest, _FLOOR / 10)])


# --------------------------------------------------------------------- drawing


def _figure(height: float) -> Figure:
    return new_figure(11.5, height, dpi=100)


def _beside_a_legend() -> tuple[Figure, Axes]:
    figure = _figure(3.6)
    return figure, figure.add_axes((0.07, 0.14, 0.6, 0.8))


def _draw_lines(axes: Axes, lines: Sequence[Sequence[np.ndarray]]) -> None:
    """Draw each configuration's lines, `[N, 2]` each, in its color, with the best configuration on top."""
    for number, of_group in enumerate(lines):
        finite = [np.where(np.isfinite(line), line, np.nan) for line in of_group]
        wide = 1.2 if number < COLOURED else 0.6
        axes.add_collection(LineCollection(finite, colors=_colour(number), linewidths=wide, zorder=-number))
    axes.autoscale_view()


def _legend(axes: Axes, groups: Sequence[Group]) -> None:
    handles: list[Any] = []
    for number, group in enumerate(groups[:COLOURED]):
        handles += axes.plot([], [], "-", color=_colour(number), linewidth=3, label=_short(group.label))
    if len(groups) > COLOURED:
        handles += axes.plot([], [], "-", color=GRAY, linewidth=3, label=f"{len(groups) - COLOURED} others")
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1), fontsize="small")


def _colour(number: int) -> str:
    return COLORS[number] if number < COLOURED else GRAY


def _short(text: str, length: int = 46) -> str:
    """Return a text that is short enough for a plot, and that is not interpreted as math text."""
    return (text if len(text) <= length else f"{text[: length - 1]}…").replace("$", r"\$")


def _by_value(groups: Sequence[Group], key: str) -> dict[str, list[float]]:
    """Return the means of the configurations by value of an option, with numbers in ascending order."""
    values: dict[str, list[float]] = defaultdict(list)
    for group in groups:
        if group.choices[key] and group.mean is not None:
            values[group.choices[key]].append(group.mean)
    return dict(sorted(values.items(), key=lambda item: (_as_number(item[0]), item[0])))


def _as_number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(value) else value
