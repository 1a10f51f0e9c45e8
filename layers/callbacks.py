"""Gradient flow of anybody's Keras model, in TensorBoard. TensorFlow backend."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tensorboard_gradient_flow.summaries import write_gradient, write_layout
from tensorboard_gradient_flow.writer import RunWriter

from ._keras import flatten_layers
from .cells import SimpleRNNCell, Step
from .cells.base import check_size
from .inspection import Inspected, Inspection
from .probes import SIGNALS, GradientTaps, Signal
from .recurrent import RNN

_LOW, _HIGH = 0.1, 0.9
"""Below and above these a gate counts as shut and as open."""
_SLOPE_BOUNDS = {
    "elu": 1.0, "hard_sigmoid": 1 / 6, "leaky_relu": 1.0, "linear": 1.0, "relu": 1.0, "relu6": 1.0,
    "sigmoid": 0.25, "softplus": 1.0, "softsign": 1.0, "tanh": 1.0,
}  # fmt: skip
"""γ = max |φ'| by activation."""


class GradientFlow(keras.callbacks.Callback):
    """Logs the norm of the gradient at every timestep while a model trains, for TensorBoard's *Gradient flow* tab.

    The model may be of any kind and compiled with any loss; all it needs is a recurrent layer of this package, or a
    `keras.layers.RNN` around a cell of this package. Measured is the gradient of the model's own loss on one fixed
    batch, in inference mode: neither the weights nor metrics nor the random stream of dropout are touched, so the
    model trains as it would without.

    Args:
        log_dir: folder of the run's event file; made if it is not there.
        batch: `(inputs, targets)` or `(inputs, targets, sample_weight)`, as for `train_on_batch`.
        every: training steps between two records.
        signals: what to log where a layer has it: `"h"`, `"c"`, `"kernel"` (see `docs/gradients.md`).
        inspect_every: training steps between two looks inside, which cost more than a training step: `‖∂h_T/∂h_t‖₂`
            and its bound for a vanilla RNN, saturation of every gate and the norm of h, at every timestep, on the
            first `inspect_examples` of the batch. `None`: never.
        inspect_examples: see `inspect_every`.

    Raises:
        ValueError: an argument that cannot be; the backend is not TensorFlow; or, with the first record, a model
            without a layer that could be measured.

    >>> import tempfile
    >>> import keras, numpy as np
    >>> from rnnscope import LSTM
    >>> from rnnscope.callbacks import GradientFlow
    >>> x, y = np.random.normal(size=(32, 9, 2)), np.random.normal(size=(32, 1))
    >>> model = keras.Sequential([keras.Input((9, 2)), LSTM(4), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> flow = GradientFlow(tempfile.mkdtemp(), batch=(x[:8], y[:8]), every=2)
    >>> history = model.fit(x, y, batch_size=8, callbacks=[flow], verbose=0)
    """

    def __init__(
        self,
        log_dir: str | Path,
        batch: tuple[Any, ...],
        every: int = 50,
        signals: tuple[str, ...] = SIGNALS,
        inspect_every: int | None = None,
        inspect_examples: int = 8,
    ):
        super().__init__()
        if keras.backend.backend() != "tensorflow":
            raise ValueError(f"GradientFlow: expected the TensorFlow backend, got {keras.backend.backend()}")
        if not isinstance(batch, tuple) or len(batch) not in (2, 3):
            raise ValueError("batch: expected (inputs, targets) or (inputs, targets, sample_weight)")
        check_size("every", every)
        check_size("inspect_every", inspect_every, optional=True)
        check_size("inspect_examples", inspect_examples)
        if unknown := set(signals) - set(SIGNALS):
            raise ValueError(f'signals: expected some of "h", "c" and "kernel", got {sorted(unknown)[0]!r}')
        self.log_dir, self.batch, self.every, self.signals = Path(log_dir), batch, every, tuple(signals)
        self.inspect_every, self.inspect_examples = inspect_every, inspect_examples

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Opens the event file."""
        self._writer: RunWriter = RunWriter(self.log_dir)
        write_layout(self._writer)
        self._measure = self._compiled_measurement()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures and writes, if it is the step to do so."""
        step = int(self.model.optimizer.iterations)
        if step % self.every == 0:
            self._record(step)
        if self.inspect_every and step % self.inspect_every == 0:
            count = self.inspect_examples
            first = keras.tree.map_structure(lambda x: x[:count], self.batch[0])
            write_inspection(self._writer, self.model, first, step)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Makes what there is visible."""
        self._writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the event file."""
        self._writer.close()

    def _record(self, step: int) -> None:
        before = [metric.numpy() for metric in self.model.metrics_variables]
        norms = self._measure()
        for metric, value in zip(self.model.metrics_variables, before, strict=True):
            metric.assign(value)
        if not norms:
            raise ValueError(
                "GradientFlow: expected a model with a layer such as rnnscope.LSTM, or a keras.layers.RNN around a "
                f"cell of this package; found none in {self.model.name!r}"
            )
        for key, values in norms.items():
            signal = self._signals[key]
            write_gradient(self._writer, signal.layer, signal.name, values.numpy(), step, **described(signal))

    def _compiled_measurement(self) -> Callable[[], dict[str, Any]]:
        import tensorflow as tf

        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(self.batch)

        def measure() -> dict[str, Any]:
            with tf.GradientTape() as tape, in_our_loop(self.model):
                with GradientTaps(tape.watch, self.signals) as taps:
                    outputs = self.model(inputs, training=False)
                loss = self.model.compute_loss(inputs, targets, outputs, sample_weight, training=False)
                # What mixed precision does lest small gradients underflow; undone below.
                scale = self.model.optimizer.scale_loss(tf.ones_like(loss))
                scaled = loss * scale
            self._signals: dict[str, Signal] = taps.signals
            norms = tape.gradient(scaled, taps.vectors, unconnected_gradients="zero")
            return {key: norm / tf.cast(scale, norm.dtype) for key, norm in norms.items()}

        compiled: Callable[[], dict[str, Any]] = tf.function(measure)
        return compiled


