"""A run's directory: state, result, metrics, and what the run was made with. Needs no TensorFlow to read.

.hydra/            the configuration, as composed
status.json        state: running, completed, diverged, failed, killed, timed_out, interrupted; since when; why
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
import io
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from omegaconf import DictConfig, OmegaConf

from ..common import files
from ..common.values import mapping, read_yaml
from ..configuration.targets import with_current_targets
from ..data import Signature
from .environment import environment as record_environment
from .lease import is_claimed

State = Literal["running", "completed", "diverged", "failed", "killed", "timed_out", "interrupted"]
TO_GO_ON: tuple[State, ...] = ("running", "killed", "interrupted")
"""States of runs that go on when their command is typed again."""
_OF_A_RUN = (
    "status.json",
    "result.json",
    "metrics.csv",
    "model.keras",
    "task.json",
    "environment.json",
    "checkpoint.npz",
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
        return mapping(files.read_json(self.path / "status.json"))

    @property
    def state(self) -> State | None:
        """The run's state; `None` if it never began, or where that cannot be read.

        It is `interrupted` where a process said that it runs and is gone, or that it is completed and the result is.
        """
        state = self.status.get("state")
        if state not in get_args(State):
            return None
        gone = (state == "running" and not is_claimed(self.path)) or (state == "completed" and self.result is None)
        return "interrupted" if gone else state

    @property
    def was_completed(self) -> bool:
        """Whether training came to its end, so that the network is whole, also where the result was lost since."""
        return self.status.get("state") == "completed"

    @property
    def ended_badly(self) -> bool:
        """Whether it is over, without a result, and would end like that again."""
        return self.state is not None and self.state not in (*TO_GO_ON, "completed")

    def is_to_run(self, config: DictConfig) -> bool:
        """Whether the run has to be begun, or gone on with."""
        if config.rerun or self.state in (None, *TO_GO_ON):
            return True
        return self.ended_badly and config.sweep.retry_failed

    @property
    def result(self) -> dict[str, Any] | None:
        """What `result.json` holds; `None` if there is none."""
        return files.read_json(self.path / "result.json")

    @property
    def checkpoint(self) -> Path:
        """Where the run's checkpoint is kept."""
        return self.path / "checkpoint.npz"

    @property
    def task(self) -> dict[str, Any]:
        """What `task.json` holds, as plain values; empty if there is none."""
        return mapping(files.read_json(self.path / "task.json"))

    @property
    def signature(self) -> Signature | None:
        """What `task.json` holds; `None` if there is none."""
        return Signature.from_json(self.task) if self.task else None

    @property
    def configuration(self) -> dict[str, Any] | None:
        """The configuration as plain values, with the names of today; `None` if it cannot be read or was cut off."""
        config = read_yaml(self.path / ".hydra" / "config.yaml")
        whole = isinstance(config, dict) and set(config) >= {"seed", "rerun"}  # they are near the file's end
        return with_current_targets(config) if whole else None

    @property
    def overrides(self) -> list[str] | None:
        """The overrides that the run was started with; `None` if they cannot be read."""
        overrides = read_yaml(self.path / ".hydra" / "overrides.yaml")
        return list(map(str, overrides)) if isinstance(overrides, list) else None

    @property
    def environment(self) -> dict[str, Any]:
        """What `environment.json` holds; empty if there is none."""
        return mapping(files.read_json(self.path / "environment.json"))

    # ------------------------------------------------------------------ writing

    def begin(self, config: DictConfig, overrides: Sequence[str]) -> None:
        """Removes what an earlier run of this configuration left, and says that this one runs."""
        for pattern in _OF_A_RUN:
            for path in self.path.glob(pattern):
                path.unlink()
        (self.path / ".hydra").mkdir(exist_ok=True)
        files.write_text(self.path / ".hydra" / "config.yaml", OmegaConf.to_yaml(config))
        files.write_text(self.path / ".hydra" / "overrides.yaml", OmegaConf.to_yaml(list(overrides)))
        self.set_state("running")
        files.write_json(self.path / "environment.json", record_environment(config.seed, overrides))

    def set_state(self, state: State, message: str = "") -> None:
        """Writes `status.json`."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        before = self.status
        status = {"state": state, "message": message, "began": before.get("began", now), "changed": now}
        if "progress" in before:
            status["progress"] = before["progress"]
        files.write_json(self.path / "status.json", {**status, "process": os.getpid(), "host": socket.gethostname()})

    def set_progress(self, progress: dict[str, Any]) -> None:
        """Adds to `status.json` how far the run is."""
        files.write_json(self.path / "status.json", {**self.status, "progress": progress})

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
