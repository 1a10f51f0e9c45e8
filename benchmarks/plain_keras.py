"""Compare cells with plain Keras: a loop over configurations with `keras.layers`, `fit` and the TensorBoard callback.

    python benchmarks/plain_keras.py [--epochs 60] [--logs FOLDER]

The configurations, data and amount of training are those of `sweep_launchers.py`, which compares the time of this
script with the time of a sweep of rnnscope. The script prints the test accuracy of each run.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from sklearn.datasets import load_digits


def main() -> None:
    """Train 24 networks, one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--logs", type=Path, default=Path(tempfile.gettempdir()) / "plain_keras")
    given = parser.parse_args()
    train, validation, test = digits()
    for cell in ("SimpleRNN", "LSTM", "GRU"):
        for units in (32, 64):
            for seed in (1, 2, 3, 4):
                began = time.perf_counter()
                keras.utils.set_random_seed(seed)
                model = network(getattr(keras.layers, cell)(units))
                tensorboard = keras.callbacks.TensorBoard(given.logs / f"{cell}-{units}-{seed}")
                fit = {"epochs": given.epochs, "batch_size": 32, "validation_data": validation, "verbose": 0}
                model.fit(*train, **fit, callbacks=[tensorboard])
                _, accuracy = model.evaluate(*test, verbose=0)
                seconds = time.perf_counter() - began
                print(
                    json.dumps({"cell": cell, "units": units, "seed": seed, "accuracy": accuracy, "seconds": seconds})
                )


def digits() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return images as sequences of pixels, `[N, 64, 1]`, and their classes, for training, validation and test."""
    images = load_digits()
    order = np.random.default_rng(0).permutation(len(images.data))
    inputs, targets = (images.data / 16).astype("float32")[order, :, None], images.target[order]
    return list(zip(np.split(inputs, [1257, 1437]), np.split(targets, [1257, 1437]), strict=True))


def network(layer: Any) -> keras.Model:
    """Build and compile a classifier of digits."""
    model = keras.Sequential([keras.Input((64, 1)), layer, keras.layers.Dense(10)])
    model.compile(
        keras.optimizers.Adam(0.003, global_clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


if __name__ == "__main__":
    main()
