"""Recurrent layers for Keras, written as their equations, that show their gradient at every timestep.

Drop-in replacements for `keras.layers`: same arguments, same weights, same results.

>>> import keras
>>> from rnnscope import LSTM
>>> model = keras.Sequential([keras.Input((64, 1)), LSTM(32), keras.layers.Dense(10)])
>>> model.output_shape
(None, 10)
"""

# ruff: noqa: F405
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from wrapt import register_post_import_hook

if TYPE_CHECKING:
    from .public import *  # noqa: F403

__version__ = "0.2.0.dev0"

__all__ = [
    "GRU",
    "LSTM",
    "NOTHING_DROPPED",
    "RNN",
    "Bidirectional",
    "Cell",
    "CellWrapper",
    "DeepOutputCell",
    "DeepTransitionCell",
    "EncoderDecoder",
    "GRUCell",
    "GatedCell",
    "GradientTaps",
    "IndRNNCell",
    "LSTMCell",
    "LinearCell",
    "MGUCell",
    "MUT1Cell",
    "MUT2Cell",
    "MUT3Cell",
    "Masks",
    "MinGRUCell",
    "MinLSTMCell",
    "PeepholeLSTMCell",
    "ScaledIdentity",
    "Signal",
    "SimpleRNN",
    "SimpleRNNCell",
    "Stacked",
    "StackedRNNCells",
    "Step",
    "ZoneoutCell",
    "dropped",
    "set_batch_parts",
    "set_compile",
    "set_parallel_scan",
    "set_recomputed_segments",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `rnnscope.experiments` checks a command line without Keras."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.public"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _register_classes(imported: object) -> None:
    """Import all layers, which registers them with Keras, so that it can load files that contain them."""
    others = [module for name, module in sys.modules.items() if name.startswith(f"{__name__}.")]
    if "keras" in sys.modules and not any(module.__spec__._initializing for module in others if module is not imported):  # type: ignore
        import_module(f"{__name__}.public")


# Keras calls this as soon as it is imported, or the first of our modules to import it as soon as it is complete.
for _name in ("keras", *(f"{__name__}.{module.name}" for module in iter_modules(__path__))):
    register_post_import_hook(_register_classes, _name)
