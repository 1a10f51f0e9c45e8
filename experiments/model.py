"""From a configuration and a task to a Keras model."""

from typing import Any

import keras
from hydra.utils import get_class

import layers

from .config import SCALED_INITIALIZERS
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
    architecture = config.architecture
    stack = layers.Stacked(
        [_layer(config, index) for index in range(1, architecture.depth + 1)],
        skip=architecture.skip,
        dropout=architecture.dropout,
        seed=number(config.seed, "dropout between layers"),
        name="stack",
    )
    inputs = keras.Input(task.train.inputs.shape[1:], name="sequence")
    outputs = keras.layers.Dense(task.size, name="head")(stack(inputs))
    return keras.Model(inputs, outputs, name=config.cell.name)


def _layer(config: Any, index: int) -> keras.layers.Layer:
    """The layer with this number; the last returns its last output alone."""
    cell = _wrapped(_cell(config, index), config, index)
    layer = layers.RNN(cell, return_sequences=index < config.architecture.depth, name=f"layer_{index}")
    if not config.architecture.bidirectional:
        return layer
    return layers.Bidirectional(layer, config.architecture.merge_mode, name=f"bidirectional_{index}")


def _cell(config: Any, index: int) -> layers.Cell:
    options = {key: config.cell[key] for key in config.cell if key not in ("_target_", "name", "recurrent_gain")}
    if config.cell.get("recurrent_initializer") in SCALED_INITIALIZERS:
        initializer = _SCALED[config.cell.recurrent_initializer]
        options["recurrent_initializer"] = initializer(gain=config.cell.recurrent_gain)
    return get_class(config.cell._target_)(seed=number(config.seed, f"dropout {index}"), **options)


_SCALED = {"identity": layers.ScaledIdentity, "orthogonal": keras.initializers.Orthogonal}


def _wrapped(cell: layers.Step, config: Any, index: int) -> layers.Step:
    """The cell with what the architecture adds to its step."""
    chosen = config.architecture
    if chosen.transition_depth:
        cell = layers.DeepTransitionCell(cell, chosen.transition_depth, shortcut=chosen.transition_shortcut)
    if chosen.zoneout or chosen.cell_zoneout:
        seed = number(config.seed, f"zoneout {index}")
        cell = layers.ZoneoutCell(cell, chosen.zoneout, chosen.cell_zoneout, seed=seed)
    if chosen.output_units:
        cell = layers.DeepOutputCell(cell, list(chosen.output_units))
    return cell


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
