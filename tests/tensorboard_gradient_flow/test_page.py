"""The tab in a real browser, on a real TensorBoard with each of its loaders."""

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import expect
from tensorboard.plugins.hparams import api

from tensorboard_gradient_flow import profile
from tensorboard_gradient_flow.writer import RunWriter

HOSTILE = '<img src=x onerror="document.title=`taken`"> "a,b" & é'
STEPS = list(range(0, 100, 10))
FACTORS = {"rnn": 0.5, "lstm": 0.97, HOSTILE: 1.0}


def vector(run, step, length=40):
    """What a run logs at a step: a geometric profile that gets flatter while training."""
    factor = FACTORS[run] + (1 - FACTORS[run]) * step / 200
    return (factor ** np.arange(length - 1, -1, -1.0) * (1 + step / 100)).astype("float32")


def write(folder):
    """Three runs: one plain, one with every kind of signal, one with a hostile name and numbers that are none."""
    for run in FACTORS:
        about = {"cell": f"{run.upper()}Cell"[:20], "units": 8}
        with RunWriter(folder / run) as writer:
            writer.summary(api.hparams_pb({"cell": run[:4], "units": 8 if run == "rnn" else 16, "batch": 32}), 0)
            for step in STEPS:
                ragged = vector(run, step, 40 if run == "rnn" else 30 + step % 20)
                if run == HOSTILE and step == 50:
                    ragged[3], ragged[5] = np.nan, np.inf
                writer.gradient_norms("layer_1", "h", ragged, step, direction="forward", **about)
                if run == "rnn":
                    back = ragged[::-1]
                    writer.gradient_norms("layer_1_back", "h", back, step, direction="backward", **about)
                if run == "lstm":
                    writer.gradient_norms("layer_1", "c", 2 * ragged, step, direction="forward", **about)
                    for signal, scale in (("jacobian", 1), ("jacobian_bound", 3)):
                        values = scale * ragged
                        writer.vector("layer_1", signal, values, step, kind="jacobian", direction="forward", **about)
                    for signal in ("gate_i_low", "gate_i_high", "gate_f_low", "gate_f_high"):
                        share = np.full(40, 0.25 if signal.endswith("low") else 0.5)
                        writer.vector("layer_1", signal, share, step, kind="gate", direction="forward", **about)
                    writer.vector(
                        "layer_1", "activation", ragged, step, kind="activation", direction="forward", **about
                    )


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def address(logs, serve):
    return serve(logs, "--load_fast=false", "--reload_interval=0", "--reload_task=blocking")


@pytest.fixture
def tab(page, address):
    """`tab(signal="c")` opens the tab with some state in its address, by itself: TensorBoard's frame takes seconds."""

    def open_(**state):
        page.goto("about:blank")
        page.goto(f"{address}data/plugin_entry.html?name=gradient_flow#{fragment(**state)}")
        ready(page)
        return page

    return open_


def fragment(**state):
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in state.items()}
    return "&".join(f"p.gradient_flow.{name}={quote(text, safe='')}" for name, text in texts.items())


def ready(page):
    expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)


def rows_of(page, section):
    """The numbers of a section as its CSV has them."""
    page.locator(f"#{section} h2").scroll_into_view_if_needed()
    ready(page)
    with page.expect_download() as download:
        page.locator(f"#{section} [data-download=csv]").click()
    return list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))


def values(rows, column, **where):
    return np.array([float(row[column]) for row in rows if all(row[key] == str(each) for key, each in where.items())])


def test_the_profile_draws_what_was_logged(tab):
    page = tab()
    expect(page.locator("#profile path[data-line=current]")).to_have_count(3)
    rows = rows_of(page, "profile")
    for run in FACTORS:
        for line, step in (("first", 0), ("current", 90), ("last", 90)):
            logged = vector(run, step, 40 if run == "rnn" else 30 + step % 20)
            found = values(rows, "absolute", run=run, line=line, training_step=step)
            np.testing.assert_array_equal(found.astype("float32"), logged)


def test_the_slider_moves_every_line_and_keeps_the_ends_as_ghosts(tab):
    page = tab()
    slider = page.get_by_label("Training step", exact=True).last
    slider.focus()
    for step in (80, 70, 60, 50):
        page.keyboard.press("ArrowLeft")
        expect(page.locator("output")).to_have_text(f"{step} of 90")
    ready(page)
    expect(page.locator("#profile path[data-line=current][data-step='50']")).to_have_count(3)
    expect(page.locator("#profile path[data-line=first][data-step='0']")).to_have_count(3)
    expect(page.locator("#profile path[data-line=last][data-step='90']")).to_have_count(3)
    expect(page.locator("output")).to_have_text("50 of 90")
    assert "p.gradient_flow.step=50" in page.url
    rows = rows_of(page, "profile")
    found = values(rows, "absolute", run=HOSTILE, line="current")
    assert np.isnan(found[3])
    assert found[5] == np.inf
    expect(page.locator("#profile path[data-not-finite]")).to_have_count(1)
    page.get_by_label("first and last record").uncheck()
    ready(page)
    expect(page.locator("#profile path[data-line=first]")).to_have_count(0)
    page.keyboard.press("End")


