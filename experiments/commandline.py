"""Reads the command line before anything starts: every run that it asks for is composed and checked here, so that
a mistake costs a line and a moment, and leaves nothing behind."""

import copy
import dataclasses
import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException, ValidationError

from . import config as schema
from . import data, resolvers
from .continuation import check_origin, with_origin
from .errors import UserError, suggestion
from .identity import run_directory
from .studies.command import Asked, asked_in
from .studies.kept import check_groups
from .summaries.runs import options_of, read_run
from .sweeps import overrides as sweeping
from .validation import unknown_option, validate

CONF = Path(__file__).parents[1] / "conf"


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
        grids: what Hydra is to run, one after another; more than one for a study alone.
        multirun: whether it is a sweep.
        study: the study that the grids are of.
    """

    grids: list[Grid]
    multirun: bool
    study: Asked | None = None

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


def prepare() -> None:
    """Makes types and resolvers known to Hydra, before anything is composed; as often as one likes."""
    schema.register()
    resolvers.register(choices=_choices)
    Plugins.instance()  # imports Hydra's plugins, whose configurations ours of the same name stand for
    for group in ("launcher", "sweeper"):
        for path in (CONF / "hydra" / group).glob("*.yaml"):
            ConfigStore.instance().repo["hydra"][group].pop(path.name, None)


def read(arguments: list[str]) -> Request | None:
    """Composes and checks all runs that the arguments ask for; `None` if they only ask for information.

    Raises:
        UserError: an argument that cannot be understood, a run that cannot be run, or a file that cannot be used.
    """
    parsed = get_args_parser().parse_args(arguments)
    if parsed.help or parsed.hydra_help or parsed.shell_completion:
        return None
    study = asked_in(parsed.overrides, parsed.multirun, parsed.config_dir)
    if study is not None and (parsed.cfg or parsed.info):
        raise UserError(f"study={study.name} beside --cfg or --info: they show a single configuration; leave one out")
    flags = [argument for argument in arguments if argument not in parsed.overrides]
    with explained(), hydra.initialize_config_dir(str(CONF.resolve()), version_base="1.3"):
        each = [[*flags, *overrides] for overrides in study.grids()] if study else [with_origin(arguments)]
        grids = [_grid(of_grid) for of_grid in each]
    if parsed.cfg or parsed.info:
        return None
    _check(grids, parsed.multirun, study)
    request = Request(grids, parsed.multirun, study)
    if study is not None and not study.typed:
        check_groups(study, request.options.values())
    return request


def _grid(arguments: list[str]) -> Grid:
    """Composes and validates the runs that Hydra would run at once."""
    parsed = get_args_parser().parse_args(arguments)
    searchpath = [f"hydra.searchpath=[{Path(parsed.config_dir).resolve()}]"] if parsed.config_dir else []
    composed = lambda overrides, **options: hydra.compose(
        parsed.config_name or "config", [*searchpath, *overrides], **options
    )
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
        raise UserError(f"{swept.several[0]}: several values make a sweep; add -m (python train.py -m …)")
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


def _check(grids: list[Grid], multirun: bool, study: Asked | None) -> None:
    """Raises `UserError` for what is wrong with runs beyond their configuration."""
    runs = [config for grid in grids for config in grid.runs]
    if not multirun and runs[0].sweep.seeds > 1:
        raise UserError(f"sweep.seeds={runs[0].sweep.seeds}: several runs make a sweep; add -m (python train.py -m …)")
    if study is not None and grids[0].trials is not None:
        raise UserError(
            f"study={study.name} beside hydra/sweeper=optuna: a study runs every combination; leave one out"
        )
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


def _choices() -> str:
    """The help page's list of groups and what can be chosen in each."""
    groups = {
        folder.name: sorted(file.stem for file in folder.glob("*.yaml"))
        for folder in sorted(CONF.iterdir())
        if folder.is_dir() and folder.name not in ("hydra", "local")
    }
    return "\n".join(f"    {group:<14}{', '.join(names)}" for group, names in groups.items())


# ---------------------------------------------------------------- explanations


@contextmanager
def explained() -> Iterator[None]:
    """Turns what Hydra and OmegaConf raise into a `UserError` of one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(_explain(error)) from error


def _explain(error: Exception) -> str:
    for kind, explain in _EXPLANATIONS.items():
        found = _in_chain(error, kind)
        if found is not None:
            return explain(found)
    return " ".join(str(error).split())


def _in_chain(error: BaseException | None, kind: type) -> Any:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error


def _missing_choice(error: MissingConfigException) -> str:
    group, _, choice = (error.missing_cfg_file or "").rpartition("/")
    if not group or not error.options:
        return f"{error.missing_cfg_file}: no such configuration file"
    options = [option for option in error.options if option != "schema"]
    return f"{group}={choice}: there is no such choice; {suggestion(choice, options)}"


def _unknown_key(error: ConfigKeyError | ConfigAttributeError) -> str:
    parents = str(error.full_key).rpartition(".")[0]
    schema_of_parent = error.object_type if dataclasses.is_dataclass(error.object_type) else schema.Config
    return unknown_option(parents, str(error.key), schema_of_parent)


def _unreadable(error: OverrideParseException) -> str:
    name, equals, value = error.override.partition("=")
    quoted = f"; a value with signs such as ~ or ( is quoted twice: \"{name}='{value}'\"" if equals else ""
    return f"{error.override}: expected name=value, as in cell.units=64{quoted}"


def _wrong_type(error: ValidationError) -> str:
    try:
        fields = dataclasses.fields(error.object_type)  # type: ignore[arg-type]
        field = next(field for field in fields if field.name == error.key)
        value = "null" if error.value is None else error.value
        return f"{error.full_key}={value}: expected {_IN_WORDS[str(field.type)]}"
    except (TypeError, StopIteration, KeyError):
        return f"{error.full_key}: {str(error.msg or error).splitlines()[0]}"


_IN_WORDS = {
    str(kind): words
    for kind, words in {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a name",
        float | None: "a number, or null",
        int | None: "a whole number, or null",
        str | None: "a name, or null",
        list[str]: "a list of names, as in [h,c]",
        list[str] | None: "a list of names, as in [a,b], or null",
        list[int]: "a list of whole numbers, as in [64]",
    }.items()
}


_EXPLANATIONS: dict[type, Callable[[Any], str]] = {
    MissingConfigException: _missing_choice,
    ConfigKeyError: _unknown_key,
    ConfigAttributeError: _unknown_key,
    ValidationError: _wrong_type,
    OverrideParseException: _unreadable,
    ConfigCompositionException: lambda error: " ".join(str(error).split()),
}
