"""Cells around cells: what is added to a step, whatever the step is."""

from typing import Any, Unpack

import keras
from keras import ops

from .. import checks
from ..arguments import Activation, Config, Initializer, LayerArguments, Shape, Tensor
from ..probes import unobserved
from .base import check_rate, check_size
from .step import NOTHING_DROPPED, Masks, Step, dropped


class CellWrapper(Step):
    """A cell around a cell of this package: it has the inner one's states, inputs and dropout, and adds to its step.

    Args:
        cell: a cell of this package, or a wrapper of one.

    Raises:
        ValueError: `cell` is something else; a `DeepOutputCell` can only be the outermost wrapper; a `dtype` that is
            not the inner cell's, which is the default.
    """

    @checks.suggest_nearest_names
    def __init__(self, cell: Step, **kwargs: Unpack[LayerArguments]):
        if not isinstance(cell, Step):
            raise ValueError(f"cell: expected a cell of this package such as LSTMCell(32), got {cell!r}")
        if isinstance(cell, DeepOutputCell):
            raise ValueError(
                f"cell: expected a cell whose output is its state, got {cell!r}; put DeepOutputCell around all others"
            )
        super().__init__(**{**kwargs, "dtype": kwargs.get("dtype") or cell.dtype_policy})
        if self.dtype_policy.name != cell.dtype_policy.name:
            own, inner = self.dtype_policy.name, cell.dtype_policy.name
            raise ValueError(f"dtype: expected the inner cell's, {inner!r}, got {own!r}")
        self.cell = cell

    @property
    def state_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The inner cell's."""
        return self.cell.state_names

    @property
    def signals(self) -> tuple[str, ...]:
        """The inner cell's."""
        return self.cell.signals

    @property
    def state_size(self) -> Any:
        """The inner cell's."""
        return self.cell.state_size

    @property
    def output_size(self) -> int:
        """The inner cell's."""
        return int(self.cell.output_size)

    def build(self, input_shape: Shape) -> None:
        """Builds the inner cell."""
        if not self.cell.built:
            self.cell.build(input_shape)
        self.built = True

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The inner cell's."""
        return self.cell.project(inputs, training)

    def get_dropout_mask(self, step_input: Tensor) -> Tensor:
        """The inner cell's mask of the inputs."""
        return self.cell.get_dropout_mask(step_input)

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Tensor:
        """The inner cell's mask of the state."""
        return self.cell.get_recurrent_dropout_mask(step_input)

    def get_masks(self, h: Tensor) -> Masks:
        """The inner cell's masks."""
        return self.cell.get_masks(h)

    def reset_dropout_mask(self) -> None:
        """Forgets the mask of this sequence."""
        self.cell.reset_dropout_mask()

    def reset_recurrent_dropout_mask(self) -> None:
        """Forgets the masks of this sequence."""
        self.cell.reset_recurrent_dropout_mask()

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        return {**super().get_config(), "cell": keras.saving.serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict[str, Any] | None = None) -> "CellWrapper":
        """The cell that `get_config` described."""
        cell = keras.saving.deserialize_keras_object(config["cell"], custom_objects=custom_objects)
        return cls(**{**config, "cell": cell})


