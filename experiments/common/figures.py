"""The common style of all figures, and their conversion to files without a display."""

import io
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""The palette of Okabe & Ito (2008), safe for color-blind readers. Markers distinguish lines that share a color."""
GRAY = "#c4c4c4"
"""Color of elements that are only shown for comparison."""
DARK_GRAY = "#666666"
"""Color of such elements if they must be readable, such as the line of a baseline."""
NO_VALUE = "#d9d9d9"
"""Background color where a value is missing."""


def new_figure(width: float, height: float, **options: Any) -> Figure:
    """Return an empty figure.

    Args:
        width: in inches.
        height: in inches.
        options: other arguments of `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(width, height), **options)
    FigureCanvasAgg(figure)
    return figure


def as_png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()
