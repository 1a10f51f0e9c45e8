"""What TensorBoard's data provider knows of gradient flow, with either of its loaders behind it."""

from functools import partial
from typing import Any

from tensorboard.data.provider import DataProvider, RunTagFilter, TensorTimeSeries
from tensorboard.errors import NotFoundError

from .format import PLUGIN_NAME, metadata_of
from .hparams import hyper_parameters
from .series import Memory, Series

_ALL = 2**31 - 1
_MEMORY = 512 * 2**20


class Source:
    """Lists and reads records.

    Args:
        provider: TensorBoard's.
        limit: how many records TensorBoard keeps of a tag; 0 if all.
    """

    def __init__(self, provider: DataProvider, limit: int):
        self.limit = limit
        self._provider = provider
        self._memory = Memory(_MEMORY)

    def runs(self, ctx: Any, experiment: str) -> list[dict[str, Any]]:
        """Every run that has records: name, hyper-parameters, and by tag the metadata and how far it has come."""
        listed = self._provider.list_tensors(ctx, experiment_id=experiment, plugin_name=PLUGIN_NAME)
        given = hyper_parameters(self._provider, ctx, experiment)
        return [
            {"name": run, "hparams": given(run), "tags": {tag: _about(tag, tags[tag]) for tag in sorted(tags)}}
            for run, tags in sorted(listed.items())
            if tags
        ]

    def find(self, ctx: Any, experiment: str, tag: str, runs: list[str]) -> dict[str, Series]:
        """The series of one tag in these runs.

        Raises:
            tensorboard.errors.NotFoundError: no run is named, or one is not known or does not have the tag.
        """
        asked = {"experiment_id": experiment, "plugin_name": PLUGIN_NAME}
        known = self._provider.list_tensors(ctx, **asked, run_tag_filter=RunTagFilter(runs=runs, tags=[tag]))
        if not runs or any(tag not in known.get(run, {}) for run in runs):
            raise NotFoundError("no such run or tag")

        def read(run: str) -> Series:
            only = RunTagFilter(runs=[run], tags=[tag])
            data = self._provider.read_tensors(ctx, **asked, downsample=_ALL, run_tag_filter=only)
            records = data.get(run, {}).get(tag, [])
            backward = _about(tag, known[run][tag])["direction"] == "backward"
            return Series([each.step for each in records], [each.numpy for each in records], backward, self.limit)

        # What a tag was last written at changes with every new record.
        stamps = {run: (known[run][tag].max_step, known[run][tag].max_wall_time) for run in runs}
        return {run: self._memory.get((experiment, run, tag), stamps[run], partial(read, run)) for run in runs}


def _about(tag: str, series: TensorTimeSeries) -> dict[str, Any]:
    return metadata_of(tag, series.plugin_content) | {"last": series.max_step, "written": series.max_wall_time}
