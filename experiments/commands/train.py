"""The command `rnnscope train`, which executes one run, a sweep (with `-m`) or a study."""

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
    """Execute the run of one configuration. Hydra's launchers call this function in the process of the run."""
    return job(config)


def train(arguments: list[str]) -> int:
    """Check the command line, execute the requested runs and show the results.

    Args:
        arguments: overrides and flags, as after `rnnscope train`. Hydra reads them again from `sys.argv`.

    Returns:
        The exit status: 0 if all runs are complete, 1 if one is not, 130 after Ctrl-C.

    Raises:
        UserError: an argument is invalid, or a run cannot be executed.
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
    """Return the runs that the arguments request, and the study to which the runs belong.

    Both are `None` if the arguments only request information, such as `--help`. The study is also `None` if the
    arguments do not request a study.

    Raises:
        UserError: an argument is invalid, a run cannot be executed, or a study is invalid.
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
