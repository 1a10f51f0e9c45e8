"""What goes wrong in a run, by name on the command line; imported by every process of a sweep."""


def fail_to_load():
    """A dataset that cannot be loaded."""
    raise RuntimeError("\x1b[1mthe file\nis broken\x1b[0m")
