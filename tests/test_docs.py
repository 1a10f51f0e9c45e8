"""What the documentation says can be run, and its links lead somewhere."""

import functools
import re
import shlex
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from rnnscope.experiments.commands.train import read
from rnnscope.experiments.configuration.composition import CONF, prepare
from tools import write_dataset_tables as datasets

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def files_of(page: Path) -> dict[str, str]:
    """The YAML files that a page shows whole: blocks with a file's name, which is where they belong."""
    return dict(re.findall(r"^```yaml (\S+)\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL))


def commands() -> list[tuple[Path, str]]:
    """Every page's commands that train."""
    lines = [(page, line) for page in PAGES for block in blocks(page, "bash") for line in block.splitlines()]
    return sorted({(page, part.strip()) for page, line in lines for part in line.split("&&") if "train.py" in part})


SCRIPTS = """
import os, runpy, sys
import rnnscope
for folder in sys.stdin:
    if process := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
        continue
    os.chdir(folder.strip())
    said = os.open("said.txt", os.O_WRONLY | os.O_CREAT)
    for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), said, said)):
        os.dup2(stream, number)
    runpy.run_path("page.py", run_name="__main__")
    break
"""
"""Runs `page.py` in each folder that it is told, in a process of its own; TensorFlow's import is paid once for all."""


@pytest.fixture(scope="module")
def after_python(tmp_path_factory):
    """Runs a page's Python from top to bottom, once, beside the page's files; gives the folder with what it leaves."""
    command = [sys.executable, "-c", SCRIPTS]
    environment = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(command, env=environment, stdin=PIPE, stdout=PIPE, text=True, bufsize=1) as scripts:

        @functools.cache
        def run(page):
            folder = tmp_path_factory.mktemp(page.stem)
            for name, text in files_of(page).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)
            (folder / "page.py").write_text("\n".join(blocks(page, "python")))
            scripts.stdin.write(f"{folder}\n")
            assert scripts.stdout.readline() == "0\n", (folder / "said.txt").read_text()
            return folder

        yield run


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, after_python):
    assert after_python(page)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "text")], ids=lambda page: page.name)
def test_the_output_that_a_page_quotes_is_what_its_python_prints(page, after_python):
    said = (after_python(page) / "said.txt").read_text()
    assert [quoted for quoted in blocks(page, "text") if quoted not in said] == []


@pytest.mark.parametrize(("page", "command"), commands(), ids=lambda of: of.name if isinstance(of, Path) else of)
def test_every_train_command_asks_for_runs_that_can_be_run(page, command, after_python, monkeypatch):
    monkeypatch.chdir(after_python(page))
    arguments = shlex.split(command)[2:]
    prepare()
    request, _ = read(arguments)
    assert request is None or request.runs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_of_a_page_are_there(page):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    for target in targets:
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_readme_opens_with_two_commands_that_need_nothing_but_python_and_pip():
    first, second = blocks(ROOT / "README.md", "bash")[:2]
    install = "python3 -m venv .venv && . .venv/bin/activate && pip install -c constraints.txt -e "
    assert first.strip() == f"{install}. && rnnscope train"
    assert second.strip() == f'{install}".[test]" && python -m pytest'


def test_constraints_are_versions_and_nothing_else():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    for line in lines:
        assert line.startswith("# ") or re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.+]*", line), line


DATASETS = (ROOT / "docs" / "data" / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(file.stem for file in (CONF / "dataset").glob("*.yaml")))
def test_the_table_of_datasets_says_what_they_are(name):
    if name == "text_chars":  # comes with Python, and changes with it
        assert "| `text_chars` | sequences of 100 steps" in DATASETS
    else:
        assert datasets.row(name) in DATASETS
