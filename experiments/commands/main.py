"""The command-line interface `rnnscope`, with commands for training and for the analysis of runs."""

import argparse
import importlib.util
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rnnscope

from ..common.checkout import find_user_modules
from ..common.errors import UserError, exit_status

_CONDITION: dict[str, Any] = {"action": "append", "default": [], "metavar": "option=value"}
_OWN: dict[str, Any] = {"type": Path, "help": "folder with choices of your own, as for train"}
_GROUPS = {
    "Train": ("train",),
    "Look at data and runs": ("show", "summary", "compare", "diff"),
    "Use a trained network": ("evaluate", "generate"),
    "Studies": ("studies", "study"),
    "Set-up": ("completion",),
}
"""Commands by the groups of the help page."""
_NEEDED = (
    "filelock", "hydra", "hydra_plugins.hydra_joblib_launcher", "matplotlib", "rich", "scipy", "sklearn", "tensorflow",
    "threadpoolctl", "yaml",
)  # fmt: skip
"""Modules that the extra `train` installs."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command that the first argument names.

    Args:
        arguments: arguments after `rnnscope`; by default those of the process.

    Returns:
        The exit status.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # whose encoding may lack signs such as → and −
            stream.reconfigure(errors="replace")
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    if arguments[:1] == ["train"]:  # Hydra parses these arguments
        return _status("train", lambda: _train(arguments[1:]))
    given = _parser().parse_args(arguments)
    return _status(given.command, lambda: given.run(given) or 0)


def _status(command: str, work: Callable[[], int]) -> int:
    def with_packages() -> int:
        if command != "completion":
            _check_packages(command)
        find_user_modules()
        return work()

    return exit_status(f"rnnscope {command}", with_packages)


def _check_packages(command: str) -> None:
    """Raise `UserError` if packages of the extra `train` are not installed."""
    missing = [name for name in _NEEDED if not _is_installed(name)]
    if missing:
        raise UserError(
            f"needs packages that are not installed ({', '.join(missing)}): pip install 'rnnscope[train]' "
            "(in a checkout: pip install -c constraints.txt -e '.[train]')"
        )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the parent package is not installed
        return False


def _train(arguments: list[str]) -> int:
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra does not catch errors
    sys.argv[1:] = arguments
    from .train import train

    return train(arguments)


# ------------------------------------------------------------------- arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "rnnscope",
        usage="rnnscope [-h] [--version] command …",
        description="Train recurrent networks, and see their gradient at every timestep.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rnnscope {rnnscope.__version__}")
    verbs = parser.add_subparsers(dest="command", metavar="command", required=True, help=argparse.SUPPRESS)
    train = verbs.add_parser("train", help="one run; with -m a sweep or a study", add_help=False)
    overrides = train.add_argument("overrides", nargs="*")
    overrides.completer = _choices_of_train  # type: ignore[attr-defined]
    _add_commands_for_one_run(verbs)
    _add_commands_for_many_runs(verbs)
    completion = verbs.add_parser("completion", help="what a shell needs to complete commands and options")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help='as in: eval "$(rnnscope completion bash)"')
    completion.set_defaults(run=_completion)
    parser.epilog = _grouped(verbs)
    return parser


def _grouped(verbs: Any) -> str:
    """Return the grouped list of commands for the help page."""
    meanings = {action.dest: action.help for action in verbs._choices_actions}
    lines = ["rnnscope COMMAND --help explains a command."]
    for title, names in _GROUPS.items():
        lines += ["", f"{title}:", *(f"  {name:<12}{meanings[name]}" for name in names)]
    return "\n".join(lines)


def _add_commands_for_one_run(verbs: Any) -> None:
    show = verbs.add_parser("show", help="a dataset: sizes, baselines, some examples as text and as a picture")
    show.add_argument(
        "overrides", nargs="+", metavar="dataset=…", help="as for train: dataset=weather dataset.window=7"
    )
    show.add_argument("--examples", type=_count, default=3, help="how many (3)")
    show.add_argument("--picture", type=Path, help="file of the picture (show-<dataset>.png)")
    show.add_argument("--config-dir", **_OWN)
    show.set_defaults(run=_show)

    generate = verbs.add_parser("generate", help="text, or a tune, in the style that a run has learnt")
    generate.add_argument(
        "directory", type=Path, metavar="run directory", help="of a completed run, such as runs/default/…"
    )
    generate.add_argument("--length", type=_count, default=500, help="how many symbols to write (500)")
    generate.add_argument("--prompt", help="what to go on from")
    generate.add_argument(
        "--temperature", type=_not_negative, default=0.7, help="0 for always the likeliest, 1 as learnt (0.7)"
    )
    generate.add_argument("--seed", type=_not_negative_number, default=1, help="another number, another text (1)")
    generate.add_argument("--output", type=Path, help="file to write it to, beside the screen")
    generate.add_argument("--config-dir", **_OWN)
    generate.set_defaults(run=_generate)

    evaluate = verbs.add_parser("evaluate", help="a run's network, scored again; and written out for plain Keras")
    evaluate.add_argument("directory", type=Path, metavar="run directory", help="such as runs/default/…")
    evaluate.add_argument("--part", choices=("train", "validation", "test"), default="test", help="of the data (test)")
    evaluate.add_argument("--export", type=Path, metavar="FILE.keras", help="file to write the network to")
    evaluate.add_argument("--config-dir", **_OWN)
    evaluate.set_defaults(run=_evaluate)


def _add_commands_for_many_runs(verbs: Any) -> None:
    summary = verbs.add_parser(
        "summary", help="a sweep: a row a configuration, over its seeds; and a page, report.html"
    )
    summary.add_argument("folder", type=Path, help="of the runs, such as runs/default")
    summary.add_argument("--where", **_CONDITION, help="only runs with this value; may be repeated")
    summary.add_argument("--no-report", action="store_true", help="write no report.html")
    summary.set_defaults(run=_summary)

    compare = verbs.add_parser("compare", help="two configurations, seed by seed: difference, interval, tests")
    compare.add_argument("folder", type=Path, help="of the runs, such as runs/default")
    compare.add_argument("other", type=Path, nargs="?", help="of the runs to compare with (the same folder)")
    compare.add_argument("--where", **_CONDITION, help="which configuration; may be repeated")
    compare.add_argument(
        "--with", dest="instead", **_CONDITION, help="what is otherwise in the one to compare with; may be repeated"
    )
    compare.set_defaults(run=_compare)

    studies = verbs.add_parser("studies", help="all studies: claim, time, last verdict, command")
    studies.add_argument("--config-dir", **_OWN)
    studies.set_defaults(run=_studies)

    study = verbs.add_parser("study", help="a study's report and verdict, made anew from its runs")
    study.add_argument("folder", type=Path, help="of the runs, such as runs/vanishing")
    study.set_defaults(run=_study)

    diff = verbs.add_parser("diff", help="what differs between two runs: configuration, code, versions")
    diff.add_argument("run_a", type=Path, metavar="run", help="directory of a run")
    diff.add_argument("run_b", type=Path, metavar="run", help="directory of another")
    diff.set_defaults(run=_diff)


# -------------------------------------------------------------------- commands


def _show(given: argparse.Namespace) -> None:
    from .show import show

    show(given.overrides, given.examples, given.picture, given.config_dir)


def _generate(given: argparse.Namespace) -> None:
    from .generate import generate

    how = (given.length, given.prompt, given.temperature, given.seed, given.output)
    generate(given.directory, *how, given.config_dir)


def _evaluate(given: argparse.Namespace) -> int:
    from .evaluate import evaluate

    return evaluate(given.directory, given.part, given.export, given.config_dir)


def _summary(given: argparse.Namespace) -> None:
    from ..summaries.summary import summary

    summary(given.folder, given.where, report=not given.no_report)


def _compare(given: argparse.Namespace) -> None:
    from ..summaries.comparison import compare

    compare(given.folder, given.other or given.folder, given.where, given.instead)


def _diff(given: argparse.Namespace) -> None:
    from ..summaries.comparison import diff

    diff(given.run_a, given.run_b)


def _studies(given: argparse.Namespace) -> None:
    from ..studies.listing import studies

    studies(given.config_dir)


def _study(given: argparse.Namespace) -> None:
    from ..studies.report import report

    report(given.folder)


def _completion(given: argparse.Namespace) -> None:
    import argcomplete

    print(argcomplete.shellcode(["rnnscope"], shell=given.shell))


def _complete() -> None:
    """Print the completions that the shell requests, and exit."""
    import argcomplete

    argcomplete.autocomplete(_parser(), always_complete_options=False)


def _choices_of_train(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Return the possible completions of an override of `rnnscope train`."""
    from ..configuration.completion import completions

    return completions(parsed_args.overrides or [], prefix)


# ------------------------------------------------------------- types of arguments


def _count(text: str) -> int:
    if not (text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of at least 1")
    return int(text)


def _not_negative_number(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of at least 0")
    return int(text)


def _not_negative(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of at least 0")
    return value
