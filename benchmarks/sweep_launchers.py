"""Measure the time, CPU cores, memory and overhead of a sweep of 24 runs, by launcher and for a plain Keras script.

    python benchmarks/sweep_launchers.py [--launchers plain basic joblib ray] [--epochs 60]

`plain` is `plain_keras.py`, the script that a Keras user would write.

The number of cores is the processor time divided by the wall time. The memory is the sum over all processes of the
sweep of their proportional set size (PSS), which divides shared memory among the processes that share it. It is sampled
once per second, and the table shows the maximum. The overhead per run is the wall time multiplied by the number of
parallel runs, minus the time of the runs themselves, divided by the number of runs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from joblib import cpu_count

TRAIN = Path(__file__).parents[1] / "train.py"
PLAIN = Path(__file__).with_name("plain_keras.py")
SWEEP = ["-m", "cell=rnn,lstm,gru", "cell.units=32,64", "sweep.seeds=4", "dataset=digits_pixels", "name=benchmark"]


class Processes:
    """The processes that a command starts, recognized by an environment variable that they inherit.

    Attributes:
        mark: value of the environment variable.
        peak: largest total memory, in GB.
        seconds: processor time of each process, by process ID.
    """

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        self.peak = 0.0
        self.seconds: dict[str, float] = {}

    def look(self) -> None:
        """Measure the total memory, and record the processor time of each process."""
        total = 0
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if f"BENCHMARK={self.mark}".encode() not in (path / "environ").read_bytes():
                    continue
                pss = next(line for line in (path / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
                total += int(pss.split()[1])
                ticks = (path / "stat").read_text().rpartition(")")[2].split()[11:13]
                self.seconds[path.name] = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
            except (OSError, StopIteration):  # the process has just ended
                continue
        self.peak = max(self.peak, total / 2**20)


def measure(launcher: str, epochs: int) -> list[str]:
    """Execute one sweep, and return its row of the table."""
    processes = Processes()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(TRAIN), *SWEEP, f"trainer.epochs={epochs}", f"hydra/launcher={launcher}"]
        if launcher == "plain":
            command = [sys.executable, str(PLAIN), f"--epochs={epochs}", f"--logs={folder}"]
        environment = {**os.environ, "BENCHMARK": processes.mark}
        began = time.monotonic()
        output = Path(folder) / "output.txt"
        with output.open("w") as said:
            sweep = subprocess.Popen(command, cwd=folder, env=environment, stdout=said)
        while sweep.poll() is None:
            processes.look()
            time.sleep(1)
        wall = time.monotonic() - began
        if launcher == "plain":
            results = [json.loads(line) for line in output.read_text().splitlines()]
        else:
            results = [json.loads(path.read_text()) for path in Path(folder).glob("runs/benchmark/*/result.json")]
    at_once = 1 if launcher in ("plain", "basic") else cpu_count()
    beside = (wall * at_once - sum(result["seconds"] for result in results)) / len(results)
    cores = sum(processes.seconds.values()) / wall
    return [launcher, f"{len(results)}", f"{wall:.0f} s", f"{cores:.2f}", f"{processes.peak:.2f} GB", f"{beside:.1f} s"]


def main() -> None:
    """Measure all launchers and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--launchers", nargs="+", default=["plain", "basic", "joblib", "ray"])
    parser.add_argument("--epochs", type=int, default=60)
    given = parser.parse_args()
    print("| launcher | runs | wall | cores | memory | a run beside training |\n|---|---:|---:|---:|---:|---:|")
    for launcher in given.launchers:
        print(f"| {' | '.join(measure(launcher, given.epochs))} |", flush=True)


if __name__ == "__main__":
    main()
