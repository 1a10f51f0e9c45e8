"""One sequence in, another out: a recurrent layer that reads, and one that writes from the states it is handed."""

import contextlib
import operator
from collections.abc import Callable, Iterator
from typing import Any, Unpack

import keras
import numpy as np
from keras import ops, tree

from . import checks
from ._keras import get_stateless_scope, set_keras_mask
from .arguments import Config, LayerArguments, Shape, Tensor
from .backend import scan
from .cells.base import check_size
from .inspection import unseen
from .probes import GradientTaps
from .stacked import Stacked, check_input, leaves, output_shape, share_out, state_sizes

_REQUIRED: dict[str, dict[str, tuple[bool, str]]] = {
    "encoder": {"return_state": (True, "so that the decoder can start from its states")},
    "decoder": {
        "return_sequences": (True, "so that every step has an output"),
        "return_state": (True, "so that each step can start from the one before"),
        "go_backwards": (False, "so that each step can read what the one before has written"),
        "stateful": (False, "so that it starts from the encoder's states"),
    },
}
"""What the layers must be set to, and why."""

_LAYERS = ("encoder", "decoder", "head", "embedding")


@keras.saving.register_keras_serializable(package="rnnscope")
class EncoderDecoder(keras.layers.Layer):
    """Maps a sequence to one of another length (Cho et al. 2014; Sutskever, Vinyals & Le 2014).

        states_0 = the encoder's last states, having read the source
        y_t, states_t = decoder(embedding(w_{t−1}), states_{t−1}),   o_t = head(y_t)

    where w_0 is `start` and w_{t−1}, what the decoder reads at step t, depends on who is asking:

    - in training, with a target, it is the target's step t − 1: teacher forcing (Williams & Zipser 1989), all
      steps in one call of the decoder;
    - otherwise it is the decoder's own: the class argmax o_{t−1} where there is an embedding, o_{t−1} itself where
      there is none; one step after another, and with no dropout in the decoder.

    Hence `evaluate` measures what the network says when nobody helps it. A target then lends its length alone.

    The encoder's states become the decoder's in their order, a stack's layer by layer; of a `Bidirectional` encoder
    each forward state is joined to its backward one, so that the decoder has as many units as both together.

    Args:
        encoder: a recurrent layer or wrapper with `return_state=True`, ours or Keras's. Its output is not used.
            Sutskever et al. let it read backwards: `LSTM(32, return_state=True, go_backwards=True)`.
        decoder: a recurrent layer or `Stacked` that reads forwards, with `return_sequences=True` and
            `return_state=True`, and with the states that the encoder hands over.
        head: a layer applied to the decoder's outputs, such as `Dense(K)`; for tokens K scores, one for each class.
        embedding: for sequences of tokens, a layer that makes vectors of them, such as `Embedding(K, E)`; `None` for
            sequences of numbers, of which the decoder reads K at every step.
        start: what the decoder reads first: a token, or a number or K of them.
        steps: how many steps to write where no target says it.

    Call arguments:
        source: whatever the encoder reads, `[B, T, I]`.
        target: tokens `[B, T']` or numbers `[B, T', K]`.
        mask: boolean `[B, T]`, of the source; by default the mask that comes with it.
        training: whether the target is read and dropout is active.

    Returns:
        `[B, T', K]`, or `[B, steps, K]`. With `mask_zero=True` in the embedding, zeros in a target are padding: the
        outputs carry its mask, so that Keras's losses leave those steps out.

    Raises:
        ValueError: a layer that is not as described above, `steps` that is no positive integer; when built, states
            that do not fit; when called, a target of the wrong shape, or neither target nor `steps`.

    >>> import keras, numpy as np
    >>> from rnnscope import LSTM, Bidirectional, EncoderDecoder
    >>> layer = EncoderDecoder(
    ...     Bidirectional(LSTM(8, return_state=True)),
    ...     LSTM(16, return_sequences=True, return_state=True),
    ...     head=keras.layers.Dense(10),
    ...     embedding=keras.layers.Embedding(10, 4),
    ... )
    >>> source, target = np.ones((2, 7, 3), "float32"), np.array([[5, 2, 9, 1], [4, 4, 7, 0]])
    >>> layer(source, target, training=True).shape
    TensorShape([2, 4, 10])
    """

    @checks.suggest_nearest_names
    def __init__(
        self,
        encoder: Any,
        decoder: Any,
        head: Any,
        embedding: Any = None,
        start: Any = 0,
        steps: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        for name, layer in (("encoder", encoder), ("decoder", decoder)):
            for where, leaf in leaves(name, layer):
                _check_recurrent(where, leaf, _REQUIRED[name])
        if not isinstance(head, keras.layers.Layer):
            raise ValueError(f"head: expected a layer such as Dense(10), got {checks.described(head)}")
        if not (embedding is None or isinstance(embedding, keras.layers.Layer)):
            raise ValueError(f"embedding: expected a layer such as Embedding(10, 4), got {checks.described(embedding)}")
        check_size("steps", steps, optional=True)
        start = _checked_start(start, tokens=embedding is not None)
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.head = head
        self.embedding = embedding
        self.start = start
        self.steps = steps
        self.supports_masking = True

    def __call__(self, source: Tensor, target: Tensor = None, mask: Tensor = None, **kwargs: Any) -> Any:
        """`call`, after a look at the arguments: before Keras wraps what goes wrong in many lines."""
        batch, *_ = check_input("source", source, mask)
        if target is not None:
            target_shape = checks.static_shape("target", target)
            features = () if self.embedding is not None else (self._sizes()[-1],)
            checks.check_shape("target", target_shape, ("B" if batch is None else batch, "T", *features))
        elif self.steps is None:
            raise ValueError("steps: expected a number of steps to write where there is no target, got None")
        return super().__call__(source, **checks.given(target=target, mask=mask), **kwargs)

    def build(self, source_shape: Shape, target_shape: Any = None) -> None:
        """Builds the layers, provided that the encoder's states fit the decoder."""
        handed = hand_over(self.encoder, state_sizes(self.encoder), operator.add)
        taken = tree.flatten(state_sizes(self.decoder))
        if handed != taken:
            raise ValueError(
                f"decoder: expected states of sizes {handed}, which encoder {self.encoder.name!r} hands over, got "
                f"{taken} for {self.decoder.name!r}; give both the same kinds of cells, and the decoder as many units"
            )
        batch = source_shape[0]
        read, written, out = self._sizes()
        if isinstance(self.start, list) and len(self.start) != out:
            raise ValueError(f"start: expected {out} numbers, one for each feature, got {len(self.start)}")
        for layer, shape in (
            (self.encoder, source_shape),
            (self.embedding, (batch, None)),
            (self.decoder, (batch, None, read)),
            (self.head, (batch, None, written)),
        ):
            if layer is not None and not layer.built:
                layer.build(shape)
                layer.built = True
        self.built = True

    def _sizes(self) -> tuple[int, int, int]:
        """How many features the decoder reads at a step, how many it writes, and how many the head makes of them."""
        written = output_shape(self.decoder, (None, None, 1))[-1]
        out = self.head.compute_output_shape((None, None, written))[-1]
        read = out if self.embedding is None else self.embedding.compute_output_shape((None, None))[-1]
        return read, written, out

    def call(self, source: Tensor, target: Tensor = None, mask: Tensor = None, training: bool = False) -> Any:
        """source `[B, T, I]`, target `[B, T']` or `[B, T', K]` → outputs `[B, T', K]`."""
        _, *states = self.encoder(source, mask=mask, training=training)
        states = hand_over(self.encoder, states, lambda *both: ops.concatenate(both, axis=-1))
        states = [ops.cast(state, self.decoder.compute_dtype) for state in states]
        first = self._first(ops.shape(source)[0])
        if target is None:
            return self._write(first, states, self.steps)
        target = ops.cast(target, first.dtype)
        if training:
            outputs, _ = self._decode(ops.concatenate([first, target[:, :-1]], axis=1), states, training)
        else:
            outputs = self._write(first, states, ops.shape(target)[1])
        if self.embedding is not None:
            set_keras_mask(outputs, self.embedding.compute_mask(target, None))
        return outputs

    def _first(self, batch: Any) -> Any:
        """What the decoder reads at the first step: tokens `[B, 1]` or numbers `[B, 1, K]`."""
        if self.embedding is not None:
            return ops.full((batch, 1), self.start, dtype="int32")
        start = ops.convert_to_tensor(self.start, dtype=self.compute_dtype)
        return ops.broadcast_to(start, (batch, 1, self._sizes()[-1]))

    def _decode(self, read: Tensor, states: list[Tensor], training: bool) -> tuple[Tensor, list[Tensor]]:
        """read `[B, T']` or `[B, T', K]`, states `[B, H]` → outputs `[B, T', K]`, and the last states."""
        if self.embedding is not None:
            read = self.embedding(read, training=training)
            set_keras_mask(read, None)  # no step is passed over: what follows the padding does not matter
        initial_state = tree.pack_sequence_as(state_sizes(self.decoder), states)
        outputs, *states = self.decoder(read, initial_state=initial_state, training=training)
        return self.head(outputs, training=training), tree.flatten(states)

    def _write(self, first: Tensor, states: list[Tensor], steps: Any) -> Any:
        """Outputs `[B, steps, K]`, each of which the decoder reads before it writes the next."""

        def step(carry: tuple[Tensor, list[Tensor]], _: Tensor) -> tuple[Any, Tensor]:
            read, states = carry
            outputs, new_states = self._decode(read, states, training=False)
            written = outputs if self.embedding is None else ops.argmax(outputs, axis=-1)
            return tree.map_structure(_like, carry, (written, new_states)), outputs[:, 0]

        with _apart():
            _, outputs = scan(step, (first, states), ops.zeros((steps,)))
        return ops.transpose(outputs, (1, 0, 2))

    def compute_mask(self, source: Tensor, mask: Tensor = None) -> None:
        """None: the source's steps are not the target's."""

    def compute_output_shape(self, source_shape: Shape, target_shape: Shape | None = None) -> Shape:
        """`[B, T', K]`, or `[B, steps, K]` without a target."""
        return (source_shape[0], self.steps if target_shape is None else target_shape[1], self._sizes()[-1])

    def compute_output_spec(self, source: Tensor, target: Tensor = None, **kwargs: Any) -> Any:
        """Shape and dtype of the outputs, which are the head's."""
        shape = self.compute_output_shape(source.shape, None if target is None else target.shape)
        return keras.KerasTensor(shape, dtype=self.head.compute_dtype)

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        layers = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in _LAYERS}
        return {**super().get_config(), **layers, "start": self.start, "steps": self.steps}

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict[str, Any] | None = None) -> "EncoderDecoder":
        """The layer that `get_config` described."""
        layers = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects) for name in _LAYERS
        }
        return cls(**{**config, **layers})


