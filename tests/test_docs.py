"""What the documentation says can be run, and its links lead somewhere."""

import functools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from docs import datasets
from experiments import commandline

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[Path, str]]:
    """Every page's commands that train."""
    lines = [(page, line) for page in PAGES for block in blocks(page, "bash") for line in block.splitlines()]
    return sorted({(page, part.strip()) for page, line in lines for part in line.split("&&") if "train.py" in part})


@pytest.fixture(scope="module")
def after_python(tmp_path_factory):
    """Runs a page's Python from top to bottom, once; gives the folder with the files that it leaves."""

    @functools.cache
    def run(page):
        folder = tmp_path_factory.mktemp(page.stem)
        script = folder / "page.py"
        script.write_text("\n".join(blocks(page, "python")))
        command = [sys.executable, str(script)]
        ended = subprocess.run(
            command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return folder

    return run


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, after_python):
    assert after_python(page)


@pytest.mark.parametrize(("page", "command"), commands(), ids=lambda of: of.name if isinstance(of, Path) else of)
def test_every_train_command_asks_for_runs_that_can_be_run(page, command, after_python, monkeypatch):
    monkeypatch.chdir(after_python(page))
    arguments = shlex.split(command)[2:]
    commandline.prepare()
    request = commandline.read(arguments)
    assert request is None or request.runs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_of_a_page_are_there(page):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    for target in targets:
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_readme_opens_with_two_commands_that_need_nothing_but_python_and_pip():
    first, second = blocks(ROOT / "README.md", "bash")[:2]
    install = "python3 -m venv .venv && . .venv/bin/activate && pip install -c constraints.txt -e "
    assert first.strip() == f"{install}. && python train.py"
    assert second.strip() == f'{install}".[test]" && python -m pytest'


def test_constraints_are_versions_and_nothing_else():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    for line in lines:
        assert line.startswith("# ") or re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.+]*", line), line


DATASETS = (ROOT / "docs" / "data" / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(file.stem for file in (commandline.CONF / "dataset").glob("*.yaml")))
def test_the_table_of_datasets_says_what_they_are(name):
    if name == "text_chars":  # comes with Python, and changes with it
        assert "| `text_chars` | sequences of 100 steps" in DATASETS
    else:
        assert datasets.row(name) in DATASETS
