"""The site that Sphinx makes of docs/, and the reference of all options."""

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rnnscope
from rnnscope.experiments.studies.study import Study

pytest.importorskip("sphinx", reason='needs Sphinx: pip install -e ".[docs]"')
from tools import write_option_reference as configuration

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(str(page.relative_to(DOCS).with_suffix(".html")) for page in DOCS.glob("**/*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site. Any warning is an error, such as a link to a heading that does not exist."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", DOCS, folder]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_every_page_is_in_the_navigation(site):
    navigation = re.search(r'<div class="sidebar-tree">.*?</div>', (site / "index.html").read_text(), flags=re.DOTALL)
    linked = re.findall(r'href="([^"#]+)"', navigation[0])
    assert sorted(["index.html", *linked]) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_no_network(page, site):
    html = (site / page).read_text()
    assert not re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//[^"]*', html)


def test_formulas_are_mathml(site):
    for page in PAGES:
        html = re.sub(r"<(pre|code).*?</\1>", "", (site / page).read_text(), flags=re.DOTALL)
        assert "$" not in re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL), page
    assert (site / "cells" / "lstm.html").read_text().count("<math ") > 3


def test_the_reference_has_all_public_names(site):
    reference = "".join(page.read_text() for page in (site / "reference").glob("*.html"))
    assert [name for name in rnnscope.__all__ if f'id="rnnscope.{name}"' not in reference] == []


def test_the_page_of_options_is_what_the_script_writes():
    assert configuration.PAGE.read_text() == configuration.page()


@pytest.mark.parametrize("file, option", [("cell/lstm.yaml", "units"), ("hydra/launcher/ray.yaml", "num_gpus")])
def test_an_option_without_a_meaning_is_refused(file, option, tmp_path, monkeypatch):
    shutil.copytree(configuration.CONF, tmp_path / "conf")
    path = tmp_path / "conf" / file
    path.write_text(re.sub(rf"({option}: \S+).*", r"\1", path.read_text()))
    monkeypatch.setattr(configuration, "CONF", tmp_path / "conf")
    with pytest.raises(LookupError, match=rf"conf/{file}: .*{option} has no meaning"):
        configuration.page()


def test_a_field_of_a_study_without_a_meaning_is_refused():
    field = dataclasses.fields(Study)[0]
    with pytest.raises(LookupError, match="claim of a study's file has no meaning"):
        configuration.study_row(field, "A study.\n\n    Attributes:\n        source: who says so.\n")
