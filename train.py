"""Trains recurrent networks and shows their gradient at every timestep.

python train.py                                                       one run
python train.py -m cell=rnn,lstm,gru dataset=digits_pixels,adding     a sweep
python train.py --help                                                everything that can be chosen
"""

import os
import sys

import hydra
from omegaconf import DictConfig

from experiments import commandline, interruption
from experiments.claim import claim
from experiments.errors import exit_status
from experiments.identity import run_directory
from experiments.launch import is_complete, launch
from experiments.quiet import without_stderr
from experiments.report import console


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def run(config: DictConfig) -> None:
    """One run, in the directory that Hydra made for it, unless its result is there already or somebody is at it."""
    if is_complete(config):
        return
    with claim(run_directory(config)) as ours:
        if not ours or is_complete(config):  # somebody else has just finished it
            return
        # TensorFlow takes a while to import, and writes to stderr meanwhile.
        with console().status("starting TensorFlow"), without_stderr():
            from experiments.run import run_here

        run_here(config)


def main(arguments: list[str]) -> int:
    """Checks the command line, runs what it asks for, shows the results; returns the exit status."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us as they are
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes about the machine
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
