"""The training step that measures while it trains, and the data in the order that the seed decides."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from layers import GradientTaps, Signal

from .data import Split
from .data.outputs import Output, Sequences
from .errors import UserError
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

    Its losses, in training as in evaluation, are means over all answers that were asked for, not over batches.

    Args:
        inputs, outputs, name: as of `keras.Model`.

    Attributes:
        measurements: what the last step measured at every timestep; `None` (the default) measures nothing.
        weight_norms: norm of each trainable weight's gradient at the last step, before clipping; a variable.
        waited: seconds that training steps have waited for their data; `None` where several are executed together.
        steps_per_epoch: after how many steps an epoch ends, where several are executed together.
    """

    measurements: Measurements | None = None
    train_function: Any
    steps_per_epoch: int | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.weight_norms = tf.Variable(tf.zeros(len(self.trainable_weights)), trainable=False)
        self.waited: float | None = 0.0

    @classmethod
    def around(cls, network: keras.Model) -> "MeasuredModel":
        """A model of the same inputs, outputs and weights."""
        inputs = {tensor.name: tensor for tensor in network.inputs} if len(network.inputs) > 1 else network.inputs
        return cls(inputs, network.outputs[0], name=network.name)

    def make_train_function(self, force: bool = False) -> None:
        """Keras's, but that a single step waits for its data outside of the graph, where the time can be taken; and
        that of several none is of the next epoch."""
        if self.train_function is not None and not force:
            return
        # There is nothing in a step that autograph would have to rewrite, and reading it takes half a second.
        step = tf.function(self.train_step, autograph=False, jit_compile=self.jit_compile, reduce_retracing=True)

        def one(iterator: Iterator) -> dict[str, Any]:
            began = time.perf_counter()
            data = next(iterator)
            self.waited = (self.waited or 0.0) + time.perf_counter() - began
            return step(data)

        @tf.function(reduce_retracing=True)
        def several(iterator: Iterator, count: tf.Tensor) -> dict[str, Any]:
            for _ in tf.range(count - 1):
                step(next(iterator))
            return step(next(iterator))

        done = 0  # of the epoch

        def as_many_as_are_left(iterator: Iterator) -> dict[str, Any]:
            nonlocal done
            self.waited, count = None, self.steps_per_execution
            if self.steps_per_epoch is not None:
                count = min(count, self.steps_per_epoch - done)
                done = (done + count) % self.steps_per_epoch
            return several(iterator, tf.constant(count))

        self.train_function = one if self.steps_per_execution == 1 else as_many_as_are_left

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step on `(inputs, targets)` or `(inputs, targets, sample_weight)`."""
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        names = () if self.measurements is None else self.measurements.names
        with tf.GradientTape() as tape:
            with GradientTaps(tape.watch, names) as taps:
                predictions = self(inputs, training=True)
            loss = self.compute_loss(inputs, targets, predictions, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss)  # in half precision small gradients would be lost
        gradients, norms = tape.gradient(scaled, (self.trainable_weights, taps.vectors))
        unscaled = lambda norm: tf.cast(norm, "float32") / self._loss_scale()
        self.weight_norms.assign([0.0 if g is None else unscaled(tf.norm(g)) for g in gradients])
        if self.measurements is not None:
            self.measurements.keep(taps.signals, {key: unscaled(norm) for key, norm in norms.items()})
        self.optimizer.apply(gradients, self.trainable_weights)
        self._count(loss, targets, sample_weight)
        return self.compute_metrics(inputs, targets, predictions, sample_weight)

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


def network_inputs(split: Split, output: Output) -> Any:
    """A part's inputs as the network takes them: one array, or several by name."""
    inputs = {"sequence": split.inputs}
    if split.mask is not None:
        inputs["mask"] = split.mask
    if isinstance(output, Sequences):
        inputs["target"] = split.targets
    return inputs if len(inputs) > 1 else split.inputs


def examples(split: Split, output: Output) -> tuple:
    """A part as `(inputs, targets)` or, where not every step is asked for, `(inputs, targets, sample_weight)`."""
    weights = () if split.target_mask is None else (split.target_mask.astype("float32"),)
    return (network_inputs(split, output), split.targets, *weights)


def batches(split: Split, output: Output, batch_size: int, epochs: range, seed: int | None) -> tf.data.Dataset:
    """All batches of some epochs, one after another; every epoch in an order of its own.

    The order of epoch e depends on the seed and on e alone, so a run can begin at any epoch. Without a seed the
    examples stay in their order.
    """
    arrays = keras.tree.map_structure(tf.constant, examples(split, output))
    order_seed = None if seed is None else number(seed, "order")

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.range(len(split))
        if order_seed is not None:
            of_epoch = tf.stack([tf.constant(order_seed, tf.int64), epoch])
            order = tf.random.experimental.stateless_shuffle(order, seed=of_epoch)
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    indices = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(one_epoch)
    gather = lambda chosen: keras.tree.map_structure(lambda array: tf.gather(array, chosen), arrays)
    one_thread = tf.data.Options()
    one_thread.threading.private_threadpool_size = 1  # it has little to do, and more would wait for one another
    return indices.map(gather).prefetch(2).with_options(one_thread)


def in_streams(split: Split, batch_size: int) -> Split:
    """Consecutive examples, rearranged so that example b of a batch goes on in example b of the next.

    The part is cut into `batch_size` streams of equal length, which are read side by side; what is left over at the
    end is dropped.

    Raises:
        UserError: there are fewer examples than streams.
    """
    length = len(split) // batch_size
    if not length:
        raise UserError(
            f"trainer.batch_size={batch_size}: expected at most {len(split)}, the examples of a part of the data; "
            "with dataset.stateful=true as many streams are read side by side"
        )
    return split[np.arange(length * batch_size).reshape(batch_size, length).T.ravel()]


def steps_per_epoch(split: Split, batch_size: int) -> int:
    """How many batches an epoch has; the last may be smaller."""
    return -(-len(split) // batch_size)
