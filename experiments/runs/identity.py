"""Run keys: the name of a run directory follows from the options that determine the run's result."""

import hashlib
import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ..configuration.flattening import counts
from ..configuration.targets import with_first_targets
from .directory import RunDirectory


def resolved(config: DictConfig) -> dict[str, Any]:
    """Return the options that determine a run's result, as plain values.

    If the dataset is read from a file, a hash of the file is included.
    """
    parts: dict[str, Any] = {str(key): config[key] for key in config if counts(str(key), "identity")}
    path = config.dataset.get("path")
    if path is not None and Path(path).expanduser().is_file():
        with Path(path).expanduser().open("rb") as file:
            parts["file"] = hashlib.file_digest(file, "sha256").hexdigest()
    plain: dict[str, Any] = OmegaConf.to_container(OmegaConf.create(parts), resolve=True, enum_to_str=True)  # type: ignore
    origin = plain.pop("continued_from", None)
    plain = with_first_targets(_counting(plain, ""))
    if origin is not None and not _extends(plain, Path(origin)):
        plain["continued_from"] = Path(origin).name
    return plain


def _counting(group: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return a group without the options that do not count for a run's identity."""
    return {
        key: _counting(value, f"{prefix}{key}.") if isinstance(value, dict) else value
        for key, value in group.items()
        if counts(f"{prefix}{key}", "identity")
    }


def _extends(plain: dict[str, Any], origin: Path) -> bool:
    """Return whether a run differs from the run that it continues only in its length.

    Such a run has the same identity as one that was trained without interruption.
    """
    config = RunDirectory(origin).configuration
    return config is not None and options_beside_length(OmegaConf.create(config)) == _beside_length(plain)


def options_beside_length(config: DictConfig) -> dict[str, Any]:
    """Return the options that determine a run's result, except for the length of training."""
    return _beside_length(resolved(config))


def _beside_length(plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "trainer": {key: value for key, value in plain["trainer"].items() if key != "epochs"}}


def run_key(config: DictConfig) -> str:
    """Return `<cell>-<dataset>-s<seed>-<hash>`: the same for equal configurations, on any machine, at any time."""
    text = json.dumps(resolved(config), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"{config.cell.name}-{config.dataset.name}-s{config.seed}-{digest}"


def run_directory(config: DictConfig) -> Path:
    """Return the run directory of a configuration. A relative path is relative to the current working directory."""
    return Path(config.runs_dir).expanduser() / config.name / run_key(config)
