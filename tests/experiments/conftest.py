"""What the tests of `experiments` share."""

from collections.abc import Callable

import hydra
import pytest
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig

from rnnscope.experiments.configuration.composition import CONF, prepare
from rnnscope.experiments.data import Task, load
from rnnscope.experiments.sweeps.request import Request


@pytest.fixture
def compose() -> Callable[..., DictConfig]:
    """Composes a configuration from overrides, as the command line does."""
    prepare()

    def composed(*overrides: str) -> DictConfig:
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            return hydra.compose("config", list(overrides))

    return composed


@pytest.fixture
def task_of(compose) -> Callable[..., Task]:
    """A dataset by its name, with options."""

    def loaded(name: str, *options: str, seed: int = 3) -> Task:
        return load(compose(f"dataset={name}", *(f"dataset.{option}" for option in options)).dataset, seed)

    return loaded


@pytest.fixture
def taken_by_hydra() -> Callable[[Request], None]:
    """Composes what Hydra composes before it sweeps, of every grid; raises what it raises."""

    def take(request: Request) -> None:
        for grid in request.grids:
            parsed = get_args_parser().parse_args(grid.arguments)
            with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
                loader = GlobalHydra.instance().config_loader()
                loader.load_configuration("config", parsed.overrides, RunMode.MULTIRUN)

    return take
