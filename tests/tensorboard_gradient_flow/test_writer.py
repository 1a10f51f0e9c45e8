"""Event files: what is written is what is read."""

import subprocess
import sys

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tensorboard_gradient_flow import format as gradient_format
from tensorboard_gradient_flow.reader import read
from tensorboard_gradient_flow.writer import RunWriter

METADATA = {"direction": "backward", "cell": "LSTMCell", "units": 8}


def test_norms_come_back_as_they_were_written(tmp_path):
    vectors = [np.random.default_rng(n).lognormal(size=5 + n % 3).astype("float32") for n in range(250)]
    vectors[3][1], vectors[3][2] = np.nan, np.inf
    with RunWriter(tmp_path) as writer:
        for step, vector in enumerate(vectors):
            writer.gradient_norms("lstm_1", "c", vector, step * 10, **METADATA)
    record = read(tmp_path)["gradient_flow/lstm_1/c"]
    assert record.steps == list(range(0, 2500, 10))
    for written, back in zip(vectors, record.norms, strict=True):
        assert back.dtype == np.float32
        np.testing.assert_array_equal(written, back)
    assert record.metadata == {"layer": "lstm_1", "signal": "c", "version": 1, "kind": "gradient", **METADATA}


def test_a_vector_of_another_kind_comes_back_with_its_kind(tmp_path):
    with RunWriter(tmp_path) as writer:
        writer.vector("lstm_1", "gate_i_low", [0.5, 0.25], 10, kind="gate", **METADATA)
    record = read(tmp_path)["gradient_flow/lstm_1/gate_i_low"]
    assert record.metadata["kind"] == "gate"
    np.testing.assert_array_equal(record.norms, [[0.5, 0.25]])


@pytest.mark.parametrize("content", [b"", b"not JSON", b"[1]", b'{"units": 0}'])
def test_metadata_that_are_missing_are_read_off_the_tag(content):
    metadata = gradient_format.metadata_of("gradient_flow/encoder/lstm_1/c", content)
    expected = {"kind": "gradient", "layer": "encoder/lstm_1", "signal": "c", "direction": "forward", "units": 0}
    assert metadata.items() >= expected.items()


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind: expected one of gradient, jacobian, gate, activation, got 'loss'"):
        gradient_format.summary("a", "h", [1.0], kind="loss", **METADATA)


def test_tensorboard_files_norms_under_the_plugin_s_name(tmp_path):
    with RunWriter(tmp_path) as writer:
        writer.gradient_norms("gru_1", "h", [1.0, 2.0], 1, **METADATA)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert list(events.PluginTagToContent("gradient_flow")) == ["gradient_flow/gru_1/h"]
    assert events.SummaryMetadata("gradient_flow/gru_1/h").data_class == 2  # tensor


def test_norms_that_are_no_vector_are_refused():
    with pytest.raises(ValueError, match=r"h: expected a vector \[T\], got shape \(2, 3\)"):
        gradient_format.summary("a", "h", np.ones((2, 3)), **METADATA)


def test_a_directory_without_norms_reads_as_nothing(tmp_path):
    with RunWriter(tmp_path) as writer:
        writer.scalar("loss/train", 1.0, 1)
    assert read(tmp_path) == {}


def test_no_module_imports_tensorflow_or_keras():
    modules = ", ".join(
        f"tensorboard_gradient_flow.{name}" for name in ("format", "plugin", "profile", "reader", "writer")
    )
    code = f"import sys, {modules}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
