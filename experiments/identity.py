"""A run is its configuration: the name of its directory follows from what decides its result."""

import hashlib
import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError  # type: ignore[import-untyped]

RUNS = Path("runs")
_WITHOUT_EFFECT = ("name", "rerun", "sweep", "hydra")
"""Parts of a configuration that change nothing in the result; beside `trainer.time_limit`."""


def resolved(config: DictConfig) -> dict[str, Any]:
    """The parts of a configuration that decide a run's result, as plain values; with a file also what it holds."""
    parts: dict[str, Any] = {str(key): config[key] for key in config if key not in _WITHOUT_EFFECT}
    path = config.dataset.get("path")
    if path is not None and Path(path).expanduser().is_file():
        with Path(path).expanduser().open("rb") as file:
            parts["file"] = hashlib.file_digest(file, "sha256").hexdigest()
    plain: dict[str, Any] = OmegaConf.to_container(OmegaConf.create(parts), resolve=True, enum_to_str=True)  # type: ignore
    plain["trainer"].pop("time_limit", None)
    origin = plain.pop("continued_from", None)
    if origin is not None and not _extends(plain, Path(origin)):
        plain["continued_from"] = Path(origin).name
    return plain


def _extends(plain: dict[str, Any], origin: Path) -> bool:
    """Whether a run differs from the one that it goes on from in its length alone: it is what it would be without."""
    config = stored_configuration(origin)
    return config is not None and options_beside_length(config) == _beside_length(plain)


def options_beside_length(config: DictConfig) -> dict[str, Any]:
    """What decides a run's result, beside how long it trains."""
    return _beside_length(resolved(config))


def _beside_length(plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "trainer": {key: value for key, value in plain["trainer"].items() if key != "epochs"}}


def stored_configuration(directory: Path) -> DictConfig | None:
    """The configuration that a run's directory holds; `None` if it cannot be read."""
    try:
        config = OmegaConf.load(directory / ".hydra" / "config.yaml")
        return config if isinstance(config, DictConfig) and {"trainer", "dataset", "cell"} <= set(config) else None
    except (OSError, ValueError, YAMLError):
        return None


def run_key(config: DictConfig) -> str:
    """`<cell>-<dataset>-s<seed>-<hash>`: the same for the same configuration, on any machine, at any time."""
    text = json.dumps(resolved(config), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"{config.cell.name}-{config.dataset.name}-s{config.seed}-{digest}"


def run_directory(config: DictConfig) -> Path:
    """Where a run of this configuration is kept."""
    return RUNS / config.name / run_key(config)
