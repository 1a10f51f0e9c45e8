"""Which runs a sweep's overrides ask for, before anything is composed; and what its launcher and sweeper need."""

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
"""By what asks for it: one of Hydra's plugins, and the extra that brings it."""


@dataclass(frozen=True)
class Swept:
    """Overrides, some of them with several values.

    Attributes:
        overrides: as they were typed.
        values: for each, what it says, one element a value.
    """

    overrides: list[str]
    values: list[list[str]]

    @property
    def several(self) -> list[str]:
        """Those with several values."""
        return [override for override, values in zip(self.overrides, self.values, strict=True) if values != [override]]

    @property
    def first(self) -> list[str]:
        """Overrides of the first combination."""
        return [values[0] for values in self.values]

    def for_hydra(self, arguments: list[str]) -> list[str]:
        """The arguments that they are among, in words that Hydra can take.

        Before it sweeps it composes a configuration without those of several values. `dataset.length=50` beside
        `dataset=adding,copy_memory` is then an option of the default dataset, which may have none of that name: `++`
        adds it there. A run that has no such option either has been refused by then.
        """
        swept = {override.partition("=")[0] for override in self.several}
        single = {override for override in self.overrides if override.partition(".")[0] in swept} - {*self.several}
        return [f"++{argument}" if argument in single else argument for argument in arguments]

    def each(self) -> list[list[str]]:
        """Overrides of every combination."""
        return [list(combination) for combination in itertools.product(*self.values)]

    def borders(self) -> list[list[str]]:
        """Overrides that differ from the first combination in one value: each of them once."""
        other = [(place, value) for place, values in enumerate(self.values) for value in values[1:]]
        return [self.first, *([*self.first[:place], value, *self.first[place + 1 :]] for place, value in other)]

    def seeds(self, config: DictConfig) -> list[str]:
        """The override that repeats every run with `sweep.seeds` seeds, if it is to be.

        Raises:
            UserError: seeds are given one by one as well.
        """
        count = config.sweep.seeds
        if count <= 1:
            return []
        given = [override for override in self.several if override.startswith("seed=")]
        if given:
            raise UserError(f"sweep.seeds={count} beside {given[0]}: expected one of the two")
        return [f"seed={','.join(map(str, range(config.seed, config.seed + count)))}"]


def parse(overrides: list[str]) -> Swept:
    """Takes overrides apart.

    Raises:
        UserError: one that has no value, or one of its values twice.
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
    """What a configuration file sweeps over, `hydra.sweeper.params`, as overrides."""
    return [f"{key}={value}" for key, value in (hydra.sweeper.get("params") or {}).items()]


def trials(hydra: DictConfig) -> int | None:
    """How many configurations a search is to try; `None` where nothing is searched."""
    found: Any = hydra.sweeper.get("n_trials")
    return found


def how(config: DictConfig, launcher: str) -> str:
    """How a launcher runs what it is given, in words."""
    threads = config.trainer.threads
    each = f"{threads} thread{'s' if threads > 1 else ''} each"
    if launcher == "joblib":
        return f"{config.hydra.launcher.n_jobs} at a time, {each} (hydra.launcher.n_jobs, trainer.threads)"
    return f"one after another, {each}" if launcher == "basic" else f"by hydra/launcher={launcher}, {each}"


def check_installed(overrides: list[str]) -> None:
    """Raises `UserError` if a launcher or sweeper is asked for that comes with an extra, and that is not installed."""
    for asked in overrides:
        plugin, extra = _EXTRAS.get(asked, ("", ""))
        if plugin and importlib.util.find_spec(f"hydra_plugins.{plugin}") is None:
            raise UserError(
                f"{asked} needs packages that are not installed: pip install 'rnnscope[{extra}]' "
                f"(in a checkout: pip install -c constraints.txt -e '.[{extra}]')"
            )


def check_launcher(hydra: DictConfig) -> None:
    """Raises `UserError` if runs cannot be launched so many at a time."""
    count = hydra.launcher.get("n_jobs", 1)
    if not isinstance(count, int) or count < 1:
        raise UserError(f"hydra.launcher.n_jobs={count}: expected a whole number of at least 1, of runs at a time")


def check_directories(overrides: list[str]) -> None:
    """Raises `UserError` for an option of Hydra's that would say where runs live, and has no effect here."""
    for override in overrides:
        if re.match(r"\+{0,2}hydra\.(run\.dir|sweep\.dir|sweep\.subdir)=", override):
            raise UserError(
                f"{override}: has no effect, since a run's folder follows from its configuration; "
                "choose with runs_dir=… (or the variable RNNSCOPE_RUNS) and name=…"
            )
