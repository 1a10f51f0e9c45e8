"""Draw the figures of the documentation, and print their values as tables.

python tools/draw_pictures.py                     all figures of docs/cells, in 15 minutes on two cores
python tools/draw_pictures.py --only lstm depth   some of them (gru, mut and linear train networks, and take longest)
python tools/draw_pictures.py runs/pictures       the heatmap of the README, from the runs of this command:
                                            rnnscope train -m cell=rnn,lstm,gru dataset=adding name=pictures
"""

import argparse
import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from omegaconf import OmegaConf
from rich.progress import Progress

from rnnscope.experiments.common.files import write_whole
from rnnscope.experiments.common.quiet import without_stderr
from rnnscope.experiments.data.datasets.long_range import adding
from tensorboard_gradient_flow.profile import per_step_factor
from tensorboard_gradient_flow.reader import read

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with without_stderr():
    import keras
    import tensorflow as tf

    import rnnscope
    from rnnscope import GRU, LSTM, RNN, GradientTaps, ScaledIdentity, SimpleRNN

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SMALLEST, LARGEST = 1e-6, 1.0  # limits of the heatmap's colors

# Gradient norms at initialization are measured with H units on one batch of noise [B, T, H], for several random starts.
B, T, H = 32, 100, 64
STARTS = range(1, 6)
# Gradient norms during training are measured on the adding problem with T timesteps, and averaged over blocks of steps.
TRAINING_STEPS, RUNS, BLOCK = 1500, range(1, 4), 25

BLUE, RED, GREEN, PURPLE, GREY, DARK = "#0072b2", "#d55e00", "#00805c", "#9b3f86", "#909090", "#333333"
"""Colors of Okabe & Ito. Green and purple are slightly darker, so that small text in these colors is legible."""

progress = Progress(transient=True)


class Line(NamedTuple):
    """A line of a figure, and the position of its label."""

    name: str
    build: Callable[[], Any]
    colour: str | None = None
    """`None`: the line is not drawn, and only its values are printed."""
    at: tuple[float, float] = (0, 0)
    style: str = "-"


# ----------------------------------------------------------------- measurements


@functools.cache
def norms_at_start(build: Callable[[], Any], call: Callable[[Any], Any] | None = None) -> dict[str, np.ndarray]:
    """Measure the gradient norms before training, `[T]` by layer and signal: the median over several random starts.

    The loss is the dot product of each output with a random unit vector, averaged over the examples. The gradient of an
    example's loss with respect to each output therefore has norm 1.

    Args:
        build: function that returns the layer. Its initial weights depend on Keras's seed.
        call: function from the layer to its output; by default the output for the noise.
    """
    found = []
    for start in STARTS:
        keras.utils.set_random_seed(start)
        layer = build()
        with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
            output = call(layer) if call else layer(noise(), training=True)
            loss = tf.reduce_sum(output * directions(start, output.shape[1:])) / B
        found.append([norm.numpy() for norm in tape.gradient(loss, taps.vectors).values()])
    return dict(zip(taps.vectors, np.median(found, axis=0), strict=True))


def noise(steps: int = T, seed: int = 0) -> Any:
    """Return a batch `[B, steps, H]` of samples from N(0, 1)."""
    return np.random.default_rng(seed).normal(size=(B, steps, H)).astype("float32")


def directions(seed: int, shape: tuple) -> Any:
    """Return random unit vectors."""
    drawn = np.random.default_rng(seed).normal(size=shape).astype("float32")
    return drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)


def geometric_mean(positive: np.ndarray) -> np.ndarray:
    """Return the geometric mean over the last axis, which is 0 if a value is 0."""
    with np.errstate(divide="ignore"):
        return np.exp(np.log(positive).mean(axis=-1))


def memory(norms: dict[str, np.ndarray]) -> np.ndarray:
    """Return the gradient norms of the last layer: with respect to c if the layer has a cell state, else to h."""
    return [norm for key, norm in norms.items() if key.endswith(("/h", "/c"))][-1]


