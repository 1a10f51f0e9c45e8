"""Makes what docs/data/README.md shows: its two tables, and the picture of accuracy against gap.

    python docs/datasets.py                         the table of datasets, from the datasets themselves
    python docs/datasets.py --runs runs/datasets    the table of default runs, from their directories
    python docs/datasets.py --gap runs/gap          the picture, from the directories of its runs

The page says by which commands the runs are made.
"""

import argparse
import re
import sys
from pathlib import Path

from matplotlib.figure import Figure
from omegaconf import OmegaConf

sys.path.insert(0, str(Path(__file__).parents[1]))

from experiments import commandline, data, files
from experiments.data.outputs import HIGHER_IS_BETTER
from experiments.record import RunDirectory
from experiments.show import describe

PAGE = Path(__file__).parent / "data" / "README.md"
MADE, PYTHON = "made to order", "as Python"
SOURCES = {
    "adding": ("Hochreiter & Schmidhuber 1997; Le et al. 2015", MADE),
    "copy_memory": ("Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016", MADE),
    "temporal_order": ("Hochreiter & Schmidhuber 1997, 6a and 6b", MADE),
    "parity": ("an old test; Graves 2016 has it at every length", MADE),
    "recall": ("templates of this project", MADE),
    "dates": ("templates of this project; days by faker", f"{MADE}; faker: MIT"),
    "reverse": ("Sutskever et al. 2014 turn sources round", MADE),
    "weather": ("NOAA, in vega_datasets", "public domain; package MIT"),
    "weather_hourly": ("NOAA, in vega_datasets", "public domain; package MIT"),
    "sea_temperature": ("NERACOOS buoy B01, in bokeh_sampledata", "free to use; package BSD-3"),
    "digits_pixels": ("Alpaydin & Kaynak 1998, in scikit-learn", "CC BY 4.0; package BSD-3"),
    "mnist1d": ("Greydanus & Kobak 2024, package mnist1d", "Apache-2.0"),
    "japanese_vowels": ("Kudo, Toyama & Shimbo 1999, in aeon", "CC BY 4.0; package BSD-3"),
    "surnames": ("faker's providers", "MIT"),
    "text_chars": ("Python's own help texts, or your file", "PSF-2.0"),
    "tunes": ("O'Neill 1903, in music21", "public domain, encoders named in the files; package BSD-3"),
    "chorales": ("J. S. Bach, in music21", "public domain, encodings by permission; package BSD-3"),
    "mnist_pixels": ("LeCun et al. 1998; Le et al. 2015", "CC BY-SA 3.0"),
    "imdb": ("Maas et al. 2011", "for research, see its page"),
    "reuters": ("Lewis 1997", "for research, see its page"),
    "jena_climate": ("Max Planck Institute for Biogeochemistry, Jena", "see its page"),
    "csv": ("your own file", "yours"),
    "npz": ("your own file", "yours"),
}
"""Where each dataset comes from, and under which licence."""
ONLINE = ("mnist_pixels", "imdb", "reuters", "jena_climate")
OWN = ("csv", "npz")
OFFLINE = tuple(name for name in SOURCES if name not in (*ONLINE, *OWN))


def load(name: str, *overrides: str) -> data.Task:
    """A dataset as `train.py dataset=<name>` would load it."""
    commandline.prepare()
    request = commandline.read([f"dataset={name}", *overrides])
    assert request is not None
    return data.load(request.runs[0].dataset, request.runs[0].seed)


def row(name: str) -> str:
    """A dataset's line of the table."""
    source, licence = SOURCES[name]
    if name not in OFFLINE:
        return f"| `{name}` | {_DESCRIPTIONS[name]} | | | {source} | {licence} |"
    task = load(name)
    sizes = " / ".join(f"{len(part):,}" for part in (task.train, task.validation, task.test))
    headline = task.output.headline
    scores = ", ".join(
        f"{baseline} {metrics[headline]:.3f}"
        for baseline, metrics in task.baseline_metrics(task.test).items()
        if headline in metrics
    )
    return f"| `{name}` | {describe(task)} | {sizes} | {headline}: {scores} | {source} | {licence} |"


