"""The style that all figures share, and how one becomes a file. No figure needs a screen."""

import io
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Those of Okabe & Ito (2008), which people who see few colors tell apart. With more lines than these, markers do."""
GRAY = "#c4c4c4"
"""What is only there for comparison."""
DARK_GRAY = "#666666"
"""The same where it must be read, as a baseline's line."""
NO_VALUE = "#d9d9d9"
"""The background where no number is."""


def new_figure(width: float, height: float, **options: Any) -> Figure:
    """Return an empty figure.

    Args:
        width: in inches.
        height: in inches.
        options: of `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(width, height), **options)
    FigureCanvasAgg(figure)
    return figure


def as_png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()
