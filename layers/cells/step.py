"""What every cell, and every wrapper of a cell, is: one step of a recurrent network, in two halves."""

from typing import Any, NamedTuple

import keras
from keras import ops, tree

from .._keras import DropoutRNNCell
from ..arguments import Tensor
from ..probes import observe


class Masks(NamedTuple):
    """What dropout leaves inside the recurrence, one mask a sequence; `None` where nothing is dropped.

    Attributes:
        state: `[B, H]`; multiplies h_{t-1} where it enters a product (Gal & Ghahramani 2016).
        candidate: `[B, H]`; multiplies what is written into the state (Semeniuta et al. 2016).
    """

    state: Any = None
    candidate: Any = None


NOTHING_DROPPED = Masks()


def dropped(value: Tensor, mask: Tensor) -> Tensor:
    """The value, or what dropout leaves of it."""
    return value if mask is None else value * mask


class Step(DropoutRNNCell, keras.layers.Layer):
    """One step, in two halves.

    `project` holds what does not depend on the past, so that a sequence layer computes it for all steps at once;
    `advance` holds the recurrence. `call` is the two together, which makes every cell at home in
    `keras.layers.RNN`, `keras.layers.StackedRNNCells` and `keras.layers.Bidirectional` too.
    """

    state_names: tuple[str, ...] = ("h",)
    """The states, in order. `h` and `c` are shown to the gradient probes by `advance`."""
    state_size: Any
    output_size: Any

    @property
    def signals(self) -> tuple[str, ...]:
        """What `advance` shows to the gradient probes."""
        return tuple(name for name in self.state_names if name in ("h", "c"))

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """What x_t alone decides, and what chance does: inputs `[..., I]` → tensors `[..., n]`, in any structure."""
        raise NotImplementedError

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """One step of the recurrence.

        Args:
            projected: `project(x_t)`.
            states: the previous states, each `[B, H]`.
            masks: dropout masks.

        Returns:
            The output `[B, H]` and the list of new states.
        """
        raise NotImplementedError

    def observe(self, signal: str, value: Tensor) -> Tensor:
        """Hands `value` on unchanged; a gradient probe, if one is listening, sees its derivative."""
        return observe(signal, value)

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        """`advance(project(inputs), states)`: inputs `[B, I]`, states `[B, H]` or a list of them."""
        nested = tree.is_nested(states)
        states = list(states) if nested else [states]
        masks = NOTHING_DROPPED
        if training:
            inputs = dropped(inputs, self.get_dropout_mask(inputs))
            masks = self.get_masks(states[0])
        output, states = self.advance(self.project(inputs, training), states, masks)
        return output, states if nested else states[0]

    def get_masks(self, h: Tensor) -> Masks:
        """The masks of this sequence, drawn at the first call and kept until they are reset. h `[B, H]`."""
        return Masks(self.get_recurrent_dropout_mask(h))

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Zero states, each `[batch_size, H]`."""
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in tree.flatten(self.state_size)]
