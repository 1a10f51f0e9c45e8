"""Backpropagation through time, derived by hand: optimized implementations of the readable cells.

A cell's file defines what one step computes. The file of the same name here runs all steps forward, saves the
residuals, and carries the error terms back. A test holds both equal. Each family is a module that implements the
protocol `family.Family`. Cells that are linear in their state have one form for all of them: `linear.py`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from keras import ops, tree

from ..arguments import Tensor
from ..backend import Gradient, custom_gradient
from ..cells import Cell, GRUCell, LinearCell, LSTMCell, SimpleRNNCell
from ..probes import norms
from . import gru, linear, lstm, simple_rnn
from .family import Arguments, Factors, Family
from .parts import join, split
from .products import constant, first_derivatives_only, squared_summands
from .slopes import SLOPES

_FAMILIES: dict[type[Cell], Family] = {SimpleRNNCell: simple_rnn, LSTMCell: lstm, GRUCell: gru}
_AUTOMATIC = ("layer_normalization", "candidate_dropout", "projection_units")


def is_hand_derived(cell: Any) -> bool:
    """Return whether `through_time` can run a cell."""
    return isinstance(cell, LinearCell) or hand_derived_for(cell) is not None


def hand_derived_for(cell: Any) -> Family | None:
    """Return the hand-derived family of a cell.

    It is `None` for a foreign cell, a subclass (whose equations may differ), an option that changes the equations, and
    an activation whose derivative is not a function of its output. A `LinearCell` has no family of its own.
    """
    family = _FAMILIES.get(type(cell))
    if family is None or any(getattr(cell, option, None) for option in _AUTOMATIC):
        return None
    activations = (cell.activation, getattr(cell, "recurrent_activation", cell.activation))
    return family if all(activation in SLOPES for activation in activations) else None


def through_time(
    cell: Any,
    projected: list[Tensor],
    states: list[Tensor],
    mask: Tensor | None,
    dropout_mask: Tensor | None,
    taps: dict[str, Tensor],
    training: bool,
) -> tuple[Tensor, list[Tensor]]:
    """Run all steps of a cell, with the hand-derived backward pass.

    Args:
        cell: a cell for which `is_hand_derived` returns true.
        projected: `cell.project` of all inputs, `[T, B, gates*H]`, cut along B into parts (`parts.py`).
        states: initial states, each `[B, H]`.
        mask: boolean `[T, B, 1]` or `None`. A masked step passes states, and derivatives, through unchanged.
        dropout_mask: `[B, H]` or `None`.
        taps: zero vectors `[T]` by signal; their "gradients" are the norms of the signals' derivatives
            (of `kernel` their squares, see `lay_taps`).
        training: save the residuals that the backward pass needs. Otherwise a backward pass begins with another
            forward pass.

    Returns:
        h at every step `[T, B, H]`, and the last states. Second derivatives are NaN: the backward pass is written for
        first ones. (`unroll=True` does not use it.)
    """
    if isinstance(cell, LinearCell):
        a, b = cell.coefficients(join(projected, axis=1))
        return linear.through_time(a, b, states, mask, taps)
    family = hand_derived_for(cell)
    if family is None:
        raise ValueError(f"cell: expected one with a hand-derived backward pass, got {type(cell).__name__}")
    count = len(projected)
    options = family.options(cell)
    arguments = Arguments(
        projected,
        [list(part) for part in zip(*(split(ops.copy(state), count, axis=0) for state in states), strict=True)],
        split(None if mask is None else ops.cast(mask, projected[0].dtype), count, axis=1),
        split(None if dropout_mask is None else ops.stop_gradient(dropout_mask), count, axis=0),
        # Copies, because a custom gradient takes tensors: on TensorFlow a variable would not do.
        [ops.copy(ops.cast(weight, cell.compute_dtype)) for weight in family.weights(cell)],
        list(taps.values()),
    )

    @custom_gradient
    def recurrence(*tensors: Tensor) -> tuple[Any, Gradient]:
        # A gradient tape outside must record the result alone, not the steps.
        given: Arguments = constant(tree.pack_sequence_as(arguments, tensors))
        parts = list(zip(given.projected, given.states, given.masks, given.dropout_masks, strict=True))

        def forward_all(training: bool) -> list[tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]]:
            return [constant(family.forward(x, s, given.weights, m, d, options, training)) for x, s, m, d in parts]

        results = forward_all(training)

        def gradient(*upstream: Tensor) -> tuple[Any, ...]:
            d_h, *d_last = constant(upstream)
            d_last = [list(part) for part in zip(*(split(d, count, axis=0) for d in d_last), strict=True)]
            deltas: list[Tensor] = []
            d_states: list[list[Tensor]] = []
            squares: list[list[Tensor]] = []
            factors: list[Factors] = []
            for (_, s, m, d), (h, _, residuals), dh, last in zip(
                parts,
                results if training else forward_all(True),
                split(d_h, count, axis=1),
                d_last or [[]] * count,
                strict=True,
            ):
                delta, d_state, square = constant(
                    family.backward(dh, last, s, given.weights, h, residuals, m, d, options, bool(taps))
                )
                factors.append(family.factors(delta, s, h, residuals, d, options))
                deltas.append(delta)
                d_states.append(d_state)
                squares.append(square)
            of_weights = zip(*(family.weight_gradients(each, options) for each in factors), strict=True)
            measured = _measured(cell, squares, factors, given.masks, ops.shape(d_h)[1])
            derivatives = Arguments(
                projected=deltas,
                states=d_states,
                masks=[None] * count,
                dropout_masks=[None] * count,
                weights=[sum(parts) for parts in of_weights],
                taps=[measured[name]() for name in taps],
            )
            return tuple(tree.flatten(first_derivatives_only(derivatives, (upstream, tensors))))

        last_states = [join(list(states), axis=0) for states in zip(*(last for _, last, _ in results), strict=True)]
        h = join([h for h, _, _ in results], axis=1)
        return (h, *last_states) if last_states else h, gradient

    result = recurrence(*tree.flatten(arguments))
    if len(states) == 1:
        return result, [result[-1]]
    h, *last = result
    return h, [h[-1], *last]


def _measured(
    cell: Cell, squares: list[list[Tensor]], factors: list[Factors], masks: list[Tensor | None], batch: Any
) -> dict[str, Callable[[], Tensor]]:
    """Return, for each signal, a function that computes its norms `[T]` (of `kernel` their squares), of all parts."""
    count = None
    if masks[0] is not None:
        count = sum(ops.sum(ops.cast(mask, "float32"), axis=(1, 2)) for mask in masks)

    def norms_of_state(parts: tuple[Tensor, ...]) -> Tensor:
        return norms(sum(ops.sum(part, axis=-1) for part in parts), batch, count)

    def squares_of_kernel() -> Tensor:
        pairs = zip(*factors, strict=True)
        joined = [tuple(join(list(side), axis=1) for side in zip(*pair, strict=True)) for pair in pairs]
        return squared_summands([(left, right) for left, right in joined])

    of_states = zip(cell.state_names, zip(*squares, strict=True), strict=False)
    return {**{name: partial(norms_of_state, parts) for name, parts in of_states}, "kernel": squares_of_kernel}
