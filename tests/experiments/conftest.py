"""What the tests of `experiments` share."""

from collections.abc import Callable

import hydra
import pytest
from omegaconf import DictConfig

from experiments import commandline


@pytest.fixture
def compose() -> Callable[..., DictConfig]:
    """Composes a configuration from overrides, as the command line does."""
    commandline.prepare()

    def composed(*overrides: str) -> DictConfig:
        with hydra.initialize_config_dir(str(commandline.CONF.resolve()), version_base="1.3"):
            return hydra.compose("config", list(overrides))

    return composed
