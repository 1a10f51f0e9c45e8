"""Log the gradient norms of an RNN and an LSTM at every timestep while an ordinary `fit` trains them.

    python examples/log_gradient_flow.py [--epochs 8] [--logs runs/log_gradient_flow]

The task is the adding problem. Two numbers of a sequence are marked, one in each half, and the target is their sum. The
script prints how many timesteps back the gradient of the error reaches at the start and at the end of training. As long
as the gradient does not reach the marked number in the first half, this number has no influence on training.
"""

import argparse
import time
from pathlib import Path

import keras
import numpy as np

import rnnscope
from rnnscope.callbacks import GradientFlow
from tensorboard_gradient_flow import profile
from tensorboard_gradient_flow.reader import read

STEPS = 40


def adding_problem(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers and their marks, `[size, STEPS, 2]`, and the sums of the marked numbers, `[size, 1]`."""
    random, rows = np.random.default_rng(seed), np.arange(size)
    numbers, marks = random.uniform(size=(size, STEPS)), np.zeros((size, STEPS))
    marks[rows, random.integers(0, STEPS // 2, size)] = 1
    marks[rows, random.integers(STEPS // 2, STEPS, size)] = 1
    return np.stack([numbers, marks], axis=-1), np.sum(numbers * marks, axis=1, keepdims=True)


def main() -> None:
    """Train both networks and print how far back each gradient reaches."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--logs", type=Path, default=Path("runs/log_gradient_flow"), help="parent folder of the logs")
    given = parser.parse_args()
    logs = given.logs / time.strftime("%Y-%m-%d-%H-%M-%S")
    train, test = adding_problem(4000, seed=1), adding_problem(500, seed=2)

    print(f"Always predicting 1: squared error {np.mean((test[1] - 1) ** 2):.3f}")
    for name, recurrent in {"rnn": rnnscope.SimpleRNN, "lstm": rnnscope.LSTM}.items():
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((STEPS, 2)), recurrent(32, name="memory"), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.01, global_clipnorm=1.0), "mse")
        flow = GradientFlow(logs / name, batch=(train[0][:100], train[1][:100]), every=10)
        model.fit(*train, epochs=given.epochs, callbacks=[flow], verbose=0)
        error = model.evaluate(*test, verbose=0)
        norms = read(logs / name)["gradient_flow/memory/h"].norms  # a vector [STEPS] for every tenth training step
        first, last = profile.horizon(norms[0]), profile.horizon(profile.root_mean_square(norms[-10:]))
        print(f"{name}: squared error {error:.3f}; gradient horizon {first} of {STEPS - 1} steps at the start", end=" ")
        print(f"of training, {last} at the end")
    print(f"To see all records in the Gradient flow tab, run:\ntensorboard --logdir {logs}")


if __name__ == "__main__":
    main()
