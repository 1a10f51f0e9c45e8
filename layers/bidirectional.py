"""One sequence read in both directions."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops, tree

from . import checks
from ._keras import get_keras_mask
from .arguments import Config, DType, MergeMode, Regularizer, Shape, Tensor
from .recurrent import check_build, check_call

_MERGES = {
    "concat": lambda forward, backward: ops.concatenate([forward, backward], axis=-1),
    "sum": ops.add,
    "mul": ops.multiply,
    "ave": lambda forward, backward: (forward + backward) / 2,
    None: lambda forward, backward: (forward, backward),
}

_INTERFACE = ("go_backwards", "return_sequences", "return_state", "stateful")
"""What a layer has to have to be one of two directions."""


@keras.saving.register_keras_serializable(package="rnnscope")
class Bidirectional(keras.layers.Layer):
    """Two copies of a recurrent layer read the sequence in opposite order (Schuster & Paliwal 1997).

    A drop-in replacement for `keras.layers.Bidirectional`, with its weights (forward, then backward), its names
    (`forward_…`, `backward_…`) and its arguments. Where sequences are returned, masked steps are zero.

    Args:
        layer: a recurrent layer of this package or of Keras, such as `LSTM(32)`. The two directions are new layers of
            its configuration.
        merge_mode: how to merge the two outputs `[…, H]`: `"concat"` to `[…, 2H]`; `"sum"`, `"mul"` or `"ave"` to
            `[…, H]`; `None` returns both.
        weights: initial weights, forward then backward, as arrays; `None` leaves them to the initializers.
        backward_layer: the layer that reads backwards; `None` for one like `layer`.
        activity_regularizer: Keras regularizer of the layer's output, or `None`.
        trainable: whether training changes the weights.
        dtype: dtype or `keras.DTypePolicy` of the merged output; each direction keeps its own.
        autocast: whether Keras casts inputs of another floating-point dtype to the layer's.
        name: name of the layer; `None` lets Keras choose one.
        input_shape, input_dim: shape of one sequence, `(T, I)`, or I alone, for the first layer of a `Sequential`
            model. Keras accepts them with a warning and recommends `keras.Input`.

    Call arguments:
        sequences: `[B, T, I]`.
        initial_state: the forward layer's states, then the backward layer's, in one list.
        mask: boolean `[B, T]`, or `[1, T]` for all examples; by default what is attached to the sequences.
        training: whether dropout is active.

    Raises:
        ValueError: an argument that cannot be, here or in a call: named, with what is allowed and what came.

    >>> import numpy as np
    >>> from rnnscope import LSTM, Bidirectional
    >>> Bidirectional(LSTM(4, return_sequences=True))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 7, 8])
    """

    @checks.suggest_nearest_names
    def __init__(
        self,
        layer: Any,
        merge_mode: MergeMode = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Any = None,
        *,
        activity_regularizer: Regularizer = None,
        trainable: bool = True,
        dtype: DType = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Shape | None = None,
        input_dim: int | None = None,
    ):
        of_keras = checks.arguments(locals(), without=["layer", "merge_mode", "weights", "backward_layer"])
        for argument, value in (
            ("layer", layer),
            ("backward_layer", layer if backward_layer is None else backward_layer),
        ):
            if not (isinstance(value, keras.layers.Layer) and all(hasattr(value, each) for each in _INTERFACE)):
                raise ValueError(
                    f"{argument}: expected a recurrent layer such as LSTM(32), got {checks.described(value)}"
                )
        checks.check_choice("merge_mode", merge_mode, _MERGES)
        if not isinstance(weights, list | tuple | None):
            raise ValueError(f"weights: expected a list of arrays or None, got {checks.described(weights)}")
        super().__init__(**of_keras)
        self.forward_layer = _copy(layer, name=f"forward_{layer.name.removeprefix('forward_')}")
        self.backward_layer = backward_layer or _copy(
            layer, name=f"backward_{layer.name.removeprefix('forward_')}", go_backwards=not layer.go_backwards
        )
        self.merge_mode = merge_mode
        self._check_directions()
        self.initial_weights = weights
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.stateful = layer.stateful
        for direction in (self.forward_layer, self.backward_layer):
            direction.zero_output_for_mask = self.return_sequences
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check_directions(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "backward_layer: expected a layer that reads in the other direction, "
                f"got go_backwards={backward.go_backwards} for both layers"
            )
        for name in ("return_sequences", "return_state", "stateful"):
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f"backward_layer: expected {name}={getattr(forward, name)} as in layer, "
                    f"got {getattr(backward, name)}"
                )
        sizes = [_output_size(direction) for direction in (forward, backward)]
        if self.merge_mode in ("sum", "mul", "ave") and None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"merge_mode: expected 'concat' or None for directions of {sizes[0]} and {sizes[1]} units, "
                f"got {self.merge_mode!r}"
            )

    def __call__(self, sequences: Tensor, initial_state: Tensor = None, mask: Tensor = None, **kwargs: Any) -> Any:
        """`call`, after a look at the arguments: later, Keras would wrap what is wrong with them in many lines."""
        directions = [self.forward_layer, self.backward_layer]
        if all(isinstance(direction, keras.layers.RNN) for direction in directions):
            check_call(directions, sequences, initial_state, mask)
        return super().__call__(sequences, **checks.given(initial_state=initial_state, mask=mask), **kwargs)

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        """Builds both directions."""
        for direction in (self.forward_layer, self.backward_layer):
            if isinstance(direction, keras.layers.RNN):
                check_build(direction, tuple(sequences_shape))
            if not direction.built:
                direction.build(sequences_shape)
                direction.built = True
        if self.initial_weights is not None:
            self._check_weights(self.initial_weights)
            self.set_weights(self.initial_weights)
        self.built = True

    def _check_weights(self, weights: Sequence[Any]) -> None:
        own = [len(direction.weights) for direction in (self.forward_layer, self.backward_layer)]
        if len(weights) != sum(own):
            raise ValueError(
                f"weights: expected {sum(own)} arrays, {own[0]} forward, {own[1]} backward, got {len(weights)}"
            )
        for index, (variable, value) in enumerate(zip(self.weights, weights, strict=True)):
            name = f"weights[{index}]"
            checks.check_shape(name, checks.static_shape(name, value), tuple(variable.shape))

    def call(self, sequences: Tensor, initial_state: Tensor = None, mask: Tensor = None, training: bool = False) -> Any:
        """Merged outputs; with `return_state` followed by the forward and the backward states."""
        if mask is None:  # Keras hands an attached mask on only where there is no other argument
            mask = get_keras_mask(sequences)
        own = len(self.forward_layer.state_size)
        initial = (None, None) if initial_state is None else (initial_state[:own], initial_state[own:])
        outputs, states = [], []
        for direction, state in zip((self.forward_layer, self.backward_layer), initial, strict=True):
            output = direction(sequences, initial_state=state, mask=mask, training=training)
            if self.return_state:
                output, *last = output
                states += last
            if self.return_sequences and direction is self.backward_layer:
                output = ops.flip(output, axis=1)
            outputs.append(ops.cast(output, self.compute_dtype))
        merged = _MERGES[self.merge_mode](*outputs)
        if not self.return_state:
            return merged
        return (*(merged if self.merge_mode is None else (merged,)), *states)

    def compute_mask(self, sequences: Tensor, mask: Tensor = None) -> Any:
        """The input's mask for outputs that are sequences; none for states."""
        mask = None if mask is None else tree.flatten(mask)[0]
        output_mask = mask if self.return_sequences else None
        outputs = 2 if self.merge_mode is None else 1
        if outputs == 1 and not self.return_state:
            return output_mask
        states = len(self.forward_layer.state_size) + len(self.backward_layer.state_size)
        return [output_mask] * outputs + [None] * (states if self.return_state else 0)

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        """Shapes of what `call` returns."""
        shapes = [layer.compute_output_shape(sequences_shape) for layer in (self.forward_layer, self.backward_layer)]
        states = []
        if self.return_state:
            states = [state for _, *last in shapes for state in last]
            shapes = [shape for shape, *_ in shapes]
        if self.merge_mode is None:
            return (*shapes, *states)
        forward, backward = shapes
        merged = (*forward[:-1], forward[-1] + backward[-1]) if self.merge_mode == "concat" else tuple(forward)
        return (merged, *states) if self.return_state else merged

    @property
    def states(self) -> Any:
        """The states of both directions, where the layer is `stateful`; else `None`."""
        if self.forward_layer.states is None:
            return None
        return [*self.forward_layer.states, *self.backward_layer.states]

    def reset_state(self) -> None:
        """Sets the states of a `stateful` layer to zero."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "layer": serialize(self.forward_layer),
            "backward_layer": serialize(self.backward_layer),
            "merge_mode": self.merge_mode,
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict[str, Any] | None = None) -> "Bidirectional":
        """The layer that `get_config` described."""
        layers = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
            for name in ("layer", "backward_layer")
        }
        return cls(**{**config, **layers})


def _output_size(layer: Any) -> int | None:
    """How many numbers a layer puts out at a step, where that can be told before it is built."""
    cell = getattr(layer, "cell", None)
    size = getattr(cell, "output_size", None) or tree.flatten(getattr(cell, "state_size", None))[0]
    return size if isinstance(size, int) else None


def _copy(layer: Any, **changes: Any) -> Any:
    """A new layer of the same configuration, with some of it changed."""
    serialized = keras.saving.serialize_keras_object(layer)
    serialized["config"].update(changes)
    return keras.saving.deserialize_keras_object(serialized)
