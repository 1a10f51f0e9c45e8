"""Reads the command line before anything starts: every run that it asks for is composed and checked here, so that
a mistake costs a line and a moment, and leaves nothing behind."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException, ValidationError

from . import config as schema
from . import data
from .errors import UserError, suggestion
from .identity import register_resolvers, run_directory
from .validation import unknown_option, validate

CONF = Path(__file__).parents[1] / "conf"


@dataclasses.dataclass(frozen=True)
class Request:
    """What a command line asks for.

    Attributes:
        multirun: whether it is a sweep.
        runs: the configuration of every run, checked.
    """

    multirun: bool
    runs: list[DictConfig]

    @property
    def directories(self) -> list[Path]:
        """The run directories, in order, each once."""
        return list(dict.fromkeys(run_directory(config) for config in self.runs))


def prepare() -> None:
    """Makes types and resolvers known to Hydra; once a process, before anything is composed."""
    schema.register()
    register_resolvers(choices=_choices)


def read(arguments: list[str]) -> Request | None:
    """Composes and checks all runs that the arguments ask for; `None` if they only ask for information.

    Raises:
        UserError: an argument that cannot be understood, a run that cannot be run, or a file that cannot be used.
    """
    parsed = get_args_parser().parse_args(arguments)
    informational = parsed.help or parsed.hydra_help or parsed.shell_completion
    if informational:
        return None
    with explained(), hydra.initialize_config_dir(str(CONF.resolve()), version_base="1.3"):
        searchpath = [f"hydra.searchpath=[{Path(parsed.config_dir).resolve()}]"] if parsed.config_dir else []
        runs = []
        for overrides in _overrides_of_each_run(parsed.overrides, parsed.multirun):
            config = hydra.compose(parsed.config_name or "config", [*searchpath, *overrides])
            validate(config)
            runs.append(config)
    if parsed.cfg or parsed.info:
        return None
    _read_own_files(runs)
    return Request(parsed.multirun, runs)


def _read_own_files(runs: list[DictConfig]) -> None:
    """Loads what the user's own files hold, once for every way that they are to be read."""
    own = {OmegaConf.to_yaml(run.dataset): run for run in runs if run.dataset.get("path") is not None}
    for run in own.values():
        data.load(run.dataset, run.seed)


def _overrides_of_each_run(overrides: list[str], multirun: bool) -> list[list[str]]:
    loader = GlobalHydra.instance().config_loader()
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(overrides)
    if multirun:
        return BasicSweeper.split_arguments(parsed, max_batch_size=None)[0]
    for override in parsed:
        if override.is_sweep_override():
            raise UserError(f"{override.input_line}: several values make a sweep; add -m (python train.py -m …)")
    return [overrides]


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
