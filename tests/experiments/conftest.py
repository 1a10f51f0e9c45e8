"""What the tests of `experiments` share."""

from collections.abc import Callable

import hydra
import pytest
from omegaconf import DictConfig

from experiments import commandline
from experiments.data import Task, load


@pytest.fixture
def compose() -> Callable[..., DictConfig]:
    """Composes a configuration from overrides, as the command line does."""
    commandline.prepare()

    def composed(*overrides: str) -> DictConfig:
        with hydra.initialize_config_dir(str(commandline.CONF.resolve()), version_base="1.3"):
            return hydra.compose("config", list(overrides))

    return composed


@pytest.fixture
def task_of(compose) -> Callable[..., Task]:
    """A dataset by its name, with options."""

    def loaded(name: str, *options: str, seed: int = 3) -> Task:
        return load(compose(f"dataset={name}", *(f"dataset.{option}" for option in options)).dataset, seed)

    return loaded
