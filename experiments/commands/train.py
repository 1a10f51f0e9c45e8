"""`rnnscope train`: one run, a sweep with `-m`, or a study."""

import hydra
from omegaconf import DictConfig

from ..common import interruption
from ..common.errors import UserError
from ..configuration._hydra import get_args_parser
from ..configuration.composition import CONF, prepare
from ..configuration.explanations import explained
from ..studies.request import Asked, asked_in
from ..studies.store import check_groups, keep
from ..sweeps import request as requests
from ..sweeps.job import job
from ..sweeps.launch import launch, make_writable
from ..sweeps.request import Request


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
def run(config: DictConfig) -> float | None:
    """Run one configuration; Hydra's launchers call this in the process that is to run it."""
    return job(config)


def train(arguments: list[str]) -> int:
    """Check the command line, run what it asks for and show the results.

    Args:
        arguments: overrides and flags, as after `rnnscope train`. Hydra reads them from `sys.argv` again.

    Returns:
        The exit status: 0 if every run is complete, 1 if one is not, 130 after Ctrl-C.

    Raises:
        UserError: an argument that cannot be understood, or a run that cannot be run.
    """
    interruption.listen()
    prepare()
    request, study = read(arguments)
    if request is None:
        with explained():
            run()
        return 0
    make_writable(request.folder)
    if study is not None:
        keep(request.folder, study, request.options)
    status = launch(request, run)
    if study is not None and status != 130:
        from ..studies.report import report

        report(request.folder)
    return status


def read(arguments: list[str]) -> tuple[Request | None, Asked | None]:
    """Return the runs that the arguments ask for, and the study that they belong to.

    Both are `None` where the arguments ask only for information, the study also where they ask for none.

    Raises:
        UserError: an argument that cannot be understood, a run that cannot be run, or a study that cannot be used.
    """
    parsed = get_args_parser().parse_args(arguments)
    if parsed.help or parsed.hydra_help or parsed.shell_completion:
        return None, None
    study = asked_in(parsed.overrides, parsed.multirun, parsed.config_dir)
    if study is None:
        return requests.read(arguments), None
    if parsed.cfg or parsed.info:
        raise UserError(f"study={study.name} beside --cfg or --info: they show a single configuration; leave one out")
    flags = [argument for argument in arguments if argument not in parsed.overrides]
    grids = [[*flags, *overrides] for overrides in study.grids()]
    request = requests.request_of(grids, parsed.multirun, outcomes=("completed", "diverged"))
    if request.trials is not None:
        raise UserError(
            f"study={study.name} beside hydra/sweeper=optuna: a study runs every combination; leave one out"
        )
    if not study.typed:
        check_groups(study, request.options.values())
    return request, study
