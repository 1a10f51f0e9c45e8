"""A figure that shows examples of a dataset."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..common.figures import as_png, new_figure
from ..data import Split, Task

_LINES = 12
"""Largest number of features that are drawn as lines. More features are drawn as an image."""


def examples_picture(part: Split, task: Task, titles: Sequence[str]) -> bytes:
    """Draw the input sequences of examples, one below the other.

    A few features per timestep are drawn as lines, many features as an image, and symbols as a strip of colors.

    Args:
        part: examples to draw.
        task: task of the examples.
        titles: title of each example.

    Returns:
        The figure as PNG.
    """
    figure = new_figure(8, 1.9 * len(part) + 0.6, dpi=110, layout="constrained")
    rows = np.atleast_1d(figure.subplots(len(part), 1))
    for number, (axes, title) in enumerate(zip(rows, titles, strict=True)):
        sequence = part.inputs[number] if part.mask is None else part.inputs[number][part.mask[number]]
        _draw_sequence(axes, sequence, task)
        axes.set_title(title, fontsize="small", loc="left", parse_math=False)
    lines, names = rows[0].get_legend_handles_labels()
    if lines:
        figure.legend(lines, names, fontsize="small", ncols=min(6, len(lines)), loc="outside upper center")
    figure.supxlabel("timestep $t$", fontsize="medium")
    return as_png(figure)


def _draw_sequence(axes: Any, sequence: np.ndarray, task: Task) -> None:
    """Draw the input sequence of one example."""
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