@keras.saving.register_keras_serializable(package="rnnscope")
class ZoneoutCell(CellWrapper):
    r"""Zoneout (Krueger et al. 2017): in training, a unit now and then keeps its state as it was.

        ĥ_t = the inner cell's new h                 d_t ~ Bernoulli(rate), anew at every step and for every unit
        h_t = d_t ⊙ h_{t-1} + (1 − d_t) ⊙ ĥ_t        in training
        h_t = rate · h_{t-1} + (1 − rate) · ĥ_t      otherwise: what is to be expected

    The same for c, with a rate of its own. Unlike dropout it hands on the past, and the gradient, unharmed. The new
    h is made from the inner cell's new c, before c is zoned out, as in the paper. No parameters.

    Args:
        cell: a cell of this package.
        rate: of h, in [0, 1].
        cell_rate: of c, in [0, 1], where the cell has one.
        seed: seed of the draws.

    Raises:
        ValueError: a rate outside [0, 1], or a `cell_rate` for a cell without a cell state.

    >>> import numpy as np
    >>> from rnnscope import RNN, LSTMCell, ZoneoutCell
    >>> RNN(ZoneoutCell(LSTMCell(4), rate=0.05, cell_rate=0.5))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        cell: Step,
        rate: float = 0.05,
        cell_rate: float = 0.0,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        check_rate("rate", rate)
        check_rate("cell_rate", cell_rate)
        super().__init__(cell, **kwargs)
        if cell_rate and "c" not in self.state_names:
            raise ValueError(f"cell_rate: expected 0 for a cell without a cell state, got {cell_rate!r}")
        self.rate, self.cell_rate, self.seed = rate, cell_rate, seed
        self.rates = {name: rate for name, rate in (("h", rate), ("c", cell_rate)) if rate}
        self.seed_generator = keras.random.SeedGenerator(seed)

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The inner cell's projection, and in training which units keep their state: booleans `[..., H]` by state."""
        projected = self.cell.project(inputs, training)
        if not training:
            return projected, dict.fromkeys(self.rates)
        sizes = dict(zip(self.state_names, keras.tree.flatten(self.state_size), strict=True))
        shapes = {name: (*ops.shape(inputs)[:-1], sizes[name]) for name in self.rates}
        draws = {name: keras.random.uniform(shape, seed=self.seed_generator) for name, shape in shapes.items()}
        return projected, {name: draws[name] < rate for name, rate in self.rates.items()}

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected: see `project`; states → h, the new states."""
        projected, keeps = projected
        with unobserved("h", "c"):
            _, new_states = self.cell.advance(projected, states, masks)
        zoned = [
            self._zoned(name, keeps.get(name), before, after)
            for name, before, after in zip(self.state_names, states, new_states, strict=True)
        ]
        return zoned[0], zoned

    def _zoned(self, name: str, keep: Tensor, before: Tensor, after: Tensor) -> Tensor:
        if keep is not None:
            after = ops.where(keep, before, after)
        elif name in self.rates:
            after = self.rates[name] * before + (1 - self.rates[name]) * after
        return self.observe(name, after) if name in self.signals else after

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        return {**super().get_config(), "rate": self.rate, "cell_rate": self.cell_rate, "seed": self.seed}


@keras.saving.register_keras_serializable(package="rnnscope")
class DeepTransitionCell(CellWrapper):
    r"""Deep transition (Pascanu, Gulcehre, Cho & Bengio 2014, *How to construct deep recurrent neural networks*).

        s_0 = the inner cell's new h
        s_k = φ(s_{k-1} U_k + b_k)        k = 1 … depth
        h_t = s_depth

    Around `SimpleRNNCell` this is the paper's DT-RNN with `depth` hidden layers more on the way from h_{t-1} to h_t.
    With `shortcut` (the paper's DT(S)-RNN) h_{t-1} also reaches the last layer by itself,
    `s_depth = φ(s_{depth-1} U_depth + h_{t-1} U_s + b_depth)`: the gradient has a short way back again. The other
    states of the inner cell are left alone.

    Parameters: the inner cell's, `depth` H(H + 1), and H² for the shortcut.

    Weights: `transition_kernel_k` U_k `[H, H]` and `transition_bias_k` `[H]`; `shortcut_kernel` U_s `[H, H]`.

    Args:
        cell: a cell of this package.
        depth: how many layers are added.
        activation: φ, a Keras activation.
        shortcut: whether h_{t-1} also goes straight to the last layer.
        kernel_initializer: of all added kernels.

    Raises:
        ValueError: `depth` is not a positive integer.

    >>> import numpy as np
    >>> from rnnscope import RNN, DeepTransitionCell, SimpleRNNCell
    >>> RNN(DeepTransitionCell(SimpleRNNCell(4), depth=2, shortcut=True))(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        cell: Step,
        depth: int = 1,
        activation: Activation = "tanh",
        shortcut: bool = False,
        kernel_initializer: Initializer = "orthogonal",
        **kwargs: Unpack[LayerArguments],
    ):
        check_size("depth", depth)
        super().__init__(cell, **kwargs)
        self.depth = int(depth)
        self.activation = checks.resolved("activation", activation, keras.activations.get, "a Keras activation")
        self.shortcut = checks.boolean("shortcut", shortcut)
        self.kernel_initializer = checks.resolved(
            "kernel_initializer", kernel_initializer, keras.initializers.get, "a Keras initializer"
        )

    def build(self, input_shape: Shape) -> None:
        """Builds the inner cell and creates the added layers' weights."""
        H = self.output_size
        self.transitions = [
            (
                self.add_weight((H, H), self.kernel_initializer, name=f"transition_kernel_{k}"),
                self.add_weight((H,), "zeros", name=f"transition_bias_{k}"),
            )
            for k in range(1, self.depth + 1)
        ]
        self.shortcut_kernel = None
        if self.shortcut:
            self.shortcut_kernel = self.add_weight((H, H), self.kernel_initializer, name="shortcut_kernel")
        super().build(input_shape)

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected and states as the inner cell's → h, the new states."""
        with unobserved("h"):
            s, new_states = self.cell.advance(projected, states, masks)
        for k, (U, b) in enumerate(self.transitions, start=1):
            a = ops.matmul(s, U) + b
            if self.shortcut and k == self.depth:
                a = a + ops.matmul(dropped(states[0], masks.state), self.shortcut_kernel)
            s = self.activation(a)
        h = self.observe("h", s)
        return h, [h, *new_states[1:]]

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        return {
            **super().get_config(),
            "depth": self.depth,
            "activation": keras.activations.serialize(self.activation),
            "shortcut": self.shortcut,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable(package="rnnscope")
class DeepOutputCell(CellWrapper):
    r"""Deep output (Pascanu et al. 2014): layers between h_t and what the step puts out; the state stays h_t.

        y_0 = h_t
        y_k = φ(y_{k-1} V_k + b_k)        k = 1 … K
        output = y_K

    Around a `DeepTransitionCell` it makes the paper's DOT-RNN. The output does not come back into the recurrence, so
    our `RNN` computes it for all steps at once; the inner cell keeps its own, if need be hand-derived, time loop.

    Parameters: the inner cell's, and a dense layer's for every y_k.

    Args:
        cell: a cell of this package.
        units: size of each y_k, a number or a list; the last is the size of the output.
        activation: φ, a Keras activation.

    Raises:
        ValueError: `units` is no positive integer or list of such.

    >>> import numpy as np
    >>> from rnnscope import RNN, DeepOutputCell, DeepTransitionCell, SimpleRNNCell
    >>> dot = DeepOutputCell(DeepTransitionCell(SimpleRNNCell(4)), units=[8, 5])
    >>> RNN(dot, return_sequences=True)(np.ones((2, 7, 3), "float32")).shape
    TensorShape([2, 7, 5])
    """

    def __init__(
        self,
        cell: Step,
        units: int | list[int],
        activation: Activation = "relu",
        **kwargs: Unpack[LayerArguments],
    ):
        sizes = list(units) if isinstance(units, list | tuple) else [units]
        if not sizes:
            raise ValueError("units: expected a positive integer or a list of at least one, got an empty list")
        for size in sizes:
            check_size("units", size)
        super().__init__(cell, **kwargs)
        self.units: list[int] = [int(size) for size in sizes]
        self.activation = checks.resolved("activation", activation, keras.activations.get, "a Keras activation")
        self.output_layers = [
            keras.layers.Dense(size, self.activation, dtype=self.dtype_policy, name=f"output_{k}")
            for k, size in enumerate(self.units, start=1)
        ]

    @property
    def output_size(self) -> int:
        """Size of the last layer."""
        return self.units[-1]

    def build(self, input_shape: Shape) -> None:
        """Builds the inner cell and the output layers."""
        sizes = [self.cell.output_size, *self.units]
        for size, layer in zip(sizes, self.output_layers, strict=False):
            layer.build((None, size))
        super().build(input_shape)

    def read_out(self, h: Tensor) -> Tensor:
        """The output from h, of one step or of many: `[..., H]` → `[..., units]`."""
        for layer in self.output_layers:
            h = layer(h)
        return h

    def advance(
        self, projected: Tensor, states: list[Tensor], masks: Masks = NOTHING_DROPPED
    ) -> tuple[Tensor, list[Tensor]]:
        """projected and states as the inner cell's → the output, the new states."""
        h, new_states = self.cell.advance(projected, states, masks)
        return self.read_out(h), new_states

    def get_config(self) -> Config:
        """The constructor's arguments, serialised."""
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "units": self.units, "activation": activation}
