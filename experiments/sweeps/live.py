"""A sweep while it runs: a live table on a terminal, lines elsewhere. Made of run directories, wherever runs are."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..runs.directory import RunDirectory
from ..summaries.results import COLOURS, line

_LOOK = 0.5
"""Seconds between two looks at the directories."""
_LINE = 30.0
"""Seconds between two lines about the whole, where there is no terminal."""


@contextmanager
def watching(directories: Callable[[], Sequence[Path]], screen: Console) -> Iterator[None]:
    """Shows runs while they run.

    Args:
        directories: gives those to watch, each time they are looked at.
        screen: where to show them.
    """
    sweep = SweepView(directories)
    over = threading.Event()
    watch = _watch_on_terminal if screen.is_terminal else _watch_in_lines
    thread = threading.Thread(target=watch, args=(sweep, screen, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch_on_terminal(sweep: "SweepView", screen: Console, over: threading.Event) -> None:
    with Live(console=screen, transient=True, auto_refresh=False) as live:
        while not over.wait(_LOOK):
            sweep.look()
            live.update(sweep.table(rows=max(3, screen.height - 6)), refresh=True)


def _watch_in_lines(sweep: "SweepView", screen: Console, over: threading.Event) -> None:
    said = time.monotonic()
    while True:
        last = over.wait(_LOOK)
        for path in sweep.look():
            screen.print(line(path), markup=False, highlight=False, soft_wrap=True)
        if last:
            return
        if time.monotonic() - said >= _LINE:
            said = time.monotonic()
            screen.print(sweep.in_short(), markup=False, highlight=False, soft_wrap=True)


class SweepView:
    """The runs of a sweep, as their directories tell.

    Args:
        directories: gives those to look at.
    """

    def __init__(self, directories: Callable[[], Sequence[Path]]):
        self._directories = directories
        self._before = {path: RunDirectory(path).status for path in directories()}
        self._began = time.monotonic()
        self.statuses: dict[Path, dict[str, Any]] = {}
        self._over: list[Path] = []

    def look(self) -> list[Path]:
        """Reads every run's state; returns the runs that have ended since the last look."""
        self.statuses = {path: RunDirectory(path).status for path in self._directories()}
        ended = [path for path in self.statuses if self._has_ended(path) and path not in self._over]
        self._over += ended
        return ended

    def _has_ended(self, path: Path) -> bool:
        """Whether a run has come to an end since the sweep began."""
        status = self.statuses[path]
        return status.get("state", "running") != "running" and status != self._before.get(path, {})

    @property
    def running(self) -> list[Path]:
        """Those that say that they run; and began, or went on, since the sweep did."""
        said = [path for path, status in self.statuses.items() if status.get("state") == "running"]
        return [path for path in said if self.statuses[path] != self._before.get(path)]

    def in_short(self) -> str:
        """Counts, and how long it will take."""
        completed = sum(status.get("state") == "completed" for status in self.statuses.values())
        badly = [path for path in self._over if self.statuses[path]["state"] != "completed"]
        parts = [f"{completed} of {len(self.statuses)} runs completed", f"{len(self.running)} running"]
        if badly:
            parts.append(f"{len(badly)} ended badly")
        if (left := self._seconds_left()) is not None:
            parts.append(f"about {_duration(left)} left")
        return ", ".join(parts)

    def _seconds_left(self) -> float | None:
        """By the time that runs have taken so far; `None` as long as none has ended."""
        waiting = [path for path, status in self.statuses.items() if not status]
        under_way = [self.statuses[path].get("progress", {}).get("seconds_left", 0.0) for path in self.running]
        if waiting and not self._over:
            return None
        each = (time.monotonic() - self._began) / max(1, len(self._over))
        return each * len(waiting) + max(under_way, default=0.0)

    def table(self, rows: int) -> Group:
        """Those that run, then those that have ended last, in so many rows."""
        shown = Table(box=None, padding=(0, 2), title_justify="left")
        for name in ("run", "state", "epoch", "validation", "gradient reaches back", "left"):
            shown.add_column(name, justify="right" if name in ("epoch", "left") else "left", no_wrap=True)
        for path in [*self.running, *reversed(self._over)][:rows]:
            status = self.statuses[path]
            progress = status.get("progress", {})
            reached = "{horizon}/{steps} {verdict}".format(**progress) if "horizon" in progress else ""
            value = f"{progress['metric']} {progress['value']:.4f}" if "metric" in progress else ""
            left = _duration(progress["seconds_left"]) if status["state"] == "running" and progress else ""
            epoch = f"{progress['epoch']}/{progress['epochs']}" if progress else ""
            state = Text(status["state"], COLOURS.get(status["state"], ""))
            shown.add_row(path.name, state, epoch, value, reached, left)
        return Group(shown, Text(self.in_short(), "bold"))


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