_DESCRIPTIONS = {
    "mnist_pixels": "sequences of 784 steps of 1 number → one of 10 classes",
    "imdb": "sequences of up to 200 steps of one of 10000 symbols → one of 2 classes",
    "reuters": "sequences of up to 100 steps of one of 10000 symbols → one of 46 classes",
    "jena_climate": "windows of an hourly series of 14 features → its temperature in the next hours",
    "csv": "windows of a table, a row a step → columns of it in the next steps",
    "npz": "arrays `inputs` and `targets` → as their shapes and types say",
}


def table() -> str:
    """All datasets."""
    columns = (
        "`dataset=`",
        "what is read → what is asked",
        "train / validation / test",
        "baselines",
        "source",
        "licence",
    )
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *map(row, SOURCES)])


def runs_table(folder: Path) -> str:
    """What the runs in a folder came to, a line a dataset."""
    found: dict[str, dict[str, dict]] = {}
    for path in sorted(folder.iterdir()):
        result = RunDirectory(path).result
        if result is not None:
            cell, dataset, *_ = path.name.split("-")
            found.setdefault(dataset, {})[cell] = result
    lines = ["| dataset | metric | best baseline | rnn | lstm | gru | seconds |", "|---|---|---:|---:|---:|---:|---|"]
    for dataset in (name for name in OFFLINE if name in found):
        of = found[dataset]
        name = next(iter(of.values()))["headline"]
        higher = name in HIGHER_IS_BETTER
        scores = [metrics[name] for metrics in next(iter(of.values()))["baselines"].values() if name in metrics]
        best = max(scores) if higher else min(scores)
        cells = []
        for cell in ("rnn", "lstm", "gru"):
            value = of.get(cell, {}).get("metrics", {}).get(name)
            better = value is not None and (value > best if higher else value < best)
            cells.append("–" if value is None else f"**{value:.3f}**" if better else f"{value:.3f}")
        seconds = ", ".join(f"{of[cell]['seconds']:.0f}" if cell in of else "–" for cell in ("rnn", "lstm", "gru"))
        lines.append(f"| {dataset} | {name} | {best:.3f} | {' | '.join(cells)} | {seconds} |")
    return "\n".join(lines)


def draw_gap(folder: Path) -> None:
    """Accuracy against the gap of `recall`, a line a cell."""
    points: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(folder.iterdir()):
        if result := RunDirectory(path).result:
            gap = OmegaConf.load(path / ".hydra" / "config.yaml").dataset.gap
            points.setdefault(path.name.split("-")[0], []).append((gap, result["metrics"]["accuracy"]))
            baseline = result["baselines"]["majority class"]["accuracy"]
    figure = Figure(figsize=(6, 3.2), dpi=130, layout="constrained")
    axes = figure.add_subplot()
    for cell in ("rnn", "lstm", "gru"):
        gaps, accuracies = zip(*sorted(points[cell]), strict=True)
        axes.plot(gaps, accuracies, marker="o", label=cell)
        print(cell, *(f"{gap}: {accuracy:.3f}" for gap, accuracy in sorted(points[cell])))
    axes.axhline(baseline, color="0.5", linestyle="--", label="majority class")
    axes.set(xlabel="words between the country and the question", ylabel="test accuracy", xscale="log", ylim=(0, 1.03))
    axes.set_xticks(gaps, list(map(str, gaps)), minor=False)
    axes.minorticks_off()
    axes.legend()
    files.write_whole(PAGE.parents[1] / "pictures" / "recall.png", lambda path: figure.savefig(path))


def replace(section: str, content: str) -> None:
    """Puts content between a section's two marks on the page."""
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), flags=re.DOTALL)
    page, count = pattern.subn(lambda _: f"{begin}\n{content}\n{end}", PAGE.read_text(encoding="utf-8"))
    assert count == 1, section
    files.write_text(PAGE, page)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--gap", type=Path)
    options = parser.parse_args()
    if options.gap:
        draw_gap(options.gap)
    elif options.runs:
        replace("default runs", runs_table(options.runs))
    else:
        replace("datasets", table())
