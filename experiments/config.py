"""The configuration's types and limits. Values stand in `conf/`; nothing here imports TensorFlow.

Of datasets they stand in `experiments/data/options.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from .data.options import DATASETS, Dataset
from .limits import limited

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
"""Those that start a square matrix, and take a gain."""


# ----------------------------------------------------------------------- cells


@dataclass
class Cell:
    """What every cell has."""

    _target_: str = MISSING
    name: str = MISSING
    units: int = limited(at_least=1)
    kernel_initializer: str = limited(choices=INITIALIZERS)
    """How the weights of the inputs start."""
    layer_normalization: bool = MISSING
    dropout: float = limited(at_least=0, at_most=1)


@dataclass
class Recurrent(Cell):
    """A cell with a recurrent kernel: `layers.SimpleRNNCell`."""

    activation: str = limited(choices=ACTIVATIONS)
    recurrent_initializer: str = limited(choices=INITIALIZERS)
    """How the weights of h_(t-1) start."""
    recurrent_gain: float = MISSING
    recurrent_dropout: float = limited(at_least=0, at_most=1)


@dataclass
class IndRNN(Cell):
    """`layers.IndRNNCell`; without a choice its recurrent kernel, a vector, starts from U(−1, 1)."""

    activation: str = limited(choices=ACTIVATIONS)
    recurrent_initializer: str | None = limited(
        choices=tuple(name for name in INITIALIZERS if name not in SCALED_INITIALIZERS)
    )
    recurrent_dropout: float = limited(at_least=0, at_most=1)
    max_steps: int | None = limited(at_least=1)


@dataclass
class Gated(Recurrent):
    """A cell with gates: `layers.MGUCell`, `layers.MUT1Cell`, …"""

    recurrent_activation: str = limited(choices=ACTIVATIONS)
    candidate_dropout: float = limited(at_least=0, at_most=1)


@dataclass
class GRU(Gated):
    """`layers.GRUCell`."""

    reset_after: bool = MISSING
    update_gate: str = limited(choices=("keep", "write"))


@dataclass
class LSTM(Gated):
    """`layers.LSTMCell`."""

    unit_forget_bias: float = MISSING
    projection_units: int | None = limited(at_least=1)


@dataclass
class PeepholeLSTM(LSTM):
    """`layers.PeepholeLSTMCell`."""

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
    """How layers are arranged."""

    depth: int = limited(at_least=1)
    embedding_units: int = limited(at_least=1)
    bidirectional: bool = MISSING
    merge_mode: str = limited(choices=("concat", "sum", "mul", "ave"))
    skip: str | None = limited(choices=("residual", "input", "dense"))
    dropout: float = limited(at_least=0, at_most=1)
    zoneout: float = limited(at_least=0, at_most=1)
    cell_zoneout: float = limited(at_least=0, at_most=1)
    transition_depth: int = limited(at_least=0)
    transition_shortcut: bool = MISSING
    output_units: list[int] = MISSING


@dataclass
class Optimizer:
    """A Keras optimiser."""

    _target_: str = MISSING
    name: str = MISSING
    learning_rate: float = limited(above=0)
    """How far a step goes."""
    global_clipnorm: float | None = limited(above=0)
    clipnorm: float | None = limited(above=0)
    clipvalue: float | None = limited(above=0)


@dataclass
class SGD(Optimizer):
    """`keras.optimizers.SGD`."""

    momentum: float = limited(at_least=0, at_most=1)


@dataclass
class Trainer:
    """How long, and in what portions."""

    epochs: int = limited(at_least=1)
    batch_size: int = limited(at_least=1)
    patience: int | None = limited(at_least=1)
    precision: str = limited(choices=("float32", "float64", "mixed_bfloat16", "mixed_float16"))
    jit_compile: str = limited(choices=("auto", "True", "False"))
    steps_per_execution: int = limited(at_least=1)
    profile: bool = MISSING
    threads: int = limited(at_least=1)
    time_limit: float | None = limited(above=0)


@dataclass
class Telemetry:
    """What is measured while training."""

    every: int = limited(at_least=0)
    signals: list[str] = MISSING
    inspect_every: int = limited(at_least=0)
    inspect_examples: int = limited(at_least=1)


@dataclass
class Sweep:
    """What concerns many runs."""

    seeds: int = limited(at_least=1)
    retry_failed: bool = MISSING
    objective: str = limited(choices=("loss", "accuracy", "exact_match", "mae"))


@dataclass
class Config:
    """One run."""

    cell: Cell = MISSING
    architecture: Architecture = MISSING
    dataset: Dataset = MISSING
    optimizer: Optimizer = MISSING
    trainer: Trainer = MISSING
    telemetry: Telemetry = MISSING
    sweep: Sweep = MISSING
    continued_from: str | None = None
    seed: int = limited(at_least=0, at_most=2**32 - 1)
    name: str = MISSING
    rerun: bool = MISSING


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
"""The type behind each choice of the groups whose choices differ in their fields."""


def register() -> None:
    """Makes the types known to Hydra: `Config` as `schema`, the others as `<group>/schema`."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for group, choices in SCHEMAS.items():
        for name, schema in choices.items():
            store.store(group=f"{group}/schema", name=name, node=schema)
