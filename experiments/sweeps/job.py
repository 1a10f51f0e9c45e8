"""What a launcher of Hydra's calls, wherever that is: one configuration, unless its result is there already."""

import copy
import math
import statistics
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from ..common.checkout import find_user_modules
from ..common.errors import UserError, suggestion
from ..runs.directory import RunDirectory
from ..runs.identity import run_directory
from .isolation import end_with_command, run_isolated
from .run_job import Work


def job(config: DictConfig) -> float | None:
    """Runs a configuration; in a search with every seed, one after another.

    Returns:
        In a search, the mean of what is to be made best; NaN if a run has no result.

    Raises:
        UserError: a search for the best value of a metric that the runs do not have.
    """
    find_user_modules()
    hydra = HydraConfig.get()
    sweep = hydra.mode == RunMode.MULTIRUN
    is_search = sweep and "optuna" in hydra.sweeper._target_
    if sweep and "joblib" in hydra.launcher._target_:
        end_with_command()
    cwd = Path(hydra.runtime.cwd)
    overrides = [override for override in hydra.overrides.task if not override.startswith("sweep.")]
    runs = []
    for seed in range(config.seed, config.seed + (config.sweep.seeds if is_search else 1)):
        one = copy.deepcopy(config)
        one.seed = seed
        of_seed = overrides if seed == config.seed else [*overrides, f"seed={seed}"]
        run = RunDirectory(cwd / run_directory(one))
        runs.append(run)
        if run.is_to_run(one):
            run_isolated(Work(run.path, one, of_seed, cwd, alone=not sweep))
    return _objective(runs, config.sweep.objective) if is_search else None


def _objective(runs: list[RunDirectory], metric: str) -> float:
    """The mean over runs of a metric of the validation part, as the kept network scores it."""
    found = [(run.result or {}).get("validation", {}) for run in runs]
    for metrics in filter(None, found):
        if metric not in metrics:
            raise UserError(f"sweep.objective={metric}: {suggestion(metric, metrics)}")
    values = [metrics.get(metric) for metrics in found]
    return math.nan if None in values else statistics.fmean(values)
