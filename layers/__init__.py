"""Recurrent layers for Keras, written as their equations, that show their gradient at every timestep.

Drop-in replacements for `keras.layers`: same arguments, same weights, same results.

>>> import keras
>>> from layers import LSTM
>>> model = keras.Sequential([keras.Input((64, 1)), LSTM(32), keras.layers.Dense(10)])
>>> model.output_shape
(None, 10)
"""

from .bidirectional import Bidirectional
from .cells import (
    Cell,
    GatedCell,
    GRUCell,
    IndRNNCell,
    LinearCell,
    LSTMCell,
    MGUCell,
    MinGRUCell,
    MinLSTMCell,
    MUT1Cell,
    MUT2Cell,
    MUT3Cell,
    PeepholeLSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
)
from .probes import GradientTaps, Signal
from .recurrent import GRU, LSTM, RNN, SimpleRNN
from .scan import set_compile
from .stacked import Stacked

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "Cell",
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
    "MinGRUCell",
    "MinLSTMCell",
    "PeepholeLSTMCell",
    "Signal",
    "SimpleRNN",
    "SimpleRNNCell",
    "Stacked",
    "StackedRNNCells",
    "set_compile",
]
