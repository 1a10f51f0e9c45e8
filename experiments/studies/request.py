"""`train.py -m study=<name>`: the overrides that a study stands for, before Hydra sees them."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ..common.errors import UserError, suggestion
from .definition import read_study, study_files
from .study import Study

SCALES = ("full", "smoke")
_SEEDS = ("seed", "sweep.seeds")
"""Two ways to say one thing: either of them stands for both."""


@dataclass(frozen=True)
class Asked:
    """A study that a command asks for.

    Attributes:
        name: the study's.
        scale: one of `SCALES`.
        typed: the overrides beside it.
        study: what its file says.
    """

    name: str
    scale: str
    typed: list[str]
    study: Study

    @property
    def command(self) -> str:
        """The command that asks for it."""
        return command_of(self.name, self.scale, self.typed)

    def grids(self) -> list[list[str]]:
        """The overrides of each grid. What is typed beside the study replaces what the study says."""
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
    """The command that runs a study."""
    parts = [f"study={name}", *([] if scale == "full" else [f"study.scale={scale}"]), *typed]
    return f"rnnscope train -m {' '.join(parts)}"


def _without(options: dict[str, str], replaced: Collection[str]) -> list[str]:
    """Overrides of the options, but for those that something else is said of."""
    seeds = _SEEDS if not set(_SEEDS).isdisjoint(replaced) else ()
    return [f"{key}={value}" for key, value in options.items() if key not in replaced and key not in seeds]


def asked_in(overrides: list[str], multirun: bool, config_dir: str | None = None) -> Asked | None:
    """The study that a command's overrides ask for; `None` if they ask for none.

    Args:
        overrides: as they were typed.
        multirun: whether it is to be a sweep, `-m`.
        config_dir: a folder with choices of the user's own.

    Raises:
        UserError: there is no such study or scale, its file cannot be used, or it cannot be run like that.
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
