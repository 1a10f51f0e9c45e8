"""The report of a sweep, `report.html`: one self-contained page, made from run directories without TensorFlow."""

import base64
import datetime
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from ..common import files
from ..common.values import plain
from ..configuration.flattening import as_text, flatten
from ..runs.directory import RunDirectory
from ..runs.reader import Run
from .groups import Group, cells_of, columns_of, troubled

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #222; }}
h2 {{ margin: 2.5rem 0 .5rem; border-bottom: 1px solid #ccc; }}
h3 {{ margin: 1.2rem 0 .2rem; font-size: 1rem; }}
img {{ max-width: 100%; display: block; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .2rem .6rem; text-align: left; border-bottom: 1px solid #e4e4e4; vertical-align: top; }}
td {{ white-space: nowrap; }}
td:last-child {{ white-space: normal; min-width: 9rem; }}
th {{ border-bottom: 1px solid #888; white-space: nowrap; }}
pre {{ overflow-x: auto; background: #f5f5f5; padding: .6rem; font-size: .8rem; }}
</style>
</head>
<body>
"""
"""Start of a page that loads nothing from elsewhere, with a placeholder for the title."""


def write_page(path: Path, runs: Sequence[Run], groups: Sequence[Group]) -> None:
    """Write the report.

    Args:
        path: the file.
        runs: all runs to show.
        groups: the same runs by configuration; the groups of a dataset are adjacent.
    """
    files.write_text(path, page(path.resolve().parent.name, runs, groups))


def page(name: str, runs: Sequence[Run], groups: Sequence[Group]) -> str:
    """Return the report as HTML. All text that comes from files is escaped."""
    now = datetime.datetime.now().astimezone().isoformat(" ", timespec="minutes")
    columns = columns_of(groups)
    parts = [
        HEAD.format(title=escape(name)),
        f"<h1>{escape(name)}</h1>\n<p>{len(runs)} runs, {len(groups)} configurations, {now}</p>",
        table(columns, [cells_of(group, columns) for group in groups]),
        *_datasets(groups),
        *_failures(runs),
        *_versions(runs),
        *_commands(runs),
        "</body>\n</html>\n",
    ]
    return "\n".join(parts)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as HTML, with all text escaped."""

    def line(kind: str, cells: Iterable[str]) -> str:
        return f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"

    body = "\n".join(line("td", row) for row in rows)
    return f'<div class="wide"><table>\n<thead>{line("th", columns)}</thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _datasets(groups: Sequence[Group]) -> Iterable[str]:
    """Yield a section with plots for every dataset."""
    from .plots import pictures

    for dataset, of_dataset in groupby(groups, key=lambda group: group.dataset):
        yield f"<h2>{escape(dataset)}</h2>"
        for title, png in pictures(list(of_dataset)):
            data = base64.b64encode(png).decode()
            alt = escape(f"{dataset}: {title}")
            yield f'<h3>{escape(title)}</h3>\n<img alt="{alt}" src="data:image/png;base64,{data}">'


def _failures(runs: Sequence[Run]) -> Iterable[str]:
    rows = [(run.path.name, run.state, run.message) for run in troubled(runs)]
    if rows:
        yield "<h2>What went wrong</h2>"
        yield table(("run", "state", "message"), rows)


def _versions(runs: Sequence[Run]) -> Iterable[str]:
    columns, rows = made_with(runs)
    if rows:
        yield "<h2>Made with</h2>"
        yield table(columns, rows)


def made_with(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Return a table of the environments of the runs, with one column for each distinct environment."""
    told = (RunDirectory(run.path).environment for run in runs)
    kept = ({key: value for key, value in each.items() if key not in ("seed", "command")} for each in told)
    counts = Counter(tuple(as_text(flatten(each)).items()) for each in kept if each)
    found = [dict(each) for each in counts]
    names = list(dict.fromkeys(key for each in found for key in each))
    rows = [[name, *(each.get(name, "–") for each in found)] for name in names]
    return ["", *(f"{count} runs" for count in counts.values())], rows


def _commands(runs: Sequence[Run]) -> Iterable[str]:
    """Yield the commands of all runs whose overrides can be read."""
    lines = [line for run in runs if (line := _command(run)) is not None]
    if lines:
        yield f"<h2>Commands</h2>\n<details><summary>{len(lines)} runs</summary>\n<pre>"
        yield "\n".join(map(escape, lines))
        yield "</pre></details>"


def _command(run: Run) -> str | None:
    overrides = RunDirectory(run.path).overrides
    return None if overrides is None else plain(shlex.join(["rnnscope", "train", *map(plain, overrides)]))
