"""Take the screenshots of docs/tensorboard.md, in about ten minutes on two cores.

    python tools/take_screenshots.py

The script executes a small sweep and opens it in TensorBoard. Runs that are already in `runs/tab` are not trained
again. The script needs chromium or google-chrome.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from tensorboard import program

ROOT = Path(__file__).parents[1]
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SWEEP = ("-m", "cell=rnn,lstm,gru", "dataset=adding", "name=tab")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]

VIEWS = {
    "tab": (None, {"names": "hparams", "step": "2000"}),
    "tab_profile_early": ("#profile", {"names": "hparams", "step": "500", "axis": "distance", "ghosts": "false"}),
    "tab_profile_late": ("#profile", {"names": "hparams", "step": "4000", "axis": "distance", "ghosts": "false"}),
    "tab_horizon": ("#horizon", {"names": "hparams"}),
    "tab_verdicts": ("#verdicts", {"names": "hparams"}),
}
"""Section and URL parameters of each screenshot, by its name. The section is `None` for the whole tab."""


def main() -> None:
    """Train the missing runs, start TensorBoard and take the screenshots."""
    subprocess.run([sys.executable, str(ROOT / "train.py"), *SWEEP], check=True)
    board = program.TensorBoard()
    board.configure(
        argv=["", "--logdir", "runs/tab", "--host", "127.0.0.1", "--port", "0", "--load_fast=false",
              "--reload_interval=0", "--reload_task=blocking"]
    )  # fmt: skip
    address = board.launch()
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for name, (section, state) in VIEWS.items():
            take(page, address, section, state, PICTURES / f"{name}.png")
        browser.close()


def take(page: Page, address: str, section: str | None, state: dict[str, str], path: Path) -> None:
    """Take one screenshot."""
    fragment = "".join(f"&p.gradient_flow.{key}={value}" for key, value in state.items())
    page.goto("about:blank")
    page.goto(f"{address}#gradient_flow{fragment}")
    tab = page.frame_locator("iframe")
    tab.locator("body[data-state=ready]").wait_for()
    if section is None:
        page.screenshot(path=path)
        return
    page.set_viewport_size({"width": 1280, "height": 1800})  # tall enough to show the whole section below the controls
    tab.locator("body[data-state=ready]").wait_for()
    page.wait_for_timeout(500)
    tab.locator(section).screenshot(path=path)
    page.set_viewport_size({"width": 1280, "height": 900})


if __name__ == "__main__":
    main()
