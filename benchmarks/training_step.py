"""Compare the speed of a training step in rnnscope, Keras, TensorFlow's fused kernel, torch and JAX.

    python benchmarks/training_step.py [--sizes S M L long tiny] [--cells rnn lstm gru gru_before] [--threads 2]
        [--forward] [--depth 3] [--bidirectional] [--masked] [--rounds 10] [--peers rnnscope "torch.nn" …] [--json FILE]

A training step consists of the forward pass, the backward pass and the gradients of all weights. All libraries (peers)
use the same weights and data, and are called in turn, round by round, in one process. Their results are compared first,
and a wrong result ends the benchmark. With `--threads 1` the process uses only one core.
`python -m pip install -e ".[jax,torch]"` installs the peers.
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.append(str(Path(__file__).parents[1]))

from problems import BLOCKS, SIZES, Problem

_TOLERANCE = 2e-3
"""Largest allowed difference from rnnscope's result, relative to its largest entry.

It allows for the rounding of float32 sums over thousands of timesteps.
"""


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["S", "M", "L", "long", "tiny"])
    parser.add_argument("--cells", nargs="+", choices=BLOCKS, default=["rnn", "lstm", "gru", "gru_before"])
    parser.add_argument("--peers", nargs="+")
    parser.add_argument("--depth", type=int, default=1)
    for name in ("bidirectional", "masked", "forward"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0, help="at least so long for every row")
    parser.add_argument("--json", type=Path, help="where all figures are written, too")
    return parser.parse_args()


def use_threads(count: int) -> None:
    """Restrict this process to a number of cores, before any library counts the cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    import tensorflow as tf
    import torch

    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)
    torch.set_num_threads(count)


def compare(problem: Problem, peers: list[str], rounds: int, seconds: float) -> dict[str, tuple[float, float]]:
    """Check that all peers compute the same, and return the minimum and median time of each in milliseconds.

    Raises:
        AssertionError: a peer's result differs from that of the first peer.
    """
    import numpy as np
    from peers import build
    from timing import minimum_and_median
    from timing import rounds as time_rounds

    steps = {peer: step for peer in peers if (step := build(peer, problem)) is not None}
    reference: list[np.ndarray] = []
    mask = problem.mask()[..., None]
    for peer, step in steps.items():
        outputs, *gradients = step.result()
        found = [outputs * mask, *gradients]
        reference = reference or found
        for index, (ours, theirs) in enumerate(zip(reference, found, strict=True)):
            apart = np.abs(ours - theirs).max() / np.abs(ours).max()
            assert apart < _TOLERANCE, f"{peer}, {problem}: entry {index} is {apart:.1e} away from rnnscope's"
    taken = time_rounds(steps, rounds, seconds)
    return {peer: minimum_and_median(of_peer) for peer, of_peer in taken.items()}


def product_rates(problem: Problem) -> tuple[float, float]:
    """Measure the GFLOP/s of a large matrix product, and of the product in the time loop, `[B, H] × [H, nH]`."""
    import tensorflow as tf
    from timing import minimum_and_median, rounds

    B, H, N = problem.batch, problem.units, BLOCKS[problem.cell] * problem.units
    shapes = {"large": (2048, 1024, 1024), "loop": (B, H, N)}
    calls, work = {}, {}
    for name, (m, k, n) in shapes.items():
        left, right = tf.random.normal((m, k)), tf.random.normal((k, n))
        repeats = max(1, int(2e7 / (m * k * n)))

        @tf.function
        def multiply(left=left, right=right, repeats=repeats):
            for _ in range(repeats):
                product = tf.matmul(left, right)
                left = left + 1e-9 * product[0, 0]
            return product

        calls[name], work[name] = lambda multiply=multiply: multiply().numpy(), 2e-6 * m * k * n * repeats
        calls[name]()
    taken = rounds(calls, 8)
    large, loop = (work[name] / minimum_and_median(taken[name])[0] for name in shapes)
    return large, loop


def main() -> None:
    """Measure all problems and print a table."""
    options = arguments()
    use_threads(options.threads)
    from peers import PEERS
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    peers = options.peers or list(PEERS)
    table = Table("problem", *peers, "GFLOP/s large, loop", "share of the limit", title="minimum (median) ms; × ours")
    rows = []
    chosen = [(cell, size) for cell in options.cells for size in options.sizes]
    for cell, size in track(chosen, description=f"{options.threads} threads", console=Console(stderr=True)):
        settings = {"depth": options.depth, "bidirectional": options.bidirectional, "masked": options.masked}
        problem = Problem(cell, *SIZES[size], **settings, training=not options.forward)
        taken = compare(problem, peers, options.rounds, options.seconds)
        large, loop = product_rates(problem)
        ours = taken[peers[0]]
        share = problem.products() / 1e6 / large / ours[0]
        cells = [f"{t[0]:.2f} ({t[1]:.2f}) {t[0] / ours[0]:.2f}×" if (t := taken.get(peer)) else "–" for peer in peers]
        table.add_row(f"{cell} {size}", *cells, f"{large:.0f}, {loop:.0f}", f"{share:.0%}")
        what = {"cell": cell, "size": size, **settings, "training": not options.forward, "threads": options.threads}
        rows.append({**what, "ms": taken, "large": large, "loop": loop, "share": share})
        if options.json is not None:
            options.json.write_text(json.dumps(rows, indent=1))
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
