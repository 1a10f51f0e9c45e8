"""The report of a study, written from its run directories: pages, figures, and the verdict as JSON."""

import base64
import datetime
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from ..common import files
from ..common.console import console
from ..common.errors import UserError
from ..common.values import number
from ..summaries.page import HEAD, made_with, table
from .evidence import Beside, Finding, Interval, beside, judge, verdict
from .metrics import is_over
from .plots import Drawn, draw
from .request import command_of
from .store import Kept, read_kept
from .study import Figure, said

_HOW = (
    "A rule holds if the whole 95 % interval lies beyond what it asks for, fails if the whole interval lies short of "
    "it, and is undecided otherwise. The claim is supported if all its rules hold, not supported if one fails. "
    "Intervals are expanded percentile intervals of 10,000 bootstrap resamples over seeds; Cliff's δ is the share of "
    "pairs of runs in which the first group is above the second, minus the share in which it is below."
)


@dataclass(frozen=True)
class Analysis:
    """The results of a study.

    Attributes:
        kept: study and its runs.
        findings: result of each rule.
        figures: drawn figures.
        published: comparisons with published results.
    """

    kept: Kept
    findings: list[Finding]
    figures: list[Drawn]
    published: list[Beside]

    @property
    def verdict(self) -> str:
        """Verdict on the claim."""
        return verdict(self.findings)

    @property
    def command(self) -> str:
        """Command that runs the study."""
        return command_of(self.kept.name, self.kept.scale, self.kept.typed)

    def figure_names(self) -> list[str]:
        """Return the file names of the figures."""
        plain = lambda text: re.sub(r"[^a-z0-9_]+", "-", text.lower())
        return [f"figure-{at}-{plain(each.figure.name)}.svg" for at, each in enumerate(self.figures, start=1)]


def report(folder: Path) -> None:
    """Analyze the runs of a study, write its report into their folder, and print the verdict.

    The report consists of `study.md`, `study.html`, `verdict.json` and the figures.

    Args:
        folder: folder of the runs.

    Raises:
        UserError: the folder does not contain a study, or the report cannot be written.
    """
    kept = read_kept(folder)
    findings = [judge(rule, kept.runs, kept.scale) for rule in kept.study.rules]
    figures = [draw(figure, kept.runs) for figure in kept.study.figures]
    analysis = Analysis(kept, findings, figures, [beside(each, kept.runs) for each in kept.study.published])
    try:
        for path in folder.glob("figure-*.svg"):
            path.unlink()
        for name, drawn in zip(analysis.figure_names(), analysis.figures, strict=True):
            if drawn.svg:
                files.write_text(folder / name, drawn.svg)
        files.write_json(folder / "verdict.json", as_json(analysis))
        files.write_text(folder / "study.md", as_markdown(analysis))
        files.write_text(folder / "study.html", as_html(analysis))
    except OSError as error:
        raise UserError(
            f"{folder}: the report cannot be written ({error.strerror}); make room, or the folder writable"
        ) from error
    screen = console()
    for line in [
        *in_short(analysis),
        f"report: {folder / 'study.html'}",
        f"see the runs: tensorboard --logdir {folder}",
    ]:
        screen.print(line, soft_wrap=True, markup=False, highlight=False)


def in_short(analysis: Analysis) -> list[str]:
    """Return the verdict and the result of each rule, one line each."""
    lines = [f"{analysis.kept.name}: {analysis.verdict}: {analysis.kept.study.claim}"]
    for finding in analysis.findings:
        effect = "" if finding.effect is None else f"; {effect_in_words(finding)}"
        lines.append(f"  {finding.outcome}: {finding.rule.in_words()}{effect} ({finding.why})")
    return lines


def effect_in_words(finding: Finding) -> str:
    """Return the effect of a finding with its confidence interval as text."""
    if finding.effect is None:
        return "–"
    sign = "× " if finding.rule.scale == "ratio" else ""
    return f"{sign}{_with_interval(finding.effect, plus=not sign)}"


def _with_interval(of: Interval, plus: bool = False) -> str:
    shown = lambda value: f"{value:{'+' if plus else ''}.3g}".replace("-", "−")
    return (
        shown(of.mean)
        if of.low is None or of.high is None
        else f"{shown(of.mean)} ({shown(of.low)} to {shown(of.high)})"
    )


# -------------------------------------------------------------------- sections


@dataclass(frozen=True)
class _Section:
    """A section of the report.

    Attributes:
        title: heading; empty for none.
        lines: paragraphs.
        columns, rows: table.
        figure: name and content of the figure's file. The figure is shown before the paragraphs.
    """

    title: str = ""
    lines: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    figure: tuple[str, str] | None = None


def _sections(analysis: Analysis) -> Iterator[_Section]:
    kept = analysis.kept
    yield _Section(lines=[f"Verdict: {analysis.verdict}.", *_about(analysis)])
    columns = ("outcome", "effect (95 % interval)", "means", "seeds", "Cliff's δ", "rule, and the reason")
    yield _Section("Rules", [_HOW, *_left_out(analysis)], columns, [_row(finding) for finding in analysis.findings])
    if analysis.published:
        yield _Section("Published", [], _BESIDE, [_row_beside(each) for each in analysis.published])
    for at, (name, drawn) in enumerate(zip(analysis.figure_names(), analysis.figures, strict=True), start=1):
        named = (*reversed(drawn.figure.options), f"{drawn.figure.name} (95 % interval)", "seeds")
        few = drawn.points if isinstance(drawn.figure, Figure) else []  # a profile has hundreds of points
        rows = [(point.line, point.x, _with_interval(point.y), str(point.seeds)) for point in few]
        shown = (name, drawn.svg) if drawn.svg else None
        yield _Section(f"Figure {at}", [drawn.caption], named if rows else (), rows, shown)
    without = [(run.path.name, run.state, run.message) for run in kept.runs if run.state != "completed" or run.message]
    if without:
        yield _Section("Runs without a result", columns=("run", "state", "message"), rows=without)
    made, versions = made_with(kept.runs)
    if versions:
        yield _Section("Made with", columns=made, rows=versions)


