"""Train recurrent networks and record their gradient at every timestep, like the command `rnnscope train`.

python train.py                                                       one run
python train.py -m cell=rnn,lstm,gru dataset=digits_pixels,adding     a sweep
python train.py -m study=vanishing                                    a study
python train.py --help                                                all options
"""

import sys

from rnnscope.experiments.commands.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
