"""A run's directory: state, result, metrics, and what the run was made with. Needs no TensorFlow to read.

.hydra/            the configuration, as composed
status.json        state: running, completed, diverged, failed, interrupted; since when; why
result.json        metrics, parameters, epochs, seconds, gradient (once the run has ended well)
metrics.csv        one row an epoch
model.keras        the trained network
checkpoint.npz     where training goes on if it is interrupted
task.json          what it reads and writes: sizes, symbols, units
environment.json   code version, packages, machine, seed
train.log          what was logged, tracebacks included
events.out.…       TensorBoard's
"""

import csv
import datetime
import importlib.metadata
import io
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from . import files
from .data import Signature

State = Literal["running", "completed", "diverged", "failed", "interrupted"]
_PACKAGES = ("rnnscope", "tensorflow", "keras", "numpy", "tensorboard", "hydra-core", "scikit-learn")
_OF_A_RUN = (
    "status.json",
    "result.json",
    "metrics.csv",
    "model.keras",
    "task.json",
    "environment.json",
    "events.out.tfevents.*",
)


class RunDirectory:
    """Reads and writes one run's directory.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path):
        self.path = Path(path)

    # ------------------------------------------------------------------ reading

    @property
    def status(self) -> dict[str, Any]:
        """What `status.json` holds; empty if there is none."""
        return files.read_json(self.path / "status.json") or {}

    @property
    def state(self) -> State | None:
        """The run's state; `None` if it never began."""
        return self.status.get("state")

    @property
    def result(self) -> dict[str, Any] | None:
        """What `result.json` holds; `None` if there is none."""
        return files.read_json(self.path / "result.json")

    @property
    def checkpoint(self) -> Path:
        """Where the run's checkpoint is kept."""
        return self.path / "checkpoint.npz"

    @property
    def signature(self) -> Signature | None:
        """What `task.json` holds; `None` if there is none."""
        text = files.read_json(self.path / "task.json")
        return None if text is None else Signature.from_json(text)

    @property
    def overrides(self) -> list[str]:
        """The overrides that the run was started with, as Hydra kept them."""
        from omegaconf import OmegaConf

        path = self.path / ".hydra" / "overrides.yaml"
        return list(OmegaConf.load(path)) if path.exists() else []

    # ------------------------------------------------------------------ writing

    def begin(self, seed: int) -> None:
        """Removes what an earlier, unfinished run of this configuration left, and says that this one runs."""
        for pattern in _OF_A_RUN:
            for path in self.path.glob(pattern):
                path.unlink()
        self.set_state("running")
        files.write_json(self.path / "environment.json", environment(seed))

    def set_state(self, state: State, message: str = "") -> None:
        """Writes `status.json`."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        began = now if state == "running" else self.status.get("began", now)
        status = {"state": state, "message": message, "began": began, "changed": now}
        files.write_json(self.path / "status.json", {**status, "process": os.getpid(), "host": socket.gethostname()})

    def write_task(self, signature: Signature) -> None:
        """Writes `task.json`."""
        files.write_json(self.path / "task.json", signature.as_json())

    def write_result(self, result: dict[str, Any]) -> None:
        """Writes `result.json`."""
        files.write_json(self.path / "result.json", result)

    def write_metrics(self, rows: list[dict[str, float]]) -> None:
        """Writes `metrics.csv`: the whole table, so that it is never half a row."""
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        files.write_text(self.path / "metrics.csv", text.getvalue())


def environment(seed: int) -> dict[str, Any]:
    """What a run was made with: code, packages, machine, seed, command."""
    return {
        "seed": seed,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
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
    """The commit that is checked out, and whether files differ from it; empty outside a git checkout."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "changed": bool(git("status", "--porcelain", "--", "."))}
    except (OSError, subprocess.SubprocessError):
        return {}
