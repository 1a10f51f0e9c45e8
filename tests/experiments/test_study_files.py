"""A study's file and the command that runs it: what they ask for, and how a mistake in them is told."""

import copy
import dataclasses
import functools
import json
import re
from pathlib import Path

import pytest
import yaml
from hydra.utils import get_method

from rnnscope.experiments import data
from rnnscope.experiments.commands.train import read
from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.configuration.composition import prepare
from rnnscope.experiments.studies.definition import read_study, study_files, study_of
from rnnscope.experiments.studies.request import SCALES, Asked, asked_in

PAGE = Path(__file__).parents[2] / "docs" / "studies" / "README.md"
DEFINITION = {
    "claim": "A GRU is smaller than an LSTM.",
    "source": "Cho et al. 2014",
    "minutes": None,
    "measured": None,
    "grids": [{"cell": ["lstm", "gru"], "dataset": "adding", "seed": [1, 2]}, {"cell": "rnn", "sweep.seeds": 2}],
    "smoke": {"trainer.epochs": 1, "dataset": "adding", "dataset.length": 5},
    "rules": [{"metric": "parameters", "of": {"cell": "gru"}, "against": {"cell": "lstm"}, "direction": "lower"}],
    "figures": [{"metric": "score", "x": "dataset.length", "lines": "cell"}],
}


@pytest.fixture
def own(tmp_path):
    """Writes a study called `mine` with some things changed; gives the folder for `--config-dir`."""

    def write(**changes):
        folder = tmp_path / "own"
        (folder / "study").mkdir(parents=True, exist_ok=True)
        (folder / "study" / "mine.yaml").write_text(yaml.safe_dump(DEFINITION | changes))
        return folder

    return write


