"""Event files of a run that was interrupted, up to where it goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def trim(directory: Path, step: int, keep: Callable[[str], bool] = lambda tag: True) -> None:
    """Rewrites a run's event files as one that ends with a training step; a file that ends in the middle of a record
    is read up to there.

    Args:
        directory: the run's.
        step: the last step that is kept.
        keep: which tags are kept.
    """
    old = sorted(directory.glob("events.out.tfevents.*"))
    if not old:
        return
    temporary = directory / f".{old[0].name}.tmp"
    with temporary.open("wb") as file:
        writer = RecordWriter(file)
        for event in _events(old):
            if event.step <= step and all(keep(value.tag) for value in event.summary.value):
                writer.write(event.SerializeToString())
        writer.flush()
    temporary.replace(old[0])
    for path in old[1:]:
        path.unlink()


def _events(paths: list[Path]) -> Iterator[Any]:
    """All events, in the order of the files; of their heads, which tell the format, the first."""
    for number, path in enumerate(paths):
        for event in EventFileLoader(str(path)).Load():
            if number == 0 or event.WhichOneof("what") != "file_version":
                yield event_pb2.Event.FromString(event.SerializeToString())
