"""Pictures, as PNG bytes."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from .data import Split, Task

_LINES = 12
"""Features of a step that are drawn as lines."""
DECADES = 6
"""How far below the largest norm the colours reach."""


def gradient_heatmap(steps: Any, norms: Any, title: str, signal: str) -> bytes:
    """Gradient norms over timestep and training step, on a logarithmic colour scale.

    Args:
        steps: `[N]` training steps, ascending.
        norms: `[N, T]`.
        title: what is shown.
        signal: the signal's letter, `h` or `c`.
    """
    steps, norms = np.asarray(steps), np.asarray(norms, dtype=np.float64)
    shown = np.ma.masked_where(~np.isfinite(norms) | (norms <= 0), norms)
    largest = float(shown.max()) if shown.count() else 1.0
    smallest = max(float(shown.min()) if shown.count() else largest, largest * 10.0**-DECADES)
    figure = Figure(figsize=(7, 4), dpi=110)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.09, right=0.98, bottom=0.13, top=0.92)  # finding out would take half of the time
    axes = figure.add_subplot()
    axes.set_facecolor("#d9d9d9")  # where there is no number
    image = axes.pcolormesh(
        _edges(steps),
        np.arange(norms.shape[1] + 1) - 0.5,
        shown.T,
        norm=LogNorm(min(smallest, largest * 0.999), largest),
        cmap="viridis",
        rasterized=True,
    )
    label = f"‖∂ℓ / ∂{signal}ₜ‖₂, RMS over examples"  # plain text: to typeset it would take as long as all the rest
    scale = figure.colorbar(image, label=label, extend="min", format="%.0e", fraction=0.12, pad=0.02)
    scale.minorticks_off()
    axes.set(xlabel="training step", ylabel="timestep t", title=title)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def examples_picture(part: Split, task: Task, titles: Sequence[str]) -> bytes:
    """Examples one above the other: lines for a few numbers a step, an image for many, for symbols a strip of colours.

    Args:
        part: the examples.
        task: whose they are.
        titles: one for each.
    """
    figure = Figure(figsize=(8, 1.9 * len(part) + 0.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    rows = np.atleast_1d(figure.subplots(len(part), 1))
    for number, (axes, title) in enumerate(zip(rows, titles, strict=True)):
        sequence = part.inputs[number] if part.mask is None else part.inputs[number][part.mask[number]]
        _draw_sequence(axes, sequence, task)
        axes.set_title(title, fontsize="small", loc="left", parse_math=False)
    lines, names = rows[0].get_legend_handles_labels()
    if lines:
        figure.legend(lines, names, fontsize="small", ncols=min(6, len(lines)), loc="outside upper center")
    figure.supxlabel("timestep $t$", fontsize="medium")
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _draw_sequence(axes: Any, sequence: np.ndarray, task: Task) -> None:
    """One example's inputs."""
    if task.symbols:
        axes.imshow(sequence[None], aspect="auto", cmap="viridis", vmin=0, vmax=len(task.symbols) - 1)
        axes.set_yticks([])
        return
    features = task.features or tuple(f"feature {index + 1}" for index in range(sequence.shape[-1]))
    if len(features) <= _LINES:
        for values, name in zip(sequence.T, features, strict=True):
            axes.plot(values, marker=".", label=name)
        return
    axes.imshow(sequence.T, aspect="auto", origin="lower", cmap="Greys", interpolation="nearest")
    shown = range(0, len(features), -(-len(features) // _LINES))
    axes.set_yticks(list(shown), [features[index] for index in shown], fontsize="x-small")


def _edges(steps: np.ndarray) -> np.ndarray:
    """`[N]` places → the `[N + 1]` borders between them."""
    if len(steps) == 1:
        return np.array([steps[0] - 0.5, steps[0] + 0.5])
    middle = (steps[1:] + steps[:-1]) / 2
    return np.concatenate([[steps[0] - (middle[0] - steps[0])], middle, [steps[-1] + (steps[-1] - middle[-1])]])
