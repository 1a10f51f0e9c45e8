"""Configurations composed from `conf/` as Hydra does it. Needs no TensorFlow."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins

from . import resolvers, schema

CONF = Path(__file__).resolve().parents[2] / "conf"
"""The folder of all choices; `rnnscope/conf` in a wheel."""


@contextmanager
def composing() -> Iterator[None]:
    """`hydra.compose` finds `conf/` meanwhile."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def prepare() -> None:
    """Makes types and resolvers known to Hydra, before anything is composed; as often as one likes."""
    schema.register()
    resolvers.register(choices=_choices)
    Plugins.instance()  # imports Hydra's plugins, whose configurations ours of the same name stand for
    for group in ("launcher", "sweeper"):
        for path in (CONF / "hydra" / group).glob("*.yaml"):
            ConfigStore.instance().repo["hydra"][group].pop(path.name, None)


def _choices() -> str:
    """The help page's list of groups and what can be chosen in each."""
    groups = {
        folder.name: sorted(file.stem for file in folder.glob("*.yaml"))
        for folder in sorted(CONF.iterdir())
        if folder.is_dir() and folder.name not in ("hydra", "local")
    }
    return "\n".join(f"    {group:<14}{', '.join(names)}" for group, names in groups.items())
