"""Train the same model with `keras.layers.LSTM` and with `rnnscope.LSTM`.

    python examples/swap_a_layer.py [--epochs 4]

Both models read handwritten digits pixel by pixel, start from the same weights, and are trained on the same batches.
The script shows that their predictions agree before training, and that they are equally good after training. It also
prints the time per epoch. The first epoch is not timed, because both models are compiled in it.
"""

import argparse
import time

import keras
import numpy as np
from sklearn.datasets import load_digits

import rnnscope


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return images as sequences of 64 pixels, `[1797, 64, 1]`, and their classes, `[1797]`."""
    images, classes = load_digits(return_X_y=True)
    return (images / 16).astype("float32")[:, :, None], classes


def classifier(recurrent: keras.layers.Layer) -> keras.Model:
    """Return a compiled model that contains a recurrent layer."""
    model = keras.Sequential([keras.Input((64, 1)), recurrent, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    return model


def main() -> None:
    """Compare the predictions, train both models, and compare the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4, help="number of timed epochs")
    epochs = parser.parse_args().epochs
    images, classes = digits()

    theirs, ours = classifier(keras.layers.LSTM(32)), classifier(rnnscope.LSTM(32))
    ours.set_weights(theirs.get_weights())
    difference = np.abs(ours.predict(images, verbose=0) - theirs.predict(images, verbose=0)).max()
    print(f"With the same weights, the predictions differ by at most {difference:.1e}.")

    print(f"After {1 + epochs} epochs on the same batches:")
    for name, model in {"keras.layers.LSTM": theirs, "rnnscope.LSTM": ours}.items():
        model.fit(images, classes, shuffle=False, verbose=0)
        began = time.perf_counter()
        results = model.fit(images, classes, epochs=epochs, shuffle=False, verbose=0).history
        seconds = (time.perf_counter() - began) / epochs
        loss, accuracy = results["loss"][-1], results["accuracy"][-1]
        print(f"{name:>17}: loss {loss:.4f}, accuracy {accuracy:.3f}, {seconds:.2f} s per epoch")


if __name__ == "__main__":
    main()
