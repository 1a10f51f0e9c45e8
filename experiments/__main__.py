"""Entry point of `python -m experiments`, which is the same as `rnnscope` and works in a checkout."""

import sys

from rnnscope.experiments.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
