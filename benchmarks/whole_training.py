"""Measure the speed of complete training runs, including Python code, data loading and logging.

    python benchmarks/whole_training.py [--cell lstm --units 64 --epochs 10 --threads 1 --rounds 3] [--candidates …]

The task is to classify images of digits that are read pixel by pixel. The candidates are `fit` with `keras.layers` and
with layers of rnnscope, each without and with the TensorBoard callback, and `train.py` with and without telemetry.
Each training run is a separate command. The commands are executed in turn, round by round.

The table shows training steps per second and seconds per command. The steps per second exclude validation and the
first epoch (in `train.py`, the first call of the compiled function). The seconds are those of the whole command.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.append(str(Path(__file__).parents[1]))

TRAIN = Path(__file__).parents[1] / "train.py"
FIT = {
    "keras.layers, fit": ("keras", False),
    "keras.layers, fit, TensorBoard": ("keras", True),
    "rnnscope, fit": ("layers", False),
    "rnnscope, fit, TensorBoard": ("layers", True),
}
TRAIN_PY = {"train.py": [], "train.py, telemetry.every=0": ["telemetry.every=0"]}
CELLS = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}


def main() -> None:
    """Measure all candidates and print a table, or, with `--one`, train once and print the speed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", choices=CELLS, default="lstm")
    for name, default in (("units", 64), ("epochs", 10), ("threads", 1), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--candidates", nargs="+", choices=[*FIT, *TRAIN_PY], default=[*FIT, *TRAIN_PY])
    parser.add_argument("--one", choices=FIT, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        print(json.dumps(steps_per_second(*FIT[given.one], given)))
        return
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in given.candidates}
    calls = [name for _ in range(given.rounds) for name in given.candidates]
    for name in track(calls, console=Console(stderr=True)):
        taken[name].append(train_once(name, given))
    table = Table("", "steps/s, best (median)", "× the first's", "seconds, least (median)")
    first = max(steps for steps, _ in taken[given.candidates[0]])
    for name, of_name in taken.items():
        steps, seconds = zip(*of_name, strict=True)
        rates = f"{max(steps):.0f} ({median(steps):.0f})", f"{max(steps) / first:.2f}"
        table.add_row(name, *rates, f"{min(seconds):.1f} ({median(seconds):.1f})")
    Console(width=120).print(table)


def train_once(name: str, given: argparse.Namespace) -> tuple[float, float]:
    """Execute one training run, and return its steps per second and the seconds of the command."""
    with tempfile.TemporaryDirectory() as folder:
        if name in FIT:
            sizes = [f"--{size}={getattr(given, size)}" for size in ("cell", "units", "epochs", "threads")]
            command = [sys.executable, __file__, "--one", name, *sizes]
        else:
            chosen = [f"cell={given.cell}", f"cell.units={given.units}", "dataset=digits_pixels"]
            trainer = [f"trainer.epochs={given.epochs}", f"trainer.threads={given.threads}"]
            command = [sys.executable, str(TRAIN), *chosen, *trainer, *TRAIN_PY[name]]
        began = time.perf_counter()
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - began
        if name in FIT:
            return json.loads(ended.stdout.splitlines()[-1]), seconds
        (result,) = Path(folder).glob("runs/*/*/result.json")
        return json.loads(result.read_text())["speed"]["steps_per_second"], seconds


def steps_per_second(library: str, with_tensorboard: bool, given: argparse.Namespace) -> float:
    """Train with `fit`, and return the steps per second, measured from the second epoch on."""
    import importlib

    import keras
    import tensorflow as tf
    from plain_keras import digits, network

    class Stopwatch(keras.callbacks.Callback):
        steps, seconds = 0, 0.0

        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self.began = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self.ended, self.done = time.perf_counter(), batch + 1

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            if epoch:
                self.steps, self.seconds = self.steps + self.done, self.seconds + self.ended - self.began

    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    tf.config.threading.set_inter_op_parallelism_threads(given.threads)
    of_library = keras.layers if library == "keras" else importlib.import_module(library)
    model = network(getattr(of_library, CELLS[given.cell])(given.units))
    train, validation, _ = digits()
    stopwatch = Stopwatch()
    callbacks = [keras.callbacks.TensorBoard("logs"), stopwatch] if with_tensorboard else [stopwatch]
    fit = {"epochs": given.epochs, "batch_size": 32, "validation_data": validation, "verbose": 0}
    model.fit(*train, **fit, callbacks=callbacks)
    return stopwatch.steps / stopwatch.seconds


if __name__ == "__main__":
    main()
