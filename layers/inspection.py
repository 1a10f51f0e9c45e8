"""A look inside the recurrent layers of a model: every state and gate at every timestep, and what h_T owes to h_t.

Slower than training: all layers run step by step. Meant for one small batch now and then.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from keras import ops, tree

from .arguments import Tensor
from .probes import Signal


@dataclasses.dataclass
class Inspected:
    """What one layer showed, time-major and in the input's order.

    Attributes:
        signal: layer, direction, cell and units; its name is `h`.
        cell: the cell itself.
        values: by name, each `[T, B, H]`: `h` and `c` as they were handed on, and the gates under the names of their
            equations.
        disturbance: zeros `[T, B, H]` that were added to every h: a derivative by them is the derivative by h_t.
        present: boolean `[T, B, 1]`, false where a step was masked, or `None`.
    """

    signal: Signal
    cell: Any
    disturbance: Any
    present: Any = None
    values: dict[str, Any] = dataclasses.field(default_factory=dict)


class Inspection:
    """Scope inside which recurrent layers of this package show what they compute.

        with tf.GradientTape() as tape, Inspection(tape.watch) as seen:
            model(x)
        forget_gate = seen.layers["lstm"].values["f"]    # [T, B, H]

    Args:
        watch: called with every disturbance; `tf.GradientTape.watch` on TensorFlow.

    Attributes:
        layers: what was seen, by name of the layer; a layer called again is found under its last call.
    """

    def __init__(self, watch: Any = None):
        self.watch = watch
        self.layers: dict[str, Inspected] = {}

    def __enter__(self) -> "Inspection":
        self._token = _INSPECTION.set(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _INSPECTION.reset(self._token)


_INSPECTION: ContextVar[Inspection | None] = ContextVar("rnnscope_inspection", default=None)


@contextlib.contextmanager
def unseen() -> Iterator[None]:
    """While layers run whose values could not be read afterwards, as in a loop around them: they show nothing."""
    token = _INSPECTION.set(None)
    try:
        yield
    finally:
        _INSPECTION.reset(token)


class Reading:
    """One run of one cell under inspection, in the order in which it reads."""

    def __init__(self, inspected: Inspected, backward: bool):
        self._inspected, self._backward = inspected, backward
        self.disturbance = self._turned(inspected.disturbance)

    def keep(self, values: dict[str, Any], mask: Tensor | None) -> None:
        """What the steps showed, each `[T, B, H]`, and which steps were there."""
        self._inspected.present = None if mask is None else self._turned(mask)
        self._inspected.values = {name: self._turned(value) for name, value in values.items()}

    def _turned(self, sequence: Tensor) -> Tensor:
        return ops.flip(sequence, axis=0) if self._backward else sequence


def inspect_layer(name: str, cell: Any, sequence: Tensor, go_backwards: bool) -> Reading | None:
    """Opens the inspection of one run of a cell over `[T, B, I]`; `None` outside an `Inspection`."""
    inspection = _INSPECTION.get()
    if inspection is None:
        return None
    units = tree.flatten(cell.state_size)[0]
    signal = Signal(name, "h", "backward" if go_backwards else "forward", type(cell).__name__, units)
    disturbance = ops.zeros((*ops.shape(sequence)[:2], units), dtype=cell.compute_dtype)
    if inspection.watch is not None:
        inspection.watch(disturbance)
    inspection.layers[name] = Inspected(signal, cell, disturbance)
    return Reading(inspection.layers[name], go_backwards)
