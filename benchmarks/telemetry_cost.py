"""Measure the cost of telemetry: a training step with gradient norms, without them, and with keras.layers.

    python benchmarks/telemetry_cost.py [--batch 32 --steps 200 --inputs 8 --units 64 --cell lstm --rounds 40]

All candidates train the same network on the same data in one process, in turn, round by round. The table shows the
minimum and the median of each candidate, and ratios of medians, which are reliable even if the speed of the machine
drifts.
"""

import argparse
import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from rich.console import Console
from rich.table import Table
from timing import minimum_and_median, rounds

import rnnscope
from rnnscope.experiments.training.measured_model import MeasuredModel, Measurements

OURS = {"rnn": rnnscope.SimpleRNN, "lstm": rnnscope.LSTM, "gru": rnnscope.GRU}
KERAS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def main() -> None:
    """Measure all candidates and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("batch", 32), ("steps", 200), ("inputs", 8), ("units", 64), ("rounds", 40)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--cell", choices=OURS, default="lstm")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    inputs = random.normal(size=(options.batch, options.steps, options.inputs)).astype("float32")
    targets = random.normal(size=(options.batch, 1)).astype("float32")

    without = _model(MeasuredModel, OURS[options.cell], options)
    candidates = {
        "no norms": without,
        "h and c, every step": _measured(("h", "c"), options),
        "h, c and kernel, every step": _measured(("h", "c", "kernel"), options),
        "keras.layers": _model(keras.Model, KERAS[options.cell], options),
    }
    steps = {name: lambda model=model: model.train_on_batch(inputs, targets) for name, model in candidates.items()}
    for name, model in candidates.items():
        model.set_weights(without.get_weights())
        steps[name]()
    with Console(stderr=True).status(f"{options.cell}, {options.rounds} rounds"):
        seconds = rounds(steps, options.rounds)
    _print(seconds, reference="no norms")


def _measured(names: tuple[str, ...], options: argparse.Namespace) -> MeasuredModel:
    model = _model(MeasuredModel, OURS[options.cell], options)
    model.measurements = Measurements(names)
    return model


def _model(kind: type, layer: type, options: argparse.Namespace) -> Any:
    sequence = keras.Input((options.steps, options.inputs))
    model = kind(sequence, keras.layers.Dense(1)(layer(options.units)(sequence)))
    model.compile(keras.optimizers.SGD(1e-3), loss="mse")
    return model


def _print(seconds: dict[str, list[float]], reference: str) -> None:
    table = Table("training step", "minimum ms", "median ms", f"median / '{reference}'")
    for name, measured in seconds.items():
        minimum, median = minimum_and_median(measured)
        ratio = median / minimum_and_median(seconds[reference])[1]
        table.add_row(name, f"{minimum:.2f}", f"{median:.2f}", f"{ratio:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
