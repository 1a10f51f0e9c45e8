"""The command `rnnscope evaluate`, which scores the network of a run again with the code that training uses."""

import math
import shlex
import zipfile
from pathlib import Path
from textwrap import shorten
from typing import Any

from omegaconf import DictConfig
from rich.table import Table
from rich.text import Text

from .. import data
from ..common import files
from ..common.console import console
from ..common.errors import UserError
from ..common.quiet import import_tensorflow, without_stderr
from ..common.values import mapping, number, plain
from ..data import Signature, Task
from ..data.outputs import best_baseline
from ..runs import stored
from ..runs.directory import RunDirectory
from ..runs.reader import is_run

_KEPT_AS = {"validation": "validation", "test": "metrics"}
"""Keys of the scores in `result.json`, by split."""
_ROUNDING = 1e-4
"""Tolerance for rounding. Other machines and thread counts add float32 numbers in a different order. Over hundreds of
timesteps, the relative difference stays far below 1e-4."""


def evaluate(directory: Path, part: str, export: Path | None, config_dir: Path | None) -> int:
    """Score the network of a run, and print the scores next to those in its `result.json`.

    Args:
        directory: run directory. If the run is not completed, its best weights so far are scored.
        part: split to score, one of `rnnscope.experiments.data.SPLITS`.
        export: file to which the network is written, for use with plain Keras.
        config_dir: folder with custom configuration files, as in `train.py --config-dir`.

    Returns:
        The exit status: 0, or 1 if the scores differ from the stored ones.

    Raises:
        UserError: the run does not exist or has no network, the data cannot be loaded or have changed, or the file
            cannot be written.
    """
    _check_export(export)
    run, completed = _run(directory)
    signature = _signature(run)
    config = stored.configuration(directory, config_dir)
    task = data.load(config.dataset, config.seed)
    _check_data(run, task, signature)
    with console().status("starting TensorFlow"), without_stderr():
        import_tensorflow()
        from ..training import scoring

        task = scoring.arranged(task, config.trainer.batch_size)
        network, told = (_saved if completed else _best_so_far)(run, config, signature)
    chosen = getattr(task, part)
    with console().status(f"scoring {len(chosen):,} examples"):
        scores = scoring.scores(network, task, chosen, scoring.evaluation_batch_size(config, task))
    before = mapping(mapping(run.result).get(_KEPT_AS.get(part, ""))) if completed else {}
    screen = console()
    screen.print(Text(f"{directory}: {part} part, {len(chosen):,} examples{told}"), soft_wrap=True)
    screen.print(_table(scores, before, task.baseline_metrics(chosen), task.output.headline))
    complaint = _complaint(scores, before, expected=completed and part == "test")
    if complaint:
        screen.print(Text(complaint), soft_wrap=True)
    if export is not None:
        _export(network, task, export)
        screen.print(Text(f"network written to {export}; plain Keras loads it after import rnnscope"), soft_wrap=True)
    return 1 if complaint else 0


# ------------------------------------------------- checks before TensorFlow starts


def _check_export(export: Path | None) -> None:
    if export is None:
        return
    if export.suffix != ".keras":
        raise UserError(f"--export {export}: expected a file that ends in .keras")
    if not export.parent.is_dir():
        raise UserError(f"--export {export}: there is no folder {export.parent}; choose another file")


def _run(directory: Path) -> tuple[RunDirectory, bool]:
    """Return a run that has a network to score, and whether the run is completed."""
    if not directory.is_dir():
        raise UserError(f"{directory}: there is no such directory; expected a run's, such as runs/default/lstm-…")
    if not is_run(directory):
        raise UserError(f"{directory}: is not a run's directory; expected one such as runs/default/lstm-…")
    run = RunDirectory(directory)
    completed = run.was_completed
    if not completed and not run.checkpoint.exists():
        raise UserError(f"{directory}: {_state(run)}, without a checkpoint; {_command(run)} completes it")
    return run, completed


def _state(run: RunDirectory) -> str:
    message = plain(run.status.get("message") or "")
    return f"{run.state or 'never begun'}{f' ({message})' if message else ''}"


def _command(run: RunDirectory, *more: str) -> str:
    """Return the command that resumes the run or starts it again."""
    again = ["sweep.retry_failed=true"] if run.ended_badly else []
    return plain(shlex.join(["rnnscope", "train", *(run.overrides or []), *again, *more]))


def _signature(run: RunDirectory) -> Signature:
    try:
        signature = run.signature
    except (KeyError, TypeError, AttributeError):
        signature = None
    if signature is None:
        path = run.path / "task.json"
        raise UserError(f"{path}: is missing or damaged; {_command(run, 'rerun=true')} trains anew")
    return signature


