"""What a shell can complete after `rnnscope train`."""

from .composition import composing, prepare


def completions(overrides: list[str], prefix: str) -> list[str]:
    """Return what an override can go on with.

    Args:
        overrides: those that are complete.
        prefix: how the next one begins.
    """
    from ._hydra import completions_of_line

    prepare()
    with composing():
        return completions_of_line(" ".join([*overrides, prefix]))
