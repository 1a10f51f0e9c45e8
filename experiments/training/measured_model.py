"""A Keras model that measures gradient norms at every timestep during training."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnscope import GradientTaps, Signal


class Measurements:
    """The gradient norms of the last measured training step.

    Args:
        names: the signals to measure.
        every: number of training steps from one measured step to the next.

    Attributes:
        names, every: the arguments.
        signals: the signal that belongs to each key of `norms`.
        norms: gradient norms by key, variables of shape `[T]`.
    """

    def __init__(self, names: Sequence[str] = ("h", "c"), every: int = 1) -> None:
        self.names, self.every = tuple(names), every
        self.signals: dict[str, Signal] = {}
        self.norms: dict[str, tf.Variable] = {}

    def keep(self, signals: dict[str, Signal], norms: dict[str, tf.Tensor]) -> None:
        """Store signals and norms where a callback can read them; called while the step is traced."""
        self.signals = dict(signals)
        for key, norm in norms.items():
            if key not in self.norms:
                with tf.init_scope():
                    start = tf.zeros([n or 0 for n in norm.shape])
                    self.norms[key] = tf.Variable(start, trainable=False, shape=tf.TensorShape(norm.shape))
            self.norms[key].assign(norm)

    def read(self) -> dict[str, np.ndarray]:
        """Return the norms by key, float32 `[T]` each."""
        return {key: variable.numpy() for key, variable in self.norms.items()}


class MeasuredModel(keras.Model):
    """A functional model whose training step computes gradient norms together with the gradient.

    In training and evaluation, its losses are means over all scored targets, not over batches. A group of steps that
    are executed together stops at the end of the epoch, and after a step whose loss or gradient is not finite.

    Args:
        inputs, outputs, name: as in `keras.Model`.

    Attributes:
        measurements: the measurements at every timestep; `None` (the default) measures nothing.
        weight_norms: norm of each trainable weight's gradient before clipping, as a variable. It is updated at every
            measured step (without measurements, at every step) and at every step that is not finite.
        waited: seconds that training steps have waited for their data, as a variable.
        steps_per_epoch: number of steps in an epoch, needed if several steps are executed together.
    """

    measurements: Measurements | None = None
    train_function: Any
    steps_per_epoch: int | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.weight_norms = tf.Variable(tf.zeros(len(self.trainable_weights)), trainable=False)
        self.waited = tf.Variable(0.0, trainable=False, dtype="float64")

    @classmethod
    def around(cls, network: keras.Model) -> "MeasuredModel":
        """Return a model with the inputs, outputs and weights of `network`."""
        inputs = {tensor.name: tensor for tensor in network.inputs} if len(network.inputs) > 1 else network.inputs
        return cls(inputs, network.outputs[0], name=network.name)

    def make_train_function(self, force: bool = False) -> None:
        """Build the function that executes training steps.

        Unlike Keras's own, it measures the time that steps wait for their data. Each execution stops at the end of the
        epoch, and after a step whose loss or gradient is not finite.
        """
        if self.train_function is not None and not force:
            return
        # AutoGraph has nothing to rewrite in a step, and its analysis would take half a second.
        step = tf.function(self._train, autograph=False, jit_compile=self.jit_compile, reduce_retracing=True)

        def next_step(iterator: Iterator) -> tf.Tensor:
            began = _now()
            with tf.control_dependencies([began]):
                data = next(iterator)
            with tf.control_dependencies(keras.tree.flatten(data)):
                waited = self.waited.assign_add(_now() - began)
            with tf.control_dependencies([waited]):
                return step(data)

        @tf.function(autograph=False, reduce_retracing=True)
        def steps(iterator: Iterator, count: tf.Tensor) -> dict[str, Any]:
            tf.while_loop(
                lambda done, finite: finite & (done < count),
                lambda done, _: (done + 1, next_step(iterator)),
                (tf.constant(0), tf.constant(True)),
                parallel_iterations=1,
            )
            return self.get_metrics_result()

        done = 0  # number of steps in the current epoch

        def execute(iterator: Iterator) -> dict[str, Any]:
            nonlocal done
            if not isinstance(iterator, tf.data.Iterator):  # a single batch
                step(next(iterator))
                return self.get_metrics_result()
            count = self.steps_per_execution
            if self.steps_per_epoch is not None:
                count = min(count, self.steps_per_epoch - done)
                done = (done + count) % self.steps_per_epoch
            return steps(iterator, tf.constant(count))

        self.train_function = execute

    def train_step(self, data: Any) -> dict[str, Any]:
        """Execute one step on `(inputs, targets)` or `(inputs, targets, sample_weight)`."""
        self._train(data)
        return self.get_metrics_result()

    def _train(self, data: Any) -> tf.Tensor:
        """Execute one step, and return whether its loss and its gradient were finite."""
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        names = () if self.measurements is None else self.measurements.names
        with tf.GradientTape() as tape:
            with GradientTaps(tape.watch, names) as taps:
                predictions = self(inputs, training=True)
            loss = self.compute_loss(inputs, targets, predictions, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss)  # prevents underflow of small gradients in half precision
        gradients, norms = tape.gradient(scaled, (self.trainable_weights, taps.vectors))
        unscaled = lambda norm: tf.cast(norm, "float32") / self._loss_scale()
        weight_norms = tf.stack([0.0 if g is None else unscaled(tf.norm(g)) for g in gradients])
        norms = {key: unscaled(norm) for key, norm in norms.items()}
        self.optimizer.apply(gradients, self.trainable_weights)
        finite = tf.math.is_finite(loss) & (self.may_skip_steps | tf.reduce_all(tf.math.is_finite(weight_norms)))

        def keep() -> None:
            self.weight_norms.assign(weight_norms)
            if self.measurements is not None:
                self.measurements.keep(taps.signals, norms)

        every = 1 if self.measurements is None else self.measurements.every
        due = tf.cast(self.optimizer.iterations, "int64") % every == 0
        tf.cond(due | ~finite, keep, lambda: None)
        self._count(loss, targets, sample_weight)
        self.compute_metrics(inputs, targets, predictions, sample_weight)
        return finite

    @property
    def may_skip_steps(self) -> bool:
        """Whether a step with a non-finite gradient is skipped and the next step uses a smaller loss scale."""
        return isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)

    def _loss_scale(self) -> Any:
        """Return the factor by which the optimizer multiplies the loss before differentiation."""
        return self.optimizer.scale_loss(1.0)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Compute loss and metrics on one batch."""
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        predictions = self(inputs, training=False)
        loss = self.compute_loss(inputs, targets, predictions, sample_weight, training=False)
        self._count(loss, targets, sample_weight)
        return self.compute_metrics(inputs, targets, predictions, sample_weight)

    def _count(self, loss: Any, targets: Any, sample_weight: Any) -> None:
        """Add a batch's loss to the mean loss, weighted by the number of scored targets."""
        mean_loss = next(metric for metric in self.metrics if metric.name == "loss")
        answers = tf.shape(targets)[0] if sample_weight is None else tf.reduce_sum(sample_weight)
        mean_loss.update_state(loss, sample_weight=answers)


def _now() -> tf.Tensor:
    """Return the time in seconds, from within a graph.

    TensorFlow's own clock does not advance when operations are deterministic.
    """
    return tf.numpy_function(time.perf_counter, [], "float64")
