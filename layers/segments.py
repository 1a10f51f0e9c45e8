"""Long sequences in segments, of which only the beginnings are kept: less memory for more time."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import keras
from keras import ops

from .arguments import Tensor
from .bptt.parts import split

Walk: TypeAlias = Callable[[Tensor, list[Tensor], Tensor | None, dict[str, Tensor]], tuple[Tensor, list[Tensor]]]
"""`(sequence, states, mask, taps) -> (outputs, states)`."""

_chosen = 1


def set_recomputed_segments(count: int) -> None:
    """Chooses into how many segments a sequence is cut whose steps are computed a second time on the way back.

    A training step of a long sequence keeps what every timestep needs on its way back. In segments it keeps the states
    between them, and what one segment needs at a time (Chen et al. 2016, *Training deep nets with sublinear memory
    cost*); the steps are computed twice. Results are the same.

    For cells with a hand-derived way back, on sequences of a known length, in training.

    Args:
        count: segments of about equal length; 1 (the default) keeps all. A function or model compiled before keeps its
            way.

    Raises:
        ValueError: less than 1.

    >>> from rnnscope import set_recomputed_segments
    >>> set_recomputed_segments(16)
    >>> set_recomputed_segments(1)
    """
    global _chosen
    if count < 1:
        raise ValueError(f"count: expected at least 1, got {count}")
    _chosen = count


def in_segments(
    walk: Walk, sequence: Tensor, states: list[Tensor], mask: Tensor | None, taps: dict[str, Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Walks over a sequence in as many segments as `set_recomputed_segments` says.

    Args:
        walk: `(sequence, states, mask, taps) -> (outputs, states)`.
        sequence: `[T, B, I]`.
        states: initial states.
        mask: `[T, B, 1]` or `None`.
        taps: vectors `[T]`, by name.

    Returns:
        Outputs `[T, B, H]`, and the last states.
    """
    length = sequence.shape[0]
    if length is None or (count := min(_chosen, length)) == 1:
        return walk(sequence, states, mask, taps)
    outputs = []
    for *xs, present in zip(*(split(x, count, axis=0) for x in (sequence, *taps.values(), mask)), strict=True):
        states, output = keras.remat(_of_tensors(walk, present, taps))(states, *xs)
        outputs.append(output)
    return ops.concatenate(outputs, axis=0), states


def _of_tensors(walk: Walk, mask: Tensor | None, names: Iterable[str]) -> Callable[..., tuple[list[Tensor], Tensor]]:
    """The walk as a function of all that has a derivative.

    It returns the last states first, because TensorFlow begins to compute a segment again as soon as the derivative of
    the first result is there: that of the states comes from the segment after, that of the outputs long before.
    """

    def of_tensors(states: list[Tensor], sequence: Tensor, *taps: Tensor) -> tuple[list[Tensor], Tensor]:
        outputs, last = walk(sequence, states, mask, dict(zip(names, taps, strict=True)))
        return last, outputs

    return of_tensors
