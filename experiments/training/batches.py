"""A split of the data as batches, in the order that follows from the seed."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..common.errors import UserError
from ..common.seeds import number
from ..data import Split
from ..data.outputs import Output, Sequences


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
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1  # there is little to do, and more would wait for one another
    options.autotune.enabled = False  # nothing to tune, and the end of its thread may be waited for seconds
    return indices.map(gather).prefetch(2).with_options(options)


def one_pass(split: Split, output: Output, batch_size: int) -> tf.data.Dataset:
    """All batches once, in their order, for validation; Keras would read arrays with a thread that tunes."""
    number_of_all = tf.data.experimental.assert_cardinality(steps_per_epoch(split, batch_size))
    return batches(split, output, batch_size, range(1), None).apply(number_of_all)


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
