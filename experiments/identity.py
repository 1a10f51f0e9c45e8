"""A run is its configuration: the name of its directory follows from what decides its result."""

import hashlib
import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

RUNS = Path("runs")
_WITHOUT_EFFECT = ("name", "rerun", "hydra")
"""Parts of a configuration that change nothing in the result."""


def resolved(config: DictConfig) -> dict[str, Any]:
    """The parts of a configuration that decide a run's result, as plain values; with a file also what it holds."""
    parts: dict[str, Any] = {str(key): config[key] for key in config if key not in _WITHOUT_EFFECT}
    path = config.dataset.get("path")
    if path is not None and Path(path).expanduser().is_file():
        with Path(path).expanduser().open("rb") as file:
            parts["file"] = hashlib.file_digest(file, "sha256").hexdigest()
    return OmegaConf.to_container(OmegaConf.create(parts), resolve=True, enum_to_str=True)  # type: ignore[return-value]


def run_key(config: DictConfig) -> str:
    """`<cell>-<dataset>-s<seed>-<hash>`: the same for the same configuration, on any machine, at any time."""
    text = json.dumps(resolved(config), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"{config.cell.name}-{config.dataset.name}-s{config.seed}-{digest}"


def run_directory(config: DictConfig) -> Path:
    """Where a run of this configuration is kept."""
    return RUNS / config.name / run_key(config)


def register_resolvers(choices: Any) -> None:
    """Makes `${run_key:}` and, for the help page, `${choices:}` known to the configuration files."""
    OmegaConf.register_new_resolver("run_key", lambda *, _root_: run_key(_root_), replace=True)
    OmegaConf.register_new_resolver("choices", choices, replace=True)
