"""Reading of a run's configuration as data, without TensorFlow.

A run directory may come from an untrusted source, so its files must not determine which code is called. Classes,
functions and packages are taken from `conf/`; only the values of their options are taken from the stored file.
"""

from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from ..common.errors import UserError, suggestion
from ..common.values import plain
from ..configuration.composition import CONF, composing, prepare, searching
from ..configuration.explanations import explained
from ..configuration.targets import GROUPS_WITH_TARGETS, with_current_targets
from ..configuration.validation import validate

_STORED = {*GROUPS_WITH_TARGETS, "architecture", "trainer", "telemetry", "seed", "name", "rerun"}
"""Keys that every configuration contains; a truncated file lacks the last of them."""


def configuration(directory: Path, config_dir: Path | None = None) -> DictConfig:
    """Return the configuration of a run, with the same types and limits as the configuration of a new run.

    Args:
        directory: the run directory.
        config_dir: a folder with custom choices, as for `train.py --config-dir`.

    Raises:
        UserError: the configuration cannot be read, or cannot have been composed from `conf/`.
    """
    path = directory / ".hydra" / "config.yaml"
    try:
        stored = _read(path)
        with explained():
            ours = _composed(stored, config_dir)
            for group in GROUPS_WITH_TARGETS:
                _check_target(group, stored[group], ours[group])
                stored[group].pop("requires", None)
            config: Any = OmegaConf.merge(ours, stored)
            validate(config)
    except UserError as error:
        raise UserError(plain(f"{path}: {error}")) from error
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        stored = OmegaConf.to_container(OmegaConf.load(path))
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror}); expected a run's configuration") from error
    except (YAMLError, ValueError, OmegaConfBaseException) as error:
        raise UserError("is damaged; expected a run's configuration, as YAML") from error
    groups = stored if isinstance(stored, dict) else {}
    whole = [key for key in groups if key not in GROUPS_WITH_TARGETS or isinstance(groups[key], dict)]
    if lacking := sorted(_STORED.difference(whole)):
        raise UserError(f"is damaged; expected a run's configuration, with {lacking[0]}")
    return with_current_targets(groups)  # type: ignore[arg-type]


def _composed(stored: dict[str, Any], config_dir: Path | None) -> DictConfig:
    """Compose the configuration of a new run with the stored choices."""
    folders = [CONF, *([config_dir] if config_dir else [])]
    choices = []
    for group in GROUPS_WITH_TARGETS:
        there = [file.stem for folder in folders for file in (folder / group).glob("*.yaml")]
        chosen = str(stored[group].get("name"))
        if chosen not in there:  # the name could also be a path that leaves these folders
            raise UserError(f"{group}={chosen}: there is no such choice; {suggestion(chosen, there)}")
        choices.append(f"{group}={chosen}")
    prepare()
    with composing():
        return hydra.compose("config", [*searching(folders[1:]), *choices])


def _check_target(group: str, stored: dict[str, Any], ours: DictConfig) -> None:
    if stored.get("_target_") != ours._target_:
        raise UserError(f"{group}._target_={stored.get('_target_')}: expected {ours._target_} for {group}={ours.name}")
