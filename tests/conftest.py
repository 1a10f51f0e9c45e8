"""A real TensorBoard and a real browser, for whichever test wants to look at its pages."""

import re
import shutil
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def serve():
    """`serve(folder, "--load_fast=false", …)`: where a TensorBoard shows a folder."""

    def start(folder, *flags):
        from tensorboard import program

        board = program.TensorBoard()
        board.configure(argv=["tensorboard", "--logdir", str(folder), "--host", "127.0.0.1", "--port", "0", *flags])
        return board.launch()

    return start


@pytest.fixture(scope="session")
def browser():
    """A browser without a window."""
    if BROWSER is None:
        pytest.skip("needs chromium or google-chrome to look at TensorBoard's pages")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield launched
        launched.close()


def is_complaint(message):
    """Whether a message of the browser's console is about the page: a browser asks any server for an icon."""
    return message.type == "error" and not message.location["url"].endswith("/favicon.ico")


@pytest.fixture
def page(browser, address, request):
    """A page that must not complain; a screenshot is kept in `screenshots/` where that folder exists."""
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    complaints, foreign = [], []
    page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
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
