"""What is shown of a sweep while it runs."""

import io
import threading

import pytest
from rich.console import Console

from rnnscope.experiments.runs.directory import RunDirectory
from rnnscope.experiments.sweeps.live import SweepView, watching
from tests.experiments.written_runs import begun, completed


def text_of(view, rows=10):
    screen = Console(file=io.StringIO(), width=200)
    screen.print(view.table(rows))
    return screen.file.getvalue()


def progress(epoch, left=30.0):
    reached = {"horizon": 7, "steps": 19, "verdict": "healthy"}
    return {"epoch": epoch, "epochs": 20, "seconds_left": left, "metric": "mae", "value": 0.25, **reached}


@pytest.fixture
def three(tmp_path):
    """Three runs that have not begun; they do when the test says so."""
    paths = [tmp_path / f"run{number}" for number in (1, 2, 3)]
    return SweepView(lambda: paths), tmp_path


def test_a_row_tells_epoch_metric_gradient_and_what_is_left(three):
    view, folder = three
    begun(folder, key="run1").set_progress(progress(4))
    view.look()
    (row,) = [line for line in text_of(view).splitlines() if "run1" in line]
    assert row.split() == ["run1", "running", "4/20", "mae", "0.2500", "7/19", "healthy", "0:00:30"]
    assert "0 of 3 runs completed, 1 running" in text_of(view)


def test_runs_that_end_are_told_once_and_counted(three):
    view, folder = three
    completed(folder, 0.5, key="run1")
    begun(folder, key="run2").set_state("diverged", "the loss became nan")
    assert view.look() == [folder / "run1", folder / "run2"]
    assert view.look() == []
    begun(folder, key="run3").set_progress(progress(10, left=65.0))
    view.look()
    assert view.in_short() == "1 of 3 runs completed, 1 running, 1 ended badly, about 0:01:05 left"
    assert [line.split()[0] for line in text_of(view).splitlines()[1:4]] == ["run3", "run2", "run1"]


def test_what_was_there_before_is_counted_but_is_no_news(tmp_path):
    completed(tmp_path, 0.5, key="run1")
    begun(tmp_path, key="run2")  # its process was killed long ago
    paths = [tmp_path / "run1", tmp_path / "run2"]
    view = SweepView(lambda: paths)
    assert view.look() == []
    assert view.running == []
    assert view.in_short().startswith("1 of 2 runs completed, 0 running")


def test_more_runs_than_rows_leave_the_screen_whole(three):
    view, folder = three
    for name in ("run1", "run2", "run3"):
        begun(folder, key=name)
    view.look()
    rows = [line for line in text_of(view, rows=2).splitlines() if line.split()[1] == "running"]
    assert len(rows) == 2


def test_where_there_is_no_terminal_every_end_is_a_line(tmp_path):
    screen = Console(file=io.StringIO(), width=200)
    path = tmp_path / "run1"
    with watching(lambda: [path], screen):
        completed(tmp_path, 0.5, key="run1")
    assert screen.file.getvalue() == "run1: completed, test loss 0.5000, test mae 0.5000, 8.0 s\n"


def test_on_a_terminal_the_table_goes_when_the_sweep_is_over(tmp_path):
    screen = Console(file=io.StringIO(), width=120, height=20, force_terminal=True)
    seen = threading.Event()
    path = tmp_path / "run1"
    begun(tmp_path, key="run1")

    def directories():
        if "run1" in screen.file.getvalue():
            seen.set()
        return [path]

    with watching(directories, screen):
        RunDirectory(path).set_progress(progress(3))
        assert seen.wait(20)
    assert "3/20" in screen.file.getvalue()
