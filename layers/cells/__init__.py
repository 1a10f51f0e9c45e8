"""Cells: one step each, one family per file."""

from .base import Cell, GatedCell
from .gru import GRUCell
from .indrnn import IndRNNCell
from .lstm import LSTMCell
from .mgu import MGUCell
from .minimal import LinearCell, MinGRUCell, MinLSTMCell
from .mut import MUT1Cell, MUT2Cell, MUT3Cell
from .peephole_lstm import PeepholeLSTMCell
from .simple_rnn import SimpleRNNCell
from .stacked import StackedRNNCells

__all__ = [
    "Cell",
    "GRUCell",
    "GatedCell",
    "IndRNNCell",
    "LSTMCell",
    "LinearCell",
    "MGUCell",
    "MUT1Cell",
    "MUT2Cell",
    "MUT3Cell",
    "MinGRUCell",
    "MinLSTMCell",
    "PeepholeLSTMCell",
    "SimpleRNNCell",
    "StackedRNNCells",
]
