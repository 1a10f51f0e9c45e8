"""The commands and the Python of the documentation run, and its links lead somewhere."""

import functools
import re
import shlex
from pathlib import Path

import pytest

from rnnscope.experiments.commands.main import _parser
from rnnscope.experiments.commands.train import read
from rnnscope.experiments.configuration.composition import CONF, prepare
from tests.server import server
from tools import write_dataset_tables as datasets

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def files_of(page: Path) -> dict[str, str]:
    """The YAML files that a page shows whole: blocks with a file's name, which is where they belong."""
    return dict(re.findall(r"^```yaml (\S+)\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL))


def commands(pattern: str) -> list[tuple[Path, str]]:
    """Every page's shell commands that begin like that."""
    lines = [(page, line) for page in PAGES for block in blocks(page, "bash") for line in block.splitlines()]
    parts = {(page, part.strip()) for page, line in lines for part in line.split("&&")}
    return sorted((page, part) for page, part in parts if re.match(pattern, part))


TRAIN = commands(r"(rnnscope train|python train\.py)\b")
OTHERS = commands(r"rnnscope (?!train\b)")


@pytest.fixture(scope="module")
def after_python(tmp_path_factory):
    """Runs a page's Python from top to bottom, once, in a folder with the page's files.

    Gives that folder, and what the Python printed.
    """

    @functools.cache
    def run(page):
        folder = tmp_path_factory.mktemp(page.stem)
        for name, text in files_of(page).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        script = folder / "page.py"
        script.write_text("\n".join(blocks(page, "python")))
        ended = server().run(folder, [], script)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return folder, ended.stdout

    return run


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, after_python):
    assert after_python(page)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "text")], ids=lambda page: page.name)
def test_the_output_that_a_page_quotes_is_what_its_python_prints(page, after_python):
    _, printed = after_python(page)
    assert [quoted for quoted in blocks(page, "text") if quoted not in printed] == []


@pytest.mark.parametrize(("page", "command"), TRAIN, ids=lambda of: of.name if isinstance(of, Path) else of)
def test_every_train_command_asks_for_runs_that_can_be_run(page, command, after_python, monkeypatch):
    folder, _ = after_python(page)
    monkeypatch.chdir(folder)
    arguments = shlex.split(command)[2:]
    prepare()
    request, _ = read(arguments)
    assert request is None or request.runs


@pytest.mark.parametrize(("page", "command"), OTHERS, ids=lambda of: of.name if isinstance(of, Path) else of)
def test_every_other_command_has_arguments_that_exist(page, command):
    arguments = shlex.split(command.partition("  #")[0])[1:]
    assert _parser().parse_args(arguments).command == arguments[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_of_a_page_are_there(page):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    for target in targets:
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_readme_opens_with_two_commands_that_need_nothing_but_python_and_pip():
    first, second = blocks(ROOT / "README.md", "bash")[:2]
    install = "python3 -m venv .venv && . .venv/bin/activate && pip install -c constraints.txt -e "
    assert first.strip() == f'{install}".[train]" && rnnscope train'
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
