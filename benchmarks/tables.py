"""Write the results of `training_step.py --json FILE` as tables into `docs/performance.md`.

python benchmarks/tables.py FILE [FILE …]
"""

import argparse
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- tables: benchmarks/tables.py -->", "<!-- end of tables -->"


def main() -> None:
    """Replace the tables on the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    tables = [table(json.loads(path.read_text())) for path in parser.parse_args().files]
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{machine()}\n\n" + "\n\n".join(tables) + f"\n\n{END}{after}")


def table(rows: list[dict]) -> str:
    """Return a table with one row per problem.

    It shows the minimum (and median) of rnnscope in milliseconds. For the other peers, it shows the ratio of their
    minimum (and median) to that of rnnscope.
    """
    peers = list(dict.fromkeys(peer for row in rows for peer in row["ms"]))
    ours, others = peers[0], peers[1:]
    lines = [
        f"{_setting(rows[0])}\n",
        f"| | {ours}, ms | {' | '.join(others)} | share of the limit |",
        f"|---|---:|{'---:|' * len(others)}---:|",
    ]
    for row in rows:
        minimum, median = row["ms"][ours]
        ratios = (_ratios(row["ms"].get(peer), minimum, median) for peer in others)
        name = f"{row['cell']} {row['size']}"
        lines.append(f"| {name} | {minimum:.2f} ({median:.2f}) | {' | '.join(ratios)} | {row['share']:.0%} |")
    return "\n".join(lines)


def _setting(row: dict) -> str:
    what = ["training" if row["training"] else "forward only"]
    what += [f"depth {row['depth']}"] * (row["depth"] > 1) + [k for k in ("bidirectional", "masked") if row[k]]
    return f"**{', '.join(what)}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}**"


def _ratios(taken: list[float] | None, minimum: float, median: float) -> str:
    return "–" if taken is None else f"{taken[0] / minimum:.2f} ({taken[1] / median:.2f})"


def machine() -> str:
    """Return a description of the machine and the versions of the packages."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "torch", "jax"))
    return f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, {packages}."


if __name__ == "__main__":
    main()
