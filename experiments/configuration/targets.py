"""Names of classes and functions in configurations: today's, and those that files written before version 0.2 have."""

from typing import Any

_BEFORE = {
    "rnnscope.experiments.data.datasets.user_files.": "experiments.data.own.",
    "rnnscope.experiments.data.datasets.": "experiments.data.",
    "rnnscope.": "layers.",
}
"""By how a name begins today, how it began; the first that fits counts."""
GROUPS_WITH_TARGETS = ("cell", "dataset", "optimizer")
"""Groups whose choices name a class or a function."""


def current(target: str) -> str:
    """Return today's name for a class or function.

    >>> current("layers.LSTMCell"), current("experiments.data.own.csv"), current("keras.optimizers.Adam")
    ('rnnscope.LSTMCell', 'rnnscope.experiments.data.datasets.user_files.csv', 'keras.optimizers.Adam')
    """
    for now, before in _BEFORE.items():
        if target.startswith(before):
            return now + target.removeprefix(before)
    return target


def with_current_targets(config: dict[str, Any]) -> dict[str, Any]:
    """Return a stored configuration in which classes and functions have the names that they have today."""
    return _mapped(config, current)


def with_first_targets(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration in which they have their first names, which the keys of run directories are made from."""
    return _mapped(config, _first)


def _first(target: str) -> str:
    for now, before in _BEFORE.items():
        if target.startswith(now):
            return before + target.removeprefix(now)
    return target


def _mapped(config: dict[str, Any], renamed: Any) -> dict[str, Any]:
    changed = dict(config)
    for name in GROUPS_WITH_TARGETS:
        group = config.get(name)
        if isinstance(group, dict) and isinstance(group.get("_target_"), str):
            changed[name] = {**group, "_target_": renamed(group["_target_"])}
    return changed
