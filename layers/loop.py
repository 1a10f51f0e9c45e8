"""How one cell, or a stack of them, walks over a sequence.

Three ways, the first that fits: the hand-derived pair of `bptt`; the cell's own `advance`, with the inputs of
all steps projected at once; and, for cells of others, their `call` at every step. Everything here is
time-major: sequences `[T, B, …]`, masks `[T, B, 1]`.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import keras
from keras import ops, tree

from . import bptt
from ._keras import AutocastScope, DropoutRNNCell, call_has_training_argument
from .arguments import Tensor
from .backend import scan
from .bptt.parts import parts_of, split
from .cells import NOTHING_DROPPED, DeepOutputCell, LinearCell, Masks, Step
from .cells.step import dropped
from .inspection import Reading, inspect_layer
from .probes import Observer, lay_taps, observe, observing_step
from .segments import in_segments

Advance: TypeAlias = Callable[[Any, list[Tensor]], tuple[Tensor, list[Tensor]]]
"""`(x, states) -> (output, states)`: one step, from `cell.project(x_t)` or x_t itself."""


def run(
    cell: Any,
    sequence: Tensor,
    states: Any,
    mask: Tensor | None,
    *,
    name: str,
    go_backwards: bool,
    training: bool,
    unroll: bool,
) -> tuple[Tensor, Any]:
    """Runs a cell over a sequence that is already in reading order.

    Args:
        cell: one of ours, one of Keras's, or a stack of either.
        sequence: `[T, B, I]`, the first step to be read first.
        states: the cell's initial states, in the structure of its `state_size`.
        mask: boolean `[T, B, 1]`, false where the step is to be passed over, or `None`.
        name: name of the layer, for its gradient taps.
        go_backwards: whether the caller reversed the sequence (the taps are laid in the input's order).
        training: whether dropout is active, and a way back is to be expected.
        unroll: write the steps out instead of looping.

    Returns:
        Outputs `[T, B, H]`, and the last states in the structure of `states`. On a masked step the states
        stay as they were and the output is the one before (zero before the first unmasked step).
    """
    inside = functools.partial(run, mask=mask, go_backwards=go_backwards, training=training, unroll=unroll)
    if isinstance(cell, keras.layers.StackedRNNCells):
        new_states = []
        for index, (each, own) in enumerate(zip(cell.cells, states, strict=True)):
            sequence, last = inside(each, sequence, own, name=f"{name}_{index + 1}")
            new_states.append(last)
        return sequence, new_states
    if isinstance(cell, DeepOutputCell):
        h, states = inside(cell.cell, sequence, states, name=name)
        return _nothing_before_the_first_step(cell.read_out(h), mask), states
    return _run_one(cell, sequence, states, mask, name, go_backwards, training, unroll)


def _run_one(
    cell: Any,
    sequence: Tensor,
    states: Any,
    mask: Tensor | None,
    name: str,
    go_backwards: bool,
    training: bool,
    unroll: bool,
) -> tuple[Tensor, Any]:
    """A cell that is not made of cells."""
    nested = tree.is_nested(states)
    states = [ops.cast(state, cell.compute_dtype) for state in (states if nested else [states])]
    inspected = inspect_layer(name, cell, sequence, go_backwards)
    hand_derived = bptt.is_hand_derived(cell) and not unroll and inspected is None
    signals = cell.signals if isinstance(cell, Step) else ("h",)
    taps = lay_taps(name, cell, signals, ops.shape(sequence)[0], go_backwards)
    with AutocastScope(cell.compute_dtype), _dropout(cell, sequence, states, training) as (input_mask, masks):
        if not isinstance(cell, Step):
            outputs, states = _step_by_step(
                _caller(cell, training), cell, sequence, states, mask, taps, inspected, unroll
            )
        else:
            sequence = ops.cast(sequence, cell.compute_dtype)
            if hand_derived:
                walk = functools.partial(_hand_derived, cell, input_mask, masks.state, training)
                way_through = functools.partial(in_segments, walk) if training else walk
                outputs, states = way_through(sequence, states, mask, taps)
                outputs = _nothing_before_the_first_step(outputs, mask)
            else:
                projected = cell.project(dropped(sequence, input_mask), training)

                def advance(x: Any, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
                    return cell.advance(x, states, masks)

                outputs, states = _step_by_step(advance, cell, projected, states, mask, taps, inspected, unroll)
    return outputs, states if nested else states[0]


def _hand_derived(
    cell: Any,
    input_mask: Tensor | None,
    state_mask: Tensor | None,
    training: bool,
    sequence: Tensor,
    states: list[Tensor],
    mask: Tensor | None,
    taps: dict[str, Tensor],
) -> tuple[Tensor, list[Tensor]]:
    """A cell with its way back, in parts of the batch. Its weights may be read again on that way."""
    count = 1 if isinstance(cell, LinearCell) else parts_of(sequence)
    with AutocastScope(cell.compute_dtype):
        inputs = zip(split(sequence, count, axis=1), split(input_mask, count, axis=0), strict=True)
        projected = [cell.project(dropped(part, kept), training) for part, kept in inputs]
        return bptt.through_time(cell, projected, states, mask, state_mask, taps, training)


def _nothing_before_the_first_step(outputs: Tensor, mask: Tensor | None) -> Tensor:
    """Outputs `[T, B, H]`, zero where an example has not had an unmasked step yet."""
    if mask is None:
        return outputs
    seen = ops.cumsum(ops.cast(mask, "int32"), axis=0) > 0
    return ops.where(seen, outputs, ops.zeros_like(outputs))


@contextlib.contextmanager
def _dropout(
    cell: Any, sequence: Tensor, states: list[Tensor], training: bool
) -> Iterator[tuple[Tensor | None, Masks]]:
    """A cell's mask for the inputs `[B, I]` and those for its step, drawn before its loop, forgotten after it."""
    if not (training and isinstance(cell, DropoutRNNCell)):
        yield None, NOTHING_DROPPED
        return
    try:
        input_mask = cell.get_dropout_mask(ops.cast(sequence[0], cell.compute_dtype))
        draw = cell.get_masks if isinstance(cell, Step) else cell.get_recurrent_dropout_mask
        yield input_mask, draw(states[0])
    finally:
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()


def _caller(cell: Any, training: bool) -> Advance:
    """A foreign cell's `call` as `(x_t, states) -> (output, states)`, its output shown to the probes."""
    kwargs = {"training": training} if call_has_training_argument(cell) else {}

    def call(x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        output, new_states = cell(x, states, **kwargs)
        new_states = list(new_states) if tree.is_nested(new_states) else [new_states]
        observed = observe("h", output)
        if new_states[0] is output:  # Keras's cells hand their output on as the first state
            new_states[0] = observed
        return observed, new_states

    return call


def _step_by_step(
    advance: Advance,
    cell: Any,
    xs: Any,
    states: list[Tensor],
    mask: Tensor | None,
    taps: dict[str, Tensor],
    inspected: Reading | None,
    unroll: bool,
) -> tuple[Tensor, list[Tensor]]:
    """The plain loop, differentiated automatically. xs: structure of `[T, B, …]`."""
    output_size = getattr(cell, "output_size", None) or tree.flatten(cell.state_size)[0]
    before = ops.zeros((ops.shape(states[0])[0], output_size), dtype=states[0].dtype)

    def step(carry: tuple[list[Tensor], Tensor], slices: tuple[Any, ...]) -> tuple[Any, Any]:
        states, before = carry
        x, present, tap, disturbance = slices
        seen: dict[str, Tensor] | None = None if inspected is None else {}
        with observing_step(Observer(tap, present, disturbance, seen)):
            output, new_states = advance(x, states)
        if present is not None:
            output = ops.where(present, output, before)
            new_states = [ops.where(present, new, old) for new, old in zip(new_states, states, strict=True)]
        return (list(new_states), output), (output, seen or {})

    disturbance = None if inspected is None else inspected.disturbance
    (states, _), (outputs, seen) = scan(step, (list(states), before), (xs, mask, taps, disturbance), unroll=unroll)
    if inspected is not None:
        inspected.keep({**seen, "h": outputs}, mask)
    return outputs, states
