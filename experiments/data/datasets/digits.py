"""Classification of handwritten digits that are read pixel by pixel."""

import numpy as np

from ...common.seeds import fixed_stream
from ..baselines import majority
from ..outputs import Classes
from ..split import Split
from ..task import Task


def digits_pixels(permuted: bool) -> Task:
    """Return the task of classifying scikit-learn's 1797 images of 8×8 pixels as sequences of 64 timesteps.

    Pixels are read row by row from the top left, and are in [0, 1]. The splits have 1257, 180 and 360 images.

    Args:
        permuted: whether to shuffle the pixels, with the same fixed permutation for every image, as Le, Jaitly & Hinton
            (2015) do with MNIST. This removes the similarity of adjacent timesteps.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    inputs = (digits.data / 16).astype(np.float32)[:, :, None]
    if permuted:
        inputs = inputs[:, fixed_stream("permutation").permutation(64)]
    targets = digits.target.astype(np.int32)
    order = fixed_stream("split").permutation(len(inputs))
    train, validation, test = (Split(inputs[chosen], targets[chosen]) for chosen in np.split(order, [1257, 1437]))
    return Task(train, validation, test, Classes(10), (majority(10),), features=("pixel",))
