"""A study's report: made from run directories alone, whole or not."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rnnscope.experiments.__main__ import main
from rnnscope.experiments.runs.directory import RunDirectory
from rnnscope.experiments.runs.reader import read_run
from rnnscope.experiments.studies.definition import study_of
from rnnscope.experiments.studies.evidence import interval
from rnnscope.experiments.studies.metrics import find
from rnnscope.experiments.studies.plots import draw
from rnnscope.experiments.studies.request import Asked
from rnnscope.experiments.studies.store import keep, read_kept
from rnnscope.experiments.studies.study import Profile
from tests.experiments.test_report_page import EVIL, Reader
from tests.experiments.written_runs import begun, completed, with_profiles

ROOT = Path(__file__).parents[2]
SEEDS = (1, 2, 3)
DEFINITION = {
    "claim": f"An LSTM errs less than an RNN {EVIL}",
    "source": "nobody | 2026",
    "minutes": 3,
    "measured": "supported, for one",
    "grids": [{"cell": ["rnn", "lstm"], "dataset.length": [10, 40], "seed": list(SEEDS)}],
    "smoke": {"trainer.epochs": 1},
    "rules": [
        {"metric": "score", "of": {"cell": "lstm"}, "against": {"cell": "rnn"}, "direction": "lower", "by": 0.1,
         "where": {"dataset.length": "largest"}},
        {"metric": "diverged", "of": {"cell": "rnn"}, "against": 0.5, "direction": "lower",
         "where": {"dataset.length": "smallest"}},
    ],
    "figures": [
        {"metric": "score", "x": "dataset.length", "lines": "cell", "log": ["x"]},
        {"metric": "parameters", "x": "cell", "lines": "dataset.length", "where": {"dataset.length": "largest"}},
        {"metric": "solved_at_step", "x": "dataset.length", "lines": "cell"},
    ],
    "published": [
        {"metric": "score", "of": {"cell": "lstm", "dataset.length": "largest"}, "value": 0.125, "source": "Doe 1999",
         "differs": "Ten times the data."},
    ],
}  # fmt: skip


def asked(scale="full", typed=(), **changes):
    return Asked("mine", scale, list(typed), study_of(DEFINITION | changes, "here"))


def options_of(path):
    cell, _, _, length, seed = path.name.split("-")
    return {"cell": cell, "dataset.length": length, "seed": seed.removeprefix("s"), "trainer.epochs": "60"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two cells at two lengths with three seeds each; with their scores."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    random, scores = np.random.default_rng(4), {}
    for cell, level in (("rnn", 1.0), ("lstm", 0.2)):
        for length in (10, 40):
            for seed in SEEDS:
                score = scores[cell, length, seed] = float(level + random.uniform(0, 0.1))
                key = f"{cell}-adding-x-{length}-s{seed}"
                completed(folder, score, seed=seed, key=key, cell=cell, dataset__length=length)
    return folder, scores


@pytest.fixture
def folder(whole, tmp_path):
    """The same, with what a command of the study leaves before its runs begin; to be changed."""
    copy = tmp_path / "mine"
    shutil.copytree(whole[0], copy)
    keep_of(copy)
    return copy


def keep_of(folder, study=None, extra=()):
    paths = sorted(path for path in folder.iterdir() if path.is_dir())
    keep(folder, study or asked(), {path: options_of(path) for path in [*paths, *(folder / name for name in extra)]})


def verdict_of(folder):
    assert main(["study", str(folder)]) == 0
    return json.loads((folder / "verdict.json").read_text())


def test_the_verdict_is_kept_with_its_numbers(folder, whole, capsys):
    found = verdict_of(folder)
    _, scores = whole
    difference = [scores["lstm", 40, seed] - scores["rnn", 40, seed] for seed in SEEDS]
    assert (found["verdict"], found["runs"], found["seeds"], found["diverged"]) == ("supported", 12, 3, 0)
    first, second = found["rules"]
    assert first["says"] == "score of cell=lstm is lower than of cell=rnn by more than 0.1, where dataset.length=40"
    assert first["effect"]["mean"] == pytest.approx(np.mean(difference))
    assert first["effect"]["low"] == pytest.approx(min(difference))  # of three seeds
    assert (first["outcome"], first["paired"], first["delta"]) == ("holds", True, -1.0)
    assert second["rule"]["where"] == {"dataset.length": "10"}
    (literature,) = found["published"]
    mean = np.mean([scores["lstm", 40, seed] for seed in SEEDS])
    assert (literature["ours"]["mean"], literature["apart"]["mean"]) == pytest.approx((mean, mean - 0.125))
    printed = capsys.readouterr().out
    for words in ("mine: supported: An LSTM errs", "  holds: score of cell=lstm", f"tensorboard --logdir {folder}"):
        assert words in printed


def test_the_pages_say_what_was_asked_found_and_run(folder):
    verdict_of(folder)
    page = (folder / "study.html").read_text()
    text = " ".join(Reader(page).text)
    markdown = (folder / "study.md").read_text()
    for words in (EVIL, "nobody | 2026", "Verdict: supported.", "12 (12 completed)", "rnnscope train -m study=mine"):
        assert words in text
    assert "| 0.125 | 0.2" in markdown
    assert "| 3 | score of cell=lstm dataset.length=40; Doe 1999. Ten times the data. |" in markdown
    for words in ("Verdict: supported.", r"nobody \| 2026", "packages.numpy", "3 pairs", "test mae against"):
        assert words in markdown
    assert not {"script", "link", "iframe", "object", "base"} & set(Reader(page).tags)
    assert "<script" not in markdown
    pointers = Reader(page).pointers
    assert len(pointers) == 2
    assert all(pointer.startswith("data:image/svg+xml;base64,") for pointer in pointers)
    assert re.findall(r"\]\((figure[^)]+)\)", markdown) == sorted(path.name for path in folder.glob("figure-*.svg"))


def test_a_figure_is_the_mean_and_interval_of_every_point_and_says_so(folder, whole):
    _, scores = whole
    kept = read_kept(folder)
    drawn = draw(kept.study.figures[0], kept.runs)
    assert [(point.line, point.x) for point in drawn.points] == [
        ("lstm", "10"), ("lstm", "40"), ("rnn", "10"), ("rnn", "40"),
    ]  # fmt: skip
    for point in drawn.points:
        expected = interval([scores[point.line, int(point.x), seed] for seed in SEEDS])
        assert dataclasses.astuple(point.y) == pytest.approx(dataclasses.astuple(expected))
    assert drawn.caption == (
        "test mae against dataset.length (steps), by cell. Points are the mean over seeds (n = 3); "
        "bars and bands are bootstrap 95 % intervals of the mean over seeds."
    )
    ElementTree.fromstring(drawn.svg)
    for words in ("test mae", "dataset.length (steps)", "lstm", "rnn"):
        assert f">{words}</text>" in drawn.svg
    assert draw(kept.study.figures[0], kept.runs).svg == drawn.svg


def test_a_profile_is_drawn_over_its_value_at_the_last_step_of_the_layer_that_reaches_furthest(folder):
    random, of_cell = np.random.default_rng(5), {"rnn": 0.5, "lstm": 0.95}
    expected = {}
    for cell, factor in of_cell.items():
        for seed in SEEDS:
            run = RunDirectory(folder / f"{cell}-adding-x-40-s{seed}")
            norms = random.uniform(0.9, 1.1, 30) * factor ** np.arange(30)[::-1]
            expected[cell, seed] = np.append(norms, [0, 0])[-3::-1] / norms[-1]
            with_profiles(run, [np.append(norms, [0, 0])])  # two steps of padding
            with_profiles(run, [np.ones(32)], layer="layer_2")
            gradient = {"layer_1": {"horizon": 9}, "layer_2": {"horizon": 5}}
            run.write_result(run.result | {"gradient": gradient})
    drawn = draw(Profile("h", "cell", {"dataset.length": "40"}), read_kept(folder).runs)
    assert [point.seeds for point in drawn.points] == [3] * 60
    for point in drawn.points:
        of_seeds = [expected[point.line, seed][int(point.x)] for seed in SEEDS]
        assert point.y.mean == pytest.approx(stats.gmean(of_seeds), rel=1e-4)
        assert point.y.low <= point.y.mean * 1.0001
    ElementTree.fromstring(drawn.svg)
    assert drawn.caption.startswith("gradient norm with respect to h, over the last step's against steps back from")
    found = find("horizon_at_start").of(read_run(folder / "rnn-adding-x-40-s1"))
    assert found == 31.0  # layer_2's, which reaches further there


def test_the_line_of_a_profile_ends_where_the_norm_of_one_of_its_runs_is_0(folder):
    for seed in SEEDS:
        norms = 0.5 ** np.arange(30.0)[::-1]
        norms[: 10 * (seed == SEEDS[1])] = 0
        with_profiles(RunDirectory(folder / f"rnn-adding-x-40-s{seed}"), [norms])
    drawn = draw(Profile("h", "cell", {"dataset.length": "40"}), read_kept(folder).runs)
    assert [(point.x, point.seeds) for point in drawn.points] == [(str(distance), 3) for distance in range(20)]
    assert "A line ends where the norm of one of its runs is 0 or not finite." in drawn.caption


def test_baselines_stand_beside_the_lines_of_a_figure_over_all_runs_of_a_place(folder):
    study = asked(figures=[DEFINITION["figures"][0] | {"baselines": ["training mean"]}])
    keep_of(folder, study)
    kept = read_kept(folder)
    drawn = draw(kept.study.figures[0], kept.runs)
    *_, at_10, at_40 = drawn.points
    for point, x in ((at_10, "10"), (at_40, "40")):
        assert (point.line, point.x, point.y.mean) == ("training mean", x, pytest.approx(0.4))
    assert ">training mean</text>" in drawn.svg


def test_baselines_are_told_apart_by_their_dashes(folder):
    for path in folder.glob("*-s*"):
        run = RunDirectory(path)
        run.write_result(run.result | {"baselines": {"training mean": {"mae": 0.4}, "twice the mean": {"mae": 0.8}}})
    for x, lines in (("dataset.length", "cell"), ("cell", "dataset.length")):
        figure = {"metric": "score", "x": x, "lines": lines, "baselines": ["training mean", "twice the mean"]}
        keep_of(folder, asked(figures=[figure]))
        kept = read_kept(folder)
        dashes = re.findall(r"stroke-dasharray: ([^;]+);", draw(kept.study.figures[0], kept.runs).svg)
        assert len(set(dashes)) == 2


def test_a_score_has_the_unit_of_its_data_if_all_runs_have_the_same(folder):
    figures = [DEFINITION["figures"][0] | {"metric": metric} for metric in ("score", "metrics.loss")]
    keep_of(folder, asked(figures=figures))
    for path in folder.glob("*-s*"):
        (path / "task.json").write_text(json.dumps({"output": {"kind": "Values", "unit": "°C"}}))
    kept = read_kept(folder)
    score, loss = (draw(figure, kept.runs) for figure in kept.study.figures)
    assert score.caption.startswith("test mae (°C) against")
    assert ">test mae (°C)</text>" in score.svg
    assert loss.caption.startswith("test loss against")
    (path / "task.json").write_text(json.dumps({"output": {"kind": "Values", "unit": "K"}}))
    assert draw(kept.study.figures[0], kept.runs).caption.startswith("test mae against")


def test_a_logarithmic_axis_of_less_than_a_power_of_ten_has_plain_numbers(folder):
    keep_of(folder, asked(figures=[DEFINITION["figures"][0] | {"log": ["y"]}]))
    kept = read_kept(folder)
    drawn = draw(kept.study.figures[0], kept.runs)
    ticks = {float(text) for text in re.findall(r">([0-9.]+)</text>", drawn.svg)}
    assert {0.3, 0.5, 1.0} <= ticks
    assert "10^" not in drawn.svg


def test_names_can_stand_in_the_order_of_their_means(folder):
    figure = {"metric": "score", "x": "cell", "lines": "dataset.length", "where": {"dataset.length": "largest"}}
    for ranked, cells in ((False, ["rnn", "lstm"]), (True, ["lstm", "rnn"])):
        keep_of(folder, asked(figures=[figure | {"ranked": ranked}]))
        kept = read_kept(folder)
        drawn = draw(kept.study.figures[0], sorted(kept.runs, key=lambda run: run.options["cell"], reverse=True))
        assert [point.x for point in drawn.points] == cells
        assert drawn.svg.index(f">{cells[0]}</text>") < drawn.svg.index(f">{cells[1]}</text>")


def test_a_figure_without_values_says_so(folder):
    kept = read_kept(folder)
    drawn = draw(kept.study.figures[2], kept.runs)
    assert drawn.svg == ""
    assert drawn.caption.endswith("no run has a value yet.")


def test_smoke_scale_and_what_was_typed_are_said_and_decide_nothing(folder):
    keep_of(folder, asked("smoke", ["cell.units=9"]))
    found = verdict_of(folder)
    assert found["verdict"] == "undecided"
    assert found["command"] == "rnnscope train -m study=mine study.scale=smoke cell.units=9"
    markdown = (folder / "study.md").read_text()
    assert "decide nothing" in markdown
    assert "Typed beside the study: cell.units=9" in markdown


def test_rules_that_are_changed_after_runs_have_ended_are_told(folder):
    assert not verdict_of(folder)["rules_changed"]
    keep_of(folder)
    assert not verdict_of(folder)["rules_changed"]
    keep_of(folder, asked(rules=[DEFINITION["rules"][0] | {"by": 0.01}]))
    assert verdict_of(folder)["rules_changed"]
    assert "The rules were changed after runs had ended" in (folder / "study.md").read_text()
    keep_of(folder)
    assert verdict_of(folder)["rules_changed"]  # also where they are changed back


def test_runs_that_diverged_failed_or_have_not_begun_are_named(folder):
    of_rnn = sorted(folder.glob("rnn-adding-x-10-s*"))
    for path, state in zip(of_rnn, ("diverged", "failed", "completed"), strict=True):
        if state != "completed":
            shutil.rmtree(path)
            begun(folder, key=path.name, cell="rnn", seed=1).set_state(state, f"it {state} {EVIL}")
    keep_of(folder, extra=["lstm-adding-x-10-s4"])
    found = verdict_of(folder)
    assert [rule["outcome"] for rule in found["rules"]] == ["holds", "undecided"]
    assert (found["verdict"], found["runs"], found["over"], found["diverged"]) == ("undecided", 13, 11, 1)
    text = " ".join(Reader((folder / "study.html").read_text()).text)
    for words in ("10 completed", "1 not begun", "1 diverged", "1 failed", f"it failed {EVIL}", "it has not begun"):
        assert words in text


def test_a_damaged_run_costs_no_more_than_its_own_numbers(folder):
    damaged = folder / "lstm-adding-x-40-s2"
    (damaged / "result.json").write_text('{"metrics": {"mae"')
    (damaged / ".hydra" / "config.yaml").write_text("cell: [")
    found = verdict_of(folder)
    assert [rule["outcome"] for rule in found["rules"]] == ["undecided", "holds"]
    assert "its result cannot be read" in (folder / "study.md").read_text()


def test_runs_of_another_command_in_the_same_folder_do_not_count(folder):
    completed(folder, 1e6, seed=1, key="lstm-adding-other-40-s1", cell="lstm", dataset__length=40)
    found = verdict_of(folder)
    assert (found["runs"], found["verdict"]) == (12, "supported")


def test_a_folder_that_holds_no_study_is_refused_in_a_line(tmp_path, folder, capsys):
    (folder / "study.json").write_text('{"study": "mine", "scale": "full", "runs": {"a": {}}, "definition": []}')
    for place, words in {
        tmp_path: "holds no study (study.json)",
        folder: "study.json: definition: []: expected",
    }.items():
        assert main(["study", str(place)]) == 2
        message = capsys.readouterr().err
        assert message.startswith("rnnscope study: ")
        assert words in message
        assert message.count("\n") == 1


def test_all_studies_are_listed_with_claim_time_verdict_and_command(tmp_path, capsys):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "mine.yaml").write_text(json.dumps(DEFINITION))  # which is YAML too
    assert main(["studies", "--config-dir", str(tmp_path)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for words in ("vanishing", "exploding", "An LSTM errs", "supported, for one", "rnnscope train -m study=mine"):
        assert words in printed


def test_a_report_starts_no_tensorflow(folder):
    script = (
        "import sys; from rnnscope.experiments.commands.main import main; status = main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules); sys.exit(status)"
    )
    command = [sys.executable, "-c", script, "study", str(folder)]
    ended = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert (folder / "study.html").exists()
