"""Gradient probes: the norm of the gradient at every timestep, out of the backward pass that trains the model.

A *tap* is a zero vector `[T]`, one entry a timestep, that enters a recurrent layer's computation without
changing it. What the backward pass reports as the tap's gradient is not a derivative but a measurement, the
norms of section *What is measured* in `docs/gradients.md`. Whoever differentiates the loss asks for the taps'
gradients beside the weights' and has the norms, for the price of one reduction a step.

    with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
        loss = loss_function(y, model(x, training=True))
    gradients, norms = tape.gradient(loss, (model.trainable_weights, taps.vectors))

`norms["lstm_1/h"]` is then a float32 vector `[T]`.
"""

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from keras import ops, tree

from .backend import custom_gradient


@dataclasses.dataclass(frozen=True)
class Signal:
    """What a vector of norms belongs to.

    Attributes:
        layer: name of the recurrent layer.
        name: `h` (hidden state) or `c` (cell state).
        direction: `forward` or `backward`: the order in which the layer reads its input.
        cell: class name of the cell.
        units: size of the state.
    """

    layer: str
    name: str
    direction: str
    cell: str
    units: int


class GradientTaps:
    """Scope inside which every recurrent layer of this package lays a tap for each of its signals.

    The loss is assumed to be a mean over the batch (Keras's default): the norm reported for step t is then the
    root mean square, over the examples that have a step t, of ‖∂ℓ_b/∂h_{b,t}‖₂, and does not depend on the
    batch size. The time axis is the input's order, for a layer that reads backwards too.

    Args:
        watch: called with every new tap; `tf.GradientTape.watch` on TensorFlow.

    Attributes:
        vectors: taps by key, `layer/signal`.
        signals: what each key stands for.
    """

    def __init__(self, watch: Callable[[Any], None] | None = None):
        self.watch = watch
        self.vectors: dict[str, Any] = {}
        self.signals: dict[str, Signal] = {}
        self._calls: Counter[str] = Counter()

    def __enter__(self) -> "GradientTaps":
        self._token = _TAPS.set(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _TAPS.reset(self._token)

    def lay(self, signal: Signal, length: Any) -> Any:
        """A new tap `[length]`; a layer called again gets `_call2`, `_call3`, … after its name."""
        key = f"{signal.layer}/{signal.name}"
        self._calls[key] += 1
        layer = signal.layer if self._calls[key] == 1 else f"{signal.layer}_call{self._calls[key]}"
        key = f"{layer}/{signal.name}"
        self.signals[key] = dataclasses.replace(signal, layer=layer)
        self.vectors[key] = ops.zeros((length,), dtype="float32")
        if self.watch is not None:
            self.watch(self.vectors[key])
        return self.vectors[key]


_TAPS: ContextVar[GradientTaps | None] = ContextVar("rnnscope_taps", default=None)
_STEP: ContextVar[tuple[dict[str, Any], Any] | None] = ContextVar("rnnscope_step", default=None)


def lay_taps(layer: str, cell: Any, signals: tuple[str, ...], length: Any, go_backwards: bool) -> dict[str, Any]:
    """Taps for one run of one cell, in the order in which it reads; empty outside a `GradientTaps` scope."""
    taps = _TAPS.get()
    if taps is None:
        return {}
    direction = "backward" if go_backwards else "forward"
    units = tree.flatten(cell.state_size)[0]
    laid = {name: taps.lay(Signal(layer, name, direction, type(cell).__name__, units), length) for name in signals}
    return {name: ops.flip(tap, axis=0) for name, tap in laid.items()} if go_backwards else laid


def norms(squares: Any, batch_size: Any, present: Any = None) -> Any:
    """Root mean square over examples of ‖∂ℓ_b/∂h_{b,t}‖₂, from the batch-mean loss's derivatives.

    Args:
        squares: `Σ_b ‖∂L/∂h_{b,t}‖²`, any shape.
        batch_size: B; ∂ℓ_b = B ∂L.
        present: how many examples have this step, like `squares`; `None` for all of them. Where no example has
            it there is nothing to measure, and the norm is 0.
    """
    batch_size = ops.cast(batch_size, "float32")
    present = batch_size if present is None else ops.maximum(ops.cast(present, "float32"), 1.0)
    return batch_size * ops.sqrt(ops.cast(squares, "float32") / present)


@contextlib.contextmanager
def observing_step(taps: dict[str, Any], mask: Any) -> Iterator[None]:
    """While one step of a cell is written down: `observe` reports to these scalars `[]` of the taps."""
    token = _STEP.set((taps, mask))
    try:
        yield
    finally:
        _STEP.reset(token)


@contextlib.contextmanager
def unobserved(*signals: str) -> Iterator[None]:
    """While a cell inside a cell makes its step: these signals are the outer cell's to show."""
    step = _STEP.get()
    if step is None:
        yield
        return
    taps, mask = step
    with observing_step({name: tap for name, tap in taps.items() if name not in signals}, mask):
        yield


def observe(signal: str, value: Any) -> Any:
    """The identity on `value` `[B, H]`; in the backward pass its derivative's norm becomes the tap's gradient."""
    step = _STEP.get()
    if step is None or signal not in step[0]:
        return value
    taps, mask = step
    present = None if mask is None else ops.sum(ops.cast(mask, "float32"))

    @custom_gradient
    def identity(value, tap, present):
        def gradient(derivative):
            square = ops.sum(ops.square(ops.cast(derivative, "float32")))
            return derivative, norms(square, ops.shape(value)[0], present), None

        return value + ops.cast(0, value.dtype), gradient

    return identity(value, taps[signal], present)
