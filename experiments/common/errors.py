"""Errors in user input, reported in one line."""

import difflib
import os
import sys
from collections.abc import Callable, Iterable


class UserError(Exception):
    """An error that the user can correct. Its message is one line: what was received, what is allowed, what to do."""


def suggestion(received: str, allowed: Iterable[str]) -> str:
    """Return a message that suggests the closest allowed name and lists all allowed names.

    >>> suggestion("lstmm", ["gru", "lstm", "rnn"])
    'did you mean lstm? (allowed: gru, lstm, rnn)'
    """
    allowed = sorted(allowed)
    nearest = difflib.get_close_matches(received, allowed, n=1, cutoff=0.5)
    listing = ", ".join(allowed)
    return f"did you mean {nearest[0]}? (allowed: {listing})" if nearest else f"allowed: {listing}"


def exit_status(program: str, work: Callable[[], int]) -> int:
    """Call the function of a command and return its exit status.

    A `UserError` is printed as one line. An interruption returns the status that shells expect.
    """
    try:
        return work()
    except UserError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of the output, for example head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
