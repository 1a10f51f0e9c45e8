"""A Slurm of one node on loopback, from Debian's packages: slurmctld, slurmd and munged in a folder of their own."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"])
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch")
CONFIGURATION = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
# A job that was requeued waits until the credentials of its first start have expired, usually for two minutes.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# proctrack/pgid also waits for the dead whom a container's first process does not bury at once.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
JobRequeue=1
KillWait=5
ReturnToService=2
NodeName=loopback NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory}
# A job of the second partition takes the place of one of the first, which is requeued.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes=loopback Default=YES MaxTime=INFINITE PriorityTier=1
PartitionName=urgent Nodes=loopback MaxTime=INFINITE PriorityTier=2 PreemptMode=OFF
"""


@pytest.fixture(scope="module")
def slurm() -> Iterator[dict[str, str]]:
    """The environment in which a command finds a Slurm of its own."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=PATH) is None]
    if missing:
        pytest.skip(f"needs Slurm ({', '.join(missing)} not found): apt install slurmctld slurmd slurm-client munge")
    with cluster() as environment:
        yield environment


@contextmanager
def cluster() -> Iterator[dict[str, str]]:
    """Starts the three daemons, yields the environment for commands, and leaves no process behind."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # pytest's own folders are too long for the name of a socket
    environment = {**os.environ, "PATH": PATH, "SLURM_CONF": f"{folder}/slurm.conf"}
    daemons = []
    try:
        _configure(folder)
        for command in _daemons(folder):
            log = (folder / f"{command[0]}.log").open("w")
            # In a process group of its own, for Ctrl-C in a terminal is not meant for it.
            daemons.append(
                subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder, process_group=0)
            )
            if command[0] == "munged":
                _wait("munged", lambda: (folder / "munge.socket").exists(), folder)
        _wait("an idle node", lambda: "idle" in _output(environment, "sinfo", "--noheader", "--format=%t"), folder)
        yield environment
        _output(environment, "scancel", f"--user={os.getuid()}", "--full", "--signal=KILL")
        _output(environment, "scancel", f"--user={os.getuid()}")
        _wait("no job", lambda: not _output(environment, "squeue", "--noheader"), folder)
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(30)
        _kill_all_that_know(environment["SLURM_CONF"])
        shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path) -> None:
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(128))
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [server.getsockname()[1] for server in (one, other)]
    values = {
        "folder": folder,
        "host": socket.gethostname().split(".")[0],
        "user": pwd.getpwuid(os.getuid()).pw_name,
        "controller_port": ports[0],
        "node_port": ports[1],
        "cpus": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
    }
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**values))


def _daemons(folder: Path) -> list[list[str]]:
    files = {
        "key": "munge.key",
        "socket": "munge.socket",
        "pid": "munged.pid",
        "log": "munge.log",
        "seed": "munge.seed",
    }
    munged = [f"--{option}{'' if option == 'socket' else '-file'}={folder / name}" for option, name in files.items()]
    return [
        ["munged", "--foreground", "--force", "--num-threads=2", *munged],
        ["slurmctld", "-D"],
        ["slurmd", "-D", "-N", "loopback"],
    ]


def _output(environment: dict[str, str], *command: str) -> str:
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout.strip()


def _wait(what: str, condition: Callable[[], bool], folder: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = "\n".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in folder.glob("*.log"))
            raise TimeoutError(f"waited {seconds} s for {what}; {logs}")
        time.sleep(0.1)


def _kill_all_that_know(configuration: str) -> None:
    """Ends what has detached itself from slurmd, and the jobs' processes: all of them have SLURM_CONF."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"SLURM_CONF={configuration}".encode() in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:  # it has ended, or is somebody else's
            continue
