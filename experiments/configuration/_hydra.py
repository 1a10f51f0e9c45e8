"""The parts of Hydra's private API that this project uses, as of Hydra 1.3.8."""

from typing import Any

from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.plugins.completion_plugin import DefaultCompletionPlugin

__all__ = ["completions_of_line", "get_args_parser"]
"""`get_args_parser` separates Hydra's flags from overrides. `hydra.main` offers this only together with a run."""


def completions_of_line(line: str) -> list[str]:
    """Return the possible completions of the last word of a line of overrides.

    Hydra must be initialized. Its public interface only prints the completions.
    """
    loader: Any = GlobalHydra.instance().config_loader()
    return DefaultCompletionPlugin(loader)._query("config", line)
