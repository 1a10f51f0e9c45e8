"""Files that are whole or not there."""

import json

import pytest

from rnnscope.experiments.common import files


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
