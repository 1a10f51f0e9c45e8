"""Event files of a run that was interrupted, up to where it goes on."""

from collections.abc import Callable
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.summary.writer.record_writer import RecordWriter


def trim(directory: Path, step: int, keep: Callable[[str], bool] = lambda tag: True) -> None:
    """Rewrites a run's event files, so that they end with a training step; one that ends in the middle of a record is
    read up to there. Whoever is stopped meanwhile may begin again.

    Args:
        directory: the run's.
        step: the last step that is kept.
        keep: which tags are kept.
    """
    temporary = directory / ".trimmed.tmp"  # TensorBoard would read a file with the name of events in its own
    for path in sorted(directory.glob("events.out.tfevents.*")):
        with temporary.open("wb") as file:
            writer = RecordWriter(file)
            for event in EventFileLoader(str(path)).Load():
                if event.step <= step and all(keep(value.tag) for value in event.summary.value):
                    writer.write(event.SerializeToString())
            writer.flush()
        temporary.replace(path)
