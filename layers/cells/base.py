"""What every cell shares: constructor arguments, weights, products, dropout, layer normalisation."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from numbers import Integral, Real
from typing import Any, Unpack

import keras
from keras import ops

from .. import checks
from ..arguments import (
    Activation,
    CellArguments,
    Config,
    Constraint,
    DType,
    Initializer,
    LayerArguments,
    Regularizer,
    Shape,
    Tensor,
)
from ..probes import observe_product
from .step import Masks, Step


class Cell(Step):
    """One step of a recurrent network (`Step`) with a kernel, a recurrent kernel and a bias.

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
        implementation: accepted as in Keras's cells without effect.
        layer_normalization: whether every product, `x_t W` and `h_{t-1} U`, is normalised (ε = 1e-5) and scaled by a
            gain of its own, before the bias is added (Ba, Kiros & Hinton 2016). As in the paper the gates of an LSTM
            are normalised together, and those of a GRU, its candidate apart; in all other cells each gate is by
            itself. (For the vanilla RNN the paper normalises the sum of the two products instead.) Weights
            `kernel_gain` and `recurrent_gain`, as long as the kernels are wide. Differentiated automatically.

    Raises:
        ValueError: an argument that cannot be; named, with what is allowed.
    """

    gates: int = 1
    """How many blocks of `units` columns the kernels have."""
    has_recurrent_kernel: bool = True
    """Whether the state enters a product."""

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

    @checks.suggest_nearest_names
    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        layer_normalization: bool = False,
        implementation: int = 2,
        **kwargs: Unpack[LayerArguments],
    ):
        check_size("units", units)
        check_rate("dropout", dropout)
        check_rate("recurrent_dropout", recurrent_dropout)
        super().__init__(**kwargs)
        self.units = int(units)
        self.activation = checks.resolved("activation", activation, keras.activations.get, "a Keras activation")
        self.use_bias = checks.boolean("use_bias", use_bias)
        given = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        for weight, chosen in given.items():
            for kind, value in zip(("initializer", "regularizer", "constraint"), chosen, strict=True):
                get, name = getattr(keras, f"{kind}s").get, f"{weight}_{kind}"
                setattr(self, name, checks.resolved(name, value, get, f"a Keras {kind}"))
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.layer_normalization = checks.boolean("layer_normalization", layer_normalization)

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
        """What `advance` shows to the gradient probes: h, c where it is a state, and the recurrent kernel."""
        return (*super().signals, "kernel") if self.has_recurrent_kernel else super().signals

    # ------------------------------------------------------------------ weights

    def build(self, input_shape: Shape) -> None:
        """Creates kernel, recurrent kernel and bias, in Keras's order."""
        self.kernel = self.add_weight(
            shape=self.kernel_shape(_known_size(input_shape)),
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
        if self.layer_normalization:
            self.kernel_gain = self.add_weight((self.kernel.shape[-1],), "ones", name="kernel_gain")
            if len(self.recurrent_kernel_shape()) == 2 and self.has_recurrent_kernel:
                self.recurrent_gain = self.add_weight((self.recurrent_kernel.shape[-1],), "ones", name="recurrent_gain")
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

    def initial_bias(self, shape: tuple[int, ...], dtype: DType = None) -> Tensor:
        """The bias before training."""
        return self.bias_initializer(shape, dtype=dtype)

    # ----------------------------------------------------------------- products

    def normalised_blocks(self) -> Sequence[int]:
        """How many blocks of `x W` are normalised together, from the first on; by default each by itself."""
        return [1] * (self.kernel.shape[-1] // self.units)

    def input_product(self, inputs: Tensor) -> Tensor:
        """x W, layer-normalised where the cell is: inputs `[..., I]` → `[..., gates*H]`."""
        product = ops.matmul(inputs, self.kernel)
        if not self.layer_normalization:
            return product
        ends = [self.units * blocks for blocks in accumulate(self.normalised_blocks())]
        columns = [slice(start, end) for start, end in pairwise([0, *ends])]
        return ops.concatenate([normalised(product[..., c], self.kernel_gain[c]) for c in columns], axis=-1)

    def recurrent_product(self, h: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """h U, layer-normalised where the cell is: h `[B, H]` → `[B, (stop−start)*H]`, of the blocks asked for."""
        columns = slice(start * self.units, None if stop is None else stop * self.units)
        product = observe_product(h, ops.convert_to_tensor(self.recurrent_kernel)[:, columns])
        return normalised(product, self.recurrent_gain[columns]) if self.layer_normalization else product

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """What x_t alone decides: `x W + b`. inputs `[..., I]` → `[..., gates*H]`."""
        projected = self.input_product(inputs)
        return projected if self.bias is None else ops.add(projected, self.bias)

    # ------------------------------------------------------------ serialisation

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        config = {
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
            "layer_normalization": self.layer_normalization,
        }
        for weight in ("kernel", "recurrent", "bias"):
            for kind in ("initializer", "regularizer", "constraint"):
                serialize = getattr(keras, f"{kind}s").serialize
                config[f"{weight}_{kind}"] = serialize(getattr(self, f"{weight}_{kind}"))
        return {**super().get_config(), **config}


class GatedCell(Cell):
    """A cell with gates, hence with a second activation.

    Args:
        units, activation, use_bias, …: see `Cell`; `activation` is φ.
        recurrent_activation: σ, of the gates, a Keras activation.
        candidate_dropout: share of the candidate dropped, in [0, 1]; one mask a sequence. What the state already
            holds is never dropped, so nothing is forgotten by chance (Semeniuta, Severyn & Barth 2016, *Recurrent
            dropout without memory loss*). Differentiated automatically.
    """

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        *args: Any,
        candidate_dropout: float = 0.0,
        **kwargs: Unpack[CellArguments],
    ):
        check_rate("candidate_dropout", candidate_dropout)
        super().__init__(units, activation, *args, **kwargs)
        self.recurrent_activation: Any = checks.resolved(
            "recurrent_activation", recurrent_activation, keras.activations.get, "a Keras activation"
        )
        self.candidate_dropout = candidate_dropout
        self._candidate_mask: Any = None

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Tensor:
        """The state's mask; the candidate's is drawn with it. Keras asks for it before its loop begins."""
        if self.candidate_dropout and self._candidate_mask is None:
            ones = ops.ones((ops.shape(step_input)[0], self.units), dtype=self.compute_dtype)
            self._candidate_mask = keras.random.dropout(ones, self.candidate_dropout, seed=self.seed_generator)
        return super().get_recurrent_dropout_mask(step_input)

    def get_masks(self, h: Tensor) -> Masks:
        """The masks of this sequence."""
        return super().get_masks(h)._replace(candidate=self._candidate_mask)

    def reset_recurrent_dropout_mask(self) -> None:
        """Forgets the masks of this sequence."""
        super().reset_recurrent_dropout_mask()
        self._candidate_mask = None

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "candidate_dropout": self.candidate_dropout,
        }


def normalised(x: Tensor, gain: Tensor) -> Tensor:
    """Zero mean and unit variance over the last axis, times a gain: `[..., N]`, `[N]` → `[..., N]`."""
    mean, variance = ops.moments(x, axes=[-1], keepdims=True)
    return (x - mean) * ops.rsqrt(variance + 1e-5) * gain


def _known_size(input_shape: Shape) -> int:
    """Return I, the last size of `[..., I]`."""
    inputs = input_shape[-1]
    if inputs is None:
        raise ValueError(f"input_shape: expected a known number of features I, got {input_shape}")
    return inputs


def check_size(name: str, value: Tensor, optional: bool = False) -> None:
    """Raises `ValueError` unless the value is a positive integer, or `None` where it is optional."""
    if optional and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Integral) or value <= 0:
        raise ValueError(f"{name}: expected a positive integer{' or None' if optional else ''}, got {value!r}")


def check_rate(name: str, value: Tensor) -> None:
    """Raises `ValueError` unless the value is a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name}: expected a rate between 0 and 1, got {value!r}")
