"""Print the line coverage of the last test run by folder, and the files below 90 %."""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

LEAST = 90.0
"""Percent of a file's lines; files with less are listed."""


def main() -> None:
    """Print the report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "coverage.json")
        subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", report], check=True)
        files = json.loads(report.read_text(encoding="utf-8"))["files"]
    lines: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    below = []
    for path, measured in sorted(files.items()):
        total = measured["summary"]["num_statements"]
        covered = measured["summary"]["covered_lines"]
        lines[Path(path).parts[0]][0] += covered
        lines[Path(path).parts[0]][1] += total
        if total and 100 * covered / total < LEAST:
            below.append((path, 100 * covered / total))
    for folder_name, (covered, total) in lines.items():
        print(f"{folder_name:<30}{100 * covered / total:6.1f} % of {total} lines")
    for path, percent in below:
        print(f"  {path:<48}{percent:6.1f} %")


if __name__ == "__main__":
    main()
