"""Expansion of `train.py -m study=<name>` into the overrides of the study's runs, before Hydra parses them."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ..common.errors import UserError, suggestion
from .definition import read_study, study_files
from .study import Study

SCALES = ("full", "smoke")
_SEEDS = ("seed", "sweep.seeds")
"""Two options that both set the seeds. An override of either one replaces both."""


@dataclass(frozen=True)
class Asked:
    """A study that a command requests.

    Attributes:
        name: name of the study.
        scale: one of `SCALES`.
        typed: other overrides of the command.
        study: definition of the study.
    """

    name: str
    scale: str
    typed: list[str]
    study: Study

    @property
    def command(self) -> str:
        """Command that requests the study."""
        return command_of(self.name, self.scale, self.typed)

    def grids(self) -> list[list[str]]:
        """Return the overrides of each grid. Other overrides of the command replace those of the study."""
        name = self.name if self.scale == "full" else f"{self.name}-{self.scale}"
        own = self.study.grids
        smoke = self.study.smoke if self.scale == "smoke" else ({},)
        smoke = smoke * len(own) if len(smoke) == 1 else smoke
        typed = {override.partition("=")[0].lstrip("+~") for override in self.typed}
        return [
            [
                *_without({"name": name} | grid, {*instead, *typed}),
                *_without(instead, typed),
                *self.typed,
            ]
            for grid, instead in zip(own, smoke, strict=True)
        ]


def command_of(name: str, scale: str, typed: Collection[str] = ()) -> str:
    """Return the command that runs a study."""
    parts = [f"study={name}", *([] if scale == "full" else [f"study.scale={scale}"]), *typed]
    return f"rnnscope train -m {' '.join(parts)}"


def _without(options: dict[str, str], replaced: Collection[str]) -> list[str]:
    """Return options as overrides, without the options that are replaced."""
    seeds = _SEEDS if not set(_SEEDS).isdisjoint(replaced) else ()
    return [f"{key}={value}" for key, value in options.items() if key not in replaced and key not in seeds]


def asked_in(overrides: list[str], multirun: bool, config_dir: str | None = None) -> Asked | None:
    """Return the study that the overrides of a command request, or `None` if they request none.

    Args:
        overrides: overrides as on the command line.
        multirun: whether the command contains `-m`.
        config_dir: folder with custom configuration files.

    Raises:
        UserError: the study or scale does not exist, its file is invalid, or the other arguments do not allow a study.
    """
    names, scales, origins = (
        [override for override in overrides if override.startswith(f"{key}=")]
        for key in ("study", "study.scale", "continue")
    )
    if not names:
        if scales:
            raise UserError(f"{scales[0]}: expected study=… beside it; rnnscope studies lists them")
        return None
    for several in (names, scales):
        if len(several) > 1:
            raise UserError(f"{' '.join(several)}: expected one")
    name, scale = names[0].partition("=")[2], scales[0].partition("=")[2] if scales else "full"
    if scale not in SCALES:
        raise UserError(f"study.scale={scale}: {suggestion(scale, SCALES)}")
    found = study_files([Path(config_dir)] if config_dir else [])
    if name not in found:
        raise UserError(f"study={name}: there is no such study; {suggestion(name, found)}")
    if not multirun:
        raise UserError(f"study={name}: a study is a sweep; add -m (rnnscope train -m study={name})")
    if origins:
        raise UserError(
            f"{origins[0]} beside study={name}: expected one of the two; a study's runs begin by themselves"
        )
    typed = [override for override in overrides if override not in (*names, *scales)]
    return Asked(name, scale, typed, read_study(found[name]))
