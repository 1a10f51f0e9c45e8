"""What is used of Hydra's inside, which is not public. Seen in Hydra 1.3.8."""

from typing import Any

from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.plugins.completion_plugin import DefaultCompletionPlugin

__all__ = ["completions_of_line", "get_args_parser"]
"""`get_args_parser` tells Hydra's own flags from overrides; `hydra.main` offers that only together with a run."""


def completions_of_line(line: str) -> list[str]:
    """Return what the last word of a line of overrides can go on with; Hydra itself only prints that.

    Needs an initialized Hydra.
    """
    loader: Any = GlobalHydra.instance().config_loader()
    return DefaultCompletionPlugin(loader)._query("config", line)
