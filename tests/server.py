"""A process that has imported TensorFlow, and forks a child for every command that it is asked to run.

The import takes 3 seconds of processor time. Paid once per pytest process instead of once per command, it costs the
end-to-end tests little. Tests of how the program starts, and those that kill it, start a new Python process instead;
see `run_command` in `tests/e2e/conftest.py`.

As a program, this module is the server. It reads one JSON object per line and answers with an exit status per line.
"""

import atexit
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]


class Server:
    """The client's side: starts the server, and has it run commands.

    `close` ends it.
    """

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by `close`)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            bufsize=1,
        )

    def run(
        self,
        folder: Path,
        arguments: list[str],
        script: Path | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a child of the server, and wait for it.

        Args:
            folder: working directory of the command.
            arguments: those after `rnnscope`, or after the script.
            script: a Python script to run instead of `rnnscope`.
            environment: of the command; that of this process by default.
            timeout: seconds after which the command is killed.

        Raises:
            subprocess.TimeoutExpired: the command took too long.
        """
        with tempfile.TemporaryDirectory(prefix="output-") as outputs:
            stdout, stderr = Path(outputs, "stdout"), Path(outputs, "stderr")
            request = {
                "folder": str(folder),
                "arguments": arguments,
                "script": None if script is None else str(script),
                "environment": dict(os.environ if environment is None else environment),
                "stdout": str(stdout),
                "stderr": str(stderr),
                "timeout": timeout,
            }
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(f"{json.dumps(request)}\n")
            answer = self._process.stdout.readline()
            if not answer:
                self._errors.seek(0)
                raise RuntimeError(f"the server has ended: {self._errors.read()}")
            status = json.loads(answer)
            if status is None:
                raise subprocess.TimeoutExpired(arguments, timeout, stdout.read_text(), stderr.read_text())
            return subprocess.CompletedProcess(arguments, status, stdout.read_text(), stderr.read_text())

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._errors.close()


_STARTED: list[Server] = []


def server() -> Server:
    """Return the server of this pytest process; the first call starts it."""
    if not _STARTED:
        _STARTED.append(Server())
    return _STARTED[0]


def close_server() -> None:
    """End the server of this pytest process, if it was started."""
    while _STARTED:
        _STARTED.pop().close()


# ------------------------------------------------------------------ the server's side

_IMPORTED_BY_COMMANDS = (
    "matplotlib.backends.backend_agg",
    "rnnscope.experiments.commands.evaluate",
    "rnnscope.experiments.commands.show",
    "rnnscope.experiments.commands.train",
    "rnnscope.experiments.studies.report",
    "rnnscope.experiments.summaries.summary",
    "rnnscope.experiments.training.plots",
    "scipy.stats",
    "sklearn.datasets",
)


def serve() -> None:
    """Answer requests until the standard input ends."""
    _prepare()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _execute(request)
        print(json.dumps(_exit_status(child, request["timeout"])), flush=True)


def _prepare() -> None:
    """Import what commands import. TensorFlow is imported, not started: threads do not survive a fork."""
    import rnnscope.experiments.sweeps.worker  # noqa: F401 (first, since it hides some packages from TensorFlow)

    for module in _IMPORTED_BY_COMMANDS:
        importlib.import_module(module)
    from rnnscope.experiments.configuration.composition import prepare
    from rnnscope.experiments.sweeps import isolation

    prepare()
    isolation.START_METHOD = "fork"  # the run's process inherits TensorFlow from the command's


def _exit_status(child: int, seconds: float) -> int | None:
    """Wait for a child, and return its exit status; kill it, and return `None`, if it takes longer."""

    def expired(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except TimeoutError:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _execute(request: dict[str, Any]) -> NoReturn:
    """Run a request in this process, a child of the server, and end the process."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.setpgid(0, 0)
    writing = os.O_WRONLY | os.O_CREAT
    files = ((os.devnull, os.O_RDONLY), (request["stdout"], writing), (request["stderr"], writing))
    for number, (path, flags) in enumerate(files):
        stream = os.open(path, flags)
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    status: Any = 1
    try:
        if request["script"] is None:
            from rnnscope.experiments.commands.main import main

            sys.argv = ["rnnscope", *request["arguments"]]
            status = main(request["arguments"])
        else:
            sys.argv = [request["script"], *request["arguments"]]
            sys.path[0] = str(Path(request["script"]).parent)
            runpy.run_path(request["script"], run_name="__main__")
            status = 0
    except SystemExit as end:
        status = end.code
        if isinstance(status, str):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    atexit._run_exitfuncs()
    os._exit(status or 0)  # to take TensorFlow apart, module by module, would last a second


if __name__ == "__main__":
    serve()
