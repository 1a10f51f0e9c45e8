"""Layers on top of one another."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Unpack

import keras
from keras import ops, tree

from . import checks
from ._keras import get_keras_mask
from .arguments import Config, LayerArguments, Shape, Skip, Tensor
from .cells.base import check_rate

_READS: dict[Skip, Callable[[Any, list[Any]], list[Any]]] = {
    None: lambda x, below: below[-1:],
    "residual": lambda x, below: below[-1:],
    "input": lambda x, below: [below[-1], x],
    "dense": lambda x, below: [x, *below],
}
"""What a layer above the first reads, side by side, of the stack's input and of the outputs below it, by `skip`."""


@keras.saving.register_keras_serializable(package="rnnscope")
class Stacked(keras.layers.Layer):
    """A deep recurrent network: layer l reads the sequence of layer l − 1.

    With x the stack's input, D dropout and [ , ] a concatenation of features, h^1 = layer_1(x), and for l ≥ 2

        skip=None         h^l = layer_l(D(h^{l−1}))
        skip="residual"   h^l = layer_l(D(h^{l−1})) + h^{l−1}
        skip="input"      h^l = layer_l([D(h^{l−1}), x])
        skip="dense"      h^l = layer_l([x, D(h^1), …, D(h^{l−1})])

    Residual: He et al. 2016, between LSTMs Wu et al. 2016; input: the skip connections of Graves 2013; dense: Huang et
    al. 2017; dropout on the way up, never on the way through time: Zaremba et al. 2014.

    Unlike `RNN([cell, cell])`, which is one layer with one state, the layers here keep their own direction,
    options and names, so that a stack of `Bidirectional` layers is possible, and each reports its own gradient.

    Args:
        layers: recurrent layers, ours or Keras's, the lowest first; all but the last with
            `return_sequences=True`. The last decides whether the stack returns a sequence.
        skip: what passes by a layer. With I features in x and H_l in h^l, the kernel of layer l ≥ 2 has
            H_{l−1} rows for `None`;
            H_{l−1} rows for `"residual"`, which costs no parameters, and wants as many features in every h^l;
            H_{l−1} + I rows for `"input"`;
            I + H_1 + … + H_{l−1} rows for `"dense"`.
            Where only the last output is returned, `"residual"` adds h^{l−1} at the step which that output belongs to:
            an example's last unmasked one, or the first for a layer that reads backwards.
        dropout: share of h^l dropped where layers above read it, in [0, 1], with a new mask for every step; x and the
            summand of `"residual"` stay whole.
        seed: seed of that dropout.

    Call arguments:
        sequences: `[B, T, I]`.
        initial_state: the states of all layers one after another, the lowest first.
        mask: boolean `[B, T]`; every layer gets it.
        training: whether dropout is active.

    Returns:
        The last layer's output; where layers have `return_state=True`, followed by their states.

    Raises:
        ValueError: no layers, something that is not a recurrent layer with one output, a layer that keeps its
            sequence from the one above it, an unknown `skip` or one that the layers do not allow, a `dropout`
            outside [0, 1]; when called, `sequences`, `initial_state` or `mask` of the wrong shape or number.

    >>> import numpy as np
    >>> from rnnscope import GRU, LSTM, Bidirectional, Stacked
    >>> stack = Stacked([Bidirectional(LSTM(4, return_sequences=True)), GRU(8)], skip="residual", dropout=0.2)
    >>> stack(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 8])
    """

    @checks.suggest_nearest_names
    def __init__(
        self,
        layers: Sequence[Any],
        skip: Skip = None,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        if not (isinstance(layers, list | tuple) and layers):
            raise ValueError(f"layers: expected a list of at least one recurrent layer, got {checks.described(layers)}")
        checks.check_choice("skip", skip, _READS)
        check_rate("dropout", dropout)
        for index, layer in enumerate(layers):
            _check_layer(f"layers[{index}]", layer, last=index == len(layers) - 1)
            if skip is not None and len(layers) > 1:
                _check_alignment(f"layers[{index}]", layer, skip)
        super().__init__(**kwargs)
        self.layers = list(layers)
        self.skip = skip
        self.dropout = dropout
        self.seed = seed
        if dropout:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    @property
    def return_sequences(self) -> bool:
        """Whether the stack returns a sequence."""
        return bool(self.layers[-1].return_sequences)

    @property
    def return_state(self) -> bool:
        """Whether the stack returns states beside its output."""
        return any(layer.return_state for layer in self.layers)

    def __call__(self, sequences: Tensor, initial_state: Tensor = None, mask: Tensor = None, **kwargs: Any) -> Any:
        """`call`, after a look at the arguments: before Keras wraps what goes wrong in many lines."""
        batch, *_ = check_input("sequences", sequences, mask)
        if initial_state is not None:
            checks.check_states(
                "initial_state", initial_state, _state_layouts("B" if batch is None else batch, state_sizes(self))
            )
        return super().__call__(sequences, **checks.given(initial_state=initial_state, mask=mask), **kwargs)

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        """Builds the layers from the lowest up."""
        for layer, read, _ in self._flow(sequences_shape):
            if not layer.built:
                layer.build(read)
                layer.built = True
        self.built = True

    def _flow(self, sequences_shape: Shape) -> Iterator[tuple[Any, Shape, tuple[Any, ...]]]:
        """Each layer, with the shapes of what it reads and of its output."""
        *batch_and_time, inputs = sequences_shape
        units: list[int] = []
        for index, layer in enumerate(self.layers):
            read = (*batch_and_time, sum(_READS[self.skip](inputs, units)) if index else inputs)
            output = output_shape(layer, read)
            if index and self.skip == "residual" and output[-1] != units[-1]:
                raise ValueError(
                    f"layers[{index}]: expected {units[-1]} features as in the output of layers[{index - 1}], so that "
                    f"skip='residual' can add the two, got {output[-1]}; give both the same size, or skip='dense'"
                )
            units.append(output[-1])
            yield layer, read, output

    def call(self, sequences: Tensor, initial_state: Tensor = None, mask: Tensor = None, training: bool = False) -> Any:
        """sequences `[B, T, I]` → the last layer's output, and states where they are asked for."""
        mask = _boolean(get_keras_mask(sequences) if mask is None else mask)
        output, reads, states = sequences, [], []
        for index, (layer, initial) in enumerate(zip(self.layers, self._share_out(initial_state), strict=True)):
            below = output
            if index:
                reads.append(self._drop(below, training))
            read = _side_by_side(_READS[self.skip](sequences, reads)) if index else sequences
            output = layer(read, initial_state=initial, mask=mask, training=training)
            if layer.return_state:
                output, *last = output
                states += last
            if index and self.skip == "residual":
                output = ops.add(output, ops.cast(_summand(layer, below, mask), output.dtype))
        return (output, *states) if self.return_state else output

    def _drop(self, output: Tensor, training: bool) -> Any:
        """A layer's outputs `[B, T, H]` as the layers above read them."""
        if not (training and self.dropout):
            return output
        return keras.random.dropout(output, self.dropout, seed=self.seed_generator)

    def _share_out(self, initial_state: Tensor) -> list[Any]:
        """Each layer's part of the states, or `None` for each."""
        if initial_state is None:
            return [None] * len(self.layers)
        return list(share_out(self.layers, initial_state if tree.is_nested(initial_state) else [initial_state]))

    def compute_mask(self, sequences: Tensor, mask: Tensor = None) -> Any:
        """The input's mask where the stack returns a sequence; none for states."""
        mask = None if mask is None else tree.flatten(mask)[0]
        output_mask = mask if self.return_sequences else None
        if not self.return_state:
            return output_mask
        return [output_mask] + [None] * sum(len(state_sizes(layer)) for layer in self.layers if layer.return_state)

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        """Shapes of what `call` returns."""
        flow = list(self._flow(sequences_shape))
        shape = flow[-1][-1]
        states = [layer.compute_output_shape(read)[1:] for layer, read, _ in flow if layer.return_state]
        return (shape, *sum(states, ())) if self.return_state else shape

    def reset_state(self) -> None:
        """Sets the states of all `stateful` layers to zero."""
        for layer in self.layers:
            layer.reset_state()

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        layers = [keras.saving.serialize_keras_object(layer) for layer in self.layers]
        own = {"layers": layers, "skip": self.skip, "dropout": self.dropout, "seed": self.seed}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict[str, Any] | None = None) -> "Stacked":
        """The layer that `get_config` described."""
        layers = [
            keras.saving.deserialize_keras_object(layer, custom_objects=custom_objects) for layer in config["layers"]
        ]
        return cls(**{**config, "layers": layers})


