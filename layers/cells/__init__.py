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
from .step import NOTHING_DROPPED, Masks, Step, dropped
from .wrappers import CellWrapper, DeepOutputCell, DeepTransitionCell, ZoneoutCell

__all__ = [
    "NOTHING_DROPPED",
    "Cell",
    "CellWrapper",
    "DeepOutputCell",
    "DeepTransitionCell",
    "GRUCell",
    "GatedCell",
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
    "SimpleRNNCell",
    "StackedRNNCells",
    "Step",
    "ZoneoutCell",
    "dropped",
]
