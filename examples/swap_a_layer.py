"""The same model with `keras.layers.LSTM` and with `rnnscope.LSTM`: the import changes, the model stays.

    python examples/swap_a_layer.py [--epochs 4]

Both read handwritten digits pixel by pixel, start from the same weights and are trained on the same batches. To be
seen: they predict the same before training, they are equally good after it, and what an epoch takes with each. The
first epoch, in which both are compiled, is not timed.
"""

import argparse
import time

import keras
import numpy as np
from sklearn.datasets import load_digits

import rnnscope


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images as sequences of 64 pixels, `[1797, 64, 1]`, and their classes, `[1797]`."""
    images, classes = load_digits(return_X_y=True)
    return (images / 16).astype("float32")[:, :, None], classes


def classifier(recurrent: keras.layers.Layer) -> keras.Model:
    """A compiled model around a recurrent layer."""
    model = keras.Sequential([keras.Input((64, 1)), recurrent, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    return model


def main() -> None:
    """Compares, trains, compares again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4, help="how many are timed")
    epochs = parser.parse_args().epochs
    images, classes = digits()

    theirs, ours = classifier(keras.layers.LSTM(32)), classifier(rnnscope.LSTM(32))
    ours.set_weights(theirs.get_weights())
    difference = np.abs(ours.predict(images, verbose=0) - theirs.predict(images, verbose=0)).max()
    print(f"With the same weights predictions differ by at most {difference:.1e}.")

    print(f"After {1 + epochs} epochs on the same batches:")
    for name, model in {"keras.layers.LSTM": theirs, "rnnscope.LSTM": ours}.items():
        model.fit(images, classes, shuffle=False, verbose=0)
        began = time.perf_counter()
        results = model.fit(images, classes, epochs=epochs, shuffle=False, verbose=0).history
        seconds = (time.perf_counter() - began) / epochs
        loss, accuracy = results["loss"][-1], results["accuracy"][-1]
        print(f"{name:>17}: loss {loss:.4f}, accuracy {accuracy:.3f}, {seconds:.2f} s an epoch")


if __name__ == "__main__":
    main()