def _about(analysis: Analysis) -> Iterator[str]:
    """Generate the paragraphs on the claim, the command, the runs and changes of the rules."""
    kept = analysis.kept
    yield f"Claim: {kept.study.claim}"
    yield f"Source: {kept.study.source}"
    yield f"Command: {analysis.command}"
    states = Counter(run.state if run.path.is_dir() else "not begun" for run in kept.runs)
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    seconds = sum(number(run.result.get("seconds")) or 0.0 for run in kept.runs)
    yield f"Runs: {len(kept.runs)} ({told}); {seconds / 60:.1f} minutes, all runs together."
    if kept.scale != "full":
        yield f"These runs are of {kept.scale} scale. They show that the study runs, and decide nothing."
    if kept.typed:
        yield f"Typed beside the study: {' '.join(kept.typed)}"
    if kept.changed:
        yield "The rules were changed after runs had ended: they were not all written before the results were there."


def _left_out(analysis: Analysis) -> Iterator[str]:
    for at, finding in enumerate(analysis.findings, start=1):
        if finding.left_out:
            told = "; ".join(f"{name}: {why}" for name, why in finding.left_out.items())
            yield f"Not counted in rule {at}: {told}."


def _row(finding: Finding) -> tuple[str, ...]:
    seeds = "–"
    if finding.counts:
        seeds = f"{finding.counts[0]} pairs" if finding.paired else " and ".join(map(str, finding.counts))
    return (
        finding.outcome,
        effect_in_words(finding),
        " and ".join(f"{mean:.3g}" for mean in finding.means) or "–",
        seeds,
        "–" if finding.delta is None else f"{finding.delta:+.2f}".replace("-", "−"),
        f"{finding.rule.in_words()}: {finding.why}",
    )


_BESIDE = (
    "published",
    "ours (95 % interval)",
    "ours − published",
    "seeds",
    "of what, where published, and what differs",
)


def _row_beside(of: Beside) -> tuple[str, ...]:
    ours = "–" if of.ours is None else _with_interval(of.ours)
    apart = "–" if of.apart is None else _with_interval(of.apart, plus=True)
    told = of.published
    about = f"{told.metric} of {said(told.of)}; {told.source}. {told.differs}"
    return f"{told.value:g}", ours, apart, str(of.seeds), about


# ------------------------------------------------------------------- rendering


def as_markdown(analysis: Analysis) -> str:
    """Return the report as Markdown. It links to the figures, which are separate files in the same folder."""
    parts = [f"# {_marked(analysis.kept.name)}"]
    for section in _sections(analysis):
        if section.title:
            parts.append(f"## {_marked(section.title)}")
        if section.figure:
            parts.append(f"![{_marked(section.lines[0])}]({section.figure[0]})")
        parts += map(_marked, section.lines)
        if section.columns:
            rows = [section.columns, ["---"] * len(section.columns), *section.rows]
            cells = lambda row: [cell if cell == "---" else _marked(cell) or " " for cell in row]
            parts.append("\n".join(f"| {' | '.join(cells(row))} |" for row in rows))
    return "\n\n".join(parts) + "\n"


def _marked(text: str) -> str:
    """Escape text for Markdown."""
    return re.sub(r"([\\`*_\[\]|#])", r"\\\1", escape(" ".join(text.split()), quote=False))


def as_html(analysis: Analysis) -> str:
    """Return the report as a single HTML page that loads no other files."""
    title = escape(analysis.kept.name)
    parts = [HEAD.format(title=title), f"<h1>{title}</h1>"]
    for section in _sections(analysis):
        if section.title:
            parts.append(f"<h2>{escape(section.title)}</h2>")
        if section.figure:
            data = base64.b64encode(section.figure[1].encode()).decode()
            parts.append(f'<img alt="{escape(section.lines[0])}" src="data:image/svg+xml;base64,{data}">')
        parts += [f"<p>{escape(line)}</p>" for line in section.lines]
        if section.columns:
            parts.append(table(section.columns, section.rows))
    return "\n".join([*parts, "</body>\n</html>\n"])


def as_json(analysis: Analysis) -> dict[str, Any]:
    """Return the verdict with all numbers of the report as JSON data."""
    kept = analysis.kept
    _, versions = made_with(kept.runs)
    return {
        "study": kept.name,
        "scale": kept.scale,
        "verdict": analysis.verdict,
        "claim": kept.study.claim,
        "source": kept.study.source,
        "command": analysis.command,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "rules_changed": kept.changed,
        "runs": len(kept.runs),
        "over": sum(is_over(run) for run in kept.runs),
        "diverged": sum(run.state == "diverged" for run in kept.runs),
        "seeds": len({run.seed for run in kept.runs}),
        "seconds": sum(number(run.result.get("seconds")) or 0.0 for run in kept.runs),
        "rules": [{**asdict(finding), "says": finding.rule.in_words()} for finding in analysis.findings],
        "published": list(map(asdict, analysis.published)),
        "figures": [
            {**asdict(drawn.figure), "file": name, "caption": drawn.caption, "points": list(map(asdict, drawn.points))}
            for name, drawn in zip(analysis.figure_names(), analysis.figures, strict=True)
        ],
        "made_with": {name: found for name, *found in versions},
    }
