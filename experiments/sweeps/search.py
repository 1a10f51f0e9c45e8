"""A search by Optuna: a study that is kept beside its runs, and goes on where it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..common.errors import UserError
from ..configuration.resolvers import better
from ..runs.lease import claim
from .request import Request

_TAKEN_UP_AGAIN = "taken up again"
"""The study's list of trials that were under way when their process ended: others have their configurations."""


@contextmanager
def search(request: Request) -> Iterator[list[list[str]]]:
    """Prepares the folder's study for as many trials as are left.

    Yields:
        The arguments with which Hydra searches on; none if the study has all the trials that were asked for.

    Raises:
        UserError: another process is searching in this folder.
    """
    assert request.trials is not None
    with claim(request.folder) as ours:
        if not ours:
            raise UserError(f"{request.folder}: another process is searching in it; wait, or choose another name=…")
        kept = _study(request)
        taken_up_again = _take_up_again(kept)
        tried = sum(trial.state.is_finished() for trial in kept.trials) - len(taken_up_again)
        left = request.trials - tried
        # A sampler that began anew with the same seed would try the same again.
        seed = f"hydra.sweeper.sampler.seed={request.runs[0].seed + len(kept.trials)}"
        yield [[*request.grids[0].arguments, f"hydra.sweeper.n_trials={left}", seed]] if left > 0 else []


def best(request: Request) -> str:
    """The best configuration that was found, as a line."""
    from optuna.trial import TrialState

    kept = _study(request)
    if not any(trial.state == TrialState.COMPLETE for trial in kept.trials):
        return f"no trial has a result yet; the study is kept in {request.folder / 'study.db'}"
    trial, config = kept.best_trial, request.runs[0]
    found = " ".join(f"{name}={value}" for name, value in trial.params.items())
    seeds = f", mean over {config.sweep.seeds} seeds" if config.sweep.seeds > 1 else ""
    return f"best validation {config.sweep.objective} {trial.value:.4f}{seeds}: {found}"


def _study(request: Request) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        study_name=request.folder.name,
        storage=f"sqlite:///{request.folder.resolve() / 'study.db'}",
        direction=better(request.runs[0].sweep.objective),
        load_if_exists=True,
    )


def _take_up_again(kept: Any) -> list[int]:
    """Lets what was under way when a search ended come first in the next; returns the numbers of all such trials."""
    from optuna.trial import TrialState

    lost = kept.get_trials(states=(TrialState.RUNNING,))
    numbers = [*kept.user_attrs.get(_TAKEN_UP_AGAIN, []), *(trial.number for trial in lost)]
    kept.set_user_attr(_TAKEN_UP_AGAIN, numbers)
    for trial in lost:
        kept.tell(trial.number, state=TrialState.FAIL)
        kept.enqueue_trial(trial.params)
    return numbers
