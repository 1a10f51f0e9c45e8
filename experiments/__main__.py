"""What can be done beside training: python -m experiments --help."""

import argparse
import sys
from pathlib import Path
from typing import Any

from .errors import exit_status

_CONDITION: dict[str, Any] = {"action": "append", "default": [], "metavar": "option=value"}
_OWN: dict[str, Any] = {"type": Path, "help": "folder with choices of your own, as for train.py"}


def main(arguments: list[str]) -> int:
    """Does what the first argument names; returns the exit status."""
    given = _parser().parse_args(arguments)

    def work() -> int:
        return given.run(given) or 0

    return exit_status(f"python -m experiments {given.verb}", work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m experiments", description="What can be done beside training.")
    verbs = parser.add_subparsers(dest="verb", metavar="verb", required=True)

    show = verbs.add_parser("show", help="a dataset: sizes, baselines, some examples as text and as a picture")
    show.add_argument(
        "overrides", nargs="+", metavar="dataset=…", help="as for train.py: dataset=weather dataset.window=7"
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
    _add_verbs_for_many_runs(verbs)
    return parser


def _add_verbs_for_many_runs(verbs: Any) -> None:
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
    from .summaries.summary import summary

    summary(given.folder, given.where, report=not given.no_report)


def _compare(given: argparse.Namespace) -> None:
    from .summaries.comparison import compare

    compare(given.folder, given.other or given.folder, given.where, given.instead)


def _diff(given: argparse.Namespace) -> None:
    from .summaries.comparison import diff

    diff(given.run_a, given.run_b)


def _studies(given: argparse.Namespace) -> None:
    from .studies.listing import studies

    studies(given.config_dir)


def _study(given: argparse.Namespace) -> None:
    from .studies.report import report

    report(given.folder)


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
