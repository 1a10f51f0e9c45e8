"""What one record is: a float32 vector `[T]`, one number a timestep, at one training step.

plugin name   gradient_flow
tag           gradient_flow/<layer>/<signal>
metadata      JSON: version, kind, layer, signal, direction, cell, units
value         tensor, float32 `[T]`, time in the order of the layer's input
"""

import json
from typing import Any

import numpy as np
from tensorboard.compat.proto import summary_pb2
from tensorboard.util import tensor_util

PLUGIN_NAME = "gradient_flow"
VERSION = 1
KINDS = {
    "gradient": "norm of the loss's derivative: signals h, c, kernel",
    "jacobian": "norm of ∂h_T/∂h_t and its bound: signals jacobian, jacobian_bound",
    "gate": "share of a gate's units below 0.1 or above 0.9: signals gate_i_low, gate_i_high, …",
    "activation": "norm of h: signal activation",
}
"""What the numbers of a record are; decides which pictures the tab draws of them."""


def tag(layer: str, signal: str) -> str:
    """The tag under which a layer's signal is written."""
    return f"{PLUGIN_NAME}/{layer}/{signal}"


def summary(
    layer: str, signal: str, values: Any, *, direction: str, cell: str, units: int, kind: str = "gradient"
) -> Any:
    """One record as a `Summary` protocol buffer.

    Args:
        layer: name of the recurrent layer; a direction is part of it.
        signal: what was measured, such as `h` or `c`; see `KINDS`.
        values: `[T]`, converted to float32; NaN and Inf are kept.
        direction: `forward` or `backward`.
        cell: class name of the cell.
        units: size of the state.
        kind: one of `KINDS`.

    Raises:
        ValueError: `values` is not a vector, or `kind` is not known.

    >>> summary("lstm_1", "h", [0.5, 1.0], direction="forward", cell="LSTMCell", units=8).value[0].tag
    'gradient_flow/lstm_1/h'
    """
    values = np.asarray(values, dtype=np.float32)
    if values.ndim != 1:
        raise ValueError(f"{signal}: expected a vector [T], got shape {values.shape}")
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    content = {
        "version": VERSION,
        "kind": kind,
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
    record.value.add(tag=tag(layer, signal), metadata=metadata, tensor=tensor_util.make_tensor_proto(values))
    return record


def metadata_of(tag: str, content: bytes) -> dict[str, Any]:
    """A record's metadata, completed from its tag where something is missing or unreadable.

    Args:
        tag: the record's tag.
        content: the plugin data stored with it.

    >>> metadata_of("gradient_flow/lstm_1/h", b'{"units": 8}')["signal"]
    'h'
    """
    try:
        stored = json.loads(content)
    except ValueError:
        stored = {}
    layer, _, signal = tag.removeprefix(f"{PLUGIN_NAME}/").rpartition("/")
    defaults = {"kind": "gradient", "layer": layer, "signal": signal, "direction": "forward", "cell": "", "units": 0}
    return defaults | stored if isinstance(stored, dict) else defaults
