"""TensorBoard's HParams dashboard: one row a configuration, its seeds grouped."""

import shutil
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import api, api_pb2, metadata, plugin_data_pb2

from tensorboard_gradient_flow.writer import RunWriter

from .record import RunDirectory, State

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
            flat[name] = (
                "null" if value is None else value if isinstance(value, bool | int | float | str) else str(value)
            )
    return flat


def write_start(writer: RunWriter, config: dict[str, Any]) -> None:
    """Opens the run's row."""
    writer.summary(api.hparams_pb(hyper_parameters(config)), step=0)


def write_end(writer: RunWriter, state: State) -> None:
    """Closes the run's row; without it the dashboard calls the run's state unknown."""
    status = api_pb2.STATUS_SUCCESS if state == "completed" else api_pb2.STATUS_FAILURE
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    _write(writer, metadata.SESSION_END_INFO_TAG, session_end_info=end)


def is_of_a_run_under_way(tag: str) -> bool:
    """Whether a tag may stand in the event file of a run that is not over."""
    return tag != metadata.SESSION_END_INFO_TAG


def write_overview(folder: Path) -> None:
    """Writes the dashboard's columns for all runs in a folder, from their directories; replaces an earlier one."""
    runs: list[dict[str, bool | float | str]] = []
    metrics = {"gradient_norm/horizon"}
    for path in sorted(folder.glob("*/.hydra/config.yaml")):
        runs.append(hyper_parameters(OmegaConf.to_container(OmegaConf.load(path))))  # type: ignore[arg-type]
        result = RunDirectory(path.parents[1]).result or {}
        metrics |= {f"test/{name}" for name in result.get("metrics", {})}
    values: dict[str, set[bool | float | str]] = defaultdict(set)
    for run in runs:
        for name, value in run.items():
            values[name].add(value)
    experiment = api_pb2.Experiment(
        # What differs between runs that have it comes first in the dashboard.
        hparam_infos=[api_pb2.HParamInfo(name=name, differs=len(values[name]) > 1) for name in sorted(values)],
        metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag)) for tag in sorted(metrics)],
    )
    with tempfile.TemporaryDirectory(dir=folder, prefix=".hparams-") as temporary:
        with RunWriter(temporary) as writer:
            _write(writer, metadata.EXPERIMENT_TAG, experiment=experiment)
        (written,) = Path(temporary).iterdir()
        shutil.move(written, folder / _OVERVIEW)


def _write(writer: RunWriter, tag: str, **data: Any) -> None:
    """One record of TensorBoard's HParams plugin."""
    record = summary_pb2.Summary()
    content = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(**data))
    record.value.add(tag=tag, metadata=content, tensor=metadata.NULL_TENSOR)
    writer.summary(record, step=0)
