"""Writes one run's event file."""

import os
import socket
import struct
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

from . import format as gradient_format


class RunWriter:
    """Appends scalars, images, text and gradient norms to a new event file in a run's directory.

    Args:
        directory: the run's directory; made if it is not there.

    >>> import tempfile
    >>> with RunWriter(tempfile.mkdtemp()) as writer:
    ...     writer.scalar("loss/train", 0.5, step=10)
    """

    def __init__(self, directory: str | Path):
        self._file = _behind_others(Path(directory)).open("xb")
        self._records = RecordWriter(self._file)
        self._add(event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2"))
        self.flush()

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def summary(self, summary: Any, step: int) -> None:
        """Any `Summary` protocol buffer."""
        self._add(event_pb2.Event(wall_time=time.time(), step=step, summary=summary))

    def scalar(self, tag: str, value: float, step: int, description: str | None = None) -> None:
        """One number."""
        self.summary(scalar_pb(tag, value, description), step)

    def text(self, tag: str, markdown: str, step: int = 0) -> None:
        """A piece of Markdown."""
        self.summary(text_pb(tag, markdown), step)

    def image(self, tag: str, png: bytes, step: int, description: str | None = None) -> None:
        """A picture, as the bytes of a PNG file."""
        width, height = struct.unpack(">II", png[16:24])
        record = summary_pb2.Summary()
        record.value.add(
            tag=tag,
            metadata=image_metadata.create_summary_metadata(
                display_name=None, description=description, converted_to_tensor=True
            ),
            tensor=tensor_util.make_tensor_proto([str(width).encode(), str(height).encode(), png]),
        )
        self.summary(record, step)

    def vector(self, layer: str, signal: str, values: Any, step: int, **metadata: Any) -> None:
        """One number a timestep, `[T]`; arguments as of `tensorboard_gradient_flow.format.summary`."""
        self.summary(gradient_format.summary(layer, signal, values, **metadata), step)

    def gradient_norms(self, layer: str, signal: str, norms: Any, step: int, **metadata: Any) -> None:
        """The gradient's norms `[T]` of one signal: a `vector` of kind `gradient`."""
        self.vector(layer, signal, norms, step, kind="gradient", **metadata)

    def flush(self) -> None:
        """Writes out what is pending."""
        self._file.flush()

    def close(self) -> None:
        """Writes out what is pending and closes the file."""
        self._file.close()

    def _add(self, event: Any) -> None:
        self._records.write(event.SerializeToString())


def _behind_others(directory: Path) -> Path:
    """A new event file, behind those that are there, whatever the clock says: TensorBoard reads them in this order."""
    directory.mkdir(parents=True, exist_ok=True)
    numbers = [path.name.split(".")[3] for path in directory.glob("events.out.tfevents.*")]
    number = max([int(time.time()), *(int(number) + 1 for number in numbers if number.isdigit())])
    return directory / f"events.out.tfevents.{number:010d}.{socket.gethostname()}.{os.getpid()}"
