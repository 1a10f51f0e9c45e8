"""What every cell shares: constructor arguments, weights, dropout, the two halves of a step."""

from numbers import Integral, Real
from typing import Any

import keras
from keras import ops, tree

# keras.layers.RNN draws one dropout mask a sequence only for cells of this (unexported) class.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from ..probes import observe


class Cell(DropoutRNNCell, keras.layers.Layer):
    """One step of a recurrent network, in two halves.

    `project` holds what does not depend on the past, so that a sequence layer computes it for all steps in
    one product; `advance` holds the recurrence. `call` is the two together, which makes every cell at home in
    `keras.layers.RNN`, `keras.layers.StackedRNNCells` and `keras.layers.Bidirectional` too.

    A new cell sets `gates` and `state_names`, and defines `advance`; where its weights differ from a kernel
    `[I, gates*H]`, a recurrent kernel `[H, gates*H]` and a bias `[gates*H]`, also what the section *weights* holds.

    Args:
        units: H, the size of the hidden state.
        activation: φ, a Keras activation.
        use_bias: whether the pre-activations have a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Keras initialisers.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: Keras regularisers, or `None`.
        kernel_constraint, recurrent_constraint, bias_constraint: Keras constraints, or `None`.
        dropout: share of the inputs dropped, in [0, 1]; one mask a sequence.
        recurrent_dropout: share of h_{t-1} dropped where it enters a product, in [0, 1]; one mask a sequence,
            the same for every gate (Gal & Ghahramani 2016, the tied form).
        seed: seed of the dropout masks.

    Raises:
        ValueError: `units` is not a positive integer, or a dropout rate is outside [0, 1].
    """

    gates: int = 1
    """How many blocks of `units` columns the kernels have."""
    has_recurrent_kernel: bool = True
    """Whether the state enters a product."""
    state_names: tuple[str, ...] = ("h",)
    """The states, in order. `h` and `c` are shown to the gradient probes by `advance`."""

    units: int
    activation: Any
    use_bias: bool
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: float
    recurrent_dropout: float
    seed: int | None

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        if isinstance(units, bool) or not isinstance(units, Integral) or units <= 0:
            raise ValueError(f"units: expected a positive integer, got {units!r}")
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 <= rate <= 1:
                raise ValueError(f"{name}: expected a rate between 0 and 1, got {rate!r}")
        kwargs.pop("implementation", None)  # Keras's choice between two forms of the same step
        super().__init__(**kwargs)
        self.units = units = int(units)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    @property
    def state_size(self) -> int | list[int]:
        """Size of the state, or of each of several."""
        return self.units if len(self.state_names) == 1 else [self.units] * len(self.state_names)

    @property
    def output_size(self) -> int:
        """H."""
        return self.units

    @property
    def signals(self) -> tuple[str, ...]:
        """What `advance` shows to the gradient probes."""
        return tuple(name for name in self.state_names if name in ("h", "c"))

    # ------------------------------------------------------------------ weights

    def build(self, input_shape: tuple) -> None:
        """Creates kernel, recurrent kernel and bias, in Keras's order."""
        self.kernel = self.add_weight(
            shape=self.kernel_shape(input_shape[-1]),
            name="kernel",
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.has_recurrent_kernel:
            self.recurrent_kernel = self.add_weight(
                shape=self.recurrent_kernel_shape(),
                name="recurrent_kernel",
                initializer=self.recurrent_initializer,
                regularizer=self.recurrent_regularizer,
                constraint=self.recurrent_constraint,
            )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self.bias_shape(),
                name="bias",
                initializer=self.initial_bias,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def kernel_shape(self, inputs: int) -> tuple[int, ...]:
        """Shape of the kernel for inputs of size I."""
        return (inputs, self.gates * self.units)

    def recurrent_kernel_shape(self) -> tuple[int, ...]:
        """Shape of the recurrent kernel."""
        return (self.units, self.gates * self.units)

    def bias_shape(self) -> tuple[int, ...]:
        """Shape of the bias."""
        return (self.gates * self.units,)

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """The bias before training."""
        return self.bias_initializer(shape, dtype=dtype)

    # --------------------------------------------------------------------- step

    def project(self, inputs: Any) -> Any:
        """What x_t alone decides: `x W + b`. inputs `[..., I]` → `[..., gates*H]`."""
        projected = ops.matmul(inputs, self.kernel)
        return projected if self.bias is None else ops.add(projected, self.bias)

    def advance(self, projected: Any, states: list, dropout_mask: Any = None) -> tuple[Any, list]:
        """One step of the recurrence.

        Args:
            projected: `project(x_t)`, `[B, gates*H]`.
            states: the previous states, each `[B, H]`.
            dropout_mask: `[B, H]`, or `None`; multiplies h_{t-1} where it enters a product.

        Returns:
            The output `[B, H]` and the list of new states.
        """
        raise NotImplementedError

    def observe(self, signal: str, value: Any) -> Any:
        """Hands `value` on unchanged; a gradient probe, if one is listening, sees its derivative."""
        return observe(signal, value)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        """`advance(project(inputs), states)`: inputs `[B, I]`, states `[B, H]` or a list of them."""
        nested = tree.is_nested(states)
        states = list(states) if nested else [states]
        dropout_mask = None
        if training:
            input_mask, dropout_mask = self.get_dropout_mask(inputs), self.get_recurrent_dropout_mask(states[0])
            inputs = inputs if input_mask is None else inputs * input_mask
        output, states = self.advance(self.project(inputs), states, dropout_mask)
        return output, states if nested else states[0]

    def get_initial_state(self, batch_size: Any = None) -> list:
        """Zero states, each `[batch_size, H]`."""
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in self.state_names]

    # ------------------------------------------------------------ serialisation

    def get_config(self) -> dict:
        """The constructor's arguments, serialised."""
        config = {
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }
        for weight in ("kernel", "recurrent", "bias"):
            for kind in ("initializer", "regularizer", "constraint"):
                serialize = getattr(keras, f"{kind}s").serialize
                config[f"{weight}_{kind}"] = serialize(getattr(self, f"{weight}_{kind}"))
        return {**super().get_config(), **config}


def dropped(h: Any, dropout_mask: Any) -> Any:
    """h, or what recurrent dropout leaves of it."""
    return h if dropout_mask is None else h * dropout_mask


class GatedCell(Cell):
    """A cell with gates, hence with a second activation.

    Args:
        units, activation, use_bias, …: see `Cell`; `activation` is φ.
        recurrent_activation: σ, of the gates, a Keras activation.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        *args: Any,
        **kwargs: Any,
    ):
        super().__init__(units, activation, *args, **kwargs)
        self.recurrent_activation: Any = keras.activations.get(recurrent_activation)

    def get_config(self) -> dict:
        """The constructor's arguments, serialised."""
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
        }
