"""What a mistaken argument is told: one line, `argument: expected …, got …`.

Names, types and static shapes are looked at, never values: nothing is added to a graph, nothing is waited for.
"""

import difflib
import functools
import inspect
from collections.abc import Callable, Collection, Sequence
from numbers import Real
from types import EllipsisType
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import keras
import numpy as np

from .arguments import Shape, Tensor

Layout: TypeAlias = tuple[int | str | EllipsisType, ...]
"""A shape as it should be: numbers; letters for sizes that are not fixed; `...` last, where more axes may follow."""


def described(value: Tensor) -> str:
    """A value in a few words on one line."""
    for container in (list, tuple, dict, set):
        if isinstance(value, container):
            return f"a {container.__name__} of {len(value)}"
    try:
        return f"shape {_sizes(value.shape)}"
    except (AttributeError, TypeError, ValueError):
        text = " ".join(repr(value).split())
        return text if len(text) <= 80 else f"{text[:79]}…"


def _sizes(shape: Any) -> Shape:
    return tuple(size if isinstance(size, int) else None for size in shape)


# ---------------------------------------------------------------- tensors


def static_shape(name: str, tensor: Tensor) -> Shape:
    """The shape of a tensor, an array or a `KerasTensor`, `None` for a size that is not known yet."""
    if hasattr(tensor, "row_splits") or getattr(tensor, "ragged", False):
        raise ValueError(f"{name}: expected a dense tensor, with a mask where lengths differ, got a ragged one")
    try:
        return _sizes(tensor.shape)
    except (AttributeError, TypeError, ValueError):  # no tensor, or one of TensorFlow's whose rank is unknown
        raise ValueError(f"{name}: expected a tensor or an array, got {described(tensor)}") from None


def check_shape(name: str, shape: Shape, *layouts: Layout) -> None:
    """Refuses a shape that has none of the layouts. A size that is not known yet may be any."""
    if any(_fits(shape, layout) for layout in layouts):
        return
    expected = " or ".join(
        f"[{', '.join('…' if size is ... else str(size) for size in each)}]" for each in dict.fromkeys(layouts)
    )
    ndim = "" if any(_fits((None,) * len(shape), layout) for layout in layouts) else f" (ndim {len(shape)})"
    raise ValueError(f"{name}: expected {expected}, got shape {shape}{ndim}")


def _fits(shape: Shape, layout: Layout) -> bool:
    sizes = [size for size in layout if size is not ...]
    if len(shape) < len(sizes) or (len(shape) > len(sizes) and layout[-1] is not ...):
        return False
    return all(
        size is None or isinstance(wanted, str) or size == wanted for size, wanted in zip(shape, sizes, strict=False)
    )


def check_mask(mask: Tensor, sequences_shape: Shape, vectors: bool = True) -> None:
    """Refuses a mask that is neither `[B, T]` nor, for all examples, `[1, T]`, with 1 after it or nothing.

    Args:
        mask: no `None`.
        sequences_shape: of what is masked.
        vectors: whether that is `[B, T, I]`; otherwise more axes may follow in the mask too.
    """
    B, T = (letter if size is None else size for size, letter in zip(sequences_shape[:2], "BT", strict=True))
    layouts: list[Layout] = [(B, T), (B, T, 1), (1, T)] if vectors else [(B, T, ...), (1, T, ...)]
    check_shape("mask", static_shape("mask", mask), *layouts)


def given(**arguments: Any) -> dict[str, Any]:
    """The arguments that are not `None`: Keras takes an absent one and a `None` for different things."""
    return {name: value for name, value in arguments.items() if value is not None}


def check_numeric(name: str, tensor: Tensor, expected: str = "numbers") -> None:
    """Refuses text, objects and complex numbers. Booleans are numbers."""
    dtype = getattr(tensor, "dtype", None)
    try:
        numeric = not keras.backend.standardize_dtype(dtype).startswith(("string", "complex"))
    except ValueError:
        numeric = False
    if not numeric:
        raise ValueError(f"{name}: expected {expected}, got dtype {getattr(dtype, 'name', dtype)}")


def check_states(name: str, states: Any, expected: Sequence[Any]) -> None:
    """Refuses states that are not as many, not nested as, or not of the shapes that are expected.

    Args:
        name: of the argument.
        states: tensors, nested in lists or tuples. A single state may come without its list.
        expected: for each state its shape, a list where several belong together, or `None` where it may be anything.
    """
    if len(expected) == 1 and not isinstance(states, list | tuple):
        states = [states]
    if not isinstance(states, list | tuple) or len(states) != len(expected):
        wanted = "one state" if len(expected) == 1 else f"a list of {len(expected)} states"
        raise ValueError(f"{name}: expected {wanted}, got {described(states)}")
    for index, (state, allowed) in enumerate(zip(states, expected, strict=True)):
        if isinstance(allowed, list):
            check_states(f"{name}[{index}]", state, allowed)
        elif allowed is not None:
            check_shape(f"{name}[{index}]", static_shape(f"{name}[{index}]", state), allowed)
            check_numeric(f"{name}[{index}]", state)