def hand_over(encoder: Any, states: list[Tensor], join: Callable[[Any, Any], Any]) -> list[Any]:
    """An encoder's states, or their sizes, as its decoder takes them: in a row, those of two directions joined."""
    if isinstance(encoder, Stacked):
        shares = zip(encoder.layers, share_out(encoder.layers, states), strict=True)
        return [state for layer, share in shares for state in hand_over(layer, share, join)]
    if not hasattr(encoder, "forward_layer"):
        return list(tree.flatten(states))
    own = len(state_sizes(encoder.forward_layer))
    forward, backward = tree.flatten(states[:own]), tree.flatten(states[own:])
    if len(forward) != len(backward):
        raise ValueError(
            f"encoder: expected as many states from both directions of {encoder.name!r}, so that each can be joined to "
            f"another, got {len(forward)} and {len(backward)}; let both have the same kind of cell"
        )
    return list(map(join, forward, backward))


def _like(old: Tensor, new: Tensor) -> Any:
    """A new value with the dtype and the shape of the old one, of which a loop's graph may know more."""
    return ops.reshape(ops.cast(new, old.dtype), ops.shape(old))


def _checked_start(start: Any, tokens: bool) -> Any:
    """A token, a number or a list of numbers."""
    value = np.asarray(start)
    kind, dimensions, expected = (
        ("iu", (0,), "a token") if tokens else ("iuf", (0, 1), "a number or one for each feature")
    )
    if value.dtype.kind not in kind or value.ndim not in dimensions:
        raise ValueError(f"start: expected {expected}, got {checks.described(start)}")
    return value.tolist()


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """While a loop is written down: nothing inside is measured, and losses and updates are dropped, since they have no
    sense outside."""
    outer = get_stateless_scope()
    with GradientTaps(), unseen(), keras.StatelessScope(initialize_variables=False) as scope:
        if outer is not None:
            scope.state_mapping.update(outer.state_mapping)
        yield


def _check_recurrent(name: str, layer: Any, required: dict[str, tuple[bool, str]]) -> None:
    """Refuses what is no recurrent layer, or is not set as required."""
    if not (isinstance(layer, keras.layers.Layer) and hasattr(layer, "return_state")):
        raise ValueError(f"{name}: expected a recurrent layer such as LSTM(32), got {checks.described(layer)}")
    if "go_backwards" in required and hasattr(layer, "forward_layer"):
        raise ValueError(
            f"{name}: expected a layer that reads forwards alone, so that each step can read what the one before has "
            f"written, got the Bidirectional {layer.name!r}; let the encoder read in both directions instead"
        )
    if getattr(layer, "merge_mode", "concat") is None:
        raise ValueError(f"{name}: expected one output, got merge_mode=None, which returns two; use 'concat'")
    for option, (value, reason) in required.items():
        if getattr(layer, option) != value:
            raise ValueError(
                f"{name}: expected {option}={value}, {reason}, got {option}={not value} for {layer.name!r}"
            )