@pytest.fixture(scope="module")
def read_once():
    """Data are made and read once for all studies that want the same."""
    of_name = functools.cache(lambda name: functools.lru_cache(maxsize=4)(get_method(name)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "get_method", of_name)
        yield


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", sorted(study_files()))
@pytest.mark.usefixtures("read_once")
def test_every_study_asks_for_runs_that_can_be_run_and_judged(name, scale, taken_by_hydra, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare()
    request, _ = read(["-m", f"study={name}", f"study.scale={scale}"])
    assert request.folder.name == (name if scale == "full" else f"{name}-smoke")
    assert len(request.directories) > 1
    taken_by_hydra(request)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(study_files()))
def test_every_study_opens_with_the_command_that_runs_it(name):
    assert study_files()[name].read_text().startswith(f"# rnnscope train -m study={name}\n")


@pytest.mark.parametrize("name", sorted(study_files()))
def test_the_page_of_studies_tells_the_verdict_of_the_report_that_it_links(name):
    (verdict,) = re.findall(rf"^\| `{name}` \|.*\| \[([a-z ]+)\]\({name}/study\.md\) \|$", PAGE.read_text(), re.M)
    report, study = (PAGE.parent / name / "study.md").read_text(), read_study(study_files()[name])
    assert f"Verdict: {verdict}." in report
    assert len(re.findall(r"^\| (?:holds|fails|undecided) \|", report, re.M)) == len(study.rules)
    assert study.measured.startswith(f"{verdict}, ")
    assert study.minutes > 0


def test_a_study_is_its_grids_with_what_is_typed_in_place_of_what_it_says():
    asked = asked_in(["study=vanishing", "cell=mgu", "cell.units=9"], multirun=True)
    (grid,) = asked.grids()
    assert grid[0] == "name=vanishing"
    assert grid[-2:] == ["cell=mgu", "cell.units=9"]
    assert [override for override in grid if override.startswith("cell=")] == ["cell=mgu"]
    assert asked.command == "rnnscope train -m study=vanishing cell=mgu cell.units=9"


def test_smoke_overrides_stand_in_place_of_every_grids_own():
    asked = Asked("mine", "smoke", ["name=other"], study_of(DEFINITION, "here"))
    small = ["trainer.epochs=1", "dataset=adding", "dataset.length=5", "name=other"]
    assert asked.grids() == [["cell=lstm,gru", "seed=1,2", *small], ["cell=rnn", "sweep.seeds=2", *small]]


def test_each_grid_can_have_a_smoke_scale_of_its_own():
    smoke = [{"seed": 3}, {"cell": "mgu"}]
    asked = Asked("mine", "smoke", [], study_of(DEFINITION | {"smoke": smoke}, "here"))
    first, second = asked.grids()
    assert first == ["name=mine-smoke", "cell=lstm,gru", "dataset=adding", "seed=3"]
    assert second == ["name=mine-smoke", "sweep.seeds=2", "cell=mgu"]


@pytest.mark.parametrize("typed", ["seed=7", "sweep.seeds=3"])
def test_seeds_that_are_typed_replace_the_studys_however_it_says_them(typed):
    asked = Asked("mine", "full", [typed], study_of(DEFINITION, "here"))
    for grid in asked.grids():
        assert [override for override in grid if "seed" in override] == [typed]


def test_a_study_of_ones_own_is_found_in_the_folder_that_is_named(own, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    prepare()
    request, _ = read(["-m", "--config-dir", str(own(figures=[])), "study=mine", "dataset=adding"])
    assert [len(grid.runs) for grid in request.grids] == [4, 2]
    assert {config.name for config in request.runs} == {"mine"}
    assert request.grids[1].arguments[:3] == ["-m", "--config-dir", str(tmp_path / "own")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study=vanishing"], "study=vanishing: a study is a sweep; add -m (rnnscope train -m study=vanishing)"),
        (["-m", "study=vanish"], "study=vanish: there is no such study; did you mean vanishing? (allowed: "),
        (["-m", "study=vanishing", "study.scale=smok"], "study.scale=smok: did you mean smoke? (allowed: full, smoke)"),
        (["-m", "study.scale=smoke"], "study.scale=smoke: expected study=… beside it"),
        (["-m", "study=vanishing", "study=exploding"], "study=vanishing study=exploding: expected one"),
        (["-m", "study=vanishing", "continue=runs/a/b"], "continue=runs/a/b beside study=vanishing: expected one of"),
        (["-m", "study=vanishing", "study.scale=smoke", "hydra/sweeper=optuna"], "a study runs every combination"),
        (["-m", "--cfg", "job", "study=vanishing"], "study=vanishing beside --cfg or --info: they show a single"),
        (["-m", "study=vanishing", "study.scale=smoke", "cell=lstmm"], "cell=lstmm: there is no such choice; did you"),
    ],
)
def test_a_mistake_in_the_command_is_one_line(arguments, message):
    prepare()
    with pytest.raises(UserError) as caught:
        read(arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_rule_about_runs_that_the_study_does_not_have_is_refused_before_they_start(own):
    prepare()
    rule = DEFINITION["rules"][0] | {"of": {"cell": "gruu"}}
    with pytest.raises(UserError, match=r"study=mine at full scale: rules\[1\]: no run has cell=gruu; change the rule"):
        read(["-m", "--config-dir", str(own(rules=[rule])), "study=mine"])
    with pytest.raises(UserError, match=r"published\[1\]: no run has cell=gruu; change it or the grids"):
        read(["-m", "--config-dir", str(own(published=[PUBLISHED | {"of": {"cell": "gruu"}}])), "study=mine"])
    figure = {"metric": "score", "x": "dataset.lenght", "lines": "cell"}
    with pytest.raises(UserError, match=r"figures\[1\]: no run has dataset.lenght and cell; change the figure"):
        read(["-m", "--config-dir", str(own(figures=[figure])), "study=mine"])


RULE, FIGURE = DEFINITION["rules"][0], DEFINITION["figures"][0]
PUBLISHED = {"metric": "parameters", "of": {"cell": "gru"}, "value": 3, "source": "x", "differs": "y"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"claim": ""}, "study/mine.yaml: claim: nothing: expected text"),
        ({"claims": "x"}, "study/mine.yaml: claims: there is no such field; did you mean claim?"),
        ({"minutes": "soon"}, "study/mine.yaml: minutes: soon: expected a number"),
        ({"minutes": -1}, "study/mine.yaml: minutes: -1: expected a number above 0"),
        ({"grids": {}}, "study/mine.yaml: grids: {}: expected a list of at least one"),
        ({"grids": [["cell=lstm"]]}, "study/mine.yaml: grids[1]: ['cell=lstm']: expected name: value"),
        ({"grids": [{"cell": {"units": 3}}]}, "study/mine.yaml: grids[1].cell: {'units': 3}: expected a value, or"),
        ({"smoke": [{}, {}, {}]}, "study/mine.yaml: smoke: 3 for 2 grids; expected one, or as many"),
        ({"rules": []}, "study/mine.yaml: rules: []: expected a list of at least one"),
        ({"rules": [{"metric": "score"}]}, "study/mine.yaml: rules[1]: of is missing; expected all of metric, of, "),
        ({"rules": [RULE | {"metric": "horizn"}]}, "rules[1]: metric: horizn: there is no such metric; did you mean"),
        ({"rules": [RULE | {"metric": "epochs_to val_mae"}]}, "as in epochs_to val_mae 0.1"),
        ({"rules": [RULE | {"of": "lstm"}]}, "rules[1]: of: lstm: expected name: value, as in cell: lstm"),
        ({"rules": [RULE | {"of": {"cell": ["a"]}}]}, "rules[1]: of.cell: ['a']: expected one value, or smallest or"),
        ({"rules": [RULE | {"against": "many"}]}, "rules[1]: against: many: expected a number"),
        ({"rules": [RULE | {"direction": "up"}]}, "rules[1]: direction: up: allowed: higher, lower"),
        ({"rules": [RULE | {"scale": "rato"}]}, "rules[1]: scale: rato: did you mean ratio?"),
        ({"rules": [RULE | {"by": -0.5}]}, "rules[1]: by: -0.5: expected a difference of at least 0"),
        ({"rules": [RULE | {"by": 0.5, "scale": "ratio"}]}, "rules[1]: by: 0.5: expected a ratio of at least 1"),
        ({"rules": [RULE | {"against": 0, "scale": "ratio"}]}, "rules[1]: against: 0: a ratio needs a number above 0"),
        ({"rules": [RULE | {"within": 0.5, "scale": "ratio"}]}, "rules[1]: within: 0.5: expected a ratio"),
        ({"rules": [RULE | {"within": 1, "by": 1}]}, "rules[1]: by and within: expected one of the two"),
        ({"published": [PUBLISHED | {"value": "much"}]}, "published[1]: value: much: expected a number"),
        ({"published": [{"value": 1}]}, "published[1]: metric is missing; expected all of metric, of, value,"),
        ({"rules": [RULE | {"floor": 0}]}, "rules[1]: floor: 0: expected a number above 0"),
        ({"figures": [FIGURE | {"log": ["z"]}]}, "figures[1]: log[1]: z: allowed: x, y"),
        ({"figures": [{"signal": "g", "lines": "cell"}]}, "figures[1]: signal: g: allowed: activation, c, h, jacobian"),
        ({"figures": [{"signal": "h", "lines": "cell", "x": "seed"}]}, "figures[1]: x: there is no such field"),
        ({"figures": [FIGURE | {"colour": "red"}]}, "figures[1]: colour: there is no such field"),
        ({"figures": [FIGURE | {"metric": "horizon", "baselines": ["x"]}]}, "figures[1]: baselines: they have no"),
        ({"figures": [FIGURE | {"ranked": "cell"}]}, "figures[1]: ranked: cell: expected true or false"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_is_one_line_that_names_the_field(own, changes, message):
    with pytest.raises(UserError) as caught:
        read_study(own(**changes) / "study" / "mine.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"claim: [", "study/mine.yaml: is no YAML: "),
        (b"\xff\xfe\x00", "is no YAML"),
        (b"", "null: expected name: value"),
    ],
)
def test_a_file_that_is_no_study_is_refused_in_a_line(own, text, message):
    path = own() / "study" / "mine.yaml"
    path.write_bytes(text)
    with pytest.raises(UserError) as caught:
        read_study(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_field_that_is_needed_is_asked_for():
    for name in DEFINITION:
        definition = copy.deepcopy(DEFINITION)
        del definition[name]
        with pytest.raises(UserError, match=f"here: {name} is missing; expected all of claim, source"):
            study_of(definition, "here")


def test_a_study_is_the_same_after_it_has_been_kept_as_json():
    study = study_of(DEFINITION, "here")
    assert study_of(json.loads(json.dumps(dataclasses.asdict(study))), "there") == study
