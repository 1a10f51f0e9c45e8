"""A run whose training goes on from another's last epoch: `train.py continue=runs/… trainer.epochs=120`."""

from pathlib import Path

from omegaconf import DictConfig

from . import checkpoint
from .errors import UserError
from .identity import options_beside_length, stored_configuration
from .record import RunDirectory

_NOT_TAKEN_OVER = ("rerun", "sweep", "hydra", "continued_from")


def with_origin(arguments: list[str]) -> list[str]:
    """Arguments in which `continue=DIRECTORY` is replaced by what the run in that directory was started with.

    Raises:
        UserError: it is no run, or given more than once.
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
        for override in RunDirectory(path).overrides
        if _key(override) not in said and _key(override).partition(".")[0] not in _NOT_TAKEN_OVER
    ]
    return [*taken_over, *own, f"continued_from='{path.resolve()}'"]


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+")


def check_origin(config: DictConfig) -> None:
    """Raises `UserError` if a run cannot go on from where it is to go on."""
    if config.continued_from is None:
        return
    path = Path(config.continued_from)
    run = RunDirectory(path)
    shown = f"continue={path.name}"
    origin = stored_configuration(path)
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
    before, now = options_beside_length(origin), options_beside_length(config)
    for part in ("cell", "architecture", "dataset"):
        if before[part] != now[part]:
            raise UserError(f"{shown}: its {part} is another now; expected the same, since its training goes on")
