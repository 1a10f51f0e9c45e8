"""Composition of configurations from `conf/` with Hydra. TensorFlow is not imported."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins

from . import resolvers, schema

CONF = Path(__file__).resolve().parents[2] / "conf"
"""The folder of all configuration files; `rnnscope/conf` in a wheel."""


@contextmanager
def composing() -> Iterator[None]:
    """Initialize Hydra with `conf/`, so that `hydra.compose` can be called in this context."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def searching(folders: Sequence[Path]) -> list[str]:
    """Return the override with which Hydra also finds choices in other folders; none if there are no folders."""
    quoted = ["'" + folder.resolve().as_posix().replace("'", "\\'") + "'" for folder in folders]
    return [f"hydra.searchpath=[{','.join(quoted)}]"] if quoted else []


def prepare() -> None:
    """Register types and resolvers with Hydra.

    This must be called before a configuration is composed, and can be called repeatedly.
    """
    schema.register()
    resolvers.register(choices=_choices)
    Plugins.instance()  # imports the plugins, whose configurations are removed if `conf/` replaces them
    for group in ("launcher", "sweeper"):
        for path in (CONF / "hydra" / group).glob("*.yaml"):
            ConfigStore.instance().repo["hydra"][group].pop(path.name, None)


def _choices() -> str:
    """Return the list of groups and their choices for the help page."""
    groups = {
        folder.name: sorted(file.stem for file in folder.glob("*.yaml"))
        for folder in sorted(CONF.iterdir())
        if folder.is_dir() and folder.name not in ("hydra", "local")
    }
    return "\n".join(f"    {group:<14}{', '.join(names)}" for group, names in groups.items())
