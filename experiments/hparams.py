"""TensorBoard's HParams dashboard: one row a configuration, its seeds grouped."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import api, api_pb2, metadata, plugin_data_pb2

from tensorboard_gradient_flow.writer import RunWriter

from .record import RunDirectory, State

METRICS = ("test/accuracy", "test/mae", "test/loss", "gradient_norm/horizon")
"""Scalars that the dashboard shows as columns."""
_NOT_SHOWN = {"_target_", "requires", "seed", "name", "rerun", "telemetry"}
_OVERVIEW = "events.out.tfevents.0.hparams"


def hyper_parameters(config: dict[str, Any], prefix: str = "") -> dict[str, bool | float | str]:
    """A configuration, flat, as the dashboard takes it. The seed is left out, so that repeats share a row.

    >>> hyper_parameters({"cell": {"name": "lstm", "_target_": "layers.LSTMCell"}, "seed": 1, "optimizer": {"x": None}})
    {'cell': 'lstm', 'optimizer.x': 'null'}
    """
    flat: dict[str, bool | float | str] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if key == "name" and prefix:
            flat[prefix.rstrip(".")] = value
        elif key in _NOT_SHOWN:
            continue
        elif isinstance(value, dict):
            flat.update(hyper_parameters(value, f"{name}."))
        else:
            flat[name] = value if isinstance(value, bool | int | float | str) else "null"
    return flat


def write_start(writer: RunWriter, config: dict[str, Any]) -> None:
    """Opens the run's row."""
    writer.summary(api.hparams_pb(hyper_parameters(config)), step=0)


def write_end(writer: RunWriter, state: State) -> None:
    """Closes the run's row; without it the dashboard calls the run's state unknown."""
    success = state == "completed"
    end = plugin_data_pb2.SessionEndInfo(
        status=api_pb2.STATUS_SUCCESS if success else api_pb2.STATUS_FAILURE, end_time_secs=time.time()
    )
    record = summary_pb2.Summary()
    record.value.add(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=end)),
        tensor=metadata.NULL_TENSOR,
    )
    writer.summary(record, step=0)


def write_overview(folder: Path) -> None:
    """Writes the dashboard's columns for all runs in a folder, from their directories; replaces an earlier one."""
    runs: list[dict[str, bool | float | str]] = []
    metrics = {"gradient_norm/horizon"}
    for path in sorted(folder.glob("*/.hydra/config.yaml")):
        runs.append(hyper_parameters(OmegaConf.to_container(OmegaConf.load(path))))  # type: ignore[arg-type]
        result = RunDirectory(path.parents[1]).result or {}
        metrics |= {f"test/{name}" for name in result.get("metrics", {})}
    names = sorted({name for run in runs for name in run})
    names.sort(key=lambda name: len({run.get(name) for run in runs}) == 1)  # what differs comes first
    parameters = [api.HParam(name) for name in names]
    columns = [api.Metric(tag) for tag in METRICS if tag in metrics]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".hparams-") as temporary:
        with RunWriter(temporary) as writer:
            writer.summary(api.hparams_config_pb(parameters, columns), step=0)
        (written,) = Path(temporary).iterdir()
        shutil.move(written, folder / _OVERVIEW)
