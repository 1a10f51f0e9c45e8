"""Derivatives of activations, each as a function of the activation's own output y = φ(a).

Written so, the way back needs no pre-activations. An activation whose output does not determine its slope
(gelu, silu, …) is not here; cells that use one are differentiated automatically.
"""

from collections.abc import Callable
from typing import Any

from keras import activations, ops

from ..arguments import Tensor

SLOPES: dict[Callable[..., Any], Callable[[Tensor], Tensor]] = {
    activations.linear: ops.ones_like,
    activations.tanh: lambda y: 1 - ops.square(y),
    activations.sigmoid: lambda y: y * (1 - y),
    activations.relu: lambda y: ops.cast(y > 0, y.dtype),
    activations.relu6: lambda y: ops.cast(ops.logical_and(y > 0, y < 6), y.dtype),
    activations.leaky_relu: lambda y: ops.where(y > 0, ops.ones_like(y), 0.2 * ops.ones_like(y)),
    activations.elu: lambda y: ops.where(y > 0, ops.ones_like(y), y + 1),
    activations.selu: lambda y: ops.where(y > 0, _SELU_SCALE * ops.ones_like(y), y + _SELU_SCALE * _SELU_ALPHA),
    activations.softplus: lambda y: 1 - ops.exp(-y),
    activations.softsign: lambda y: ops.square(1 - ops.abs(y)),
    activations.exponential: lambda y: y,
    activations.hard_sigmoid: lambda y: ops.cast(ops.logical_and(y > 0, y < 1), y.dtype) / 6,
}

# Klambauer et al. 2017, section 2
_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


def slope(activation: Callable[..., Any], y: Tensor) -> Tensor:
    """φ'(a) where y = φ(a)."""
    return SLOPES[activation](y)
