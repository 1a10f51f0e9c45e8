"""The processes of a command, found by a mark in their environment; for tests that end some of them."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.conftest import TRAIN

_PROC = Path("/proc")
_HELD = "train.log"
"""What whoever works on a run keeps open all the time."""


class Commands:
    """`rnnscope train …` in a folder, as often as it is typed there, and all processes that came of it.

    Args:
        folder: where it is typed; made if it is not there.
        before: a command that it is put behind, as of `nice`.
        script: another instead of `train.py`.
    """

    def __init__(self, folder: Path, before: Sequence[str] = (), script: Path = TRAIN):
        folder.mkdir(exist_ok=True)
        self.folder, self.before, self.script = folder, before, script
        self._mark = f"TYPED_BY_A_TEST={secrets.token_hex(8)}"
        self._outputs: list[Path] = []

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Types it. It says what it says into a file: a pipe would not end before the last of its processes."""
        output = self.folder / f"output-{secrets.token_hex(4)}.txt"
        self._outputs.append(output)
        command = ["env", self._mark, *self.before, sys.executable, str(self.script), *arguments]
        with output.open("w") as said:
            return subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **environment}, stdout=said, stderr=said
            )

    def run(self, *arguments: str, **environment: str) -> int:
        """Types it, and waits for its end; returns its exit status."""
        return self.start(*arguments, **environment).wait(300)

    @property
    def output(self) -> str:
        """What the last of them said."""
        return self._outputs[-1].read_text()

    @property
    def outputs(self) -> str:
        """What all of them said."""
        return "\n".join(path.read_text() for path in self._outputs)

    def processes(self) -> list[int]:
        """All that live, those included whose parents do not."""
        mark = self._mark.encode()
        return [int(path.name) for path in _PROC.glob("[0-9]*") if mark in _read(int(path.name), "environ")]

    def by_kind(self) -> dict[str, list[int]]:
        """Processes that live, by what they are to a sweep; those left out that only keep track of semaphores."""
        alive = {pid: _read(pid, "cmdline") for pid in self.processes()}
        found = defaultdict(list)
        for pid, command in alive.items():
            if b"forkserver" in command:
                forked = b"forkserver" in alive.get(_parent(pid), b"")
                found["run" if forked else "forkserver"].append(pid)
            elif b"popen_loky" in command:
                found["worker"].append(pid)
            elif str(self.script).encode() in command:
                found["command"].append(pid)
        return found

    def at_work(self) -> dict[Path, set[int]]:
        """By run directory, the processes that work in it."""
        found = defaultdict(set)
        for pid in self.processes():
            for path in _open_files(pid):
                if path.name == _HELD:
                    found[path.parent].add(pid)
        return found

    def kill_all(self) -> None:
        """SIGKILL to all processes, until none is left; they stand still by then, so that none notes another's end."""
        while left := self.processes():
            kill(left, signal.SIGSTOP)
            kill(left)
            time.sleep(0.05)


def kill(processes: Iterable[int], how: signal.Signals = signal.SIGKILL) -> None:
    """A signal to processes that may have ended by themselves."""
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, how)


@contextmanager
def watching(commands: Commands) -> Iterator[dict[str, list[set[int]]]]:
    """Looks all the time at who works where; yields, by run, those that were seen in its directory together."""
    seen: dict[str, list[set[int]]] = defaultdict(list)
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            for run, pids in commands.at_work().items():
                if len(pids) > 1:  # whoever is still there when the others have been found was there with them
                    pids &= commands.at_work().get(run, set())
                if pids and pids not in seen[run.name]:
                    seen[run.name].append(pids)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _read(pid: int, name: str) -> bytes:
    with suppress(OSError):
        return (_PROC / str(pid) / name).read_bytes()
    return b""


def _parent(pid: int) -> int:
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def _open_files(pid: int) -> list[Path]:
    found = []
    with suppress(OSError):
        for link in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                found.append(link.readlink())
    return found
