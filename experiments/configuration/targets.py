"""Names of classes and functions in configurations: the current names, and those before version 0.2."""

from typing import Any

_BEFORE = {
    "rnnscope.experiments.data.datasets.user_files.": "experiments.data.own.",
    "rnnscope.experiments.data.datasets.": "experiments.data.",
    "rnnscope.": "layers.",
}
"""For each current prefix of a name, its prefix before version 0.2. The first match applies."""
GROUPS_WITH_TARGETS = ("cell", "dataset", "optimizer")
"""Groups whose choices contain the name of a class or function."""


def current(target: str) -> str:
    """Return the current name of a class or function.

    >>> current("layers.LSTMCell"), current("experiments.data.own.csv"), current("keras.optimizers.Adam")
    ('rnnscope.LSTMCell', 'rnnscope.experiments.data.datasets.user_files.csv', 'keras.optimizers.Adam')
    """
    for now, before in _BEFORE.items():
        if target.startswith(before):
            return now + target.removeprefix(before)
    return target


def with_current_targets(config: dict[str, Any]) -> dict[str, Any]:
    """Return a stored configuration with the current names of classes and functions."""
    return _mapped(config, current)


def with_first_targets(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with the names before version 0.2, from which run keys are computed."""
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
