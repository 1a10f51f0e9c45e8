"""Train a custom cell in a bidirectional stack and print its gradient norms.

    python examples/custom_cell.py [--epochs 3]

The cell is the update gate RNN, which this package does not contain. Its only method implements its equations. The base
class `GatedCell` provides masks, dropout, directions, saving and gradient norms. The stack learns to classify digits
that it reads pixel by pixel. The script then prints the gradient norm in each layer and direction, from the timestep
that was read last back to the first.
"""

import argparse
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from sklearn.datasets import load_digits

from rnnscope import NOTHING_DROPPED, RNN, Bidirectional, GatedCell, GradientTaps, Masks, Stacked, dropped


@keras.saving.register_keras_serializable("mine")
class UpdateGateCell(GatedCell):
    """Update gate RNN (Collins, Sohl-Dickstein & Sussillo 2017).

    g = σ(x_t W_g + h_{t-1} U_g + b_g)
    n = φ(x_t W_n + h_{t-1} U_n + b_n)
    h_t = g ⊙ h_{t-1} + (1 − g) ⊙ n
    """

    gates = 2

    def advance(self, projected: Any, states: list, masks: Masks = NOTHING_DROPPED) -> tuple[Any, list]:
        """Compute one timestep: projected `[B, 2H]`, states `[h]` → h, `[h]`."""
        (h,) = states
        z_g, z_n = ops.split(projected + self.recurrent_product(dropped(h, masks.state)), 2, axis=-1)
        g = self.observe("g", self.recurrent_activation(z_g))
        n = dropped(self.activation(z_n), masks.candidate)
        h = self.observe("h", g * h + (1 - g) * n)
        return h, [h]


def main() -> None:
    """Train the stack and print its gradient norms."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    epochs = parser.parse_args().epochs
    keras.utils.set_random_seed(1)
    images, classes = load_digits(return_X_y=True)
    images = (images / 16).astype("float32")[:, :, None]
    train, validation = (images[:1504], classes[:1504]), (images[1504:1792], classes[1504:1792])  # multiples of 32

    lower = RNN(UpdateGateCell(32), return_sequences=True, name="lower")
    upper = RNN(UpdateGateCell(32, recurrent_dropout=0.1), name="upper")
    stack = Stacked([Bidirectional(lower), Bidirectional(upper)])
    model = keras.Sequential([keras.Input((64, 1)), stack, keras.layers.Dense(10)])
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01, global_clipnorm=1.0), loss_of, metrics=["accuracy"])
    model.fit(*train, epochs=epochs, validation_data=validation, verbose=2)

    with tf.GradientTape() as tape, GradientTaps(tape.watch, names=("h",)) as taps:
        loss = loss_of(classes[:100], model(images[:100]))
    print("Gradient norm by distance from the timestep read last:\n" + " " * 16, *(f"{t:8}" for t in range(0, 64, 9)))
    for key, norms in tape.gradient(loss, taps.vectors).items():  # each [64], in the order of the pixels
        last_first = norms.numpy()[:: 1 if taps.signals[key].direction == "backward" else -1]
        print(f"{key:>16}", *(f"{norm:8.1e}" for norm in last_first[::9]))


if __name__ == "__main__":
    main()
