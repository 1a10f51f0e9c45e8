"""Backpropagation through time, derived by hand: the fast twin of the readable cells.

A cell's file says what one step computes; the file of the same name here says how to run all steps forward,
keeping what the way back needs, and how to carry the error terms back. A test holds the twins together. Each
family is a module of functions, all time-major:

    options(cell)      what selects the program: activations and switches
    weights(cell)      the tensors inside the recurrence
    forward(…)         projected inputs → outputs, last states and, on demand, what the way back needs
    backward(…)        derivatives of the outputs and last states → error terms δ, derivatives of the initial
                       states and, where they are to be measured, Σ‖dh_t‖² and so on for each signal
    factors(…)         pairs of tensors whose products, summed over t, are ∂L/∂U
    weight_gradients(…)   from these, one large product over all steps for each weight

Cells that are linear in their state have one form for all of them: `linear.py`.
"""

from types import ModuleType
from typing import Any

from keras import ops, tree

from ..backend import custom_gradient
from ..cells import Cell, GRUCell, LinearCell, LSTMCell, SimpleRNNCell
from ..probes import norms
from . import gru, linear, lstm, simple_rnn
from .parts import join, split
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
    family: ModuleType,
    cell: Cell,
    projected: list,
    states: list,
    mask: Any,
    dropout_mask: Any,
    taps: dict[str, Any],
    training: bool,
) -> tuple[Any, list]:
    """All steps of a cell, with the hand-derived way back.

    Args:
        family: what `find(cell)` gave.
        cell: the cell.
        projected: `cell.project` of all inputs, `[T, B, gates*H]`, cut along B into parts (`parts.py`).
        states: initial states, each `[B, H]`.
        mask: boolean `[T, B, 1]` or `None`. A masked step hands states, and derivatives, through unchanged.
        dropout_mask: `[B, H]` or `None`.
        taps: zero vectors `[T]` by signal; their "gradients" are the norms of the signals' derivatives
            (of `kernel` their squares, see `lay_taps`).
        training: keep what the way back needs. Otherwise, if it is asked for nevertheless, it begins by walking the
            way forward again.

    Returns:
        h at every step `[T, B, H]`, and the last states. Second derivatives are NaN: the way back is written for
        first ones. (`unroll=True` goes without it.)
    """
    if family is linear:
        a, b = cell.coefficients(join(projected, axis=1))
        return linear.through_time(a, b, states, mask, taps)
    count = len(projected)
    options = family.options(cell)
    # Copies, because a custom gradient takes tensors: on TensorFlow a variable would not do.
    weights = [ops.copy(ops.cast(weight, cell.compute_dtype)) for weight in family.weights(cell)]
    initial = [list(part) for part in zip(*(split(ops.copy(state), count, axis=0) for state in states), strict=True)]
    present = split(None if mask is None else ops.cast(mask, projected[0].dtype), count, axis=1)
    dropped = split(None if dropout_mask is None else ops.stop_gradient(dropout_mask), count, axis=0)
    arguments = (projected, initial, present, dropped, weights, list(taps.values()))

    @custom_gradient
    def recurrence(*tensors):
        # Whoever listens outside (a gradient tape) is to hear of the result alone, not of the steps.
        *parts, weights, _ = constant(tree.pack_sequence_as(arguments, tensors))
        parts = list(zip(*parts, strict=True))
        walk = lambda training: [
            constant(family.forward(x, s, weights, m, d, options, training)) for x, s, m, d in parts
        ]
        ways = walk(training)

        def gradient(*upstream):
            d_h, *d_last = constant(upstream)
            d_last = [list(part) for part in zip(*(split(d, count, axis=0) for d in d_last), strict=True)]
            deltas, d_states, squares, factors = [], [], [], []
            for (_, s, m, d), (h, _, kept), dh, last in zip(
                parts, ways if training else walk(True), split(d_h, count, axis=1), d_last or [[]] * count, strict=True
            ):
                back = constant(family.backward(dh, last, s, weights, h, kept, m, d, options, bool(taps)))
                factors.append(family.factors(back[0], s, h, kept, d, options))
                for whole, part in zip((deltas, d_states, squares), back, strict=True):
                    whole.append(part)
            d_weights = map(sum, zip(*(family.weight_gradients(f, options) for f in factors), strict=True))
            measured = _measured(cell, squares, factors, [m for _, _, m, _ in parts], ops.shape(d_h)[1])
            derivatives = (*deltas, *tree.flatten(d_states), *d_weights, *[measured[name]() for name in taps])
            derivatives = first_derivatives_only(derivatives, (upstream, tensors))
            masks = (None,) * (2 * count)
            before = len(deltas) + len(tree.flatten(d_states))
            return *derivatives[:before], *masks, *derivatives[before:]

        last = [join(list(states), axis=0) for states in zip(*(last for _, last, _ in ways), strict=True)]
        h = join([h for h, _, _ in ways], axis=1)
        return (h, *last) if last else h, gradient

    result = recurrence(*tree.flatten(arguments))
    if len(states) == 1:
        return result, [result[-1]]
    h, *last = result
    return h, [h[-1], *last]


def _measured(cell: Cell, squares: list, factors: list, present: list, batch: Any) -> dict[str, Any]:
    """By signal, a function that gives its norms `[T]` (of `kernel` their squares), of all parts together."""
    count = None
    if present[0] is not None:
        count = sum(ops.sum(ops.cast(part, "float32"), axis=(1, 2)) for part in present)
    of_states = zip(cell.state_names, zip(*squares, strict=True), strict=False)
    measure: dict[str, Any] = {
        name: lambda parts=parts: norms(sum(ops.sum(part, axis=-1) for part in parts), batch, count)
        for name, parts in of_states
    }
    pairs = zip(*factors, strict=True)
    whole = lambda: [tuple(join(list(side), axis=1) for side in zip(*pair, strict=True)) for pair in pairs]
    return {**measure, "kernel": lambda: squared_summands(whole())}