@functools.cache
def share_over_training(build: Callable[[], Any]) -> np.ndarray:
    """Return the ratio of the first to the last timestep's norm while the adding problem is learned.

    The result contains the geometric mean over each block of training steps, `[runs, blocks]`.
    """
    return np.array([geometric_mean(_trained(build, run).reshape(-1, BLOCK)) for run in RUNS])


def _trained(build: Callable[[], Any], run: int) -> np.ndarray:
    """Train once with the settings in conf/, and return the ratio of the first to the last norm at each step."""
    keras.utils.set_random_seed(run)
    batches = adding(run, T, train_size=B * TRAINING_STEPS).train
    model = keras.Sequential([keras.Input((T, 2)), build(), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(0.003, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=True)
    def step(inputs, targets):
        with tf.GradientTape() as tape, GradientTaps(tape.watch) as taps:
            loss = tf.reduce_mean(tf.square(model(inputs, training=True) - targets))
        gradients, norms = tape.gradient(loss, (model.trainable_variables, taps.vectors))
        optimizer.apply(gradients, model.trainable_variables)
        return memory(norms)[0] / memory(norms)[-1]

    task = progress.add_task(f"training, run {run}", total=TRAINING_STEPS)
    shares = []
    for first in range(0, B * TRAINING_STEPS, B):
        shares.append(float(step(batches.inputs[first : first + B], batches.targets[first : first + B])))
        progress.advance(task)
    progress.remove_task(task)
    return np.array(shares)


# ---------------------------------------------------------------------- drawing


@contextmanager
def picture(name: str, **options: Any) -> Iterator[Axes]:
    """Create a small figure in the common style, and save it at the end of the `with` block."""
    figure = Figure(figsize=(7, 3.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set(yscale="log", **{"ylim": (1e-8, 10), **options})
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.tick_params(labelsize=9)
    axes.set_axisbelow(True)
    yield axes
    write_whole(PICTURES / f"{name}.png", figure.savefig)
    progress.console.print(f"{name}.png: {(PICTURES / f'{name}.png').stat().st_size / 1024:.0f} KiB")


def draw(axes: Axes, line: Line, x: np.ndarray, y: np.ndarray) -> None:
    """Draw a line and its label."""
    grey = line.colour == GREY
    seen = np.where(y > 0, y, np.nan)
    axes.plot(x, seen, line.style, color=line.colour, linewidth=1.5 if grey else 2, zorder=1 if grey else 2)
    label(axes, line.name, line.at, DARK if grey else line.colour)


def label(axes: Axes, text: str, at: tuple[float, float], colour: str) -> None:
    """Write the label of a line next to it."""
    outlined = [withStroke(linewidth=2.5, foreground="white")]
    axes.text(*at, text, color=colour, fontsize=9, va="center", path_effects=outlined, zorder=3)


BACK = np.arange(T)
"""Number of timesteps before the last one."""


def at_start(name: str, *lines: Line, ylim: tuple[float, float] = (1e-8, 10)) -> None:
    """Draw the gradient norms at initialization against the number of timesteps before the last one."""
    task = progress.add_task(name, total=len(lines))
    with picture(name, xlabel="steps before the last", ylabel="gradient norm", xlim=(0, T - 1), ylim=ylim) as axes:
        print_head("line", "a step back", "below 1 % after", "at the first step")
        for line in lines:
            norms = memory(norms_at_start(line.build))
            if line.colour:
                draw(axes, line, BACK, norms[::-1])
            print_norms(line.name, norms)
            progress.advance(task)
    progress.remove_task(task)


def over_training(name: str, *lines: Line) -> None:
    """Draw the ratio of the first to the last timestep's norm while the adding problem is learned."""
    task = progress.add_task(name, total=len(lines))
    x = BLOCK * (np.arange(TRAINING_STEPS // BLOCK) + 0.5)
    label_of_y = "first step's norm over the last's"
    with picture(name, xlabel="training step", ylabel=label_of_y, xlim=(0, TRAINING_STEPS)) as axes:
        print_head("line", "before training", "above 1 % from training step", "after training")
        for line in lines:
            factor = per_step_factor(memory(norms_at_start(line.build)))
            shares = share_over_training(line.build)
            draw(axes, line, x, np.median(shares, axis=0))
            opened = ", ".join(opening(share) for share in shares)
            last = np.median(geometric_mean(shares[:, -4:]))
            print_row(line.name, f"× {factor:.2f} a step", opened, digits(last))
            progress.advance(task)
    progress.remove_task(task)


def opening(share: np.ndarray) -> str:
    """Return the training step after which the ratio stays above 1 %, or `never`."""
    below = np.flatnonzero(share <= 0.01)
    step = BLOCK * (below[-1] + 1 if below.size else 0)
    return str(step) if step < TRAINING_STEPS else "never"


# ---------------------------------------------------------------------- tables


def print_row(*cells: Any) -> None:
    """Print a row of a Markdown table."""
    progress.console.print(f"| {' | '.join(map(str, cells))} |", highlight=False, markup=False, soft_wrap=True)


def print_head(*cells: str) -> None:
    """Print the header of a Markdown table."""
    print_row(*cells)
    print_row(*["---"] * len(cells))


def print_norms(name: str, norms: np.ndarray, backward: bool = False) -> None:
    """Print a table row that summarizes gradient norms.

    Its values are the mean factor per timestep back, the number of timesteps after which the norm is below 1 %, and the
    norm at the end of the backward pass.
    """
    last_first = norms[:: 1 if backward else -1]
    (below,) = np.nonzero(last_first[1:] < 0.01 * last_first[:2].max())
    factor = per_step_factor(norms, backward)
    print_row(name, f"× {factor:.2f}", below[0] + 1 if below.size else "never", digits(last_first[-1]))


def digits(value: float) -> str:
    """Format a norm with two digits. Below 1e-19, the square of the norm is too small for float32."""
    return "< 1e-19" if value < 1e-19 else f"{value:.2g}"


# --------------------------------------------------------------------- figures


def rnn() -> Any:
    """Build the vanilla RNN that the figures show for comparison."""
    return SimpleRNN(H)


def lstm() -> Any:
    """Build the LSTM that the figures show for comparison."""
    return LSTM(H)


def heatmap(folder: Path) -> None:
    """Draw a heatmap of gradient norms by timestep and training step, for one run of each cell."""
    figure = Figure(figsize=(11, 3.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    cells = ("rnn", "lstm", "gru")
    panels = figure.subplots(1, len(cells), sharey=True)
    for cell, axes in zip(cells, panels, strict=True):
        (run,) = folder.glob(f"{cell}-*")
        dataset = OmegaConf.load(run / ".hydra" / "config.yaml").dataset.name
        record = read(run)["gradient_flow/layer_1/h"]
        norms = np.clip(np.array(record.norms).T, SMALLEST, LARGEST)
        image = axes.pcolormesh(
            record.steps,
            np.arange(len(norms)),
            norms,
            norm=LogNorm(SMALLEST, LARGEST),
            cmap="viridis",
            shading="nearest",
        )
        axes.set(title=f"{cell} on {dataset}", xlabel="training step")
    panels[0].set_ylabel("timestep $t$")
    label = r"$\|\partial\ell/\partial h_t\|_2$, RMS over examples"
    figure.colorbar(image, ax=panels, label=label, extend="both")
    write_whole(PICTURES / "gradient_heatmap.png", figure.savefig)


def simple_rnn() -> None:
    """Draw vanilla RNNs with different activations and initial recurrent kernels."""
    relu = lambda gain: SimpleRNN(H, "relu", recurrent_initializer=ScaledIdentity(gain))
    at_start(
        "simple_rnn",
        Line("RNN: tanh, orthogonal", rnn, GREY, (39.5, 5e-8), "--"),
        Line("LSTM", lstm, GREY, (66, 6e-7)),
        Line("sigmoid", lambda: SimpleRNN(H, "sigmoid"), PURPLE, (12.5, 1e-7)),
        Line("relu, identity", lambda: relu(1.0), BLUE, (60, 4)),
        Line("relu, 0.9 identity", lambda: relu(0.9), GREEN, (58, 0.004)),
        Line("relu, 1.1 identity", lambda: relu(1.1), RED, (38, 3000.0)),
        ylim=(1e-8, 1e5),
    )


def lstm_family() -> None:
    """Draw LSTMs with different forget biases, and the ablations that change the backward pass."""
    peephole = lambda **switches: RNN(rnnscope.PeepholeLSTMCell(H, **switches))
    at_start(
        "lstm",
        Line("RNN", rnn, GREY, (38, 1e-7), "--"),
        Line("LSTM: forget bias 1", lstm, GREY, (63, 1e-6)),
        Line("forget bias 0", lambda: LSTM(H, unit_forget_bias=0.0), RED, (12, 1e-7)),
        Line("forget bias 3", lambda: LSTM(H, unit_forget_bias=3.0), BLUE, (75, 0.03)),
        Line("no forget gate (NFG)", lambda: peephole(forget_gate=False), GREEN, (72, 4)),
        Line("no output gate (NOG)", lambda: peephole(output_gate=False), PURPLE, (58, 0.004)),
        Line("peephole LSTM", peephole),
        Line("no input gate (NIG)", lambda: peephole(input_gate=False)),
        Line("no candidate activation (NIAF)", lambda: peephole(input_activation=False)),
        Line("no output activation (NOAF)", lambda: peephole(output_activation=False)),
        Line("coupled gates (CIFG)", lambda: peephole(coupled_gates=True)),
        Line("no peepholes (NP)", lambda: peephole(peepholes=False)),
        Line("full gate recurrence (FGR)", lambda: peephole(full_gate_recurrence=True)),
        Line("LSTM, projection to 16", lambda: LSTM(H, projection_units=16)),
    )


def gru() -> None:
    """Draw GRUs with both positions of the reset gate, and the minimal gated unit, during training."""
    over_training(
        "gru",
        Line("RNN", rnn, GREY, (1300, 1e-7), "--"),
        Line("LSTM", lstm, GREY, (1315, 0.01)),
        Line("GRU, reset after", lambda: GRU(H), BLUE, (200, 0.01)),
        Line("GRU, reset before", lambda: GRU(H, reset_after=False), RED, (200, 0.1)),
        Line("MGU", lambda: RNN(rnnscope.MGUCell(H)), GREEN, (700, 0.01)),
    )


def mut() -> None:
    """Draw the cells MUT1, MUT2 and MUT3 during training."""
    over_training(
        "mut",
        Line("RNN", rnn, GREY, (1300, 1e-7), "--"),
        Line("LSTM", lstm, GREY, (1315, 0.01)),
        Line("MUT1", lambda: RNN(rnnscope.MUT1Cell(H)), BLUE, (755, 2e-3)),
        Line("MUT2", lambda: RNN(rnnscope.MUT2Cell(H)), RED, (300, 2e-2)),
        Line("MUT3", lambda: RNN(rnnscope.MUT3Cell(H)), GREEN, (560, 2e-2)),
    )


def indrnn() -> None:
    """Draw IndRNNs with different initial recurrent weights u and activations."""
    cell = lambda **options: RNN(rnnscope.IndRNNCell(H, **options))
    at_start(
        "indrnn",
        Line("RNN", rnn, GREY, (38, 1e-7), "--"),
        Line("LSTM", lstm, GREY, (66, 1e-6)),
        Line("u from U(−1, 1), relu", cell, BLUE, (50, 0.03)),
        Line("u = 1, relu", lambda: cell(recurrent_initializer="ones"), GREEN, (60, 2.5)),
        Line("u from U(−1, 1), tanh", lambda: cell(activation="tanh"), RED, (1.5, 1e-7)),
    )


def linear() -> None:
    """Draw cells whose gates depend only on the input, in one layer and in two, during training."""
    mingru = lambda **options: RNN(rnnscope.MinGRUCell(H), **options)
    over_training(
        "linear",
        Line("RNN", rnn, GREY, (1300, 1e-7), "--"),
        Line("LSTM", lstm, GREY, (1315, 0.01)),
        Line("minGRU", mingru, BLUE, (985, 1e-4)),
        Line("minLSTM", lambda: RNN(rnnscope.MinLSTMCell(H)), RED, (845, 1e-2)),
        Line("two minGRUs", lambda: rnnscope.Stacked([mingru(return_sequences=True), mingru()]), GREEN, (385, 1e-2)),
    )


def regularisation() -> None:
    """Draw the effect of dropout, zoneout and layer normalization on the backward pass in training mode."""
    zoneout = lambda **rates: RNN(rnnscope.ZoneoutCell(rnnscope.LSTMCell(H), **rates))
    at_start(
        "regularisation",
        Line("RNN", rnn, GREY, (31, 6e-8), "--"),
        Line("LSTM", lstm, GREY, (74, 6e-8)),
        Line("RNN, dropout", lambda: SimpleRNN(H, recurrent_dropout=0.25), PURPLE, (41.5, 3e-8)),
        Line("RNN, layer normalisation", lambda: SimpleRNN(H, layer_normalization=True), RED, (36, 0.04)),
        Line("LSTM, zoneout", lambda: zoneout(rate=0.05, cell_rate=0.5), BLUE, (66, 0.002)),
        Line("LSTM, layer normalisation", lambda: LSTM(H, layer_normalization=True), GREEN, (55, 50)),
        Line("LSTM, dropout", lambda: LSTM(H, dropout=0.25)),
        Line("LSTM, recurrent dropout", lambda: LSTM(H, recurrent_dropout=0.25)),
        Line("LSTM, candidate dropout", lambda: LSTM(H, candidate_dropout=0.25)),
        Line("LSTM, zoneout of h alone", lambda: zoneout(rate=0.05)),
        Line("RNN, zoneout", lambda: RNN(rnnscope.ZoneoutCell(rnnscope.SimpleRNNCell(H), rate=0.05))),
        Line("GRU", lambda: GRU(H)),
        Line("GRU, layer normalisation", lambda: GRU(H, layer_normalization=True)),
        ylim=(1e-8, 1e3),
    )


def depth() -> None:
    """Draw the gradient norm in each of four stacked layers, for each type of skip connection."""
    names = [f"layer_{number}" for number in range(1, 5)]
    stack = lambda layer, skip: rnnscope.Stacked(
        [layer(H, return_sequences=name != names[-1], name=name) for name in names], skip=skip
    )
    print_head("stack", *names)
    with picture("depth", xlabel="layer, from the top down", ylabel="gradient norm, all steps") as axes:
        for line, skip in (
            (Line("RNN, no skip", SimpleRNN, GREY, (2.3, 3.2), "--"), None),
            (Line("LSTM, no skip", LSTM, GREY, (0.98, 0.06)), None),
            (Line('LSTM, "residual"', LSTM, BLUE, (0.98, 1.1)), "residual"),
            (Line('LSTM, "input"', LSTM, RED, (0.98, 0.018)), "input"),
            (Line('LSTM, "dense"', LSTM, GREEN, (0.98, 0.18)), "dense"),
        ):
            norms = norms_at_start(lambda line=line, skip=skip: stack(line.build, skip))
            whole = np.array([np.linalg.norm(norms[f"{name}/h"]) for name in names])
            draw(axes, line, np.arange(1, 5), whole)
            print_row(line.name, *map(digits, whole))
        axes.set(xlim=(4, 1), xticks=range(1, 5), ylim=(1e-2, 10))


def transition() -> None:
    """Draw cells with additional layers between h_{t-1} and h_t, without and with a shortcut."""
    deep = lambda **options: RNN(rnnscope.DeepTransitionCell(rnnscope.SimpleRNNCell(H), **options))
    at_start(
        "transition",
        Line("RNN", rnn, GREY, (34, 3e-06), "--"),
        Line("LSTM", lstm, GREY, (66, 1e-6)),
        Line("DT, one layer more", lambda: deep(depth=1), RED, (2, 3e-7)),
        Line("DT, two layers more", lambda: deep(depth=2)),
        Line("DT(S), one layer more", lambda: deep(depth=1, shortcut=True), BLUE, (50, 0.03)),
        Line("DT(S), two layers more", lambda: deep(depth=2, shortcut=True)),
    )


def bidirectional() -> None:
    """Draw the gradient norms of both directions for the loss of the last output, in the order of the input."""
    both = lambda layer: lambda: rnnscope.Bidirectional(layer(H, name="layer"))
    steps = np.arange(1, T + 1)
    print_head("layer", "a step on its way back", "below 1 % after", "at the step read first")
    with picture("bidirectional", xlabel="timestep", ylabel="gradient norm", xlim=(1, T)) as axes:
        for name, layer, style, height in (("LSTM", LSTM, "-", 3e-3), ("RNN", SimpleRNN, "--", 3e-7)):
            norms = norms_at_start(both(layer))
            for direction, colour, x in (
                ("forward", BLUE, 62 if layer is LSTM else 72),
                ("backward", RED, 24 if layer is LSTM else 14),
            ):
                of_direction = {key: norm for key, norm in norms.items() if key.startswith(direction)}
                line = Line(f"{name}, {direction}", layer, colour, (x, height), style)
                draw(axes, line, steps, memory(of_direction))
                print_norms(line.name, memory(of_direction), backward=direction == "backward")


def encoder_decoder() -> None:
    """Draw the gradient norms in the decoder and the encoder, for a loss at every output."""
    half = T // 2
    with picture("encoder_decoder", ylabel="gradient norm", xlim=(1, T), ylim=(1e-8, 100)) as axes:
        print_head("layers", "decoder: last step", "decoder: first step", "source: last step", "source: first step")
        for line, options in (
            (Line("RNN", SimpleRNN, GREY, (20, 1e-7), "--"), {}),
            (Line("LSTM", LSTM, GREY, (4, 3e-4)), {}),
            (Line("LSTM, source read backwards", LSTM, BLUE, (14, 1)), {"go_backwards": True}),
        ):
            norms = norms_at_start(
                lambda line=line, options=options: rnnscope.EncoderDecoder(
                    line.build(H, return_state=True, name="encoder", **options),
                    line.build(H, return_state=True, return_sequences=True, name="decoder"),
                    head=keras.layers.Identity(),
                ),
                lambda layer: layer(noise(half), noise(half, seed=1), training=True),
            )
            encoder, decoder = (memory({k: v for k, v in norms.items() if k.startswith(n)}) for n in ("enc", "dec"))
            draw(axes, line, np.arange(1, half + 1), encoder)
            draw(axes, line._replace(name=""), np.arange(half + 1, T + 1), decoder)
            print_row(line.name, *map(digits, (decoder[-1], decoder[0], encoder[-1], encoder[0])))
        axes.axvline(half + 0.5, color=DARK, linewidth=0.8)
        axes.set_xticks([1, 25, half, half + 25, T], [1, 25, half, 25, half])
        axes.set_xlabel("source step, read by the encoder                    target step, written by the decoder")


PICTURES_BY_NAME = {
    "simple_rnn": simple_rnn, "lstm": lstm_family, "gru": gru, "mut": mut, "indrnn": indrnn, "linear": linear,
    "regularisation": regularisation, "depth": depth, "transition": transition,
    "bidirectional": bidirectional, "encoder_decoder": encoder_decoder,
}  # fmt: skip


def main() -> None:
    """Draw the figures that the command line selects."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="folder of a sweep over cell=rnn,lstm,gru: the heatmap")
    parser.add_argument("--only", nargs="+", choices=PICTURES_BY_NAME, default=[*PICTURES_BY_NAME], metavar="NAME")
    arguments = parser.parse_args()
    PICTURES.mkdir(exist_ok=True)
    if arguments.folder:
        heatmap(arguments.folder)
        return
    rnnscope.set_compile(False)  # each loop runs only a few times, too few to amortize the compilation
    with progress:
        for name in progress.track(arguments.only, description="pictures"):
            PICTURES_BY_NAME[name]()


if __name__ == "__main__":
    main()
