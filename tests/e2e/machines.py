"""What a machine may do to those who work on it: little memory, a full disk, another clock, another name.

Each is made for a test's own processes alone, where the system lets us; elsewhere the test is skipped, with the reason.
"""

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_ANOTHER_NAME = "import os, socket, sys; socket.sethostname('elsewhere'); os.execvp(sys.argv[1], sys.argv[1:])"
ELSEWHERE = ("unshare", "--uts", sys.executable, "-c", _ANOTHER_NAME)
"""What to put before a command, so that it believes itself on a machine called `elsewhere`."""


def skip_unless(what: str, command: Sequence[str]) -> None:
    """Skips the test where a command does not succeed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {what} ({command[0]} not found)")
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"needs {what} ({tried.stderr.strip()})")


@contextmanager
def little_memory(limit: int) -> Iterator[Path]:
    """A control group of a limit in bytes, below our own group; what is written to its `cgroup.procs` is in it."""
    for parent in _groups():
        group = parent / f"faults-{secrets.token_hex(4)}"
        try:
            group.mkdir()
            _limit(group, limit)
        except OSError:
            with suppress(OSError):
                group.rmdir()
            continue
        try:
            yield group
        finally:
            while group.exists():  # until its processes are gone
                with suppress(OSError):
                    group.rmdir()
                time.sleep(0.05)
        return
    pytest.skip("needs a control group for memory that can be written")


def _groups() -> Iterator[Path]:
    """Our own memory groups, as far as they can be told: of version 1 and of version 2."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            yield Path(f"/sys/fs/cgroup/memory{path}")
        elif not controllers:
            yield Path(f"/sys/fs/cgroup{path}")


def _limit(group: Path, limit: int) -> None:
    if (group / "memory.max").exists():
        (group / "memory.max").write_text(str(limit))
    else:
        (group / "memory.limit_in_bytes").write_text(str(limit))
    for name, value in {"memory.swap.max": 0, "memory.memsw.limit_in_bytes": limit}.items():
        if (group / name).exists():
            (group / name).write_text(str(value))


class Disk:
    """A small disk of its own at a folder, for those who are started behind `before`.

    Args:
        folder: where; made if it is not there.
        size: how large, as in `100k`.

    Attributes:
        before: what to put before a command.
        seen: where everybody else finds the folder.
    """

    def __init__(self, folder: Path, size: str):
        folder.mkdir(parents=True)
        namespace = ["unshare", "--mount"]
        mount = f"mount -t tmpfs -o size={size} none '{folder}'"
        skip_unless("a name space for mounts", [*namespace, "sh", "-c", mount])
        stay = [*namespace, "sh", "-c", f"{mount} && echo && exec sleep infinity"]
        self._holder = subprocess.Popen(stay, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        enter = ["nsenter", f"--target={self._holder.pid}", "--mount"]
        self.before = [*enter, "env", f"--chdir={folder.parent}"]
        self.seen, self._folder = Path(f"/proc/{self._holder.pid}/root{folder}"), folder

    def __enter__(self) -> "Disk":
        return self

    def __exit__(self, *exception: object) -> None:
        self._holder.kill()
        self._holder.communicate()

    def remount(self, options: str) -> bool:
        """Makes it larger, `size=1m`, or read-only, `ro`; returns whether that was possible."""
        command = [*self.before, "mount", "-o", f"remount,{options}", str(self._folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Clock:
    """A clock that can be set, for those who are started with `environment`; in which stopwatches run on.

    Args:
        file: where what it shows is kept.
    """

    def __init__(self, file: Path):
        show = ["faketime", "-f", "+0", "printenv", "LD_PRELOAD"]
        skip_unless("faketime", show)
        library = subprocess.run(show, capture_output=True, text=True, check=True).stdout.strip()
        self.environment = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self._file = file
        self.set("+0")

    def set(self, offset: str) -> None:
        """From now on it shows another time: `+1h`, `-1y`."""
        temporary = self._file.with_suffix(".new")
        temporary.write_text(f"{offset}\n")
        temporary.replace(self._file)
