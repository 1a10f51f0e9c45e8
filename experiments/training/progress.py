"""Progress of a run: a live bar on a terminal, and occasional lines of text elsewhere."""

from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINES = 10
"""Approximate number of lines that a run prints without a terminal."""


class TrainingProgress(keras.callbacks.Callback):
    """Callback that shows the epoch, the metrics and the time left.

    Args:
        console: where to show them.
        title: description of the run.
        epochs: number of epochs.
        steps_per_epoch: number of steps in an epoch.
    """

    def __init__(self, console: Console, title: str, epochs: int, steps_per_epoch: int):
        super().__init__()
        self.console = console
        self.title = title
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps  {task.fields[metrics]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Show the bar."""
        total = self.epochs * self.steps_per_epoch
        self.task = self.progress.add_task(self.title, total=total, metrics="")
        self.progress.start()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Note the step at which the epoch starts."""
        self._before = epoch * self.steps_per_epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Advance the bar."""
        self.progress.update(self.task, completed=self._before + min(batch + 1, self.steps_per_epoch))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Show the epoch's metrics."""
        metrics = _in_short(logs or {})
        self.progress.update(self.task, metrics=metrics)
        if not self.console.is_terminal and (epoch + 1) % max(1, self.epochs // _LINES) == 0:
            self.console.print(f"{self.title}: epoch {epoch + 1}/{self.epochs}  {metrics}", highlight=False)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Remove the bar."""
        self.stop()

    def stop(self) -> None:
        """Remove the bar, also after an interruption."""
        self.progress.stop()


def _in_short(logs: dict[str, Any]) -> str:
    return "  ".join(f"{name.replace('val_', 'validation ')} {value:.4f}" for name, value in sorted(logs.items()))
