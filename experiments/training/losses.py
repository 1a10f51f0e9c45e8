"""Keras losses and metrics for every kind of output, for use during training; `data.outputs` computes the scores."""

import math
from functools import singledispatch
from typing import Any

import keras
from keras import ops

from ..data.outputs import Classes, Labels, Output, Sequences, Symbols, Values

_PER_ANSWER = "mean_with_sample_weight"
"""Reduction of a loss to the mean over the scored targets, however many timesteps are padding."""


@singledispatch
def compile_arguments(output: Output) -> dict[str, Any]:
    """Return the loss and the metrics as arguments of `keras.Model.compile`."""
    raise NotImplementedError(type(output).__name__)


@compile_arguments.register
def _(output: Classes) -> dict[str, Any]:
    return {
        "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=_PER_ANSWER),
        "weighted_metrics": [Accuracy(output.silent, name="accuracy")],
    }


@compile_arguments.register
def _(output: Symbols) -> dict[str, Any]:
    def bits(targets, logits):
        return ops.divide(keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True), math.log(2))

    arguments = compile_arguments.dispatch(Classes)(output)
    arguments["weighted_metrics"].append(keras.metrics.MeanMetricWrapper(bits, name="bits_per_character"))
    return arguments


@compile_arguments.register
def _(output: Sequences) -> dict[str, Any]:
    arguments = compile_arguments.dispatch(Classes)(output)
    arguments["weighted_metrics"].append(ExactMatch(name="exact_match"))
    return arguments


@compile_arguments.register
def _(output: Values) -> dict[str, Any]:
    scale = ops.convert_to_numpy(output.scale or 1.0).astype("float32")

    def loss(targets, values):
        return ops.mean(ops.square((values - targets) / scale), axis=-1)

    def correct(targets, values):
        return ops.cast(ops.all(ops.abs(values - targets) < output.tolerance, axis=-1), "float32")

    metrics: list[Any] = [keras.metrics.MeanAbsoluteError(name="mae"), keras.metrics.MeanSquaredError(name="mse")]
    if output.tolerance is not None:
        metrics.append(keras.metrics.MeanMetricWrapper(correct, name="correct"))
    return {"loss": _Loss(loss, name="loss", reduction=_PER_ANSWER), "weighted_metrics": metrics}


@compile_arguments.register
def _(output: Labels) -> dict[str, Any]:
    def loss(targets, logits):
        return output.size * keras.losses.binary_crossentropy(targets, logits, from_logits=True)

    metrics = [keras.metrics.MeanMetricWrapper(loss, name="nll")]
    return {"loss": _Loss(loss, name="loss", reduction=_PER_ANSWER), "weighted_metrics": metrics}


class _Loss(keras.losses.Loss):
    """A loss that a function computes from targets and predictions."""

    def __init__(self, function: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.call = function


class Accuracy(keras.metrics.SparseCategoricalAccuracy):
    """Fraction of correct predictions, without timesteps whose target is the silent class.

    Args:
        silent: this class; `None` includes all classes.
    """

    def __init__(self, silent: int | None, **kwargs: Any):
        super().__init__(**kwargs)
        self.silent = silent

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch."""
        if self.silent is not None:
            spoken = ops.cast(ops.not_equal(y_true, self.silent), "float32")
            sample_weight = spoken if sample_weight is None else spoken * ops.cast(sample_weight, "float32")
        super().update_state(y_true, y_pred, sample_weight)


class ExactMatch(keras.metrics.Mean):
    """Fraction of sequences whose predictions are correct at all scored timesteps."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch."""
        right = ops.equal(ops.argmax(y_pred, axis=-1), ops.cast(y_true, "int64"))
        if sample_weight is not None:
            right = ops.logical_or(right, ops.equal(sample_weight, 0))
        super().update_state(ops.all(right, axis=-1))
