"""Measure the time and memory of a training step by sequence length, for layers of rnnscope and of Keras.

    python benchmarks/long_sequences.py [--lengths 200 1000 5000 20000] [--batch 4 --inputs 16 --units 64] [--rounds 5]
        [--layers "LSTM" "Keras LSTM" …] [--json FILE]

Each measurement runs in a separate process. The memory is the peak during the training steps after the first one, which
compiles, minus the memory of the process after the libraries are imported and the data are created. It includes the
compiler and the compiled program, which need the same memory at all lengths.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.append(str(Path(__file__).parents[1]))

SEGMENTED = {f"LSTM, {count} segments": count for count in (4, 16, 64)}
"""Number of segments of the layers with gradient checkpointing, by name of the layer."""
LAYERS = (
    "SimpleRNN",
    "LSTM",
    "GRU",
    "Keras LSTM",
    "Keras GRU",
    "minGRU",
    "minLSTM",
    "minGRU, scan",
    "minLSTM, scan",
    *SEGMENTED,
)


def main() -> None:
    """Measure all layers and lengths and print a table, or, with `--one`, print a single measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", nargs="+", type=int, default=[200, 500, 1000, 2000, 5000, 10000, 20000])
    parser.add_argument("--layers", nargs="+", choices=LAYERS, default=LAYERS)
    for name, default in (("batch", 4), ("inputs", 16), ("units", 64), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.layers[0], given.lengths[0], given)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("layer", *(f"T = {length:,}" for length in given.lengths), title="µs a timestep, peak MB")
    found: dict[str, dict[int, list[float]]] = {}
    for layer in given.layers:
        found[layer] = {}
        for length in given.lengths:
            sizes = [f"--{name}={getattr(given, name)}" for name in ("batch", "inputs", "units", "rounds")]
            command = [sys.executable, __file__, "--one", "--lengths", str(length), *sizes, "--layers", layer]
            ended = subprocess.run(command, capture_output=True, text=True, check=True)
            found[layer][length] = json.loads(ended.stdout)
            print(layer, length, found[layer][length], file=sys.stderr)
        cells = [
            f"{seconds / length * 1e6:.1f}, {megabytes:.0f}" for length, (seconds, megabytes) in found[layer].items()
        ]
        table.add_row(layer, *cells)
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=1))
    Console(width=160).print(table)


def measure(layer: str, length: int, given: argparse.Namespace) -> list[float]:
    """Measure one layer: seconds of the fastest training step, and megabytes."""
    import numpy as np
    import tensorflow as tf

    random = np.random.default_rng(0)
    sequences = tf.constant(random.normal(size=(given.batch, length, given.inputs)).astype("float32"))
    before = _memory("VmRSS")
    step = _step(_make(layer, given.units), sequences)
    step()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    taken = []
    for _ in range(given.rounds):
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    return [min(taken), _memory("VmHWM") - before]


def _step(layer: Any, sequences: Any) -> Callable[[], object]:
    """Return a function that executes a training step."""
    import tensorflow as tf

    layer.build(sequences.shape)

    @tf.function
    def step(sequences: Any) -> list:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(sequences, training=True)))
        return tape.gradient(loss, [variable.value for variable in layer.trainable_variables])

    return lambda: [gradient.numpy() for gradient in step(sequences)]


def _memory(name: str) -> float:
    """Return a memory entry of this process, such as `VmRSS`, in megabytes."""
    return int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def _make(name: str, units: int) -> Any:
    """Build a layer by its name in `LAYERS`."""
    import keras

    import rnnscope

    if name.startswith("Keras "):
        return getattr(keras.layers, name.removeprefix("Keras "))(units, return_sequences=True)
    if name in SEGMENTED:
        rnnscope.set_recomputed_segments(SEGMENTED[name])
        return rnnscope.LSTM(units, return_sequences=True)
    if name.startswith("min"):
        rnnscope.set_parallel_scan(name.endswith("scan") or None)
        cell = rnnscope.MinGRUCell if "GRU" in name else rnnscope.MinLSTMCell
        return rnnscope.RNN(cell(units), return_sequences=True)
    return getattr(rnnscope, name)(units, return_sequences=True)


if __name__ == "__main__":
    main()
