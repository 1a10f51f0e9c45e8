"""Files that are whole or not there."""

import json
from pathlib import Path

import pytest

from rnnscope.experiments.common import files, platform


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "status.json"
    files.write_json(path, {"state": "running"})

    def fail(temporary):
        temporary.write_text("{half")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        files.write_whole(path, fail)
    assert files.read_json(path) == {"state": "running"}
    assert list(tmp_path.iterdir()) == [path]


def test_numbers_that_json_does_not_have_become_null(tmp_path):
    files.write_json(tmp_path / "r.json", {"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": -float("inf")}})
    assert json.loads((tmp_path / "r.json").read_text()) == {"a": None, "b": [None, 1.5], "c": {"d": None}}


@pytest.mark.parametrize("text", ["", "{", '{"state": "run'])
def test_what_is_no_json_reads_as_nothing(tmp_path, text):
    (tmp_path / "s.json").write_text(text)
    assert files.read_json(tmp_path / "s.json") is None
    assert files.read_json(tmp_path / "missing.json") is None


def test_on_windows_a_file_that_another_process_reads_is_replaced_once_it_is_closed(tmp_path, monkeypatch):
    refusals = iter([PermissionError("in use"), PermissionError("in use"), None])
    rename = Path.replace

    def replace(source, target):
        if (refusal := next(refusals)) is not None:
            raise refusal
        return rename(source, target)

    monkeypatch.setattr(platform, "_WINDOWS", True)
    monkeypatch.setattr(Path, "replace", replace)
    files.write_text(tmp_path / "status.json", "new")
    assert (tmp_path / "status.json").read_text() == "new"


def test_elsewhere_a_folder_that_must_not_be_written_is_reported_at_once(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        files.write_text(tmp_path / "status.json", "new")
    assert list(tmp_path.iterdir()) == []
