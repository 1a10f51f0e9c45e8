"""A profile together with the few numbers of it that plain TensorBoard can draw."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as layout_metadata
from tensorboard.util import tensor_util

from . import profile
from .writer import RunWriter


def write_gradient(writer: RunWriter, layer: str, signal: str, norms: Any, step: int, **metadata: Any) -> None:
    """Writes norms `[T]` as a vector, and as scalars under `gradient_norm/<layer>/<signal>/`.

    Args:
        writer: the run's.
        layer, signal, norms, step: see `RunWriter.gradient_norms`.
        metadata: direction, cell and units.
    """
    writer.gradient_norms(layer, signal, norms, step, **metadata)
    for name, value in numbers(norms, metadata["direction"] == "backward").items():
        writer.scalar(f"gradient_norm/{layer}/{signal}/{name}", value, step)


def write_layout(writer: RunWriter, metrics: Sequence[str] = ("loss",)) -> None:
    """Writes what the Custom Scalars page shows: one chart a question, all layers and runs in it.

    Args:
        writer: the run's.
        metrics: those whose curves get a chart, with whatever is logged as `<metric>/baseline_…`.
    """
    charts = {
        "how far back the gradient reaches, in steps": r"^gradient_norm/.+/h/horizon$",
        "gradient at the first timestep over that at the last": r"^gradient_norm/.+/h/first_to_last$",
        "factor per step back": r"^gradient_norm/.+/h/per_step_factor$",
        "verdict (−1 vanishing, 0 healthy, 1 exploding)": r"^gradient_norm/.+/h/verdict$",
    } | {metric: rf"^{metric}/(train|validation|baseline_.+)$" for metric in metrics}
    drawn = [
        layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=[tags]))
        for title, tags in charts.items()
    ]
    layout = layout_pb2.Layout(category=[layout_pb2.Category(title="gradient flow", chart=drawn)])
    record = summary_pb2.Summary()
    record.value.add(
        tag=layout_metadata.CONFIG_SUMMARY_TAG,
        metadata=layout_metadata.create_summary_metadata(),
        tensor=tensor_util.make_tensor_proto(layout.SerializeToString()),
    )
    writer.summary(record, step=0)


def numbers(norms: Any, backward: bool = False) -> dict[str, float]:
    """Norm at the first, middle and last timestep, first over last, horizon, per-step factor and verdict.

    The verdict is −1 for vanishing, 0 for healthy, 1 for exploding.

    Args:
        norms: `[T]`, in the order of the layer's input.
        backward: whether the layer reads its input from the end.

    >>> numbers([0.25, 0.5, 1.0])["first_to_last"]
    0.25
    """
    norms = np.asarray(norms)
    undefined = float("nan")
    ratio, verdict = profile.first_to_last(norms), profile.verdict(norms, backward)
    return {
        "first": float(norms[0]),
        "middle": float(norms[len(norms) // 2]),
        "last": float(norms[-1]),
        "first_to_last": undefined if ratio is None else ratio,
        "horizon": float(verdict.horizon),
        "per_step_factor": undefined if verdict.factor is None else verdict.factor,
        "verdict": {"vanishing": -1.0, "healthy": 0.0, "exploding": 1.0}[verdict.name],
    }
