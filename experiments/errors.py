"""A user's mistake, said in one line."""

import difflib
from collections.abc import Iterable


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
