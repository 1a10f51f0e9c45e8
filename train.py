"""Trains recurrent networks and shows their gradient at every timestep; the same as `rnnscope train`.

python train.py                                                       one run
python train.py -m cell=rnn,lstm,gru dataset=digits_pixels,adding     a sweep
python train.py -m study=vanishing                                    a claim put to the test
python train.py --help                                                everything that can be chosen
"""

import sys

from rnnscope.experiments.commands.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
