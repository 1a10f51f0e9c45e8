"""How an option's field says what its type cannot say."""

from dataclasses import field
from typing import Any

from omegaconf import MISSING


def limited(default: Any = MISSING, **limits: Any) -> Any:
    """A field with limits, by default without a value (values stand in `conf/`).

    Args:
        default: the field's value where no file gives one.
        limits: `at_least`, `above`, `at_most`, `choices`; checked by `experiments.validation`.
    """
    return field(default=default, metadata=limits)
