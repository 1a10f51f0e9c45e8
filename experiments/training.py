"""The training step that measures while it trains, and the data in the order that the seed decides."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from layers import GradientTaps, Signal

from .data import Split
from .seeds import number


class Measurements:
    """What the last training step measured.

    Attributes:
        names: which signals to measure.
        signals: what each key of the norms stands for.
        norms: gradient norms by key, variables `[T]`.
    """

    def __init__(self, names: Sequence[str] = ("h", "c")) -> None:
        self.names = tuple(names)
        self.signals: dict[str, Signal] = {}
        self.norms: dict[str, tf.Variable] = {}

    def keep(self, signals: dict[str, Signal], norms: dict[str, tf.Tensor]) -> None:
        """Called while the step is traced: puts what it computes where a callback can read it."""
        self.signals = dict(signals)
        for key, norm in norms.items():
            if key not in self.norms:
                with tf.init_scope():
                    start = tf.zeros([n or 0 for n in norm.shape])
                    self.norms[key] = tf.Variable(start, trainable=False, shape=norm.shape)
            self.norms[key].assign(norm)

    def read(self) -> dict[str, np.ndarray]:
        """The norms by key, float32 `[T]` each."""
        return {key: variable.numpy() for key, variable in self.norms.items()}


class MeasuredModel(keras.Model):
    """A functional model whose training step asks for the gradient's norms beside the gradient.

    Args:
        inputs, outputs, name: as of `keras.Model`.

    Attributes:
        measurements: what the last step measured at every timestep; `None` (the default) measures nothing.
        weight_norms: norm of each trainable weight's gradient at the last step, before clipping; a variable.
    """

    measurements: Measurements | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.weight_norms = tf.Variable(tf.zeros(len(self.trainable_weights)), trainable=False)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step on `(inputs, targets)` or `(inputs, targets, sample_weight)`."""
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        names = () if self.measurements is None else self.measurements.names
        with tf.GradientTape() as tape:
            with GradientTaps(tape.watch, names) as taps:
                predictions = self(inputs, training=True)
            loss = self.compute_loss(inputs, targets, predictions, sample_weight, training=True)
        gradients, norms = tape.gradient(loss, (self.trainable_weights, taps.vectors))
        self.weight_norms.assign([0.0 if g is None else tf.cast(tf.norm(g), "float32") for g in gradients])
        if self.measurements is not None:
            self.measurements.keep(taps.signals, norms)
        self.optimizer.apply(gradients, self.trainable_weights)
        mean_loss = next(metric for metric in self.metrics if metric.name == "loss")
        mean_loss.update_state(loss, sample_weight=tf.shape(inputs)[0])
        return self.compute_metrics(inputs, targets, predictions, sample_weight)


def batches(split: Split, batch_size: int, epochs: int, seed: int) -> tf.data.Dataset:
    """All batches of all epochs, one after another; every epoch in an order of its own.

    The order of epoch e depends on the seed and on e alone, so a run can begin at any epoch.
    """
    inputs, targets = tf.constant(split.inputs), tf.constant(split.targets)
    order_seed = number(seed, "order")

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(split)), seed=tf.stack([tf.constant(order_seed, tf.int64), epoch])
        )
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    indices = tf.data.Dataset.range(epochs).flat_map(one_epoch)
    return indices.map(lambda chosen: (tf.gather(inputs, chosen), tf.gather(targets, chosen))).prefetch(2)


def steps_per_epoch(split: Split, batch_size: int) -> int:
    """How many batches an epoch has; the last may be smaller."""
    return -(-len(split) // batch_size)
