"""Trains recurrent networks and shows their gradient at every timestep.

python train.py                                                       one run
python train.py -m cell=rnn,lstm,gru dataset=digits_pixels,adding     a sweep
python train.py -m study=vanishing                                    a claim put to the test
python train.py --help                                                everything that can be chosen
"""

import os
import sys

import hydra
from omegaconf import DictConfig

from experiments import commandline, interruption
from experiments.errors import exit_status
from experiments.sweeps.job import job
from experiments.sweeps.launch import launch


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def run(config: DictConfig) -> float | None:
    """One run; Hydra's launchers call this wherever they are told to."""
    return job(config)


def main(arguments: list[str]) -> int:
    """Checks the command line, runs what it asks for, shows the results; returns the exit status."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us as they are
    interruption.listen()
    return exit_status("train.py", lambda: _work(arguments))


def _work(arguments: list[str]) -> int:
    commandline.prepare()
    request = commandline.read(arguments)
    if request is not None:
        return launch(request, run)
    with commandline.explained():
        run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
