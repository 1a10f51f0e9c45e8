"""The configuration's types and limits. Values stand in `conf/`; nothing here imports TensorFlow.

Of datasets they stand in `experiments/data/options.py`.
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
"""Those that start a square matrix, and take a gain."""


# ----------------------------------------------------------------------- cells


@dataclass
class Cell:
    """What every cell has."""

    _target_: str = option(not_for=("hparams", "summary"))
    name: str = MISSING
    units: int = option(at_least=1)
    kernel_initializer: str = option(choices=INITIALIZERS)
    """How the weights of the inputs start."""
    layer_normalization: bool = MISSING
    dropout: float = option(at_least=0, at_most=1)


@dataclass
class Recurrent(Cell):
    """A cell with a recurrent kernel: `rnnscope.SimpleRNNCell`."""

    activation: str = option(choices=ACTIVATIONS)
    recurrent_initializer: str = option(choices=INITIALIZERS)
    """How the weights of h_(t-1) start."""
    recurrent_gain: float = MISSING
    recurrent_dropout: float = option(at_least=0, at_most=1)


@dataclass
class IndRNN(Cell):
    """`rnnscope.IndRNNCell`; without a choice its recurrent kernel, a vector, starts from U(−1, 1)."""

    activation: str = option(choices=ACTIVATIONS)
    recurrent_initializer: str | None = option(
        choices=tuple(name for name in INITIALIZERS if name not in SCALED_INITIALIZERS)
    )
    recurrent_dropout: float = option(at_least=0, at_most=1)
    max_steps: int | None = option(at_least=1)


@dataclass
class Gated(Recurrent):
    """A cell with gates: `rnnscope.MGUCell`, `rnnscope.MUT1Cell`, …"""

    recurrent_activation: str = option(choices=ACTIVATIONS)
    candidate_dropout: float = option(at_least=0, at_most=1)


@dataclass
class GRU(Gated):
    """`rnnscope.GRUCell`."""

    reset_after: bool = MISSING
    update_gate: str = option(choices=("keep", "write"))


@dataclass
class LSTM(Gated):
    """`rnnscope.LSTMCell`."""

    unit_forget_bias: float = MISSING
    projection_units: int | None = option(at_least=1)


@dataclass
class PeepholeLSTM(LSTM):
    """`rnnscope.PeepholeLSTMCell`."""

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
    """A Keras optimiser."""

    _target_: str = option(not_for=("hparams", "summary"))
    name: str = MISSING
    learning_rate: float = option(above=0)
    """How far a step goes."""
    global_clipnorm: float | None = option(above=0)
    clipnorm: float | None = option(above=0)
    clipvalue: float | None = option(above=0)


@dataclass
class SGD(Optimizer):
    """`keras.optimizers.SGD`."""

    momentum: float = option(at_least=0, at_most=1)


@dataclass
class Trainer:
    """How long, and in what portions."""

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
    """What is measured while training."""

    every: int = option(at_least=0)
    signals: list[str] = MISSING
    inspect_every: int = option(at_least=0)
    inspect_examples: int = option(at_least=1)


@dataclass
class Sweep:
    """What concerns many runs."""

    seeds: int = option(at_least=1)
    retry_failed: bool = MISSING
    objective: str = option(choices=("loss", "accuracy", "exact_match", "mae"))


@dataclass
class Config:
    """One run."""

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
"""The type behind each choice of the groups whose choices differ in their fields."""


def register() -> None:
    """Makes the types known to Hydra: `Config` as `schema`, the others as `<group>/schema`."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for group, choices in SCHEMAS.items():
        for name, schema in choices.items():
            store.store(group=f"{group}/schema", name=name, node=schema)
