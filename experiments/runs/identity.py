"""A run is its configuration: the name of its directory follows from what decides its result."""

import hashlib
import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ..configuration.flattening import counts
from ..configuration.targets import with_first_targets
from .directory import RunDirectory


def resolved(config: DictConfig) -> dict[str, Any]:
    """The parts of a configuration that decide a run's result, as plain values; with a file also what it holds."""
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
    """A group without the options that do not count for a run's identity."""
    return {
        key: _counting(value, f"{prefix}{key}.") if isinstance(value, dict) else value
        for key, value in group.items()
        if counts(f"{prefix}{key}", "identity")
    }


def _extends(plain: dict[str, Any], origin: Path) -> bool:
    """Whether a run differs from the one that it goes on from in its length alone: it is what it would be without."""
    config = RunDirectory(origin).configuration
    return config is not None and options_beside_length(OmegaConf.create(config)) == _beside_length(plain)


def options_beside_length(config: DictConfig) -> dict[str, Any]:
    """What decides a run's result, beside how long it trains."""
    return _beside_length(resolved(config))


def _beside_length(plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "trainer": {key: value for key, value in plain["trainer"].items() if key != "epochs"}}


def run_key(config: DictConfig) -> str:
    """`<cell>-<dataset>-s<seed>-<hash>`: the same for the same configuration, on any machine, at any time."""
    text = json.dumps(resolved(config), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"{config.cell.name}-{config.dataset.name}-s{config.seed}-{digest}"


def run_directory(config: DictConfig) -> Path:
    """Where a run of this configuration is kept; a relative path starts where the command was given."""
    return Path(config.runs_dir).expanduser() / config.name / run_key(config)
