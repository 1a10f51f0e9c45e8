"""What the tab's server side answers, asked of a real TensorBoard with each of its loaders."""

import json
import subprocess
import sys
import time
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pytest
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import api
from tensorboard.util import tensor_util

from tensorboard_gradient_flow.writer import RunWriter

ABOUT = {"direction": "forward", "cell": "LSTMCell", "units": 8}
TAG = "gradient_flow/lstm_1/h"
RAGGED = [np.arange(1, 4 + n % 3, dtype=np.float32) / (n + 1) for n in range(120)]
RAGGED[5][1], RAGGED[5][2], RAGGED[7][0] = np.nan, np.inf, -np.inf


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Event files with all that can go wrong in them."""
    folder = tmp_path_factory.mktemp("logs")
    with RunWriter(folder / "plain") as writer:
        writer.summary(api.hparams_pb({"cell": "lstm", "units": 8, "masked": True}), 0)
        for n, vector in enumerate(RAGGED):
            writer.gradient_norms("lstm_1", "h", vector, 10 * n, **ABOUT)
    with RunWriter(folder / "plain" / "deeper") as writer:
        writer.vector("lstm_1", "gate_i_low", [0.25, 0.5], 3, kind="gate", **ABOUT)
    with RunWriter(folder / "bare") as writer:  # neither JSON nor anything else in its metadata
        record = summary_pb2.Summary()
        metadata = summary_pb2.SummaryMetadata(data_class=summary_pb2.DATA_CLASS_TENSOR)
        metadata.plugin_data.plugin_name = "gradient_flow"
        record.value.add(tag=TAG, metadata=metadata, tensor=tensor_util.make_tensor_proto(np.ones(3, np.float32)))
        writer.summary(record, 1)
    with RunWriter(folder / "without") as writer:
        writer.scalar("loss", 1.0, 0)
    whole = next((folder / "plain").glob("events*")).read_bytes()
    (folder / "half").mkdir()
    (folder / "half" / "events.out.tfevents.1.host").write_bytes(whole[: len(whole) // 2 - 5])
    (folder / "empty").mkdir()
    (folder / "empty" / "events.out.tfevents.1.host").touch()
    return folder


@pytest.fixture(scope="module", params=["--load_fast=true", "--load_fast=false"])
def address(request, logs, serve):
    served = serve(logs, request.param, "--reload_interval=1")
    for _ in range(300):  # the logs are read while TensorBoard already answers
        found = {run["name"]: run["tags"].get(TAG, {}).get("last") for run in index(served)["runs"]}
        if found.get("plain") == 1190 and found.get("half") and "bare" in found and "plain/deeper" in found:
            return served
        time.sleep(0.1)
    raise AssertionError(found)


def ask(address, path, **query):
    with urlopen(f"{address}data/plugin/gradient_flow/{path}?{urlencode(query, doseq=True)}") as answer:
        return answer.headers["Content-Type"], answer.read()


def index(address):
    return json.loads(ask(address, "index")[1])


def vectors(address, path="vectors", **query):
    """The header's series, each with its values."""
    kind, answer = ask(address, path, **query)
    assert kind == "application/octet-stream"
    size = int.from_bytes(answer[:4], "little")
    values = np.frombuffer(answer[4 + size :], "<f4")
    found = {}
    for series in json.loads(answer[4 : 4 + size])["series"]:
        lengths = series["lengths"]
        lengths = [lengths] * len(series["steps"]) if isinstance(lengths, int) else lengths
        counts = [-(-length // series["every"]) if path == "vectors" else 1 for length in lengths]
        split, values = np.split(values[: sum(counts)], np.cumsum(counts)[:-1]), values[sum(counts) :]
        found[series["run"]] = series | {"values": split}
    return found


def test_every_run_with_records_is_listed_with_what_is_known_of_it(address):
    runs = {run["name"]: run for run in index(address)["runs"]}
    assert set(runs) == {"plain", "plain/deeper", "bare", "half"}
    assert runs["plain"]["hparams"] == {"cell": "lstm", "units": 8, "masked": True}
    assert runs["plain/deeper"]["hparams"] == runs["plain"]["hparams"]  # of the directory above
    assert runs["plain/deeper"]["tags"]["gradient_flow/lstm_1/gate_i_low"]["kind"] == "gate"
    assert runs["plain"]["tags"][TAG].items() >= {"layer": "lstm_1", "signal": "h", "last": 1190, **ABOUT}.items()
    assert runs["bare"]["tags"][TAG].items() >= {"layer": "lstm_1", "signal": "h", "direction": "forward"}.items()


def test_all_records_come_back_as_they_were_logged(address):
    series = vectors(address, tag=TAG, run="plain")["plain"]
    assert series["steps"] == list(range(0, 1200, 10))
    assert (series["records"], series["dropped"], series["longest"]) == (120, 0, 5)
    for logged, back in zip(RAGGED, series["values"], strict=True):
        np.testing.assert_array_equal(logged, back)


def test_what_was_written_of_a_half_file_is_there(address):
    series = vectors(address, tag=TAG, run="half")["half"]
    assert 0 < len(series["steps"]) < 120
    for logged, back in zip(RAGGED, series["values"], strict=False):
        np.testing.assert_array_equal(logged, back)


def test_only_what_is_asked_for_is_sent(address):
    several = vectors(address, tag=TAG, run=["plain", "bare"], at=[55, 2**53])
    assert list(several) == ["plain", "bare"]
    assert several["plain"]["steps"] == [50, 1190]
    np.testing.assert_array_equal(several["plain"]["values"][0], RAGGED[5])
    few = vectors(address, tag=TAG, run="plain", columns=3, rows=2, **{"from": 100, "to": 500})["plain"]
    assert few["steps"] == [100, 300, 500]
    assert few["every"] == 3
    np.testing.assert_array_equal(few["values"][0], RAGGED[10][::-1][::3][::-1])


def test_horizons_and_verdicts_are_those_of_the_profile_module(address):
    series = vectors(address, "horizons", tag=TAG, run="plain")["plain"]
    values = np.concatenate(series["values"])
    assert np.isnan(values[[5, 7]]).all()
    np.testing.assert_array_equal(values[:3], [2, 3, 4])
    kind, answer = ask(address, "verdicts", tag=TAG, run=["plain", "bare"])
    assert kind == "application/json"
    assert json.loads(answer)["bare"] == {
        "name": "healthy",
        "explanation": "The gradient reaches every step, up to 2 back (× 1 per step).",
        "factor": 1.0,
        "horizon": 2,
        "steps": 2,
    }


@pytest.mark.parametrize("path", ["steps", "vectors", "horizons", "verdicts"])
@pytest.mark.parametrize(
    "query",
    [
        {"tag": TAG, "run": "unknown"},
        {"tag": TAG, "run": ["plain", "without"]},
        {"tag": "loss", "run": "without"},  # another plugin's
        {"tag": TAG, "run": "../plain"},
        {"tag": TAG},
        {"run": "plain"},
    ],
)
def test_unknown_runs_and_tags_are_not_found(address, path, query):
    with pytest.raises(HTTPError, match="404"):
        ask(address, path, **query)


@pytest.mark.parametrize("query", [{"at": "x"}, {"columns": "1.5"}, {"from": ""}, {"at": 10**30}])
def test_what_is_no_whole_number_is_a_bad_request(address, query):
    with pytest.raises(HTTPError, match="400"):
        ask(address, "vectors", tag=TAG, run="plain", **query)


@pytest.mark.parametrize("path", ["page/../plugin.py", "page/%2e%2e/plugin.py", "plugin.py", "page/", "page/none.js"])
def test_no_file_but_the_page_s_is_served(address, path):
    with pytest.raises(HTTPError, match="404"):
        ask(address, path)


def test_modules_and_styles_have_their_types(address):
    assert ask(address, "page/index.js")[0].startswith("text/javascript")
    assert ask(address, "page/style.css")[0].startswith("text/css")


@pytest.mark.parametrize("loader", ["--load_fast=true", "--load_fast=false"])
def test_a_limit_on_the_command_line_is_kept_and_what_it_drops_is_said(logs, serve, loader):
    address = serve(logs, loader, "--samples_per_plugin=gradient_flow=20", "--reload_interval=1")
    for _ in range(300):
        runs = {run["name"]: run for run in index(address)["runs"]}
        if "plain" in runs and runs["plain"]["tags"][TAG]["last"] == 1190:
            break
        time.sleep(0.1)
    series = vectors(address, tag=TAG, run="plain")["plain"]
    assert index(address)["limit"] == 20
    assert series["records"] == 20
    assert 0 < series["dropped"] <= 100


def test_the_plugin_is_found_and_small():
    code = """
import sys
from importlib.metadata import entry_points
(point,) = [each for each in entry_points(group="tensorboard_plugins") if each.name == "gradient_flow"]
loader = point.load()
assert loader.__name__ == "Loader"
sys.exit(any(name in sys.modules for name in ("tensorflow", "keras", "layers", "experiments", "matplotlib")))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
