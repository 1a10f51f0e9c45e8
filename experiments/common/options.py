"""Fields of options with limits and roles, which a type cannot express."""

from dataclasses import field
from typing import Any, Literal

from omegaconf import MISSING

Role = Literal["identity", "hparams", "summary", "continuation"]
"""A purpose for which options count.

`identity`: the identity of a run. `hparams`: TensorBoard's HParams. `summary`: tables of runs. `continuation`: the
continuation of a run by another run.
"""


def option(
    default: Any = MISSING, *, default_factory: Any = MISSING, not_for: tuple[Role, ...] = (), **limits: Any
) -> Any:
    """Return a dataclass field with limits. By default it has no value, because the values are in `conf/`.

    Args:
        default: the value of the field if no configuration file sets it.
        default_factory: a function that returns this value, for lists and dictionaries.
        not_for: the roles for which the option, or the whole group of options, does not count.
        limits: `at_least`, `above`, `at_most` or `choices`; checked by
            `rnnscope.experiments.configuration.validation`.
    """
    metadata = {**limits, "not_for": not_for}
    if default_factory is not MISSING:
        return field(default_factory=default_factory, metadata=metadata)
    return field(default=default, metadata=metadata)