def described(signal: Signal) -> dict[str, Any]:
    """A signal's metadata as the writer takes it."""
    return {"direction": signal.direction, "cell": signal.cell, "units": signal.units}


@contextlib.contextmanager
def in_our_loop(model: Any) -> Iterator[None]:
    """While measured, `keras.layers.RNN` around cells of this package runs in the loop that lays taps."""
    theirs = [
        layer
        for layer in flatten_layers(model)
        if isinstance(layer, keras.layers.RNN) and not isinstance(layer, RNN) and isinstance(layer.cell, Step)
    ]
    for layer in theirs:
        layer.__dict__["inner_loop"] = RNN.inner_loop.__get__(layer)
    try:
        yield
    finally:
        for layer in theirs:
            del layer.__dict__["inner_loop"]


# ------------------------------------------------------------------- a look inside


def write_inspection(writer: Any, model: keras.Model, inputs: Any, step: int) -> None:
    """Writes what a look inside every recurrent layer shows: Jacobian and bound, gates, activations.

    Args:
        writer: a `RunWriter`.
        model: a Keras model.
        inputs: a small batch for it.
        step: the training step to write it under.
    """
    for inspected, jacobian in inspect(model, inputs):
        signal = inspected.signal
        vectors = {("jacobian", "jacobian"): jacobian, ("activation", "activation"): activation_norms(inspected)}
        bound = jacobian_bound(inspected)
        if bound is not None:
            vectors["jacobian", "jacobian_bound"] = bound
        for name, values in gate_shares(inspected).items():
            vectors["gate", f"gate_{name}"] = values
        for (kind, name), values in vectors.items():
            writer.vector(signal.layer, name, values, step, kind=kind, **described(signal))