def state_sizes(layer: Any) -> list[Any]:
    """Sizes of the states that a recurrent layer or wrapper takes and returns; nested for a layer of several cells."""
    if hasattr(layer, "forward_layer"):
        return [*state_sizes(layer.forward_layer), *state_sizes(layer.backward_layer)]
    if isinstance(layer, Stacked):
        return [size for inner in layer.layers for size in state_sizes(inner)]
    return list(layer.state_size)


def leaves(name: str, layer: Any) -> Iterator[tuple[str, Any]]:
    """The layers of a stack and of the stacks in it, or the one layer that is no stack, by their names in errors."""
    if not isinstance(layer, Stacked):
        yield name, layer
        return
    for index, inner in enumerate(layer.layers):
        yield from leaves(f"{name}.layers[{index}]", inner)


def share_out(layers: Sequence[Any], states: Sequence[Any]) -> Iterator[list[Any]]:
    """Each layer's part of the states of all layers."""
    remaining = iter(states)
    for layer in layers:
        yield [next(remaining) for _ in state_sizes(layer)]


def output_shape(layer: Any, shape: Shape) -> tuple[Any, ...]:
    """Shape of a recurrent layer's output, without its states'."""
    computed = layer.compute_output_shape(shape)
    return tuple(computed[0] if layer.return_state else computed)


