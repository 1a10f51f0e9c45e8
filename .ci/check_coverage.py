"""Print the line coverage of the last test run by folder, and fail if a file has less than 90 % without a reason."""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

LEAST = 90.0
"""Percent of a file's lines."""
REASONS: dict[str, str] = {}
"""Files that may have less, and why."""


def main() -> int:
    """Print the report, and return the exit status."""
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
        print(f"  {path:<48}{percent:6.1f} %  {REASONS.get(path, 'below 90 % without a reason')}")
    return int(any(path not in REASONS for path, _ in below))


if __name__ == "__main__":
    sys.exit(main())
