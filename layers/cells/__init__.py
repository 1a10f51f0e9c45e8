"""Cells: one step each, one family per file."""

from .base import Cell
from .gru import GRUCell
from .lstm import LSTMCell
from .simple_rnn import SimpleRNNCell
from .stacked import StackedRNNCells

__all__ = ["Cell", "GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"]
