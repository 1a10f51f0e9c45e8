"""The training step that measures while it trains, and the data in the order that the seed decides."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnscope import GradientTaps, Signal


class Measurements:
    """What the last training step that was to be measured has left.

    Args:
        names: which signals to measure.
        every: training steps between two that are measured.

    Attributes:
        names, every: as given.
        signals: what each key of the norms stands for.
        norms: gradient norms by key, variables `[T]`.
    """

    def __init__(self, names: Sequence[str] = ("h", "c"), every: int = 1) -> None:
        self.names, self.every = tuple(names), every
        self.signals: dict[str, Signal] = {}
        self.norms: dict[str, tf.Variable] = {}

    def keep(self, signals: dict[str, Signal], norms: dict[str, tf.Tensor]) -> None:
        """Called while the step is traced: puts what it computes where a callback can read it."""
        self.signals = dict(signals)
        for key, norm in norms.items():
            if key not in self.norms:
                with tf.init_scope():
                    start = tf.zeros([n or 0 for n in norm.shape])
                    self.norms[key] = tf.Variable(start, trainable=False, shape=tf.TensorShape(norm.shape))
            self.norms[key].assign(norm)

    def read(self) -> dict[str, np.ndarray]:
        """The norms by key, float32 `[T]` each."""
        return {key: variable.numpy() for key, variable in self.norms.items()}


class MeasuredModel(keras.Model):
    """A functional model whose training step asks for the gradient's norms beside the gradient.

    Its losses, in training as in evaluation, are means over all answers that were asked for, not over batches. Steps
    that are executed together end with the epoch, and after a step whose loss or gradient is not finite.

    Args:
        inputs, outputs, name: as of `keras.Model`.

    Attributes:
        measurements: what a step measured at every timestep; `None` (the default) measures nothing.
        weight_norms: norm of each trainable weight's gradient, before clipping, at the last step that was to be
            measured (without measurements at the last of all) or that was not finite; a variable.
        waited: seconds that training steps have waited for their data; a variable.
        steps_per_epoch: after how many steps an epoch ends, where several are executed together.
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
        """A model of the same inputs, outputs and weights."""
        inputs = {tensor.name: tensor for tensor in network.inputs} if len(network.inputs) > 1 else network.inputs
        return cls(inputs, network.outputs[0], name=network.name)

    def make_train_function(self, force: bool = False) -> None:
        """Keras's, but that it takes the time that steps wait for their data, and ends where they are to end."""
        if self.train_function is not None and not force:
            return
        # There is nothing in a step that autograph would have to rewrite, and reading it takes half a second.
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

        done = 0  # of the epoch

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
        """One step on `(inputs, targets)` or `(inputs, targets, sample_weight)`."""
        self._train(data)
        return self.get_metrics_result()

    def _train(self, data: Any) -> tf.Tensor:
        """One step; returns whether its loss and its gradient were finite."""
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        names = () if self.measurements is None else self.measurements.names
        with tf.GradientTape() as tape:
            with GradientTaps(tape.watch, names) as taps:
                predictions = self(inputs, training=True)
            loss = self.compute_loss(inputs, targets, predictions, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss)  # in half precision small gradients would be lost
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
        """Whether a step whose gradient is not finite is passed over, and the next tried with a smaller scale."""
        return isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)

    def _loss_scale(self) -> Any:
        """What the optimiser multiplies the loss by before it is differentiated."""
        return self.optimizer.scale_loss(1.0)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Loss and metrics on one batch."""
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        predictions = self(inputs, training=False)
        loss = self.compute_loss(inputs, targets, predictions, sample_weight, training=False)
        self._count(loss, targets, sample_weight)
        return self.compute_metrics(inputs, targets, predictions, sample_weight)

    def _count(self, loss: Any, targets: Any, sample_weight: Any) -> None:
        """Adds a batch's loss to the mean, with the number of its answers as weight."""
        mean_loss = next(metric for metric in self.metrics if metric.name == "loss")
        answers = tf.shape(targets)[0] if sample_weight is None else tf.reduce_sum(sample_weight)
        mean_loss.update_state(loss, sample_weight=answers)


def _now() -> tf.Tensor:
    """Seconds, in a graph; TensorFlow's own clock stands still where it is to be deterministic."""
    return tf.numpy_function(time.perf_counter, [], "float64")
