"""Backpropagation through time, derived by hand: the fast twin of the readable cells.

A cell's file says what one step computes; the file of the same name here says how to run all steps forward,
keeping what the way back needs, and how to carry the error terms back. A test holds the twins together. Each
family is a module of functions, all time-major:

    options(cell)      what selects the program: activations and switches
    weights(cell)      the tensors inside the recurrence
    forward(…)         projected inputs → outputs, last states, what to keep
    backward(…)        derivatives of the outputs and last states → error terms δ, derivatives of the initial
                       states and, where they are to be measured, Σ‖dh_t‖² and so on for each signal
    factors(…)         pairs of tensors whose products, summed over t, are ∂L/∂U
    weight_gradients(…)   from these, one large product over all steps for each weight

Cells that are linear in their state need no loop at all: `linear.py`.
"""

from types import ModuleType
from typing import Any

from keras import ops, tree

from ..backend import custom_gradient
from ..cells import Cell, GRUCell, LinearCell, LSTMCell, SimpleRNNCell
from ..probes import norms
from . import gru, linear, lstm, simple_rnn
from .products import constant, first_derivatives_only, squared_summands
from .slopes import SLOPES

_FAMILIES: dict[type[Cell], ModuleType] = {SimpleRNNCell: simple_rnn, LSTMCell: lstm, GRUCell: gru}
_AUTOMATIC = ("layer_normalization", "candidate_dropout", "projection_units")


def find(cell: Any) -> ModuleType | None:
    """The hand-derived family of a cell, or `None`: a foreign cell, a subclass (whose equations may differ),
    an option that changes the equations, or an activation whose derivative is not a function of its output."""
    if isinstance(cell, LinearCell):
        return linear
    family = _FAMILIES.get(type(cell))
    if family is None or any(getattr(cell, option, None) for option in _AUTOMATIC):
        return None
    activations = (cell.activation, getattr(cell, "recurrent_activation", cell.activation))
    return family if all(activation in SLOPES for activation in activations) else None


def through_time(
    family: ModuleType, cell: Cell, projected: Any, states: list, mask: Any, dropout_mask: Any, taps: dict[str, Any]
) -> tuple[Any, list]:
    """All steps of a cell, with the hand-derived way back.

    Args:
        family: what `find(cell)` gave.
        cell: the cell.
        projected: `cell.project` of all inputs, `[T, B, gates*H]`.
        states: initial states, each `[B, H]`.
        mask: boolean `[T, B, 1]` or `None`. A masked step hands states, and derivatives, through unchanged.
        dropout_mask: `[B, H]` or `None`.
        taps: zero vectors `[T]` by signal; their "gradients" are the norms of the signals' derivatives
            (of `kernel` their squares, see `lay_taps`).

    Returns:
        h at every step `[T, B, H]`, and the last states. Second derivatives are NaN: the way back is written for
        first ones. (`unroll=True` goes without it.)
    """
    if family is linear:
        a, b = cell.coefficients(projected)
        return linear.through_time(a, b, states, mask, taps)
    options = family.options(cell)
    # Copies, because a custom gradient takes tensors: on TensorFlow a variable would not do.
    weights = [ops.copy(ops.cast(weight, cell.compute_dtype)) for weight in family.weights(cell)]
    states = [ops.copy(state) for state in states]
    present = None if mask is None else ops.cast(mask, projected.dtype)
    dropout_mask = None if dropout_mask is None else ops.stop_gradient(dropout_mask)
    arguments = (projected, states, weights, list(taps.values()), present, dropout_mask)

    @custom_gradient
    def recurrence(*tensors):
        # Whoever listens outside (a gradient tape) is to hear of the result alone, not of the steps.
        projected, states, weights, _, present, dropout_mask = constant(tree.pack_sequence_as(arguments, tensors))
        h, last, kept = constant(family.forward(projected, states, weights, present, dropout_mask, options))

        def gradient(*upstream):
            d_h, *d_last = constant(upstream)
            deltas, d_states, squares = constant(
                family.backward(d_h, d_last, states, weights, h, kept, present, dropout_mask, options, bool(taps))
            )
            factors = family.factors(deltas, states, h, kept, dropout_mask, options)
            d_weights = family.weight_gradients(factors, options)
            count = None if present is None else ops.sum(ops.cast(present, "float32"), axis=(1, 2))
            measure = {
                name: lambda square=square: norms(ops.sum(square, axis=-1), ops.shape(projected)[1], count)
                for name, square in zip(cell.state_names, squares, strict=False)
            }
            measure["kernel"] = lambda: squared_summands(factors)
            derivatives = (deltas, *d_states, *d_weights, *[measure[name]() for name in taps])
            return *first_derivatives_only(derivatives, (upstream, tensors)), None, None

        return (h, *last) if last else h, gradient

    result = recurrence(*tree.flatten(arguments))
    if len(states) == 1:
        return result, [result[-1]]
    h, *last = result
    return h, [h[-1], *last]
