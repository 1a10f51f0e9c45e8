"""`report.html`: what it shows, and that it needs nothing else."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image
from scipy import stats

from rnnscope.experiments.__main__ import main
from rnnscope.experiments.runs.lease import claim
from rnnscope.experiments.runs.reader import read_runs
from rnnscope.experiments.summaries import plots as pictures
from rnnscope.experiments.summaries.groups import grouped
from tests.experiments.written_runs import begun, completed, with_profiles

EVIL = "<script>alert('$\\bad{$ & \"ひ\"')</script>"


class Reader(HTMLParser):
    """A page's text, tags, and what its attributes point to."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags, self.pointers = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.pointers += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two datasets; in one of them cells and depths with three seeds each, and their gradients."""
    folder = tmp_path_factory.mktemp("runs") / "swept"
    random = np.random.default_rng(5)
    for cell in ("rnn", "gru"):
        for depth in (1, 2):
            for seed in (1, 2, 3):
                run = completed(folder, float(random.uniform()), seed=seed, cell=cell, architecture__depth=depth)
                with_profiles(run, random.uniform(0.5, 1, (12, 20)) * 0.5 ** np.arange(20)[::-1])
    completed(folder, 7.0, dataset="weather", cell="rnn")
    begun(folder, dataset="weather", cell="gru").set_state("failed", f"ValueError: {EVIL}")
    return folder


@pytest.fixture(scope="module")
def page(folder):
    assert main(["summary", str(folder)]) == 0
    return (folder / "report.html").read_text()


def test_the_page_asks_for_nothing_from_anywhere(page):
    read = Reader(page)
    assert not {"script", "link", "iframe", "object", "base"} & set(read.tags)
    assert read.pointers
    assert all(pointer.startswith("data:image/png;base64,") for pointer in read.pointers)
    assert "url(" not in page
    assert "@import" not in page


def test_every_picture_of_every_dataset_is_a_picture(page):
    found = re.findall(r'<img alt="(\w+): ([^"]+)" src="data:image/png;base64,([^"]+)">', page)
    assert [dataset for dataset, *_ in found].count("adding") == 5
    titles = {dataset: [title.split()[0] for of, title, _ in found if of == dataset] for dataset, *_ in found}
    assert titles["adding"] == ["Learning", "Test", "What", "What", "Gradient"]
    assert titles["weather"] == ["Learning", "Test", "What"]  # one cell has a result, and no gradients were kept
    for *_, data in found:
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            picture.load()
            assert picture.width > 900


def test_rows_failures_commands_and_versions_are_there(page, folder):
    text = " ".join(Reader(page).text)
    for words in ("swept", "14 runs, 6 configurations", "training mean", "1 failed", f"ValueError: {EVIL}"):
        assert words in text
    commands = [line for line in text.splitlines() if line.strip().startswith("rnnscope train")]
    assert len(commands) == 14
    assert "rnnscope train cell=gru architecture.depth=2 seed=3" in commands
    for words in ("14 runs", "packages.numpy", np.__version__, "code.commit"):
        assert words in text


def test_whatever_comes_from_a_file_is_escaped(tmp_path):
    folder = tmp_path / "<b>&amp;"
    run = completed(folder, 0.5, cell=EVIL, key="first", of_result={"baselines": {EVIL: 0.3}, "metric": EVIL})
    completed(folder, 0.5, cell="gru", dataset=EVIL, key="other", of_result={"metric": EVIL})
    (run.path / "environment.json").write_text(f'{{"{"<u>"}": "<s>"}}')
    OmegaConf.save([f"cell={EVIL}"], run.path / ".hydra" / "overrides.yaml")
    begun(folder, key="<i>run", cell="<em>").set_state("failed", EVIL)
    assert main(["summary", str(folder)]) == 0
    page = (folder / "report.html").read_text()
    assert not {"script", "b", "i", "u", "s", "em"} & set(Reader(page).tags)
    text = " ".join(Reader(page).text)
    for words in (EVIL, "<b>&amp;", "<i>run", "<u>", "<s>", "<em>"):
        assert words in text


def test_no_report_is_written_where_none_is_asked_for(tmp_path):
    completed(tmp_path, 0.5)
    assert main(["summary", str(tmp_path), "--no-report"]) == 0
    assert not (tmp_path / "report.html").exists()


def test_runs_without_any_result_still_make_a_page(tmp_path):
    at_work = begun(tmp_path)
    begun(tmp_path, seed=2)
    (tmp_path / "damaged" / ".hydra").mkdir(parents=True)
    (tmp_path / "damaged" / ".hydra" / "config.yaml").write_text("cell: [")
    with claim(at_work.path):
        assert main(["summary", str(tmp_path)]) == 0
    text = " ".join(Reader((tmp_path / "report.html").read_text()).text)
    assert "1 running, 1 interrupted" in text  # of one the process is gone
    assert "its configuration cannot be read" in text


# -------------------------------------------------------------------- pictures


def of_adding(folder):
    return [group for group in grouped(read_runs(folder)) if group.dataset == "adding"]


