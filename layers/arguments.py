"""Types of the arguments and results of layers, cells and functions."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypedDict

Tensor: TypeAlias = Any
"""A tensor of the backend, an array or a `KerasTensor`: Keras declares no type that they share."""

Shape: TypeAlias = tuple[int | None, ...]
"""A static shape, with `None` for a size that is not known yet."""

Config: TypeAlias = dict[str, Any]
"""The serialized arguments of a constructor, as `get_config` returns them."""

Activation: TypeAlias = str | Config | Callable[..., Any] | None
"""A function of a tensor, its name in Keras, or its configuration; `None` is the identity."""

Initializer: TypeAlias = str | Config | Callable[..., Any] | None
"""A `keras.initializers.Initializer` or a function `(shape, dtype) -> tensor`, its name, or its configuration."""

Regularizer: TypeAlias = str | Config | Callable[..., Any] | None
"""A `keras.regularizers.Regularizer` or a function `tensor -> scalar`, its name, or its configuration."""

Constraint: TypeAlias = str | Config | Callable[..., Any] | None
"""A `keras.constraints.Constraint` or a function `tensor -> tensor`, its name, or its configuration."""

DType: TypeAlias = Any
"""A name such as `"float32"`, a `keras.DTypePolicy`, its configuration, or a dtype of NumPy or of the backend."""

UseCudnn: TypeAlias = bool | Literal["auto"]
UpdateGate: TypeAlias = Literal["keep", "write"]
MergeMode: TypeAlias = Literal["concat", "sum", "mul", "ave"] | None
Skip: TypeAlias = Literal["residual", "input", "dense"] | None


class LayerArguments(TypedDict, total=False):
    """Keyword arguments of every layer of Keras."""

    activity_regularizer: Regularizer
    trainable: bool
    dtype: DType
    autocast: bool
    name: str | None
    input_shape: Shape | None
    input_dim: int | None


class WeightArguments(LayerArguments, total=False):
    """Keyword arguments of every `Cell`, from the regularizers on."""

    kernel_regularizer: Regularizer
    recurrent_regularizer: Regularizer
    bias_regularizer: Regularizer
    kernel_constraint: Constraint
    recurrent_constraint: Constraint
    bias_constraint: Constraint
    dropout: float
    recurrent_dropout: float
    seed: int | None
    layer_normalization: bool
    implementation: int


class CellArguments(WeightArguments, total=False):
    """Keyword arguments of every `Cell`, apart from `units` and `activation`."""

    use_bias: bool
    kernel_initializer: Initializer
    recurrent_initializer: Initializer
    bias_initializer: Initializer


class GatedCellArguments(CellArguments, total=False):
    """Keyword arguments of every `GatedCell`, apart from `units` and the two activations."""

    candidate_dropout: float
