"""All public names of the package; `rnnscope` hands them on."""

from .backend import set_compile
from .bidirectional import Bidirectional
from .bptt.linear import set_parallel_scan
from .bptt.parts import set_batch_parts
from .cells import (
    NOTHING_DROPPED,
    Cell,
    CellWrapper,
    DeepOutputCell,
    DeepTransitionCell,
    GatedCell,
    GRUCell,
    IndRNNCell,
    LinearCell,
    LSTMCell,
    Masks,
    MGUCell,
    MinGRUCell,
    MinLSTMCell,
    MUT1Cell,
    MUT2Cell,
    MUT3Cell,
    PeepholeLSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    Step,
    ZoneoutCell,
    dropped,
)
from .encoder_decoder import EncoderDecoder
from .initializers import ScaledIdentity
from .probes import GradientTaps, Signal
from .recurrent import GRU, LSTM, RNN, SimpleRNN
from .segments import set_recomputed_segments
from .stacked import Stacked

__all__ = [
    "GRU",
    "LSTM",
    "NOTHING_DROPPED",
    "RNN",
    "Bidirectional",
    "Cell",
    "CellWrapper",
    "DeepOutputCell",
    "DeepTransitionCell",
    "EncoderDecoder",
    "GRUCell",
    "GatedCell",
    "GradientTaps",
    "IndRNNCell",
    "LSTMCell",
    "LinearCell",
    "MGUCell",
    "MUT1Cell",
    "MUT2Cell",
    "MUT3Cell",
    "Masks",
    "MinGRUCell",
    "MinLSTMCell",
    "PeepholeLSTMCell",
    "ScaledIdentity",
    "Signal",
    "SimpleRNN",
    "SimpleRNNCell",
    "Stacked",
    "StackedRNNCells",
    "Step",
    "ZoneoutCell",
    "dropped",
    "set_batch_parts",
    "set_compile",
    "set_parallel_scan",
    "set_recomputed_segments",
]