def inspect(model: keras.Model, inputs: Any) -> list[tuple[Inspected, np.ndarray]]:
    """Every recurrent layer as it ran on a batch, as arrays, and `‖∂h_T/∂h_t‖₂` `[T]` of each.

    The Jacobian's norm is its largest singular value, as a root mean square over the examples that have the step;
    h_T is the last state read, h_t every one before it, in the input's order.
    """
    import tensorflow as tf

    layers: dict[str, Inspected] = {}

    def run() -> dict[str, tuple[Any, Any, Any]]:
        with tf.GradientTape(persistent=True) as tape, in_our_loop(model):
            with Inspection(tape.watch) as seen:
                model(inputs, training=False)
            layers.update(seen.layers)
            last = {name: tf.reduce_sum(_last(layer), axis=0) for name, layer in layers.items()}
        jacobians = {
            # [H, T, B, H]: a sum over examples, each of which has its own h
            name: tape.jacobian(last[name], layer.disturbance, experimental_use_pfor=False)
            for name, layer in layers.items()
        }
        return {name: (layer.values, layer.present, jacobians[name]) for name, layer in layers.items()}

    found = []
    for name, (values, present, jacobian) in tf.function(run)().items():
        layer = layers[name]
        layer.values = {key: value.numpy() for key, value in values.items()}
        layer.present = None if present is None else present.numpy()
        largest = np.linalg.norm(np.moveaxis(np.asarray(jacobian, "float64"), 0, 2), ord=2, axis=(2, 3))  # [T, B]
        found.append((layer, _root_mean_square(largest, layer)))
    return found


def _last(layer: Inspected) -> Any:
    """h_T `[B, H]`."""
    return layer.values["h"][0 if layer.signal.direction == "backward" else -1]


def _root_mean_square(values: np.ndarray, layer: Inspected) -> np.ndarray:
    """Over the examples that have the step: `[T, B]` → `[T]`."""
    present = np.ones_like(values) if layer.present is None else layer.present[..., 0]
    root: np.ndarray = np.sqrt(np.sum(np.square(values) * present, axis=1) / np.maximum(present.sum(axis=1), 1))
    return root


def activation_norms(layer: Inspected) -> np.ndarray:
    """Root mean square over examples of ‖h_t‖₂ `[T]`."""
    return _root_mean_square(np.linalg.norm(layer.values["h"], axis=-1), layer)


def gate_shares(layer: Inspected) -> dict[str, np.ndarray]:
    """By `<gate>_low` and `<gate>_high`: the share of units below 0.1 and above 0.9 at every timestep, `[T]` each."""
    shares = {}
    for name, values in layer.values.items():
        if name in ("h", "c"):
            continue
        present = np.ones(values.shape[:2]) if layer.present is None else layer.present[..., 0]
        count = np.maximum(present.sum(axis=1), 1)
        for suffix, within in (("low", values < _LOW), ("high", values > _HIGH)):
            shares[f"{name}_{suffix}"] = np.sum(within.mean(axis=-1) * present, axis=1) / count
    return shares


def jacobian_bound(layer: Inspected) -> np.ndarray | None:
    """`(γ ‖U‖₂)^{T−t}` `[T]` for a vanilla RNN (Pascanu, Mikolov & Bengio 2013), else `None`; γ is `max |φ'|`."""
    gamma = _SLOPE_BOUNDS.get(getattr(getattr(layer.cell, "activation", None), "__name__", ""))
    if type(layer.cell) is not SimpleRNNCell or layer.cell.layer_normalization or gamma is None:
        return None
    largest = np.linalg.norm(np.asarray(layer.cell.recurrent_kernel, "float64"), ord=2)
    length = len(layer.values["h"])
    steps_back = np.arange(length) if layer.signal.direction == "backward" else np.arange(length)[::-1]
    return (gamma * largest) ** steps_back