def _check_data(run: RunDirectory, task: Task, signature: Signature) -> None:
    """Check that inputs and targets still have the form for which the network was built.

    Raises:
        UserError: the data have changed.
    """
    ours, theirs = _form(task.signature), _form(signature)
    for name, value in ours.items():
        if value != theirs[name]:
            told = "others" if name == "symbols" else f"{value}, were {theirs[name]}"
            raise UserError(
                f"{run.path}: the data are not those that it was trained on, their {name} are {told}; expected the "
                "same files and versions (environment.json)"
            )


def _form(signature: Signature) -> dict[str, Any]:
    output = signature.output
    names = ("steps", "features", "symbols", "masked", "stateful")
    asked = f"{output.size} {type(output).__name__.lower()}{' at every step' if output.per_step else ''}"
    return {**{name: getattr(signature, name) for name in names}, "targets": asked}


# ------------------------------------------------------------------------ network


def _saved(run: RunDirectory, config: DictConfig, signature: Signature) -> tuple[Any, str]:
    """Load the network from `model.keras`, and check that its weights have the shapes of the configured network."""
    import keras

    path = run.path / "model.keras"
    again = f"{_command(run, 'rerun=true')} trains anew"
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path}: is missing or damaged; {again}")
    expected = _built(config, signature)  # first, because it imports the module of a custom cell
    try:
        network = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises various types for damaged files and unsafe code
        reason = shorten(plain(error).partition(". ")[0], 200, placeholder=" …")
        raise UserError(f"{path}: cannot be loaded ({reason}); {again}") from error
    if [weight.shape for weight in network.weights] != [weight.shape for weight in expected.weights]:
        raise UserError(f"{path}: is not the network that the run's configuration describes; {again}")
    return network, ""


def _best_so_far(run: RunDirectory, config: DictConfig, signature: Signature) -> tuple[Any, str]:
    """Build the network with the best weights in `checkpoint.npz`, and describe the progress of the run."""
    from ..runs.checkpoint import best_so_far
    from ..training.measured_model import MeasuredModel

    kept = best_so_far(run.checkpoint)
    if kept is None:
        raise UserError(f"{run.checkpoint}: is damaged; {_command(run)} begins afresh")
    network = _built(config, signature)
    try:
        MeasuredModel.around(network).set_weights(kept.weights)
    except ValueError as error:
        raise UserError(f"{run.checkpoint}: is of another network; {_command(run)} begins afresh") from error
    return network, f"; {_state(run)} at epoch {kept.epoch} of {config.trainer.epochs}, best weights so far"


def _built(config: DictConfig, signature: Signature) -> Any:
    from ..training.model import build_network

    return build_network(config, signature, config.trainer.batch_size if signature.stateful else None)


def _export(network: Any, task: Task, path: Path) -> None:
    if task.stateful:
        network.get_layer("stack").reset_state()
    try:
        files.write_whole(path, network.save)
    except OSError as error:
        raise UserError(f"--export {path}: cannot be written ({error.strerror}); choose another file") from error


# ------------------------------------------------------------------------- scores


def _complaint(scores: dict[str, float], before: dict[str, Any], expected: bool) -> str:
    """Return a message if scores differ from the stored ones, and otherwise an empty string."""
    if not before:
        return "result.json is missing or damaged: there is nothing to compare with." if expected else ""
    changed = [name for name, value in sorted(before.items()) if not _same(scores.get(name), number(value))]
    if not changed:
        return ""
    return (
        f"Not what result.json says, beyond float32 rounding: {', '.join(map(plain, changed))}. Code, packages, data "
        "or the run's files have changed since; environment.json tells with what it was made."
    )


def _same(now: float | None, before: float | None) -> bool:
    """Return whether a score equals the stored one. NaN and infinity are stored as null."""
    if before is None:
        return now is not None and not math.isfinite(now)
    return now is not None and math.isclose(now, before, rel_tol=_ROUNDING, abs_tol=_ROUNDING**2)


def _table(
    scores: dict[str, float], before: dict[str, Any], baselines: dict[str, dict[str, float]], headline: str
) -> Table:
    table = Table("metric", "now", *["result.json"] * bool(before), "best baseline", box=None, padding=(0, 2))
    for name, value in sorted(scores.items()):
        told = [_figure(number(before.get(name)))] if before else []
        style = "bold" if name == headline else None
        table.add_row(name, _figure(value), *told, _best(name, baselines), style=style)
    return table


def _best(metric: str, baselines: dict[str, dict[str, float]]) -> str:
    """Return the best score of the baselines, with the name of the baseline."""
    best = best_baseline(metric, baselines)
    names = [name for name, scores in baselines.items() if scores.get(metric) == best]
    return "–" if best is None else f"{best:.4f} ({names[0]})"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.6f}"
