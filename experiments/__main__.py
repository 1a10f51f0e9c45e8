"""What can be done beside training: python -m experiments --help."""

import argparse
import os
import sys
from pathlib import Path

from .errors import UserError


def main(arguments: list[str]) -> int:
    """Does what the first argument names; returns the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes about the machine
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except UserError as error:
        print(f"python -m experiments {given.verb}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output, head for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m experiments", description="What can be done beside training.")
    verbs = parser.add_subparsers(dest="verb", metavar="verb", required=True)

    show = verbs.add_parser("show", help="a dataset: sizes, baselines, some examples as text and as a picture")
    show.add_argument(
        "overrides", nargs="+", metavar="dataset=…", help="as for train.py: dataset=weather dataset.window=7"
    )
    show.add_argument("--examples", type=_count, default=3, help="how many (3)")
    show.add_argument("--picture", type=Path, help="file of the picture (show-<dataset>.png)")
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
    generate.set_defaults(run=_generate)
    return parser


def _show(given: argparse.Namespace) -> None:
    from .show import show

    show(given.overrides, given.examples, given.picture)


def _generate(given: argparse.Namespace) -> None:
    from .generate import generate

    generate(given.directory, given.length, given.prompt, given.temperature, given.seed, given.output)


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
