"""From a configuration and a task to a Keras model."""

from typing import Any

import keras
from hydra.utils import get_class

import layers

from .data import Task
from .seeds import number


def build_network(config: Any, task: Task) -> keras.Model:
    """Input `[B, T, F]` → a stack of recurrent layers → one Dense head `[B, size]` (logits for classes).

    Recurrent layers are called `layer_1`, `layer_2`, … from the input up, whatever their cell, so that the curves
    of different cells share a chart; in a bidirectional stack `forward_layer_1`, `backward_layer_1`.

    Args:
        config: a whole configuration.
        task: what is to be learnt.
    """
    depth = config.architecture.depth
    stack = layers.Stacked([_layer(config, index, last=index == depth) for index in range(1, depth + 1)], name="stack")
    inputs = keras.Input(task.train.inputs.shape[1:], name="sequence")
    outputs = keras.layers.Dense(task.size, name="head")(stack(inputs))
    return keras.Model(inputs, outputs, name=config.cell.name)


def _layer(config: Any, index: int, last: bool) -> keras.layers.Layer:
    options = {key: config.cell[key] for key in config.cell if key not in ("_target_", "name")}
    cell = get_class(config.cell._target_)(seed=number(config.seed, f"dropout {index}"), **options)
    layer = layers.RNN(cell, return_sequences=not last, name=f"layer_{index}")
    if not config.architecture.bidirectional:
        return layer
    return layers.Bidirectional(layer, name=f"bidirectional_{index}")


def build_optimizer(config: Any) -> keras.optimizers.Optimizer:
    """The optimiser of a group `optimizer` of the configuration."""
    options = {key: config[key] for key in config if key not in ("_target_", "name")}
    return get_class(config._target_)(**options)


def compile_arguments(task: Task) -> dict[str, Any]:
    """Loss and metrics for the task's kind of output."""
    if task.output == "class":
        return {
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        }
    return {"loss": "mean_squared_error", "metrics": [keras.metrics.MeanAbsoluteError(name="mae")]}
