"""What a run's process is told, and what it and whoever waits for it agree on."""

from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

GRACE = 20.0
"""Seconds that a run is given to end by itself when it is asked to."""
UNWRITABLE = 74
"""The exit status of a run's process that could not write the run's directory."""


@dataclass(frozen=True)
class Work:
    """What a process is to do.

    Attributes:
        path: the run's directory.
        config: composed and checked.
        overrides: that gave the configuration.
        cwd: where the user stands.
        alone: whether it is the only run, which may use the terminal.
    """

    path: Path
    config: DictConfig
    overrides: list[str]
    cwd: Path
    alone: bool