# ------------------------------------------------- constructor arguments


def boolean(name: str, value: Tensor) -> bool:
    """The value, Python's or NumPy's, as a `bool`; anything else is refused."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}: expected True or False, got {described(value)}")
    return bool(value)


def check_number(name: str, value: Tensor, expected: str = "a number") -> None:
    """Refuses what is neither a real number nor a `bool`, Python's or NumPy's."""
    if not isinstance(value, Real | np.bool_):
        raise ValueError(f"{name}: expected {expected}, got {described(value)}")


def check_choice(name: str, value: Tensor, choices: Collection[Any]) -> None:
    """Refuses what is not among the choices."""
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        raise ValueError(f"{name}: expected one of {list(choices)}, got {described(value)}")


def resolved(name: str, value: Tensor, get: Callable[[Any], Any], expected: str) -> Any:
    """What one of Keras's `get` functions makes of a value; its complaints do not say which argument they are about."""
    try:
        return get(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected {expected}, got {described(value)}") from None


def check_cell(name: str, cell: Any) -> None:
    """Refuses what is no cell."""
    is_cell = not isinstance(cell, type | keras.layers.RNN) and hasattr(cell, "call") and hasattr(cell, "state_size")
    if not is_cell:
        raise ValueError(f"{name}: expected a cell such as LSTMCell(32), got {described(cell)}")
    if not isinstance(cell.state_size, int | list | tuple):
        raise ValueError(
            f"{name}: expected a cell whose state_size is an integer or a list of integers, got {cell.state_size!r}"
        )


Self = TypeVar("Self")
Arguments = ParamSpec("Arguments")


def suggest_nearest_names(
    constructor: Callable[Concatenate[Self, Arguments], None],
) -> Callable[Concatenate[Self, Arguments], None]:
    """Make a constructor raise a `ValueError` for an unknown keyword that suggests the nearest known name.

    Values of the arguments that Keras's own layers take are checked too. The signature stays as it is.
    """

    @functools.wraps(constructor)
    def checked(self: Self, /, *arguments: Arguments.args, **keywords: Arguments.kwargs) -> None:
        check_keywords(type(self).__name__, keywords, constructor_arguments(type(self), checked))
        constructor(self, *arguments, **keywords)

    # Keras reads a constructor with `inspect.getfullargspec`, which does not follow `functools.wraps`.
    vars(checked)["__signature__"] = inspect.signature(constructor)
    return checked


def arguments(variables: dict[str, Any], without: Collection[str] = ()) -> dict[str, Any]:
    """Return the arguments of a constructor by name, to forward them without naming each a second time.

    Args:
        variables: `locals()` in the first line of a constructor.
        without: names of arguments to leave out.
    """
    left_out = {"self", "__class__", "kwargs", *without}
    named = {name: value for name, value in variables.items() if name not in left_out}
    return {**named, **variables.get("kwargs", {})}


def check_keywords(layer: str, keywords: dict[str, Any], known: Collection[str]) -> None:
    """Refuse names that a layer does not know, with the nearest one that it does, and bad values of Keras's own."""
    for name in keywords:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            expected = f"{near[0]} or another" if near else f"one of {', '.join(sorted(known))} as an"
            raise ValueError(f"{name}: expected {expected} argument of {layer}, got an unknown name")
    resolved("dtype", keywords.get("dtype"), keras.dtype_policies.get, "a dtype such as 'float32' or a DTypePolicy")
    regularizer = keywords.get("activity_regularizer")
    resolved("activity_regularizer", regularizer, keras.regularizers.get, "a Keras regulariser or None")


def constructor_arguments(cls: type, constructor: Callable[..., None] | None = None) -> frozenset[str]:
    """Return the names of all keyword arguments of a class.

    A constructor with `**kwargs` forwards them to the next class, so the names of that class count too.

    Args:
        cls: the class.
        constructor: the constructor that is running, of `cls` or of a base class; by default the first one.
    """
    names: set[str] = set()
    reached = constructor is None
    for each in cls.__mro__:
        own, forwards = _own_arguments(each)
        names |= own
        reached = reached or vars(each).get("__init__") is constructor
        if reached and not forwards:
            break
    return frozenset(names)


@functools.cache
def _own_arguments(cls: type) -> tuple[frozenset[str], bool]:
    """Return the names in the constructor of a class, and whether it forwards others."""
    if "__init__" not in vars(cls):
        return frozenset(), True
    _, *parameters = inspect.signature(vars(cls)["__init__"]).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    names = frozenset(parameter.name for parameter in parameters if parameter.kind not in variadic)
    if cls is keras.layers.Layer:  # which takes these two out of its **kwargs
        return names | {"input_shape", "input_dim"}, False
    return names, any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
