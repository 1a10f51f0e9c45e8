"""Terminal output for finished runs, made from their directories: a panel for one run, a table for several."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..data.outputs import best_baseline, is_better
from ..runs.directory import RunDirectory
from ..runs.reader import swept

COLOURS = {
    "completed": "green",
    "running": "cyan",
    "interrupted": "yellow",
    "killed": "red",
    "timed_out": "red",
    "diverged": "red",
    "failed": "red",
}


def line(path: Path) -> str:
    """Return one line about a run of a sweep, to print when the run ends."""
    run = RunDirectory(path)
    result = run.result
    if result is None:
        return f"{path.name}: {run.state}: {run.status.get('message', '')}"
    metrics = ", ".join(f"test {name} {_number(value)}" for name, value in sorted(result["metrics"].items()))
    return f"{path.name}: {run.state}, {metrics}, {result['seconds']:.1f} s"


def panel(path: Path) -> Panel:
    """Return a panel about one completed run."""
    result = RunDirectory(path).result or {}
    rows = Table.grid(padding=(0, 2))
    for name, value in sorted(result["metrics"].items()):
        baselines = [f"{baseline}: {of[name]:.4f}" for baseline, of in result["baselines"].items() if name in of]
        rows.add_row(f"test {name}", f"[bold]{_number(value)}[/bold]", ", ".join(baselines))
    if result["solved_at_step"]:
        rows.add_row("solved at step", f"{result['solved_at_step']:,}", "")
    rows.add_row("parameters", f"{result['parameters']:,}", "")
    rows.add_row("seconds", f"{result['seconds']:.1f}", f"{result['epochs']} epochs, {result['steps']} steps")
    if result["speed"]:
        rows.add_row("steps a second", *_speed(result["speed"]))
    for layer, gradient in result["gradient"].items():
        ratio = gradient["first_to_last"]
        rows.add_row(
            "gradient reached",
            f"{gradient['horizon']} of {gradient['steps']} steps back",
            f"{layer}: {gradient['verdict']}; first to last step {'–' if ratio is None else f'{ratio:.2g}'}",
        )
    return Panel(Group(rows, Text(), *_where(path)), title=path.name, title_align="left", expand=False)


def _speed(speed: dict[str, float | None]) -> tuple[str, str]:
    """Return the steps per second, and a text with the timesteps per second and the fractions of time."""
    shares = {name: speed[f"share_{name}"] for name in ("step", "data", "logging")}
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share is not None)
    return f"{speed['steps_per_second']:,.0f}", f"{speed['timesteps_per_second']:,.0f} timesteps; {told}"


def _where(path: Path) -> list[Text]:
    return [
        Text(f"run directory  {path}", overflow="fold"),
        Text(f"see it         tensorboard --logdir {shlex.quote(str(path.parent))}", overflow="fold"),
    ]


def table(runs: Mapping[Path, dict[str, str]]) -> Table:
    """Return a table with one row per run, in the given order.

    The first columns show the options that distinguish the runs. The last column shows the end of the directory name.

    Args:
        runs: the options of each run, including the seed, with values as on the command line, by run directory.
    """
    results = [RunDirectory(path).result or {} for path in runs]
    differing = swept(runs.values())
    metrics = sorted({name for result in results if result for name in (result["headline"], "loss")})

    shown = Table(title=f"{len(runs)} runs", title_justify="left")
    for name in (*differing, "state"):
        shown.add_column(name)
    for name in (*(f"test {name}\n(best baseline)" for name in metrics), "parameters", "epochs", "seconds"):
        shown.add_column(name, justify="right")
    shown.add_column("gradient\nreached", justify="right")
    shown.add_column("first to\nlast step", justify="right")
    shown.add_column("run")
    for (path, options), result in zip(runs.items(), results, strict=True):
        state = RunDirectory(path).state or "not run"
        shown.add_row(
            *(options.get(name, "") for name in differing),
            Text(state, COLOURS.get(state, "")),
            *(_metric(result, name) for name in metrics),
            *(f"{result[name]:,}" if name in result else "" for name in ("parameters", "epochs")),
            f"{result['seconds']:.1f}" if result else "",
            *_gradient(result.get("gradient", {})),
            f"…{path.name.rpartition('-')[2]}",
        )
    return shown


def _metric(result: dict[str, Any], name: str) -> str:
    if name not in result.get("metrics", {}):
        return ""
    value = result["metrics"][name]
    best = best_baseline(name, result["baselines"])
    if best is None or value is None:
        return _number(value)
    return f"[{'green' if is_better(name, value, best) else 'red'}]{_number(value)}[/] ({best:.4f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _gradient(layers: dict[str, Any]) -> tuple[str, str]:
    """Return the horizons and the first-to-last ratios of all layers, one line per layer."""
    horizons = (f"{layer['horizon']}/{layer['steps']}" for layer in layers.values())
    ratios = ("–" if layer["first_to_last"] is None else f"{layer['first_to_last']:.1e}" for layer in layers.values())
    return "\n".join(horizons), "\n".join(ratios)
