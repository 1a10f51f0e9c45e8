"""How the end of a process is described, on POSIX systems and on Windows; and how this process is ended."""

import shutil
import signal
import subprocess
import sys

import pytest

from rnnscope.experiments.common import checkout, platform


@pytest.mark.parametrize(
    ("exitcode", "expected"),
    [
        (3, ("exited", "status 3")),
        (-signal.SIGSEGV, ("crashed", "SIGSEGV")),
        (-signal.SIGKILL, ("killed", "SIGKILL")),
        (-(signal.SIGRTMIN + 1), ("killed", f"signal {signal.SIGRTMIN + 1}")),
    ],
)
def test_the_end_of_a_process_on_posix(exitcode, expected):
    assert platform.ending(exitcode) == expected


@pytest.mark.parametrize(
    ("exitcode", "expected"),
    [
        (3, ("exited", "status 3")),
        (0xC0000005, ("crashed", "0xC0000005")),
        (0xC000013A, ("killed", "Ctrl-C")),
        (signal.SIGTERM, ("killed", "another process")),
        (-signal.SIGTERM, ("killed", "another process")),
        (1, ("killed", "another process, or by an error that it could not record")),
    ],
)
def test_the_end_of_a_process_on_windows(monkeypatch, exitcode, expected):
    monkeypatch.setattr(platform, "_WINDOWS", True)
    assert platform.ending(exitcode) == expected


@pytest.mark.parametrize("windows", [False, True])
def test_this_process_is_interrupted_from_another_thread(windows):
    code = f"""
import threading, time
from rnnscope.experiments.common import interruption, platform
platform._WINDOWS = {windows}
interruption.listen()
threading.Timer(0.2, platform.interrupt_this_process).start()
try:
    while True:
        time.sleep(0.01)
except KeyboardInterrupt:
    print("interrupted")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stdout == "interrupted\n", ended.stderr


def test_killing_a_process_that_has_ended_does_nothing():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    platform.kill(process.pid)


@pytest.mark.parametrize("windows", [False, True])
def test_a_restarted_command_gives_its_exit_status(tmp_path, windows):
    script = tmp_path / "command.py"
    script.write_text(f"""
import os, sys
from rnnscope.experiments.common import platform
platform._WINDOWS = {windows}
if "RESTARTED" in os.environ:
    print("again", *sys.argv[1:])
    sys.exit(7)
os.environ["RESTARTED"] = "yes"
platform.restart_this_command()
""")
    ended = subprocess.run(
        [sys.executable, script, "a b", "c"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (7, "again a b c\n"), ended.stderr


def test_modules_next_to_the_code_are_found_in_a_checkout_and_not_in_a_wheel(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [])
    checkout.find_user_modules()
    checkout.find_user_modules()
    assert sys.path == [str(checkout.checkout())]
    installed = tmp_path / "site-packages" / "rnnscope" / "experiments" / "common" / "checkout.py"
    installed.parent.mkdir(parents=True)
    shutil.copy(checkout.__file__, installed)
    monkeypatch.setattr(checkout, "__file__", str(installed))
    monkeypatch.setattr(sys, "path", [])
    checkout.find_user_modules()
    assert sys.path == []
