"""TensorBoard's HParams dashboard: one row per configuration, with its seeds grouped."""

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from tensorboard_gradient_flow.writer import RunWriter

from ..common import files
from ..configuration.flattening import counting, flatten
from .directory import RunDirectory, State

_OVERVIEW = "events.out.tfevents.0.hparams"


def hyper_parameters(config: dict[str, Any]) -> dict[str, bool | float | str]:
    """Return a configuration as a flat dictionary for the dashboard, without the seed, so that all seeds share a row.

    >>> hyper_parameters({"cell": {"name": "lstm", "_target_": "rnnscope.LSTMCell"}, "seed": 1, "sgd": {"x": None}})
    {'cell': 'lstm', 'sgd.x': 'null'}
    """
    return {
        name: value if isinstance(value, bool | int | float | str) else "null" if value is None else str(value)
        for name, value in counting(flatten(config), "hparams").items()
    }


def write_start(writer: RunWriter, config: dict[str, Any]) -> None:
    """Write the record that opens the run's row."""
    from tensorboard.plugins.hparams import api  # imports TensorFlow; `write_overview` does not need it

    writer.summary(api.hparams_pb(hyper_parameters(config)), step=0)


def write_end(writer: RunWriter, state: State) -> None:
    """Write the record that closes the run's row. Without it, the dashboard shows the status as unknown."""
    status = api_pb2.STATUS_SUCCESS if state == "completed" else api_pb2.STATUS_FAILURE
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    writer.summary(_record(metadata.SESSION_END_INFO_TAG, session_end_info=end), step=0)


def is_of_one_run(tag: str) -> bool:
    """Return whether a tag belongs to a single run, and is not copied to a run that continues from it."""
    return tag == metadata.SESSION_START_INFO_TAG or is_of_the_end(tag)


def is_of_the_end(tag: str) -> bool:
    """Return whether a tag is written at the end of a run."""
    return tag in (metadata.SESSION_END_INFO_TAG, "gradient_norm/horizon") or tag.startswith("test/")


def write_overview(folder: Path) -> None:
    """Write the dashboard's columns for all runs in a folder, and replace an earlier file.

    The columns are read from the run directories.
    """
    runs: list[dict[str, bool | float | str]] = []
    metrics = {"gradient_norm/horizon"}
    for path in sorted(folder.glob("*/.hydra/config.yaml")):
        run = RunDirectory(path.parents[1])
        runs.append(hyper_parameters(run.configuration or {}))
        result = run.result or {}
        metrics |= {f"test/{name}" for name in result.get("metrics", {})}
    values: dict[str, set[bool | float | str]] = defaultdict(set)
    for options in runs:
        for name, value in options.items():
            values[name].add(value)
    experiment = api_pb2.Experiment(
        # Options that differ between the runs that have them come first in the dashboard.
        hparam_infos=[api_pb2.HParamInfo(name=name, differs=len(values[name]) > 1) for name in sorted(values)],
        metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag)) for tag in sorted(metrics)],
    )
    events = [
        event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2"),
        event_pb2.Event(wall_time=time.time(), summary=_record(metadata.EXPERIMENT_TAG, experiment=experiment)),
    ]

    def write(path: Path) -> None:
        with path.open("wb") as file:
            writer = RecordWriter(file)
            for event in events:
                writer.write(event.SerializeToString())

    files.write_whole(folder / _OVERVIEW, write)


def _record(tag: str, **data: Any) -> Any:
    """Return one record of TensorBoard's HParams plugin."""
    record = summary_pb2.Summary()
    content = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(**data))
    record.value.add(tag=tag, metadata=content, tensor=metadata.NULL_TENSOR)
    return record
