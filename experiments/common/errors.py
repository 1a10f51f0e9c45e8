"""A user's mistake, said in one line."""

import difflib
import os
import sys
from collections.abc import Callable, Iterable


class UserError(Exception):
    """Something the user can put right. Its message is one line: what came, what is allowed, what to do."""


def suggestion(received: str, allowed: Iterable[str]) -> str:
    """The nearest allowed name as a question, then all of them.

    >>> suggestion("lstmm", ["gru", "lstm", "rnn"])
    'did you mean lstm? (allowed: gru, lstm, rnn)'
    """
    allowed = sorted(allowed)
    nearest = difflib.get_close_matches(received, allowed, n=1, cutoff=0.5)
    listing = ", ".join(allowed)
    return f"did you mean {nearest[0]}? (allowed: {listing})" if nearest else f"allowed: {listing}"


def exit_status(program: str, work: Callable[[], int]) -> int:
    """Does a command's work; a user's mistake becomes a line, an interruption the status that shells expect of it."""
    try:
        return work()
    except UserError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output, head for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
