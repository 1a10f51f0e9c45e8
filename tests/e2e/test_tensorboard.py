"""The sweep's runs in a real TensorBoard, in a real browser."""

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def address(sweep, serve):
    """Where a TensorBoard serves the sweep."""
    _, folder = sweep
    return serve(folder, "--load_fast=false", "--reload_interval=0", "--reload_task=blocking")


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
    "tag",
    [
        "loss/train", "loss/validation", "loss/baseline_training_mean", "gradient_norm/global",
        "gradient_norm/layer_1/h/first",
    ],
)  # fmt: skip
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


def test_the_configuration_and_the_table_of_parameters_can_be_read(page, address):
    page.goto(f"{address}#text")
    expect(page.get_by_text("dataset.length").or_(page.get_by_text("length: 12")).first).to_be_visible(timeout=30_000)
    expect(page.locator("td", has_text="lstm_cell/recurrent_kernel").first).to_be_visible(timeout=30_000)


def test_custom_scalars_overlay_the_cells_a_chart_a_question(page, address):
    page.goto(f"{address}#custom_scalars")
    for title in ("how far back the gradient reaches, in steps", "factor per step back", "loss", "mae"):
        expect(page.get_by_text(title, exact=True).first).to_be_visible(timeout=30_000)
    expect(page.locator("tf-custom-scalar-multi-line-chart-card").first).to_be_visible(timeout=30_000)
