"""What TensorBoard's event files hold, read without TensorFlow: only the records asked for are decoded.

TensorBoard's own reader would start TensorFlow, and take minutes for a thousand runs.
"""

import contextlib
import mmap
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tensorboard_gradient_flow.profile import RECORDS, root_mean_square

_HEAD = 160
"""In how many of a record's first bytes its tag stands."""


def last_profiles(path: Path) -> dict[str, np.ndarray]:
    """By layer, the gradient's norm with respect to h at the end of training `[T]`, from the last step read backwards.

    The root mean square of the last records, as in `result.json`.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    from tensorboard_gradient_flow.format import metadata_of

    records: dict[str, deque[bytes]] = defaultdict(lambda: deque(maxlen=RECORDS))
    for file in sorted(path.glob("events.out.tfevents.*")):
        with contextlib.suppress(OSError):  # a run that begins anew removes its files
            for tag, record in _records(file, "gradient_flow/"):
                if tag.endswith("/h"):
                    records[tag].append(record)
    norms = {}
    for tag, of_tag in records.items():
        try:
            values, vectors = zip(*map(_decoded, of_tag), strict=True)
            about = metadata_of(tag, values[-1].metadata.plugin_data.content)
            last = root_mean_square([vector for vector in vectors if vector.shape == vectors[-1].shape])
        except (ValueError, TypeError, IndexError, ArithmeticError, DecodeError):
            continue
        norms[str(about["layer"])] = last if about["direction"] == "backward" else last[::-1]
    return norms


def largest(path: Path, tag: str) -> float | None:
    """The largest finite number that a run has recorded under a tag; `None` if there is none."""
    from google.protobuf.message import DecodeError

    found = []
    for file in sorted(path.glob("events.out.tfevents.*")):
        with contextlib.suppress(OSError, ValueError, TypeError, IndexError, DecodeError):
            found += [float(_decoded(record)[1]) for of, record in _records(file, tag) if of == tag]
    return max(filter(np.isfinite, found), default=None)


def _decoded(record: bytes) -> tuple[Any, np.ndarray]:
    """A record's value, with its metadata, and the numbers in it."""
    from tensorboard.compat.proto import event_pb2
    from tensorboard.util import tensor_util

    value = event_pb2.Event.FromString(record).summary.value[0]
    return value, tensor_util.make_ndarray(value.tensor)


def _records(file: Path, start: str) -> Iterator[tuple[str, bytes]]:
    """Tag and bytes of every whole record whose tag starts like that.

    A record is its length as eight bytes, a check sum of four, its bytes, and another check sum. A tag stands near a
    record's start, behind its own length; hence the others need not be decoded.
    """
    if not file.stat().st_size:  # which cannot be mapped
        return
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = 0
        while len(head := content[place : place + 12 + _HEAD]) > 12:
            length = int.from_bytes(head[:8], "little")
            end = place + 12 + length + 4
            if end > len(content):
                return
            found = head.find(start.encode(), 13, 12 + length)
            if found > 0:
                tag = head[found : found + head[found - 1]]
                yield tag.decode("utf-8", "replace"), content[place + 12 : end - 4]
            place = end
