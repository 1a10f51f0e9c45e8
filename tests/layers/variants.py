"""Cells with options, and cells around cells, of which each test of what may be done with a cell takes its choice."""

from rnnscope import (
    DeepOutputCell,
    DeepTransitionCell,
    GRUCell,
    LSTMCell,
    MGUCell,
    MinGRUCell,
    PeepholeLSTMCell,
    ZoneoutCell,
)
from tests.layers.helpers import H

DROPPED = {"dropout": 0.2, "recurrent_dropout": 0.3, "candidate_dropout": 0.3, "seed": 3}


def everything(**options):
    cell = PeepholeLSTMCell(H, layer_normalization=True, projection_units=4, **DROPPED, **options)
    cell = ZoneoutCell(DeepTransitionCell(cell, depth=2, shortcut=True), rate=0.3, cell_rate=0.2, seed=4)
    return DeepOutputCell(cell, units=[6, 4], activation="tanh")


def nested(**options):
    cell = ZoneoutCell(GRUCell(H, layer_normalization=True, reset_after=False, **options), rate=0.3, seed=1)
    return DeepTransitionCell(ZoneoutCell(DeepTransitionCell(cell), rate=0.2, seed=2), shortcut=True)


VARIANTS = {
    "layer_normalised_lstm": lambda **o: LSTMCell(H, layer_normalization=True, **o),
    "layer_normalised_gru": lambda **o: GRUCell(H, layer_normalization=True, **o),
    "candidate_dropout": lambda **o: GRUCell(H, candidate_dropout=0.4, seed=1, **o),
    "projection": lambda **o: LSTMCell(H, projection_units=4, **o),
    "zoneout": lambda **o: ZoneoutCell(LSTMCell(H, **o), rate=0.3, cell_rate=0.4, seed=2),
    "deep_transition": lambda **o: DeepTransitionCell(
        MGUCell(H, **o), depth=2, activation="softplus", shortcut=True, kernel_initializer="glorot_uniform"
    ),
    "deep_transition_of_lstm": lambda **o: DeepTransitionCell(LSTMCell(H, **o)),
    "deep_output": lambda **o: DeepOutputCell(LSTMCell(H, **o), units=[6, 4], activation="tanh"),
    "linear": lambda **o: DeepOutputCell(MinGRUCell(H, layer_normalization=True, **o), units=4, activation="tanh"),
    "everything": everything,
    "nested": nested,
}
