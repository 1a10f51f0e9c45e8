"""A batch in parts, which several cores walk through at the same time.

The loop over time keeps one core busy: its products are small, and what lies between them is memory traffic. Examples
do not know of one another before the weights' gradients are summed, so parts of a batch can be loops of their own, and
TensorFlow runs side by side what does not depend on one another.
"""

import itertools

from keras import ops

from ..arguments import Tensor
from ..backend import loops_at_once

_SMALLEST = 8
"""Examples from which a part is worth its loop."""
_UNKNOWN = 4
"""Parts at most where the batch size is not known beforehand."""
_chosen: int | None = None


def set_batch_parts(count: int | None) -> None:
    """Chooses into how many parts a batch is cut, for the hand-derived time loops on TensorFlow.

    Args:
        count: parts; 1 for a single loop; `None` (the default) for as many as TensorFlow has threads, with at least 8
            examples each, where a graph is built. A function or model compiled before keeps its parts.

    Raises:
        ValueError: less than 1.

    >>> from rnnscope import set_batch_parts
    >>> set_batch_parts(1)
    >>> set_batch_parts(None)
    """
    global _chosen
    if count is not None and count < 1:
        raise ValueError(f"count: expected None or at least 1, got {count}")
    _chosen = count


def parts_of(sequence: Tensor) -> int:
    """Into how many parts the examples of a sequence `[T, B, …]` are to be cut."""
    batch = sequence.shape[1]
    if _chosen is not None:
        return _chosen if batch is None else min(_chosen, batch)
    return min(loops_at_once(), _UNKNOWN if batch is None else max(1, batch // _SMALLEST))


def split(x: Tensor | None, count: int, axis: int) -> list[Tensor]:
    """Cut along an axis into so many pieces; of nothing, nothing as often."""
    if x is None or count == 1:
        return [x] * count
    length = ops.shape(x)[axis]
    edges = [length * index // count for index in range(count + 1)]
    before = (slice(None),) * axis
    return [x[(*before, slice(start, stop))] for start, stop in itertools.pairwise(edges)]


def join(parts: list[Tensor], axis: int) -> Tensor:
    """What `split` has cut."""
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=axis)
