"""Write the three tables of docs/data/README.md.

    python tools/write_dataset_tables.py                         the table of datasets, from the datasets themselves
    python tools/write_dataset_tables.py --runs runs/datasets    the results with default options, from run directories
    python tools/write_dataset_tables.py --gap runs/gap          the accuracy at each gap, from run directories

The page shows the commands that create these runs.
"""

import argparse
import re
from pathlib import Path

from omegaconf import OmegaConf

from rnnscope.experiments import data
from rnnscope.experiments.commands.show import describe
from rnnscope.experiments.common import files
from rnnscope.experiments.configuration.composition import prepare
from rnnscope.experiments.data.outputs import best_baseline, is_better
from rnnscope.experiments.runs.directory import RunDirectory
from rnnscope.experiments.sweeps import request as requests

PAGE = Path(__file__).parents[1] / "docs" / "data" / "README.md"
MADE = "generated"
SOURCES = {
    "adding": ("Hochreiter & Schmidhuber 1997; Le et al. 2015", MADE),
    "copy_memory": ("Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016", MADE),
    "temporal_order": ("Hochreiter & Schmidhuber 1997, 6a and 6b", MADE),
    "parity": ("classic test; a variant is in Graves 2016", MADE),
    "recall": ("templates of this project", MADE),
    "dates": ("templates of this project; days by faker", f"{MADE}; faker: MIT"),
    "reverse": ("reversal of the source: Sutskever et al. 2014", MADE),
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
    "csv": ("your file", "that of your data"),
    "npz": ("your file", "that of your data"),
}
"""The source and the license of each dataset."""
ONLINE = ("mnist_pixels", "imdb", "reuters", "jena_climate")
OWN = ("csv", "npz")
OFFLINE = tuple(name for name in SOURCES if name not in (*ONLINE, *OWN))


def load(name: str, *overrides: str) -> data.Task:
    """Return a dataset as `rnnscope train dataset=<name>` loads it."""
    prepare()
    request = requests.read([f"dataset={name}", *overrides])
    assert request is not None
    return data.load(request.runs[0].dataset, request.runs[0].seed)


def row(name: str) -> str:
    """Return the row of a dataset."""
    source, terms = SOURCES[name]
    if name not in OFFLINE:
        return f"| `{name}` | {_DESCRIPTIONS[name]} | | | {source} | {terms} |"
    task = load(name)
    sizes = " / ".join(f"{len(part):,}" for part in task.parts)
    headline = task.output.headline
    scores = ", ".join(
        f"{baseline} {metrics[headline]:.3f}"
        for baseline, metrics in task.baseline_metrics(task.test).items()
        if headline in metrics
    )
    return f"| `{name}` | {describe(task)} | {sizes} | {headline}: {scores} | {source} | {terms} |"


_DESCRIPTIONS = {
    "mnist_pixels": "sequences of 784 steps of 1 number → one of 10 classes",
    "imdb": "sequences of up to 200 steps of one of 10000 symbols → one of 2 classes",
    "reuters": "sequences of up to 100 steps of one of 10000 symbols → one of 46 classes",
    "jena_climate": "windows of an hourly series of 14 features → its temperature in the next hours",
    "csv": "windows of a table, one row per step → columns of it in the next steps",
    "npz": "array `inputs` → array `targets`; shapes and types determine the task",
}


def table() -> str:
    """Return the table of all datasets."""
    columns = (
        "`dataset=`",
        "inputs → targets",
        "train / validation / test",
        "baselines",
        "source",
        "license",
    )
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *map(row, SOURCES)])


def runs_table(folder: Path) -> str:
    """Return the table of the results of the runs in a folder, with one row per dataset."""
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
        best = best_baseline(name, next(iter(of.values()))["baselines"])
        assert best is not None
        cells = []
        for cell in ("rnn", "lstm", "gru"):
            value = of.get(cell, {}).get("metrics", {}).get(name)
            better = value is not None and is_better(name, value, best)
            cells.append("–" if value is None else f"**{value:.3f}**" if better else f"{value:.3f}")
        seconds = ", ".join(f"{of[cell]['seconds']:.0f}" if cell in of else "–" for cell in ("rnn", "lstm", "gru"))
        lines.append(f"| {dataset} | {name} | {best:.3f} | {' | '.join(cells)} | {seconds} |")
    return "\n".join(lines)


def gap_table(folder: Path) -> str:
    """Return the table of the accuracy on `recall` by cell and gap, with the training steps at which it was solved."""
    found: dict[str, dict[int, str]] = {}
    for path in sorted(folder.iterdir()):
        if result := RunDirectory(path).result:
            gap = OmegaConf.load(path / ".hydra" / "config.yaml").dataset.gap
            step = result["solved_at_step"]
            solved = f" (step {step:,})" if step else ""
            found.setdefault(path.name.split("-")[0], {})[gap] = f"{result['metrics']['accuracy']:.3f}{solved}"
    gaps = sorted(found["lstm"])
    lines = [f"| gap | {' | '.join(map(str, gaps))} |", "|---|" + "---:|" * len(gaps)]
    return "\n".join([*lines, *(f"| {cell} | {' | '.join(of[gap] for gap in gaps)} |" for cell, of in found.items())])


def replace(section: str, content: str) -> None:
    """Replace the content between the two markers of a section on the page."""
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), flags=re.DOTALL)
    page, count = pattern.subn(lambda _: f"{begin}\n{content}\n{end}", PAGE.read_text(encoding="utf-8"))
    assert count == 1, section
    files.write_text(PAGE, page)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, help="folder of the runs with default options")
    parser.add_argument("--gap", type=Path, help="folder of the runs on recall")
    options = parser.parse_args()
    if options.gap:
        replace("gap", gap_table(options.gap))
    elif options.runs:
        replace("default runs", runs_table(options.runs))
    else:
        replace("datasets", table())
