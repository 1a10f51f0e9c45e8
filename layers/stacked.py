"""Layers on top of one another."""

from typing import Any

import keras
from keras import tree


@keras.saving.register_keras_serializable(package="rnnscope")
class Stacked(keras.layers.Layer):
    """A deep recurrent network: layer l reads the sequence of layer l − 1.

    Unlike `RNN([cell, cell])`, which is one layer with one state, the layers here keep their own direction,
    options and names, so that a stack of `Bidirectional` layers is possible, and each reports its own gradient.

    Args:
        layers: recurrent layers, ours or Keras's, the lowest first; all but the last with
            `return_sequences=True`. The last decides whether the stack returns a sequence.

    Call arguments:
        sequences: `[B, T, I]`.
        initial_state: the states of all layers one after another, the lowest first.
        mask: boolean `[B, T]`; every layer gets it.
        training: whether dropout is active.

    Returns:
        The last layer's output; where layers have `return_state=True`, followed by their states.

    Raises:
        ValueError: no layers, something that is not a recurrent layer, a layer that keeps its sequence from the
            one above it, or `initial_state` of the wrong length.

    >>> import numpy as np
    >>> from layers import GRU, LSTM, Bidirectional, Stacked
    >>> stack = Stacked([Bidirectional(LSTM(4, return_sequences=True)), GRU(5)])
    >>> stack(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 5])
    """

    def __init__(self, layers: list, **kwargs: Any):
        if not layers:
            raise ValueError("layers: expected a list of at least one recurrent layer, got an empty one")
        for index, layer in enumerate(layers):
            if not (isinstance(layer, keras.layers.Layer) and hasattr(layer, "return_sequences")):
                raise ValueError(f"layers[{index}]: expected a recurrent layer such as LSTM(32), got {layer!r}")
            if index < len(layers) - 1 and not layer.return_sequences:
                raise ValueError(
                    f"layers[{index}]: expected return_sequences=True, so that the layer above can read the "
                    f"sequence, got return_sequences=False for {layer.name!r}"
                )
        super().__init__(**kwargs)
        self.layers = list(layers)
        self.supports_masking = True

    @property
    def return_sequences(self) -> bool:
        """Whether the stack returns a sequence."""
        return self.layers[-1].return_sequences

    @property
    def return_state(self) -> bool:
        """Whether the stack returns states beside its output."""
        return any(layer.return_state for layer in self.layers)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        """Builds the layers from the lowest up."""
        shape = sequences_shape
        for layer in self.layers:
            if not layer.built:
                layer.build(shape)
                layer.built = True
            shape = _output_shape(layer, shape)[0]
        self.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """sequences `[B, T, I]` → the last layer's output, and states where they are asked for."""
        initial_states = self._share_out(initial_state)
        output, states = sequences, []
        for layer, initial in zip(self.layers, initial_states, strict=True):
            output = layer(output, initial_state=initial, mask=mask, training=training)
            if layer.return_state:
                output, *last = output
                states += last
        return (output, *states) if self.return_state else output

    def _share_out(self, initial_state: Any) -> list:
        """Each layer's part of the states, or `None` for each."""
        if initial_state is None:
            return [None] * len(self.layers)
        counts = [state_count(layer) for layer in self.layers]
        if len(initial_state) != sum(counts):
            raise ValueError(
                f"initial_state: expected {sum(counts)} states ({counts} by layer), got {len(initial_state)}"
            )
        remaining = iter(initial_state)
        return [[next(remaining) for _ in range(count)] for count in counts]

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The input's mask where the stack returns a sequence; none for states."""
        mask = None if mask is None else tree.flatten(mask)[0]
        output_mask = mask if self.return_sequences else None
        if not self.return_state:
            return output_mask
        return [output_mask] + [None] * sum(state_count(layer) for layer in self.layers if layer.return_state)

    def compute_output_shape(self, sequences_shape: tuple, initial_state_shape: Any = None) -> Any:
        """Shapes of what `call` returns."""
        shape, all_states = sequences_shape, []
        for layer in self.layers:
            shape, states = _output_shape(layer, shape)
            all_states += states
        return (shape, *all_states) if self.return_state else shape

    def reset_state(self) -> None:
        """Sets the states of all `stateful` layers to zero."""
        for layer in self.layers:
            layer.reset_state()

    def get_config(self) -> dict:
        """The constructor's arguments, serialised."""
        layers = [keras.saving.serialize_keras_object(layer) for layer in self.layers]
        return {**super().get_config(), "layers": layers}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Stacked":
        """The layer that `get_config` described."""
        layers = [
            keras.saving.deserialize_keras_object(layer, custom_objects=custom_objects) for layer in config["layers"]
        ]
        return cls(**{**config, "layers": layers})


def state_count(layer: Any) -> int:
    """How many states a recurrent layer or wrapper takes and returns."""
    if hasattr(layer, "forward_layer"):
        return state_count(layer.forward_layer) + state_count(layer.backward_layer)
    if isinstance(layer, Stacked):
        return sum(state_count(inner) for inner in layer.layers)
    return len(layer.state_size)


def _output_shape(layer: Any, shape: tuple) -> tuple[tuple, list]:
    """Shape of a layer's output, and those of its states."""
    computed = layer.compute_output_shape(shape)
    return (computed[0], list(computed[1:])) if layer.return_state else (computed, [])