def check_input(name: str, sequences: Tensor, mask: Tensor) -> Shape:
    """Refuses sequences that are not `[B, T, I]`, and a mask that is not theirs. Returns the sequences' shape."""
    shape = checks.static_shape(name, sequences)
    checks.check_shape(name, shape, ("B", "T", "I"))
    mask = tree.flatten(mask)[0]
    if mask is not None:
        checks.check_mask(mask, shape)
    return shape


def _state_layouts(batch: Any, sizes: Sequence[Any]) -> list[Any]:
    """Of states of these sizes, as `checks.check_states` expects them."""
    return [(batch, size) if isinstance(size, int) else _state_layouts(batch, size) for size in sizes]


def _check_layer(name: str, layer: Any, last: bool) -> None:
    """Refuses what cannot stand in a stack."""
    if not (isinstance(layer, keras.layers.Layer) and hasattr(layer, "return_sequences")):
        raise ValueError(f"{name}: expected a recurrent layer such as LSTM(32), got {checks.described(layer)}")
    if not last and not layer.return_sequences:
        raise ValueError(
            f"{name}: expected return_sequences=True, so that the layer above can read the "
            f"sequence, got return_sequences=False for {layer.name!r}"
        )
    if getattr(layer, "merge_mode", "concat") is None:
        raise ValueError(
            f"{name}: expected one output, got merge_mode=None, which returns two; use merge_mode='concat'"
        )


def _check_alignment(name: str, layer: Any, skip: str) -> None:
    """Refuses a layer whose outputs do not stand at the steps beside which a skip puts them."""
    for where, leaf in leaves(name, layer):
        if leaf.return_sequences and getattr(leaf, "forward_layer", leaf).go_backwards:
            raise ValueError(
                f"{where}: expected outputs in the order of the input for skip={skip!r}, got go_backwards=True with "
                "return_sequences=True, which turns them round; use Bidirectional, or skip=None"
            )
        merge_mode = getattr(leaf, "merge_mode", "concat")
        if skip == "residual" and not leaf.return_sequences and merge_mode != "concat":
            raise ValueError(
                f"{where}: expected merge_mode='concat' for skip='residual' with return_sequences=False, got "
                f"{merge_mode!r}, which mixes the last step read with the first; use 'concat', or return_sequences=True"
            )


def _boolean(mask: Tensor) -> Any:
    """A mask `[B, T]` or `[B, T, 1]`, or a list that starts with one, as boolean `[B, T]`; or `None`."""
    mask = tree.flatten(mask)[0]
    return None if mask is None else ops.cast(mask if len(mask.shape) == 2 else mask[:, :, 0], "bool")


def _side_by_side(parts: list[Tensor]) -> Any:
    """Sequences `[B, T, …]` as one."""
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


def _summand(layer: Any, below: Tensor, mask: Tensor) -> Any:
    """What the layer below, `[B, T, H]`, adds to a layer's output, which is a sequence or the last output alone."""
    if isinstance(layer, Stacked):
        return _summand(layer.layers[-1], below, mask)
    if layer.return_sequences:
        zeroed = mask is not None and getattr(layer, "forward_layer", layer).zero_output_for_mask
        return ops.where(mask[:, :, None], below, ops.zeros_like(below)) if zeroed else below
    if not hasattr(layer, "forward_layer"):
        return _at_last_step(below, mask, layer.go_backwards)
    own = output_shape(layer.forward_layer, below.shape)[-1]
    forward, backward = below[:, :, :own], below[:, :, own:]
    return ops.concatenate(
        [_summand(layer.forward_layer, forward, mask), _summand(layer.backward_layer, backward, mask)], axis=-1
    )


def _at_last_step(sequence: Tensor, mask: Tensor, backwards: bool) -> Any:
    """`[B, T, H]` → `[B, H]`: each example at the step that is read last; zero where none is read."""
    if mask is None:
        return sequence[:, 0 if backwards else -1]
    read = ops.cumsum(ops.cast(mask, "int32"), axis=1)
    last = ops.logical_and(mask, ops.equal(read, 1 if backwards else read[:, -1:]))
    return ops.sum(ops.where(last[:, :, None], sequence, ops.zeros_like(sequence)), axis=1)
