"""The environment of a run: code, packages, machine, and the command that repeats the run."""

import importlib.metadata
import os
import platform
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PACKAGES = ("rnnscope", "tensorflow", "keras", "numpy", "tensorboard", "hydra-core", "scikit-learn")


def environment(seed: int, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the environment of a run: code, packages, machine, seed, and the command for this run alone."""
    return {
        "seed": seed,
        "command": ["rnnscope", "train", *overrides],
        "code": _code_version(),
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
        "machine": {
            "host": socket.gethostname(),
            "platform": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _code_version() -> dict[str, Any]:
    """Return the current commit and whether files differ from it; empty outside a git checkout."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "changed": bool(git("status", "--porcelain", "--", "."))}
    except (OSError, subprocess.SubprocessError):
        return {}
