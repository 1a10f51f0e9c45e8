"""Reading of TensorBoard's event files without TensorFlow; only the requested records are decoded.

TensorBoard's own reader would load TensorFlow, and would take minutes for a thousand runs.
"""

import contextlib
import mmap
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tensorboard_gradient_flow.profile import RECORDS, root_mean_square

_HEAD = 160
"""Number of bytes at the start of a record in which its tag is found."""


def last_profiles(path: Path, signal: str = "h", records: int = RECORDS) -> dict[str, np.ndarray]:
    """Return a signal at the end of training for each layer, `[T]`, from the last timestep read to the first.

    Args:
        path: the run directory.
        signal: the measured signal; by default the gradient norm with respect to h.
        records: number of last records to use. Their root mean square is returned, as in `result.json`.
    """
    kept: dict[str, deque[bytes]] = defaultdict(lambda: deque(maxlen=records))
    for tag, record in _of_signal(path, signal):
        kept[tag].append(record)
    return _by_layer(kept)


def first_profiles(path: Path, signal: str = "h") -> dict[str, np.ndarray]:
    """Return the same as `last_profiles`, but from the run's first record, at the start of training."""
    kept: dict[str, list[bytes]] = {}
    for tag, record in _of_signal(path, signal):
        kept.setdefault(tag, [record])
    return _by_layer(kept)


def _of_signal(path: Path, signal: str) -> Iterator[tuple[str, bytes]]:
    """Yield the tag and the bytes of every complete record of a signal, in order."""
    for file in sorted(path.glob("events.out.tfevents.*")):
        with contextlib.suppress(OSError):  # a run that starts over removes its files
            for tag, record in _records(file, "gradient_flow/"):
                if tag.endswith(f"/{signal}"):
                    yield tag, record


def _by_layer(records: Mapping[str, Iterable[bytes]]) -> dict[str, np.ndarray]:
    """Return the root mean square of the records for each layer, from the last timestep read to the first."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    from tensorboard_gradient_flow.format import metadata_of

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
    """Return the largest finite number that a run has recorded under a tag; `None` if there is none."""
    from google.protobuf.message import DecodeError

    found = []
    for file in sorted(path.glob("events.out.tfevents.*")):
        with contextlib.suppress(OSError, ValueError, TypeError, IndexError, DecodeError):
            found += [float(_decoded(record)[1]) for of, record in _records(file, tag) if of == tag]
    return max(filter(np.isfinite, found), default=None)


def _decoded(record: bytes) -> tuple[Any, np.ndarray]:
    """Decode a record into its value, which includes the metadata, and the numbers in this value."""
    from tensorboard.compat.proto import event_pb2
    from tensorboard.util import tensor_util

    value = event_pb2.Event.FromString(record).summary.value[0]
    return value, tensor_util.make_ndarray(value.tensor)


def _records(file: Path, start: str) -> Iterator[tuple[str, bytes]]:
    """Yield the tag and the bytes of every complete record whose tag begins with `start`.

    A record consists of its length (eight bytes), a checksum (four bytes), its contents, and another checksum. The tag
    is near the start of the contents and follows its own length. Other records therefore need not be decoded.
    """
    if not file.stat().st_size:  # an empty file cannot be mapped
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
