"""How an option's field says what its type cannot say."""

from dataclasses import field
from typing import Any, Literal

from omegaconf import MISSING

Role = Literal["identity", "hparams", "summary", "continuation"]
"""What an option may count for: identity of a run, HParams of TensorBoard, tables of runs, continuation by another."""


def option(
    default: Any = MISSING, *, default_factory: Any = MISSING, not_for: tuple[Role, ...] = (), **limits: Any
) -> Any:
    """Return a field with limits, by default without a value (values are in `conf/`).

    Args:
        default: the field's value where no file gives one.
        default_factory: what makes that value, for lists and dictionaries.
        not_for: roles that the option, or a whole group, does not count for.
        limits: `at_least`, `above`, `at_most`, `choices`; checked by `rnnscope.experiments.configuration.validation`.
    """
    metadata = {**limits, "not_for": not_for}
    if default_factory is not MISSING:
        return field(default_factory=default_factory, metadata=metadata)
    return field(default=default, metadata=metadata)
