"""The problems of the benchmarks: shapes, random data, and weights in Keras's layout, the same for all peers."""

import dataclasses

import numpy as np

SIZES = {
    "S": (32, 200, 8, 64),
    "M": (64, 128, 64, 128),
    "L": (128, 50, 256, 512),
    "long": (16, 2000, 16, 64),
    "tiny": (1, 100, 8, 32),
    "XL": (256, 512, 512, 1024),
}
"""Batch size B, timesteps T, inputs I and units H, by name."""
BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3, "gru_before": 3}
"""Number of blocks in the kernel of each cell, which is H columns per block.

`gru` applies its reset gate after the product with U, and `gru_before` applies it before the product.
"""


@dataclasses.dataclass(frozen=True)
class Problem:
    """A recurrent network and its data.

    Attributes:
        cell: one of the keys of `BLOCKS`.
        batch, steps, inputs, units: sizes B, T, I and H.
        depth: number of stacked layers.
        bidirectional: whether each layer reads the sequence in both directions and concatenates the outputs.
        masked: whether the sequences have different lengths.
        training: whether to compute the outputs and the gradients of all weights, or only the outputs.
    """

    cell: str
    batch: int
    steps: int
    inputs: int
    units: int
    depth: int = 1
    bidirectional: bool = False
    masked: bool = False
    training: bool = True

    @property
    def directions(self) -> int:
        """Number of directions in which each layer reads, 1 or 2."""
        return 2 if self.bidirectional else 1

    def weights(self) -> list[np.ndarray]:
        """Return `kernel`, `recurrent_kernel` and `bias` of each layer and direction, in Keras's layout."""
        random = np.random.default_rng(1)
        n, weights = BLOCKS[self.cell] * self.units, []
        for layer in range(self.depth):
            width = self.units * self.directions if layer else self.inputs
            for _ in range(self.directions):
                bias = (2, n) if self.cell == "gru" else (n,)
                for shape, scale in (((width, n), width), ((self.units, n), self.units), (bias, 10 * self.units)):
                    weights.append((random.normal(size=shape) * scale**-0.5).astype("float32"))
        return weights

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the inputs `[B, T, I]`, and ∂L/∂h of the loss L = Σ h ⊙ ∂L/∂h, `[B, T, H]` or `[B, T, 2H]`."""
        random = np.random.default_rng(2)
        sequences = random.normal(size=(self.batch, self.steps, self.inputs))
        upstream = random.normal(size=(self.batch, self.steps, self.units * self.directions)) / self.batch
        upstream *= self.mask()[..., None]
        return sequences.astype("float32"), upstream.astype("float32")

    def lengths(self) -> np.ndarray:
        """Return the length of each sequence `[B]`: between T/2 and T if masked, and otherwise T."""
        lengths = np.random.default_rng(3).integers(self.steps // 2, self.steps + 1, self.batch)
        lengths[0] = self.steps
        return lengths if self.masked else np.full(self.batch, self.steps)

    def mask(self) -> np.ndarray:
        """Return the mask `[B, T]`, which is true for timesteps within the length of a sequence."""
        return np.arange(self.steps) < self.lengths()[:, None]

    def products(self) -> float:
        """Return the number of floating-point operations in the unavoidable matrix products."""
        total = 0
        for layer in range(self.depth):
            width = self.units * self.directions if layer else self.inputs
            ways = 2 * width + (width if layer else 0) + 3 * self.units if self.training else width + self.units
            total += 2 * self.batch * self.steps * BLOCKS[self.cell] * self.units * ways * self.directions
        return float(total)
