"""Batches of a split, in an order that follows from the seed."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..common.errors import UserError
from ..common.seeds import number
from ..data import Split
from ..data.outputs import Output, Sequences


def network_inputs(split: Split, output: Output) -> Any:
    """Return the inputs of a split as the network expects them: one array, or several by name."""
    inputs = {"sequence": split.inputs}
    if split.mask is not None:
        inputs["mask"] = split.mask
    if isinstance(output, Sequences):
        inputs["target"] = split.targets
    return inputs if len(inputs) > 1 else split.inputs


def examples(split: Split, output: Output) -> tuple:
    """Return `(inputs, targets)` of a split, followed by `sample_weight` if some timesteps are not scored."""
    weights = () if split.target_mask is None else (split.target_mask.astype("float32"),)
    return (network_inputs(split, output), split.targets, *weights)


def batches(split: Split, output: Output, batch_size: int, epochs: range, seed: int | None) -> tf.data.Dataset:
    """Return the batches of several epochs, one epoch after another, each in its own order.

    The order of epoch e depends only on the seed and on e, so training can start at any epoch. Without a seed, the
    examples keep their order.
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
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1  # little work: more threads would wait for each other
    options.autotune.enabled = False  # nothing to tune, and ending its thread can take seconds
    return indices.map(gather).prefetch(2).with_options(options)


def one_pass(split: Split, output: Output, batch_size: int) -> tf.data.Dataset:
    """Return all batches once, in their original order, for validation.

    Given arrays, Keras would read them with an autotuning thread; `batches` disables autotuning.
    """
    number_of_all = tf.data.experimental.assert_cardinality(steps_per_epoch(split, batch_size))
    return batches(split, output, batch_size, range(1), None).apply(number_of_all)


def in_streams(split: Split, batch_size: int) -> Split:
    """Rearrange consecutive examples so that example b of a batch continues in example b of the next batch.

    The split is divided into `batch_size` streams of equal length, which are read in parallel. Examples that are left
    over at the end are dropped.

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
    """Return the number of batches in an epoch; the last one may be smaller."""
    return -(-len(split) // batch_size)
