"""The sweep's runs in a real TensorBoard, in a real browser."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from tensorboard import program

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs chromium or google-chrome to look at TensorBoard's pages"
)


@pytest.fixture(scope="module")
def address(sweep):
    """Where a TensorBoard serves the sweep."""
    _, folder = sweep
    board = program.TensorBoard()
    board.configure(
        argv=["tensorboard", "--logdir", str(folder), "--host", "127.0.0.1", "--port", "0", "--load_fast=false",
              "--reload_interval=0", "--reload_task=blocking"]
    )  # fmt: skip
    return board.launch()


@pytest.fixture(scope="module")
def browser():
    """A browser without a window."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser, address, request):
    """A page that must not complain; a screenshot is kept in `screenshots/` where that folder exists."""
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    complaints, foreign = [], []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda sent: None if sent.url.startswith((address, "data:", "blob:")) else foreign.append(sent.url)
    )
    yield page
    if Path("screenshots").is_dir():
        page.screenshot(path=f"screenshots/{re.sub(r'[^a-z0-9_]+', '-', request.node.name)}.png")
    page.close()
    assert complaints == []
    assert foreign == []


def test_the_heatmap_of_every_run_is_shown_as_a_picture(page, address):
    page.goto(f"{address}#images")
    cards = page.locator("tf-image-loader")
    expect(cards).to_have_count(4, timeout=30_000)
    headings = page.locator("tf-card-heading")
    expect(headings.filter(has_text="gradient_heatmap/layer_1/h")).to_have_count(3)
    expect(headings.filter(has_text="gradient_heatmap/layer_1/c")).to_have_count(1)
    expect(cards.locator("img")).to_have_count(4, timeout=30_000)
    for picture in cards.locator("img").all():
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500


@pytest.mark.parametrize(
    "tag", ["loss/train", "loss/validation", "gradient_norm/global", "gradient_norm/layer_1/h/first"]
)
def test_the_cells_share_one_chart(page, address, tag):
    page.goto(f"{address}#scalars")
    search = page.locator("tf-tag-filterer input")
    expect(search).to_be_visible(timeout=30_000)
    with page.expect_response(
        lambda response: "scalars_multirun" in response.url and tag in (response.request.post_data or "")
    ) as sent:
        search.fill(f"^{tag}$")
    curves = sent.value.json()
    assert sorted(run.split("-")[0] for run, points in curves.items() if points) == ["gru", "lstm", "rnn"]
    expect(page.locator("tf-scalar-card").locator("visible=true").first).to_contain_text(tag)


def test_hparams_has_one_row_a_configuration_and_says_what_differs(page, address):
    page.goto(f"{address}#hparams")
    rows = page.locator("vaadin-grid-cell-content, tf-hparams-table-view tr")
    expect(page.get_by_text("Trial ID").first).to_be_visible(timeout=30_000)
    texts = [text.strip() for text in rows.all_inner_texts()]
    for cell in ("rnn", "lstm", "gru"):
        assert texts.count(cell) == 1
    assert texts.index("cell") < texts.index("architecture.bidirectional")
    assert any("test/loss" in text for text in texts)


def test_the_configuration_can_be_read(page, address):
    page.goto(f"{address}#text")
    expect(page.get_by_text("dataset.length").or_(page.get_by_text("length: 12")).first).to_be_visible(timeout=30_000)
