"""Heatmaps of gradient norms, as PNG bytes."""

from typing import Any

import numpy as np
from matplotlib.colors import LogNorm

from ..common.figures import NO_VALUE, as_png, new_figure

DECADES = 6
"""Number of decades below the largest norm that the color scale covers."""


def gradient_heatmap(steps: Any, norms: Any, title: str, signal: str) -> bytes:
    """Draw gradient norms by timestep and training step with a logarithmic color scale.

    Args:
        steps: `[N]` training steps, ascending.
        norms: `[N, T]`.
        title: title of the plot.
        signal: letter of the signal, `h` or `c`.
    """
    steps, norms = np.asarray(steps), np.asarray(norms, dtype=np.float64)
    shown = np.ma.masked_where(~np.isfinite(norms) | (norms <= 0), norms)
    largest = float(shown.max()) if shown.count() else 1.0
    smallest = max(float(shown.min()) if shown.count() else largest, largest * 10.0**-DECADES)
    figure = new_figure(7, 4, dpi=110)
    figure.subplots_adjust(left=0.09, right=0.98, bottom=0.13, top=0.92)  # an automatic layout takes half of the time
    axes = figure.add_subplot()
    axes.set_facecolor(NO_VALUE)
    image = axes.pcolormesh(
        _edges(steps),
        np.arange(norms.shape[1] + 1) - 0.5,
        shown.T,
        norm=LogNorm(min(smallest, largest * 0.999), largest),
        cmap="viridis",
        rasterized=True,
    )
    label = f"‖∂ℓ / ∂{signal}ₜ‖₂, RMS over examples"  # without math text, which doubles the drawing time
    scale = figure.colorbar(image, label=label, extend="min", format="%.0e", fraction=0.12, pad=0.02)
    scale.minorticks_off()
    axes.set(xlabel="training step", ylabel="timestep t", title=title)
    return as_png(figure)


def _edges(steps: np.ndarray) -> np.ndarray:
    """Return the `[N + 1]` edges of cells that are centered on `[N]` positions."""
    if len(steps) == 1:
        return np.array([steps[0] - 0.5, steps[0] + 0.5])
    middle = (steps[1:] + steps[:-1]) / 2
    return np.concatenate([[steps[0] - (middle[0] - steps[0])], middle, [steps[-1] + (steps[-1] - middle[-1])]])
