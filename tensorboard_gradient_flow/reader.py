"""Reads gradient norms back from event files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from .format import PLUGIN_NAME, metadata_of


@dataclass(frozen=True)
class Record:
    """All that one run wrote of one signal.

    Attributes:
        steps: training steps, in the order they were written.
        norms: one float32 vector `[T]` a step; T may differ from step to step.
        metadata: version, kind, layer, signal, direction, cell, units.
    """

    steps: list[int]
    norms: list[np.ndarray]
    metadata: dict[str, Any]


def read(directory: str | Path) -> dict[str, Record]:
    """Every gradient-flow record of a run, by tag, nothing sampled away.

    Args:
        directory: a run's directory, with its event files.
    """
    events = EventAccumulator(str(directory), size_guidance={"tensors": 0})
    events.Reload()
    try:
        contents = events.PluginTagToContent(PLUGIN_NAME)
    except KeyError:  # nothing of this plugin in these files
        return {}
    records = {}
    for tag, content in contents.items():
        written = events.Tensors(tag)
        norms = [tensor_util.make_ndarray(event.tensor_proto) for event in written]
        records[tag] = Record([event.step for event in written], norms, metadata_of(tag, content))
    return records
