"""A model of every kind of layer. As a script: saves it, with an input and its output, into the folder named."""

import sys
from pathlib import Path

import keras
import numpy as np

from rnnscope import (
    LSTM,
    RNN,
    Bidirectional,
    GRUCell,
    MinLSTMCell,
    PeepholeLSTMCell,
    SimpleRNN,
    Stacked,
    StackedRNNCells,
)
from tests.layers.helpers import B, I, T, mask_of, randomise, values


def model(dropout=0.0):
    """From sequences `[B, T, I]`, where steps of zeros are masked, to `[B, 2]`."""
    return keras.Sequential(
        [
            keras.Input((T, I)),
            keras.layers.Masking(),
            Bidirectional(LSTM(4, return_sequences=True, dropout=dropout, recurrent_dropout=dropout, seed=1)),
            Stacked([SimpleRNN(5, return_sequences=True), RNN(MinLSTMCell(6), return_sequences=True)]),
            RNN(StackedRNNCells([GRUCell(5, reset_after=False), PeepholeLSTMCell(4)])),
            keras.layers.Dense(2),
        ]
    )


def masked_sequences():
    """Inputs `[B, T, I]` with steps of zeros here and there."""
    return values(B, T, I) * mask_of("random")[:, :, None]


def save(folder):
    """Writes `model.keras`, and `x.npy` and `y.npy` with what it makes of an input."""
    saved, x = randomise(model()), masked_sequences()
    saved.save(folder / "model.keras")
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", saved.predict(x, verbose=0))


if __name__ == "__main__":
    save(Path(sys.argv[1]))
