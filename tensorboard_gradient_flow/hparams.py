"""Hyper-parameters of runs, as TensorBoard's HParams dashboard finds them: in the runs' session-start records."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from tensorboard.data.provider import DataProvider, RunTagFilter
from tensorboard.errors import NotFoundError
from tensorboard.plugins.hparams import metadata


def hyper_parameters(provider: DataProvider, ctx: Any, experiment: str) -> Callable[[str], dict[str, Any]]:
    """Says of every run its hyper-parameters: those of its own directory or of the nearest one above.

    Args:
        provider: TensorBoard's.
        ctx: the request's context.
        experiment: the request's experiment.
    """
    only = RunTagFilter(tags=[metadata.SESSION_START_INFO_TAG])
    try:
        listed = provider.list_tensors(
            ctx, experiment_id=experiment, plugin_name=metadata.PLUGIN_NAME, run_tag_filter=only
        )
    except NotFoundError:
        listed = {}
    given = {
        run: _values(series.plugin_content)
        for run, tags in listed.items()
        for tag, series in tags.items()
        if tag == metadata.SESSION_START_INFO_TAG
    }

    def of(run: str) -> dict[str, Any]:
        above = [run, *map(str, PurePosixPath(run).parents)]
        return next((given[name] for name in above if name in given), {})

    return of


def _values(content: bytes) -> dict[str, Any]:
    """The hyper-parameters of one session-start record; none where it cannot be read."""
    try:
        stored = metadata.parse_session_start_info_plugin_data(content).hparams
    except Exception:  # of another version, or not written by TensorBoard's own library
        return {}
    return {name: getattr(value, value.WhichOneof("kind") or "", None) for name, value in sorted(stored.items())}
