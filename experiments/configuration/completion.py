"""Completion of overrides in a shell, after `rnnscope train`."""

from .composition import composing, prepare


def completions(overrides: list[str], prefix: str) -> list[str]:
    """Return the possible completions of an override.

    Args:
        overrides: the complete overrides before it.
        prefix: its first characters.
    """
    from ._hydra import completions_of_line

    prepare()
    with composing():
        return completions_of_line(" ".join([*overrides, prefix]))
