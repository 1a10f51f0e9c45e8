"""The tab inside TensorBoard's own page, with each of its loaders, and while a run is still writing."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tensorboard_gradient_flow.writer import RunWriter

ABOUT = {"direction": "forward", "cell": "LSTMCell", "units": 8}
NORMS = np.geomspace(1e-6, 1, 20).astype("float32")


@pytest.fixture(params=["--load_fast=true", "--load_fast=false"])
def logs(request, tmp_path):
    tmp_path.joinpath("loader").write_text(request.param)
    return tmp_path


@pytest.fixture
def address(logs, serve):
    return serve(logs, logs.joinpath("loader").read_text(), "--reload_interval=1")


def test_records_that_tensorboard_dropped_are_mentioned(browser, serve, tmp_path):
    with RunWriter(tmp_path / "run") as writer:
        for step in range(0, 500, 10):
            writer.gradient_norms("lstm_1", "h", NORMS, step, **ABOUT)
    flags = ("--load_fast=false", "--reload_interval=0", "--reload_task=blocking")
    address = serve(tmp_path, *flags, "--samples_per_plugin=gradient_flow=5")
    page = browser.new_page()
    page.goto(f"{address}data/plugin_entry.html?name=gradient_flow")
    expect(page.locator("#dropped")).to_contain_text("TensorBoard keeps 5 records of a signal")
    page.close()


def test_a_run_is_seen_while_it_writes(page, address, logs):
    page.goto(f"{address}?darkMode=true#gradient_flow")
    tab = page.frame_locator("iframe")
    expect(tab.locator("h1")).to_have_text("No gradient norms in these logs yet", timeout=30_000)
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    with RunWriter(logs / "run") as writer:
        for step in (0, 10):
            writer.gradient_norms("lstm_1", "h", NORMS * (1 + step), step, **ABOUT)
        writer.flush()
        expect(tab.locator("output")).to_have_text("10 of 10", timeout=30_000)
        tab.get_by_text("linear", exact=True).click()
        for step in (20, 30):
            writer.gradient_norms("lstm_1", "h", NORMS * (1 + step), step, **ABOUT)
        writer.flush()
        expect(tab.locator("output")).to_have_text("30 of 30", timeout=30_000)
        expect(tab.locator("#profile path[data-line=current]")).to_have_attribute("data-step", "30", timeout=10_000)
    with page.expect_download() as download:
        tab.locator("#profile [data-download=csv]").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    found = [float(row["absolute"]) for row in rows if row["line"] == "current"]
    np.testing.assert_array_equal(np.array(found, np.float32), NORMS * np.float32(31))
    assert page.url.endswith("#gradient_flow&p.gradient_flow.scale=linear")
