"""What one record is: a float32 vector `[T]` of gradient norms at one training step.

plugin name   gradient_flow
tag           gradient_flow/<layer>/<signal>
metadata      JSON: layer, signal, direction, cell, units, version
value         tensor, float32 `[T]`, time in the order of the layer's input
"""

import json
from typing import Any

import numpy as np
from tensorboard.compat.proto import summary_pb2
from tensorboard.util import tensor_util

PLUGIN_NAME = "gradient_flow"
VERSION = 1


def tag(layer: str, signal: str) -> str:
    """The tag under which a layer's signal is written."""
    return f"{PLUGIN_NAME}/{layer}/{signal}"


def summary(layer: str, signal: str, norms: Any, *, direction: str, cell: str, units: int) -> Any:
    """One record as a `Summary` protocol buffer.

    Args:
        layer: name of the recurrent layer; a direction is part of it.
        signal: `h` or `c`.
        norms: `[T]`, converted to float32; NaN and Inf are kept.
        direction: `forward` or `backward`.
        cell: class name of the cell.
        units: size of the state.

    Raises:
        ValueError: `norms` is not a vector.

    >>> summary("lstm_1", "h", [0.5, 1.0], direction="forward", cell="LSTMCell", units=8).value[0].tag
    'gradient_flow/lstm_1/h'
    """
    norms = np.asarray(norms, dtype=np.float32)
    if norms.ndim != 1:
        raise ValueError(f"norms: expected a vector [T], got shape {norms.shape}")
    content = {
        "version": VERSION,
        "layer": layer,
        "signal": signal,
        "direction": direction,
        "cell": cell,
        "units": int(units),
    }
    metadata = summary_pb2.SummaryMetadata(
        # Without a data class TensorBoard does not list the tag.
        data_class=summary_pb2.DATA_CLASS_TENSOR,
        plugin_data=summary_pb2.SummaryMetadata.PluginData(
            plugin_name=PLUGIN_NAME, content=json.dumps(content).encode()
        ),
    )
    record = summary_pb2.Summary()
    record.value.add(tag=tag(layer, signal), metadata=metadata, tensor=tensor_util.make_tensor_proto(norms))
    return record
