"""`python -m experiments` in a checkout: the same as `rnnscope`."""

import sys

from rnnscope.experiments.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
