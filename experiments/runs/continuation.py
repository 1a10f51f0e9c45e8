"""Training that continues from the last epoch of another run: `train.py continue=runs/… trainer.epochs=120`."""

import re
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from ..common.errors import UserError
from ..configuration.flattening import counts
from . import checkpoint
from .directory import RunDirectory
from .identity import options_beside_length


def with_origin(arguments: list[str]) -> list[str]:
    """Return the arguments with `continue=DIRECTORY` replaced by the overrides of the run in that directory.

    Raises:
        UserError: the directory is not a run, or `continue=` is given more than once.
    """
    given = [argument for argument in arguments if argument.startswith("continue=")]
    if not given:
        return arguments
    if len(given) > 1:
        raise UserError(f"{' '.join(given)}: expected one run to go on from")
    path = Path(given[0].removeprefix("continue="))
    if not (path / ".hydra" / "config.yaml").is_file():
        raise UserError(f"{given[0]}: it is no run; expected a run's directory, as in continue=runs/default/lstm-…")
    own = [argument for argument in arguments if argument not in given]
    said = {_key(argument) for argument in own}
    taken_over = [
        override
        for override in RunDirectory(path).overrides or []
        if _key(override) not in said and _is_taken_over(override)
    ]
    return [*taken_over, *own, f"continued_from='{path.resolve()}'"]


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+")


def _is_taken_over(override: str) -> bool:
    """Return whether an override of a run also applies to the run that continues it.

    The directory may come from an untrusted source. Flags, and names of classes and functions, are therefore not taken
    from it.
    """
    key = _key(override)
    is_option = re.fullmatch(r"\+{0,2}[A-Za-z][\w./@]*=.*", override, re.DOTALL) is not None
    names_code = key.startswith("hydra") or {"_target_", "requires"} & set(key.split("."))
    return is_option and not names_code and counts(key, "continuation")


def check_origin(config: DictConfig) -> None:
    """Raise `UserError` if a run cannot continue from the run that `continued_from` names."""
    if config.continued_from is None:
        return
    path = Path(config.continued_from)
    run = RunDirectory(path)
    shown = f"continue={path.name}"
    origin = run.configuration
    if origin is None:
        raise UserError(f"{shown}: its configuration cannot be read (.hydra/config.yaml)")
    if run.state == "running":
        raise UserError(f"{shown}: it is running; wait until it is over, or stop it")
    epoch = checkpoint.epoch_of(run.checkpoint)
    if epoch is None:
        raise UserError(f"{shown}: it has no checkpoint that can be read; expected a run that has trained an epoch")
    if config.trainer.epochs <= epoch:
        raise UserError(
            f"trainer.epochs={config.trainer.epochs}: the run to go on from has trained {epoch}; "
            f"expected more, as in trainer.epochs={2 * epoch}"
        )
    before, now = options_beside_length(OmegaConf.create(origin)), options_beside_length(config)
    for part in ("cell", "architecture", "dataset"):
        if before[part] != now[part]:
            raise UserError(f"{shown}: its {part} is another now; expected the same, since its training goes on")
