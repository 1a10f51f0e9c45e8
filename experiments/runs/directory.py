"""The directory of a run: its configuration, state, results and metrics. Reading it does not need TensorFlow.

.hydra/            the composed configuration
status.json        state (running, completed, diverged, failed, killed, timed_out or interrupted), times, message
result.json        metrics, parameters, epochs, seconds, gradient (only of a completed run)
metrics.csv        one row per epoch
model.keras        the trained network
checkpoint.npz     the state from which an interrupted run resumes
task.json          the inputs and outputs of the network: sizes, symbols, units
environment.json   code version, packages, machine, seed
train.log          the log, including tracebacks
events.out.…       the event file of TensorBoard
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
"""States of runs that resume when the same command is run again."""
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
    """The directory of one run, for reading and writing.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path):
        self.path = Path(path)

    # ------------------------------------------------------------------ reading

    @property
    def status(self) -> dict[str, Any]:
        """Contents of `status.json`; empty if the file cannot be read."""
        return mapping(files.read_json(self.path / "status.json"))

    @property
    def state(self) -> State | None:
        """State of the run; `None` if it has never started, or if its state cannot be read.

        The state is `interrupted` if `status.json` contains `running` but the process no longer exists, or if it
        contains `completed` but the result is missing.
        """
        state = self.status.get("state")
        if state not in get_args(State):
            return None
        gone = (state == "running" and not is_claimed(self.path)) or (state == "completed" and self.result is None)
        return "interrupted" if gone else state

    @property
    def was_completed(self) -> bool:
        """Whether training was completed. The saved network is then complete, even if the result was lost later."""
        return self.status.get("state") == "completed"

    @property
    def ended_badly(self) -> bool:
        """Whether the run has ended without a result, and would end the same way again."""
        return self.state is not None and self.state not in (*TO_GO_ON, "completed")

    def is_to_run(self, config: DictConfig) -> bool:
        """Return whether the run has to be started or resumed."""
        if config.rerun or self.state in (None, *TO_GO_ON):
            return True
        return self.ended_badly and config.sweep.retry_failed

    @property
    def result(self) -> dict[str, Any] | None:
        """Contents of `result.json`; `None` if the file cannot be read."""
        return files.read_json(self.path / "result.json")

    @property
    def checkpoint(self) -> Path:
        """Path of the run's checkpoint."""
        return self.path / "checkpoint.npz"

    @property
    def task(self) -> dict[str, Any]:
        """Contents of `task.json` as plain values; empty if the file cannot be read."""
        return mapping(files.read_json(self.path / "task.json"))

    @property
    def signature(self) -> Signature | None:
        """Contents of `task.json` as a `Signature`; `None` if the file cannot be read."""
        return Signature.from_json(self.task) if self.task else None

    @property
    def configuration(self) -> dict[str, Any] | None:
        """Configuration as plain values, with current names; `None` if it cannot be read or is truncated."""
        config = read_yaml(self.path / ".hydra" / "config.yaml")
        whole = isinstance(config, dict) and set(config) >= {"seed", "rerun"}  # these keys are near the end of the file
        return with_current_targets(config) if whole else None

    @property
    def overrides(self) -> list[str] | None:
        """Overrides with which the run was started; `None` if they cannot be read."""
        overrides = read_yaml(self.path / ".hydra" / "overrides.yaml")
        return list(map(str, overrides)) if isinstance(overrides, list) else None

    @property
    def environment(self) -> dict[str, Any]:
        """Contents of `environment.json`; empty if the file cannot be read."""
        return mapping(files.read_json(self.path / "environment.json"))

    # ------------------------------------------------------------------ writing

    def begin(self, config: DictConfig, overrides: Sequence[str]) -> None:
        """Remove the files of an earlier run, write the configuration, and set the state to `running`."""
        for pattern in _OF_A_RUN:
            for path in self.path.glob(pattern):
                path.unlink()
        (self.path / ".hydra").mkdir(exist_ok=True)
        files.write_text(self.path / ".hydra" / "config.yaml", OmegaConf.to_yaml(config))
        files.write_text(self.path / ".hydra" / "overrides.yaml", OmegaConf.to_yaml(list(overrides)))
        self.set_state("running")
        files.write_json(self.path / "environment.json", record_environment(config.seed, overrides))

    def set_state(self, state: State, message: str = "") -> None:
        """Write `status.json`."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        before = self.status
        status = {"state": state, "message": message, "began": before.get("began", now), "changed": now}
        if "progress" in before:
            status["progress"] = before["progress"]
        files.write_json(self.path / "status.json", {**status, "process": os.getpid(), "host": socket.gethostname()})

    def set_progress(self, progress: dict[str, Any]) -> None:
        """Add the progress of the run to `status.json`."""
        files.write_json(self.path / "status.json", {**self.status, "progress": progress})

    def write_task(self, signature: Signature) -> None:
        """Write `task.json`."""
        files.write_json(self.path / "task.json", signature.as_json())

    def write_result(self, result: dict[str, Any]) -> None:
        """Write `result.json`."""
        files.write_json(self.path / "result.json", result)

    def write_metrics(self, rows: list[dict[str, float]]) -> None:
        """Write `metrics.csv`.

        The whole table is written each time, so that the file never contains an incomplete row.
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        files.write_text(self.path / "metrics.csv", text.getvalue())
