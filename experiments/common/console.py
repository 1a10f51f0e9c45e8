"""The console on which results are printed."""

from rich.console import Console


def console() -> Console:
    """Return the console for results. Without a terminal, it is wide enough for a table."""
    shown = Console()
    return shown if shown.is_terminal else Console(width=160)
