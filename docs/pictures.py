"""Draws the pictures of the documentation from runs that anyone can make:

python train.py -m cell=rnn,lstm,gru dataset=adding name=pictures
python docs/pictures.py runs/pictures
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from omegaconf import OmegaConf

from experiments.files import write_whole
from tensorboard_gradient_flow.reader import read

PICTURES = Path(__file__).parent / "pictures"
CELLS = ("rnn", "lstm", "gru")
SMALLEST, LARGEST = 1e-6, 1.0


def main() -> None:
    """Reads one run of each cell and draws them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of a sweep over cell=rnn,lstm,gru")
    folder = parser.parse_args().folder
    figure = Figure(figsize=(11, 3.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(CELLS), sharey=True)
    for cell, axes in zip(CELLS, panels, strict=True):
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
    PICTURES.mkdir(exist_ok=True)
    write_whole(PICTURES / "gradient_heatmap.png", figure.savefig)


if __name__ == "__main__":
    main()
