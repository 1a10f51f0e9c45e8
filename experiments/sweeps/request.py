"""Reads the command line before anything starts: every run that it asks for is composed and checked here, so that
a mistake costs a line and a moment, and leaves nothing behind."""

import copy
import dataclasses
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from .. import data
from ..common.errors import UserError
from ..configuration import overrides as sweeping
from ..configuration._hydra import get_args_parser
from ..configuration.composition import composing, searching
from ..configuration.explanations import explained
from ..configuration.validation import validate
from ..runs.continuation import check_origin, with_origin
from ..runs.directory import State
from ..runs.identity import run_directory
from ..runs.reader import options_of, read_run


@dataclasses.dataclass(frozen=True)
class Grid:
    """What Hydra runs at once: a run, every combination of some values, or a search.

    Attributes:
        arguments: as Hydra is to get them.
        overrides: of every run.
        runs: the configuration of every run, checked; of a search, some that lie on the borders of what is searched.
        trials: how many configurations a search is to try; `None` where nothing is searched.
        launcher: what runs a sweep, as in `hydra/launcher=joblib`.
        how: how it does, in words.
    """

    arguments: list[str]
    overrides: list[list[str]]
    runs: list[DictConfig]
    trials: int | None = None
    launcher: str = ""
    how: str = ""


@dataclasses.dataclass(frozen=True)
class Request:
    """What a command line asks for.

    Attributes:
        grids: what Hydra is to run, one after another.
        multirun: whether it is a sweep.
        outcomes: states in which a run counts as complete.
    """

    grids: list[Grid]
    multirun: bool
    outcomes: tuple[State, ...] = ("completed",)

    @functools.cached_property
    def runs(self) -> list[DictConfig]:
        """The configurations of all runs."""
        return [config for grid in self.grids for config in grid.runs]

    @property
    def trials(self) -> int | None:
        """How many configurations a search is to try; `None` where nothing is searched."""
        return self.grids[0].trials

    @property
    def folder(self) -> Path:
        """The folder of the runs."""
        return run_directory(self.runs[0]).parent

    @property
    def directories(self) -> list[Path]:
        """The run directories, in order, each once; of a search, those that are there by now."""
        if self.trials is not None:
            return sorted(path.parent for path in self.folder.glob("*/status.json"))
        return self._named

    @functools.cached_property
    def _named(self) -> list[Path]:
        """Found once: a name is a hash of a whole configuration, and whoever watches a sweep asks for it often."""
        return list(dict.fromkeys(run_directory(config) for config in self.runs))

    @property
    def options(self) -> dict[Path, dict[str, str]]:
        """By run directory, the run's options as they would be typed, with the seed."""
        if self.trials is not None:
            return {path: read_run(path).options_and_seed for path in self.directories}
        plain = [(run_directory(run), OmegaConf.to_container(run, resolve=True)) for run in self.runs]
        return {path: {**options_of(config), "seed": str(config["seed"])} for path, config in plain}  # type: ignore


def read(arguments: list[str]) -> Request | None:
    """Composes and checks all runs that the arguments ask for; `None` if they only ask for information.

    Raises:
        UserError: an argument that cannot be understood, a run that cannot be run, or a file that cannot be used.
    """
    parsed = get_args_parser().parse_args(arguments)
    if parsed.help or parsed.hydra_help or parsed.shell_completion:
        return None
    grids = [with_origin(arguments)]
    if parsed.cfg or parsed.info:
        _composed(grids)
        return None
    return request_of(grids, parsed.multirun)


def request_of(grids: list[list[str]], multirun: bool, outcomes: tuple[State, ...] = ("completed",)) -> Request:
    """The request for some grids, all of whose runs are composed and checked.

    Args:
        grids: the arguments of each.
        multirun: whether it is a sweep.
        outcomes: states in which a run counts as complete.

    Raises:
        UserError: an argument that cannot be understood, a run that cannot be run, or a file that cannot be used.
    """
    composed = _composed(grids)
    _check(composed, multirun)
    return Request(composed, multirun, outcomes)


def _composed(grids: list[list[str]]) -> list[Grid]:
    with explained(), composing():
        return [_grid(of_grid) for of_grid in grids]


def _grid(arguments: list[str]) -> Grid:
    """Composes and validates the runs that Hydra would run at once."""
    parsed = get_args_parser().parse_args(arguments)
    searchpath = searching([Path(parsed.config_dir)] if parsed.config_dir else [])
    composed = lambda overrides, **options: hydra.compose(
        parsed.config_name or "config", [*searchpath, *overrides], **options
    )
    sweeping.check_directories(parsed.overrides)
    of_runs, of_seeds, trials, launcher, how = [parsed.overrides], [], None, "", ""
    swept = sweeping.parse(parsed.overrides)
    if parsed.multirun:
        sweeping.check_installed(parsed.overrides)
        first = composed(swept.first, return_hydra_config=True)
        sweeping.check_launcher(first.hydra)
        swept = sweeping.parse([*sweeping.params(first.hydra), *parsed.overrides])
        trials, launcher = sweeping.trials(first.hydra), first.hydra.runtime.choices["hydra/launcher"]
        how = sweeping.how(first, launcher)
        of_seeds = swept.seeds(first) if trials is None else []
        of_runs = sweeping.parse([*swept.overrides, *of_seeds]).each() if trials is None else swept.borders()
    elif swept.several:
        raise UserError(f"{swept.several[0]}: several values make a sweep; add -m (rnnscope train -m …)")
    runs = list(_each(of_runs, composed))
    for config in runs:
        validate(config)
    return Grid([*swept.for_hydra(arguments), *of_seeds], of_runs, runs, trials, launcher, how)


def _each(of_runs: list[list[str]], composed: Callable[[list[str]], DictConfig]) -> Iterator[DictConfig]:
    """The configuration of every run. To compose one takes a while: those that differ in their seed do so once."""
    known: dict[tuple[str, ...], DictConfig] = {}
    for overrides in of_runs:
        seeds = [override for override in overrides if re.fullmatch(r"seed=\d+", override)]
        others = tuple(override for override in overrides if override not in seeds)
        if others not in known:
            known[others] = composed(list(others))
        config = copy.deepcopy(known[others])
        if seeds:
            config.seed = int(seeds[-1].removeprefix("seed="))
        yield config


def _check(grids: list[Grid], multirun: bool) -> None:
    """Raises `UserError` for what is wrong with runs beyond their configuration."""
    runs = [config for grid in grids for config in grid.runs]
    if not multirun and runs[0].sweep.seeds > 1:
        raise UserError(f"sweep.seeds={runs[0].sweep.seeds}: several runs make a sweep; add -m (rnnscope train -m …)")
    for config in runs:
        check_origin(config)
    _check_data([each for grid in grids for each in zip(grid.overrides, grid.runs, strict=True)])


def _check_data(runs: list[tuple[list[str], DictConfig]]) -> None:
    """Loads data whose options somebody chose, once for every way: they may not fit what there is.

    What is wrong otherwise is left to the run, which keeps the traceback.
    """
    chosen = [run for overrides, run in runs if any(override.startswith("dataset.") for override in overrides)]
    loader = data.Loader()
    whole = lambda run: str({name: value for name, value in run.dataset.items() if not name.startswith("train_")})
    for run in sorted({OmegaConf.to_yaml(run.dataset): run for run in chosen}.values(), key=whole):
        try:
            loader.load(run.dataset, run.seed)
        except UserError:
            raise
        except Exception:
            continue