def test_the_curves_are_the_validation_metric_of_every_run(folder):
    groups = of_adding(folder)
    (axes,) = pictures.learning_curves(groups).axes
    assert axes.get_ylabel() == "validation mae"
    for group, drawn in zip(groups, axes.collections, strict=True):
        expected = [(run.value + np.linspace(1, 0, 4) + 0.1).tolist() for run in group.runs]
        assert [line[:, 1].tolist() for line in drawn.get_segments()] == pytest.approx(np.array(expected))
        assert drawn.get_segments()[0][:, 0].tolist() == [10, 20, 30, 40]


def test_the_bars_are_the_intervals(folder):
    groups = of_adding(folder)
    axes = pictures.results_by_seed(groups).axes[0]
    for group, bar in zip(groups, axes.containers, strict=True):
        values = np.array(list(group.values.values()))
        expected = stats.t.interval(0.95, 2, loc=values.mean(), scale=stats.sem(values))
        (segment,) = bar.lines[2][0].get_segments()
        assert segment[:, 0] == pytest.approx(expected)
    assert [label.get_text() for label in axes.get_yticklabels()] == [group.label for group in groups]


def test_an_effect_is_the_mean_of_all_configurations_with_a_value(folder):
    groups = of_adding(folder)
    shown = {axes.get_xlabel(): axes for axes in pictures.main_effects(groups).axes}
    for key, values in {"cell": ["gru", "rnn"], "architecture.depth": ["1", "2"]}.items():
        expected = [np.mean([group.mean for group in groups if group.choices[key] == value]) for value in values]
        assert shown[key].lines[-1].get_ydata() == pytest.approx(expected)
        assert [label.get_text() for label in shown[key].get_xticklabels()] == values


def test_numbers_stand_in_their_order_and_names_after_them(tmp_path):
    for rate in ("0.1", "1e-05", "null", "0.003", "10"):
        completed(tmp_path, 1.0, optimizer__learning_rate=None if rate == "null" else float(rate), key=rate)
    found = pictures.main_effects(grouped(read_runs(tmp_path))).axes[0]
    assert [label.get_text() for label in found.get_xticklabels()] == ["1e-05", "0.003", "0.1", "10.0", "null"]


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_profile_is_the_root_mean_square_of_the_last_ten_records(tmp_path, direction):
    norms = np.random.default_rng(1).uniform(0, 1, (25, 15)).astype("float32")
    with_profiles(begun(tmp_path), norms, direction=direction)
    (run,) = read_runs(tmp_path)
    expected = np.sqrt((norms[-10:].astype("float64") ** 2).mean(axis=0))
    found = pictures.last_profiles(run.path)["layer_1"]
    # The last step read comes first: a layer that reads from the end reads the first step last.
    assert found == pytest.approx(expected if direction == "backward" else expected[::-1])


def test_the_drawn_profile_is_of_the_layer_that_reaches_furthest_without_padding(tmp_path):
    run = begun(tmp_path)
    reaching = np.concatenate([0.9 ** np.arange(10)[::-1], np.zeros(5)])
    with_profiles(run, [0.1 ** np.arange(15)[::-1]] * 3, layer="layer_1")
    with_profiles(run, [4 * reaching] * 3, layer="layer_2")
    (axes,) = pictures.profiles(grouped(read_runs(tmp_path))).axes
    (line,) = axes.collections[0].get_segments()
    assert line[:, 0].tolist() == list(range(10))
    assert line[:, 1] == pytest.approx(0.9 ** np.arange(10))


@pytest.mark.parametrize("kept", [0, 5, 13, 0.3, 0.99])
def test_of_a_cut_event_file_the_whole_records_are_read(tmp_path, kept):
    run = with_profiles(begun(tmp_path), np.ones((12, 6)))
    (file,) = run.path.glob("events.*")
    whole = file.read_bytes()
    file.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    found = pictures.last_profiles(run.path)
    if isinstance(kept, int):
        assert found == {}
    else:
        assert found["layer_1"] == pytest.approx(np.ones(6))


def test_an_event_file_of_noise_holds_no_profile(tmp_path):
    run = begun(tmp_path)
    noise = np.random.default_rng(0).bytes(4000)
    framed = len(noise).to_bytes(8, "little") + bytes(4) + b"\x0a\x10gradient_flow//h" + noise[16:] + bytes(4)
    (run.path / "events.out.tfevents.1").write_bytes(noise)
    (run.path / "events.out.tfevents.2").write_bytes(framed)
    assert pictures.last_profiles(run.path) == {}


def test_a_run_that_diverges_does_not_flatten_the_other_curves(tmp_path):
    for seed in range(1, 30):
        completed(tmp_path, 0.5, seed=seed)
    run = begun(tmp_path, seed=30)
    run.write_metrics([{"epoch": 1, "step": 10, "val_mae": 1e9}, {"epoch": 2, "step": 20, "val_mae": float("nan")}])
    run.set_state("diverged", "the loss became NaN")
    (axes,) = pictures.learning_curves(grouped(read_runs(tmp_path))).axes
    assert axes.get_ylim()[1] < 10
