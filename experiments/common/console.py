"""Where results are shown."""

from rich.console import Console


def console() -> Console:
    """Where results are shown; wide enough for a table where there is no terminal."""
    shown = Console()
    return shown if shown.is_terminal else Console(width=160)