def test_the_slider_plays_to_the_end_and_stops(tab):
    page = tab(step=60)
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator("output")).to_have_text("90 of 90", timeout=15_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    ready(page)
    assert "step" not in page.url  # at the end the page follows what is added


def test_values_scale_and_axis_are_switched(tab):
    page = tab()
    for label in ("over last step", "linear", "distance from end"):
        page.get_by_text(label, exact=True).click()
    ready(page)
    expect(page.locator("#profile")).to_contain_text("distance from the last step read")
    rows = rows_of(page, "profile")
    logged = vector("lstm", 90)
    np.testing.assert_allclose(values(rows, "relative", run="lstm", line="current"), logged / logged[-1], rtol=1e-6)
    np.testing.assert_array_equal(values(rows, "distance", run="lstm", line="current"), np.arange(39, -1, -1))
    assert all(f"p.gradient_flow.{part}" in page.url for part in ("values=relative", "scale=linear", "axis=distance"))


def test_layer_direction_and_signal_are_chosen(tab):
    page = tab()
    page.get_by_label("Signal").select_option("c")
    ready(page)
    expect(page.locator("#profile path[data-line=current]")).to_have_count(1)
    rows = rows_of(page, "profile")
    np.testing.assert_array_equal(values(rows, "absolute", line="current").astype("float32"), 2 * vector("lstm", 90))
    page.get_by_label("Direction").select_option("backward")
    ready(page)
    expect(page.get_by_label("Layer")).to_have_value("layer_1_back")
    page.get_by_text("distance from end", exact=True).click()
    ready(page)
    rows = rows_of(page, "profile")
    np.testing.assert_array_equal(values(rows, "distance", line="current"), np.arange(40))


def test_the_heatmap_has_every_record_of_every_run(tab):
    page = tab()
    rows = rows_of(page, "heatmap")
    expect(page.locator("#heatmap svg[data-run] image")).to_have_count(3)
    for run in ("rnn", "lstm"):
        for step in STEPS:
            logged = vector(run, step, 40 if run == "rnn" else 30 + step % 20)
            found = values(rows, "absolute", run=run, training_step=step).astype("float32")
            np.testing.assert_array_equal(found, logged)
    expect(page.locator("#heatmap [data-apart]")).to_have_count(2)  # the bar explains NaN and Inf
    panel = page.locator("#heatmap svg[data-run=rnn]")
    panel.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tooltip")).to_contain_text(re.compile(r"training step 80, t = 0"))
    panel.hover()
    expect(page.locator("#tooltip")).to_contain_text("training step")


def test_the_horizon_is_the_profile_module_s(tab):
    page = tab()
    rows = rows_of(page, "horizon")
    for run in ("rnn", "lstm"):
        expected = [profile.horizon(vector(run, step, 40 if run == "rnn" else 30 + step % 20)) for step in STEPS]
        np.testing.assert_array_equal(values(rows, "horizon", run=run), expected)
    together = profile.root_mean_square([vector("rnn", step) for step in STEPS])
    assert values(rows, "horizon_of_ten", run="rnn")[-1] == profile.horizon(together)
    assert np.isnan(values(rows, "horizon", run=HOSTILE, training_step=50)).all()


def test_only_what_is_on_screen_is_asked_for(page, tab):
    asked = []
    page.set_viewport_size({"width": 1200, "height": 400})
    page.on("request", lambda sent: asked.append(sent.url))
    tab()
    assert not [url for url in asked if "/horizons" in url or "columns=" in url]
    with page.expect_request("**/horizons*"):
        page.locator("#horizon h2").scroll_into_view_if_needed()
    ready(page)
    asked.clear()
    page.get_by_text("linear", exact=True).click()
    page.get_by_text("over last step", exact=True).click()
    ready(page)
    assert not [url for url in asked if "/horizons" in url or "at=" in url]  # all of it is here already


def test_jacobian_and_gates_are_shown_where_they_were_logged(tab):
    page = tab()
    rows = rows_of(page, "jacobian")
    bound = values(rows, "value", run="lstm", signal="jacobian_bound").astype("float32")
    np.testing.assert_array_equal(bound, 3 * vector("lstm", 90))
    expect(page.locator("#jacobian path[data-run=lstm]")).to_have_count(2)
    rows = rows_of(page, "gates")
    assert set(values(rows, "value", signal="gate_f_high")) == {0.5}
    expect(page.locator("#gates svg[data-figure]")).to_have_count(2)
    page = tab(runs=["rnn"])
    expect(page.locator("#gates")).to_be_hidden()
    expect(page.locator("#jacobian")).to_be_hidden()


def test_verdicts_say_why(tab):
    page = tab()
    chip = page.locator("aside li").filter(has_text="rnn").locator(".chip")
    expect(chip).to_have_text("↘ vanishing")
    chip.hover()
    expect(page.locator("#tooltip")).to_contain_text("of 39 steps back before it falls below 1%")
    rows = rows_of(page, "verdicts")
    expected = profile.verdict(profile.root_mean_square([vector("rnn", step) for step in STEPS]))
    (row,) = [row for row in rows if row["run"] == "rnn" and row["layer"] == "layer_1"]
    assert (row["verdict"], row["explanation"]) == (expected.name, expected.explanation)
    assert float(row["factor"]) == pytest.approx(expected.factor)


def test_runs_are_filtered_and_chosen(tab):
    page = tab()
    page.get_by_label("Filter").fill("^(rnn|lstm)$")
    expect(page.locator("aside li")).to_have_count(2)
    page.get_by_role("button", name="Choose none").click()
    ready(page)
    expect(page.locator("#profile path[data-line=current]")).to_have_count(1)
    expect(page.locator(".count")).to_have_text("1 of 3 chosen, 1 of them hidden by the filter")
    box = page.get_by_role("checkbox", name="lstm")
    box.focus()
    page.keyboard.press("Space")
    ready(page)
    expect(page.locator("#profile path[data-line=current]")).to_have_count(2)
    expect(box).to_be_focused()
    page.get_by_label("Filter").fill("(rn")  # no regular expression: a piece of a name
    expect(page.locator("aside li")).to_have_count(0)
    page.get_by_label("Filter").fill("")
    page.get_by_role("button", name="Choose none").click()
    expect(page.get_by_text("No run is chosen")).to_be_visible()
    page.get_by_role("button", name="Choose all").click()
    ready(page)
    expect(page.locator(".hparams").filter(has_text="cell = lstm · units = 16")).to_have_count(1)
    expect(page.locator(".hparams").filter(has_text="batch")).to_have_count(0)  # the same everywhere
    page.get_by_label("Label lines by").select_option("hparams")
    ready(page)
    expect(page.locator("#profile svg[data-figure]")).to_contain_text("lstm · 16")


def test_a_link_reproduces_the_view(tab):
    page = tab(runs=["lstm", HOSTILE], signal="jacobian", step=40, axis="distance", scale="linear", filter="l")
    expect(page.locator("output")).to_have_text("40 of 90")
    expect(page.get_by_label("Signal")).to_have_value("jacobian")
    expect(page.get_by_label("Filter")).to_have_value("l")
    expect(page.locator("#profile path[data-step='40']")).to_have_count(1)
    page = tab(runs="{", step='"x"', layer="none", axis="distance")
    expect(page.locator("#profile path[data-line=current]")).to_have_count(3)


def test_a_hostile_name_is_only_a_name(tab):
    page = tab()
    expect(page.locator("aside .name").filter(has_text="onerror")).to_have_text(HOSTILE)
    expect(page.locator("img")).to_have_count(0)
    assert page.evaluate("() => document.title") == "Gradient flow"


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_what_is_shown_can_be_downloaded_as_a_picture(tab, kind):
    page = tab()
    for section in ("profile", "heatmap"):
        page.locator(f"#{section} h2").scroll_into_view_if_needed()
        ready(page)
        with page.expect_download() as download:
            page.locator(f"#{section} [data-download={kind}]").click()
        assert download.value.suggested_filename == f"gradient_flow-{section}-layer_1-h.{kind}"
        content = Path(download.value.path()).read_bytes()
        if kind == "png":
            assert content.startswith(b"\x89PNG")
            assert len(content) > 10_000
        else:
            assert content.startswith(b"<svg")
            assert b"training step" in content


def test_everything_can_be_reached_with_the_keyboard(tab):
    page = tab()
    page.get_by_label("Filter").focus()
    reached = set()
    for _ in range(45):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.name || document.activeElement.type || 'figure'"))
    assert {"layer", "direction", "signal", "values", "scale", "axis", "ghosts", "range", "button", "figure"} <= reached
    unnamed = """() => [...document.querySelectorAll("input, select, button, svg[tabindex]")].filter(
        (each) => !each.labels?.length && !each.getAttribute("aria-label") && !each.textContent.trim()).length"""
    assert page.evaluate(unnamed) == 0
