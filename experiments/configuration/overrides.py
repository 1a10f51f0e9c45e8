"""Parsing of the overrides of a sweep before composition, and checks of its launcher and sweeper."""

import importlib.util
import itertools
import re
from dataclasses import dataclass
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, Transformer
from omegaconf import DictConfig

from ..common.errors import UserError

_EXTRAS = {
    "hydra/launcher=ray": ("hydra_ray_launcher", "ray"),
    "hydra/launcher=slurm": ("hydra_submitit_launcher", "slurm"),
    "hydra/sweeper=optuna": ("hydra_optuna_sweeper", "search"),
}
"""For each override: the Hydra plugin that it requires, and the extra that installs this plugin."""


@dataclass(frozen=True)
class Swept:
    """The overrides of a sweep, some of them with several values.

    Attributes:
        overrides: the overrides as on the command line.
        values: for each override, a list of overrides with one value each.
    """

    overrides: list[str]
    values: list[list[str]]

    @property
    def several(self) -> list[str]:
        """The overrides with several values."""
        return [override for override, values in zip(self.overrides, self.values, strict=True) if values != [override]]

    @property
    def first(self) -> list[str]:
        """The overrides of the first combination."""
        return [values[0] for values in self.values]

    def for_hydra(self, arguments: list[str]) -> list[str]:
        """Return command-line arguments that contain these overrides, in a form that Hydra accepts.

        Before a sweep, Hydra composes a configuration without the overrides that have several values. With
        `dataset=adding,copy_memory dataset.length=50`, `dataset.length` is then an option of the default dataset, which
        may not have it. `++` adds it there. Runs that do not have this option have already been rejected.
        """
        swept = {override.partition("=")[0] for override in self.several}
        single = {override for override in self.overrides if override.partition(".")[0] in swept} - {*self.several}
        return [f"++{argument}" if argument in single else argument for argument in arguments]

    def each(self) -> list[list[str]]:
        """Return the overrides of every combination."""
        return [list(combination) for combination in itertools.product(*self.values)]

    def borders(self) -> list[list[str]]:
        """Return the first combination, and all combinations that differ from it in one value."""
        other = [(place, value) for place, values in enumerate(self.values) for value in values[1:]]
        return [self.first, *([*self.first[:place], value, *self.first[place + 1 :]] for place, value in other)]

    def seeds(self, config: DictConfig) -> list[str]:
        """Return the override that repeats every run with `sweep.seeds` seeds; an empty list for one seed.

        Raises:
            UserError: the overrides also contain a list of seeds.
        """
        count = config.sweep.seeds
        if count <= 1:
            return []
        given = [override for override in self.several if override.startswith("seed=")]
        if given:
            raise UserError(f"sweep.seeds={count} beside {given[0]}: expected one of the two")
        return [f"seed={','.join(map(str, range(config.seed, config.seed + count)))}"]


def parse(overrides: list[str]) -> Swept:
    """Split each override into its values.

    Raises:
        UserError: an override has no value, or has a value twice.
    """
    parsed = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader()).parse_overrides(overrides)
    return Swept(overrides, [_values(override) for override in parsed])


def _values(override: Override) -> list[str]:
    if not override.is_sweep_override():
        return [str(override.input_line)]
    key, value = override.get_key_element(), override.value()
    if isinstance(value, IntervalSweep):
        return [f"{key}={value.start}", f"{key}={value.end}"]
    values = [f"{key}={element}" for element in override.sweep_iterator(transformer=Transformer.encode)]
    if not values:
        raise UserError(f"{override.input_line}: there is no value in it; expected at least one")
    twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if twice is not None:
        raise UserError(f"{override.input_line}: {twice} is there twice; expected every value once")
    return values


def params(hydra: DictConfig) -> list[str]:
    """Return the sweep of a configuration file, `hydra.sweeper.params`, as overrides."""
    return [f"{key}={value}" for key, value in (hydra.sweeper.get("params") or {}).items()]


def trials(hydra: DictConfig) -> int | None:
    """Return the number of configurations that a search tries, or `None` if the sweep is not a search."""
    found: Any = hydra.sweeper.get("n_trials")
    return found


def how(config: DictConfig, launcher: str) -> str:
    """Return a description of how a launcher executes the runs."""
    threads = config.trainer.threads
    each = f"{threads} thread{'s' if threads > 1 else ''} each"
    if launcher == "joblib":
        return f"{config.hydra.launcher.n_jobs} at a time, {each} (hydra.launcher.n_jobs, trainer.threads)"
    return f"one after another, {each}" if launcher == "basic" else f"by hydra/launcher={launcher}, {each}"


def check_installed(overrides: list[str]) -> None:
    """Raise `UserError` if a requested launcher or sweeper needs an extra that is not installed."""
    for asked in overrides:
        plugin, extra = _EXTRAS.get(asked, ("", ""))
        if plugin and importlib.util.find_spec(f"hydra_plugins.{plugin}") is None:
            raise UserError(
                f"{asked} needs packages that are not installed: pip install 'rnnscope[{extra}]' "
                f"(in a checkout: pip install -c constraints.txt -e '.[{extra}]')"
            )


def check_launcher(hydra: DictConfig) -> None:
    """Raise `UserError` if the number of parallel runs is invalid."""
    count = hydra.launcher.get("n_jobs", 1)
    if not isinstance(count, int) or count < 1:
        raise UserError(f"hydra.launcher.n_jobs={count}: expected a whole number of at least 1, of runs at a time")


def check_directories(overrides: list[str]) -> None:
    """Raise `UserError` for the options of Hydra that set the directories of runs, because they have no effect here."""
    for override in overrides:
        if re.match(r"\+{0,2}hydra\.(run\.dir|sweep\.dir|sweep\.subdir)=", override):
            raise UserError(
                f"{override}: has no effect, since a run's folder follows from its configuration; "
                "choose with runs_dir=… (or the variable RNNSCOPE_RUNS) and name=…"
            )
