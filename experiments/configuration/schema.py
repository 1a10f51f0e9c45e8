"""Types and limits of all options. Their values are in `conf/`.

The options of datasets are defined in `experiments/data/options.py`. This module does not import TensorFlow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from ..common.options import option
from ..data.options import DATASETS, Dataset

ACTIVATIONS = (
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh", "tanh_shrink",
)  # fmt: skip
INITIALIZERS = (
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones",
    "orthogonal", "random_normal", "random_uniform", "truncated_normal", "zeros",
)  # fmt: skip
SCALED_INITIALIZERS = ("identity", "orthogonal")
"""Initializers of square matrices that have a gain."""


# ----------------------------------------------------------------------- cells


@dataclass
class Cell:
    """Options of every cell."""

    _target_: str = option(not_for=("hparams", "summary"))
    name: str = MISSING
    units: int = option(at_least=1)
    kernel_initializer: str = option(choices=INITIALIZERS)
    """Initializer of the kernel."""
    layer_normalization: bool = MISSING
    dropout: float = option(at_least=0, at_most=1)


@dataclass
class Recurrent(Cell):
    """Options of a cell with a recurrent kernel, such as `rnnscope.SimpleRNNCell`."""

    activation: str = option(choices=ACTIVATIONS)
    recurrent_initializer: str = option(choices=INITIALIZERS)
    """Initializer of the recurrent kernel."""
    recurrent_gain: float = MISSING
    recurrent_dropout: float = option(at_least=0, at_most=1)


@dataclass
class IndRNN(Cell):
    """Options of `rnnscope.IndRNNCell`, whose recurrent kernel is a vector."""

    activation: str = option(choices=ACTIVATIONS)
    recurrent_initializer: str | None = option(
        choices=tuple(name for name in INITIALIZERS if name not in SCALED_INITIALIZERS)
    )
    recurrent_dropout: float = option(at_least=0, at_most=1)
    max_steps: int | None = option(at_least=1)


@dataclass
class Gated(Recurrent):
    """Options of a cell with gates, such as `rnnscope.MGUCell` or `rnnscope.MUT1Cell`."""

    recurrent_activation: str = option(choices=ACTIVATIONS)
    candidate_dropout: float = option(at_least=0, at_most=1)


@dataclass
class GRU(Gated):
    """Options of `rnnscope.GRUCell`."""

    reset_after: bool = MISSING
    update_gate: str = option(choices=("keep", "write"))


@dataclass
class LSTM(Gated):
    """Options of `rnnscope.LSTMCell`."""

    unit_forget_bias: float = MISSING
    projection_units: int | None = option(at_least=1)


@dataclass
class PeepholeLSTM(LSTM):
    """Options of `rnnscope.PeepholeLSTMCell`."""

    input_gate: bool = MISSING
    forget_gate: bool = MISSING
    output_gate: bool = MISSING
    input_activation: bool = MISSING
    output_activation: bool = MISSING
    coupled_gates: bool = MISSING
    peepholes: bool = MISSING
    full_gate_recurrence: bool = MISSING


# ------------------------------------------------------------- everything else


@dataclass
class Architecture:
    """Options for the arrangement of the recurrent layers."""

    depth: int = option(at_least=1)
    embedding_units: int = option(at_least=1)
    bidirectional: bool = MISSING
    merge_mode: str = option(choices=("concat", "sum", "mul", "ave"))
    skip: str | None = option(choices=("residual", "input", "dense"))
    dropout: float = option(at_least=0, at_most=1)
    zoneout: float = option(at_least=0, at_most=1)
    cell_zoneout: float = option(at_least=0, at_most=1)
    transition_depth: int = option(at_least=0)
    transition_shortcut: bool = MISSING
    output_units: list[int] = MISSING


@dataclass
class Optimizer:
    """Options of every Keras optimizer."""

    _target_: str = option(not_for=("hparams", "summary"))
    name: str = MISSING
    learning_rate: float = option(above=0)
    """Step size of the weight updates."""
    global_clipnorm: float | None = option(above=0)
    clipnorm: float | None = option(above=0)
    clipvalue: float | None = option(above=0)


@dataclass
class SGD(Optimizer):
    """Options of `keras.optimizers.SGD`."""

    momentum: float = option(at_least=0, at_most=1)


@dataclass
class Trainer:
    """Options for the duration, batch size, precision and speed of training."""

    epochs: int = option(at_least=1)
    batch_size: int = option(at_least=1)
    patience: int | None = option(at_least=1)
    precision: str = option(choices=("float32", "float64", "mixed_bfloat16", "mixed_float16"))
    jit_compile: str = option(choices=("auto", "True", "False"))
    steps_per_execution: int = option(at_least=1)
    profile: bool = MISSING
    threads: int = option(at_least=1)
    time_limit: float | None = option(above=0, not_for=("identity", "hparams", "summary"))


@dataclass
class Telemetry:
    """Options for the measurements during training."""

    every: int = option(at_least=0)
    signals: list[str] = MISSING
    inspect_every: int = option(at_least=0)
    inspect_examples: int = option(at_least=1)


@dataclass
class Sweep:
    """Options of a sweep."""

    seeds: int = option(at_least=1)
    retry_failed: bool = MISSING
    objective: str = option(choices=("loss", "accuracy", "exact_match", "mae"))


@dataclass
class Config:
    """The configuration of one run."""

    cell: Cell = MISSING
    architecture: Architecture = MISSING
    dataset: Dataset = MISSING
    optimizer: Optimizer = MISSING
    trainer: Trainer = MISSING
    telemetry: Telemetry = option(not_for=("hparams",))
    sweep: Sweep = option(not_for=("identity", "hparams", "summary", "continuation"))
    continued_from: str | None = option(None, not_for=("hparams", "summary", "continuation"))
    seed: int = option(at_least=0, at_most=2**32 - 1, not_for=("hparams", "summary"))
    name: str = option(not_for=("identity", "hparams", "summary"))
    runs_dir: str = option(not_for=("identity", "hparams", "summary"))
    rerun: bool = option(not_for=("identity", "hparams", "summary", "continuation"))


SCHEMAS: Mapping[str, Mapping[str, type]] = {
    "cell": {
        "rnn": Recurrent,
        "lstm": LSTM,
        "gru": GRU,
        "peephole_lstm": PeepholeLSTM,
        "gated": Gated,
        "indrnn": IndRNN,
        "linear": Cell,
    },
    "dataset": DATASETS,
    "optimizer": {"adam": Optimizer, "rmsprop": Optimizer, "sgd": SGD},
}
"""For each group whose choices differ in their options, the types by name."""


def register() -> None:
    """Register the types with Hydra: `Config` as `schema`, all others in the groups `<group>/schema`."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for group, choices in SCHEMAS.items():
        for name, schema in choices.items():
            store.store(group=f"{group}/schema", name=name, node=schema)
