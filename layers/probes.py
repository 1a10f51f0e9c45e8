"""Gradient probes: the norm of the gradient at every timestep, out of the backward pass that trains the model.

A *tap* is a zero vector `[T]`, one entry a timestep, that enters a recurrent layer's computation without
changing it. What the backward pass reports as the tap's gradient is not a derivative but a measurement, the
norms of section *What is measured* in `docs/gradients.md`. Whoever differentiates the loss asks for the taps'
gradients beside the weights' and has the norms, for the price of one reduction a step.

    with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
        loss = loss_function(y, model(x, training=True))
    gradients, norms = tape.gradient(loss, (model.trainable_weights, taps.vectors))

`norms["lstm_1/h"]` is then a float32 vector `[T]`. `docs/gradients.md` shows the same on JAX and torch.
"""

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from keras import ops, tree

from .arguments import Tensor
from .backend import Gradient, custom_gradient
from .signals import SIGNALS as SIGNALS


@dataclasses.dataclass(frozen=True)
class Signal:
    """What a vector of norms belongs to.

    Attributes:
        layer: name of the recurrent layer.
        name: `h` (hidden state), `c` (cell state) or `kernel` (recurrent kernel).
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

    `kernel` is the norm of step t's own summand of ∂L/∂U, U being the recurrent kernel. (The summands add up to ∂L/∂U;
    their norms do not.)

    Where derivatives are taken by tensors that are watched, give `watch`. Where they are taken by a function's
    arguments, as on JAX, call the model once inside a scope to learn which taps there are, and give them to the scope
    inside the function as its `vectors`. `docs/gradients.md` shows both.

    Args:
        watch: called with every tap: `tf.GradientTape.watch` on TensorFlow, `torch.Tensor.requires_grad_` on torch.
        names: what to measure where a layer has it, of `"h"`, `"c"` and `"kernel"`.
        vectors: zero vectors `[T]` by key, to be laid instead of new ones.

    Attributes:
        vectors: taps by key, `layer/signal`.
        signals: what each key stands for.

    Raises:
        ValueError: a layer lays a tap that is not among the `vectors`.
    """

    def __init__(
        self,
        watch: Callable[[Any], Any] | None = None,
        names: tuple[str, ...] = ("h", "c"),
        vectors: Mapping[str, Any] | None = None,
    ):
        self.watch = watch
        self.names = names
        self._given = vectors
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
        if self._given is not None and key not in self._given:
            raise ValueError(f"vectors: expected one for {key!r}, got {sorted(self._given)}")
        self.vectors[key] = ops.zeros((length,), dtype="float32") if self._given is None else self._given[key]
        if self.watch is not None:
            self.watch(self.vectors[key])
        return self.vectors[key]


_TAPS: ContextVar[GradientTaps | None] = ContextVar("rnnscope_taps", default=None)
_STEP: ContextVar["Observer | None"] = ContextVar("rnnscope_step", default=None)


@dataclasses.dataclass(frozen=True)
class Observer:
    """What listens while one step of a cell is written down.

    Attributes:
        taps: scalars `[]` by signal, to which norms are reported.
        present: boolean `[B, 1]`, false where the step is masked, or `None`.
        disturbance: zeros `[B, H]` that are added to h, or `None`.
        seen: where everything shown is kept by name, or `None`.
        hidden: signals that are not to be heard of.
    """

    taps: dict[str, Any]
    present: Any = None
    disturbance: Any = None
    seen: dict[str, Any] | None = None
    hidden: tuple[str, ...] = ()


def lay_taps(layer: str, cell: Any, signals: tuple[str, ...], length: Any, go_backwards: bool) -> dict[str, Any]:
    """Taps for one run of one cell, in the order in which it reads; empty outside a `GradientTaps` scope."""
    taps = _TAPS.get()
    if taps is None:
        return {}
    direction = "backward" if go_backwards else "forward"
    units = tree.flatten(cell.state_size)[0]
    laid = {
        name: taps.lay(Signal(layer, name, direction, type(cell).__name__, units), length)
        for name in signals
        if name in taps.names
    }
    if "kernel" in laid:
        laid["kernel"] = _root_on_the_way_back(laid["kernel"])
    return {name: ops.flip(tap, axis=0) for name, tap in laid.items()} if go_backwards else laid


@custom_gradient
def _root_on_the_way_back(tap: Tensor) -> tuple[Tensor, Gradient]:
    """A tap to which squares are reported, several of which may add up at a step."""
    return ops.copy(tap), lambda squares: (ops.sqrt(squares),)


def norms(squares: Tensor, batch_size: Any, present: Tensor | None = None) -> Tensor:
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
def observing_step(observer: Observer) -> Iterator[None]:
    """While one step of a cell is written down: `observe` and `observe_product` report to this observer."""
    token = _STEP.set(observer)
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
    with observing_step(dataclasses.replace(step, hidden=(*step.hidden, *signals))):
        yield


def observe(signal: str, value: Tensor) -> Tensor:
    """The identity on `value` `[B, H]`; in the backward pass its derivative's norm becomes the tap's gradient."""
    step = _STEP.get()
    if step is None or signal in step.hidden:
        return value
    if step.disturbance is not None and signal == "h":
        value = value + ops.cast(step.disturbance, value.dtype)
    if step.seen is not None:
        step.seen[signal] = value
    if signal not in step.taps:
        return value
    present = None if step.present is None else ops.sum(ops.cast(step.present, "float32"))

    @custom_gradient
    def identity(value: Tensor, tap: Tensor, present: Tensor | None) -> tuple[Tensor, Gradient]:
        def gradient(derivative: Tensor) -> tuple[Any, ...]:
            square = ops.sum(ops.square(ops.cast(derivative, "float32")))
            return derivative, norms(square, ops.shape(value)[0], present), None

        return value + ops.cast(0, value.dtype), gradient

    return identity(value, step.taps[signal], present)


def observe_product(left: Tensor, kernel: Tensor) -> Tensor:
    """`left @ kernel`; in the backward pass the square of this step's share of ∂L/∂kernel goes to the tap `kernel`.

    Args:
        left: `[B, M]`.
        kernel: `[M, N]`, or a diagonal `[M]`.
    """
    diagonal = len(kernel.shape) == 1
    multiply = ops.multiply if diagonal else ops.matmul
    step = _STEP.get()
    if step is None or "kernel" not in step.taps:
        return multiply(left, kernel)

    @custom_gradient
    def product(left: Tensor, kernel: Tensor, tap: Tensor) -> tuple[Tensor, Gradient]:
        def gradient(upstream: Tensor) -> tuple[Any, ...]:
            if diagonal:
                share, of_left = ops.sum(left * upstream, axis=0), upstream * kernel
            else:
                share, of_left = ops.matmul(ops.transpose(left), upstream), ops.matmul(upstream, ops.transpose(kernel))
            return of_left, share, ops.sum(ops.square(ops.cast(share, "float32")))

        return multiply(left, kernel), gradient

    return product(left, ops.copy(kernel), step.taps["kernel"])
