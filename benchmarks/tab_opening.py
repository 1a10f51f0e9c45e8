"""Measure how fast the tab opens, with large logs, TensorBoard and a real browser.

    python benchmarks/tab_opening.py [--runs 20 --tags 4 --records 500 --timesteps 500 --loader rust]

The table shows the seconds until TensorBoard's page opens the tab, the seconds from then until the tab shows its first
lines and until it is complete, and the amount of data that the tab has received by then.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.progress import track
from rich.table import Table
from tensorboard import program

from tensorboard_gradient_flow.writer import RunWriter

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIGNALS = ("h", "c", "kernel", "u", "v", "w")


def main() -> None:
    """Write logs, open the tab several times and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("runs", 20), ("tags", 4), ("records", 500), ("timesteps", 500), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--loader", choices=("rust", "python"), default="rust")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for run in track(range(options.runs), description="writing logs"):
            write(Path(folder) / f"run-{run:02}", run, options)
        board = program.TensorBoard()
        fast = "true" if options.loader == "rust" else "false"
        board.configure(argv=["", "--logdir", folder, "--host", "127.0.0.1", "--port", "0", f"--load_fast={fast}"])
        address = board.launch()
        with sync_playwright() as playwright:
            flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
            browser = playwright.chromium.launch(executable_path=BROWSER, args=flags)
            loaded(browser.new_page(), address, options.runs)
            rows = [measured(browser.new_page(viewport={"width": 1500, "height": 1000}), address)
                    for _ in range(options.rounds)]  # fmt: skip
            browser.close()
    table = Table("round", "TensorBoard's page, s", "+ tab's first lines, s", "+ all on screen, s", "tab asked for, MB")
    for number, row in enumerate(rows, 1):
        table.add_row(str(number), *(f"{value:.2f}" for value in row))
    Console().print(table)


def write(folder: Path, seed: int, options: argparse.Namespace) -> None:
    """Write the event file of one run: noisy geometric profiles whose factor grows during training."""
    random = np.random.default_rng(seed)
    distance = np.arange(options.timesteps - 1, -1, -1.0)
    with RunWriter(folder) as writer:
        for record in range(options.records):
            factor = 1 - 0.2 * np.exp(-(record + 50 * seed) / options.records)
            norms = factor**distance * np.exp(0.1 * random.normal(size=options.timesteps))
            for signal in SIGNALS[: options.tags]:
                writer.vector("layer_1", signal, norms, 10 * record, direction="forward", cell="LSTMCell", units=8)


def loaded(page: Page, address: str, runs: int) -> None:
    """Wait until TensorBoard has read the logs, so that the loading time is not attributed to the tab."""
    while True:
        index = page.request.get(f"{address}data/plugin/gradient_flow/index").json()["runs"]
        if len(index) == runs and all(tag["last"] == index[0]["tags"][name]["last"] > 0 for run in index
                                      for name, tag in run["tags"].items()):  # fmt: skip
            break
        page.wait_for_timeout(500)
    page.wait_for_timeout(3000)
    page.close()


def measured(page: Page, address: str) -> tuple[float, float, float, float]:
    """Open the tab once and measure it.

    Returns:
        The seconds until the tab opens, the seconds from then to the first lines, the seconds from then to the complete
        page, and the megabytes of the responses.
    """
    sizes: list[int] = []
    page.on(
        "requestfinished",
        lambda request: sizes.append(request.sizes()["responseBodySize"]) if "gradient_flow" in request.url else None,
    )
    began = time.perf_counter()
    page.goto(f"{address}#gradient_flow")
    frame = page.frame_locator("iframe")
    page.locator("iframe").wait_for()
    framed = time.perf_counter() - began
    frame.locator("#profile path[data-run]").first.wait_for(state="attached")
    first = time.perf_counter() - began
    frame.locator("body[data-state=ready]").wait_for()
    ready = time.perf_counter() - began
    page.wait_for_timeout(200)
    page.close()
    return framed, first - framed, ready - framed, sum(sizes) / 1e6


if __name__ == "__main__":
    main()
