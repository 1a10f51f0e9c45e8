"""The one door to the backend: a scan over time, its compilation, and functions with a derivative of their own.

Everything else in this package is written in `keras.ops`. Three things are not to be had there: a scan whose
stacked outputs may differ from its carry, the compilation of one function on its own, and a custom gradient of a
function with several outputs that is written in one way for every backend.
"""

import functools
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeAlias, TypeVar

import keras
from keras import ops, tree

from .arguments import Tensor

ScanStep: TypeAlias = Callable[[Any, Any], tuple[Any, Any]]
"""`(carry, x) -> (carry, y)`: structures of tensors without the time axis."""

Gradient: TypeAlias = Callable[..., tuple[Any, ...]]
"""`(*upstream) -> derivatives`: a derivative by each argument, from the derivatives by the outputs."""

WithGradient: TypeAlias = Callable[..., tuple[Any, Gradient]]
"""`(*tensors) -> (outputs, gradient)`."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_COMPILE = True


def set_compile(enabled: bool) -> None:
    """Switches compilation of the hand-derived time loops on (the default) or off.

    Args:
        enabled: whether `compiled` functions go through XLA on the TensorFlow backend. Off is slower to run
            and quicker to start: it suits a debugger, or a model that sees a new shape at every call.
    """
    global _COMPILE
    _COMPILE = bool(enabled)


def scan(
    step: ScanStep,
    carry: Any,
    xs: Any,
    *,
    reverse: bool = False,
    unroll: bool = False,
) -> tuple[Any, Any]:
    """Runs `step` over the leading axis of `xs`, handing the carry from one step to the next.

    Args:
        step: `(carry, x) -> (carry, y)`; `x` and `y` are structures of tensors without the time axis.
        carry: structure of tensors; `step` keeps its structure, shapes and dtypes.
        xs: structure of tensors, each `[T, ...]`, T at least 1. `None` leaves are handed on as `None`.
        reverse: walk from `T - 1` down to 0. The stacked outputs stay in the order of `xs`.
        unroll: write the steps out one after another instead of looping (T must be static).

    Returns:
        The last carry, and the structure of `y` with every tensor stacked to `[T, ...]`.
    """
    leaves = tree.flatten(xs)
    present = [leaf for leaf in leaves if leaf is not None]

    def at(slices: list[Tensor]) -> Any:
        remaining = iter(slices)
        filled = [None if leaf is None else next(remaining) for leaf in leaves]
        return tree.pack_sequence_as(xs, filled)

    if unroll or keras.backend.backend() not in ("tensorflow", "jax"):
        return _python_scan(step, carry, present, at, reverse)
    if keras.backend.backend() == "jax":
        import jax

        carry, ys = jax.lax.scan(lambda c, slices: step(c, at(slices)), carry, present, reverse=reverse)
        return carry, ys
    return _tensorflow_scan(step, carry, present, at, reverse)


def _python_scan(
    step: ScanStep, carry: Any, present: list[Tensor], at: Callable[[list[Tensor]], Any], reverse: bool
) -> tuple[Any, Any]:
    length = present[0].shape[0]
    outputs: list[Any] = [None] * length
    for t in reversed(range(length)) if reverse else range(length):
        carry, outputs[t] = step(carry, at([x[t] for x in present]))
    return carry, tree.map_structure(lambda *values: ops.stack(values), *outputs)


def _tensorflow_scan(
    step: ScanStep, carry: Any, present: list[Tensor], at: Callable[[list[Tensor]], Any], reverse: bool
) -> tuple[Any, Any]:
    import tensorflow as tf

    from ._tensorflow import discarded_graph

    static_length = present[0].shape[0]
    length = tf.shape(present[0])[0] if static_length is None else static_length
    # The structure and shapes of y, without computing anything: this graph is thrown away.
    with discarded_graph("scan_step"):
        _, y_spec = step(carry, at([source[0] for source in present]))
    arrays = [
        tf.TensorArray(y.dtype, size=length, element_shape=[n or None for n in y.shape]) for y in tree.flatten(y_spec)
    ]
    sources = [tf.TensorArray(x.dtype, size=length, clear_after_read=False).unstack(x) for x in present]

    def body(index: Tensor, flat_carry: list[Tensor], arrays: list[Any]) -> tuple[Any, ...]:
        t = length - 1 - index if reverse else index
        current = tree.pack_sequence_as(carry, flat_carry)
        new_carry, y = step(current, at([source.read(t) for source in sources]))
        arrays = [array.write(t, value) for array, value in zip(arrays, tree.flatten(y), strict=True)]
        flat_new = tree.flatten(new_carry)
        for before, after in zip(flat_carry, flat_new, strict=True):
            if after.shape.is_compatible_with(before.shape):  # a foreign cell may start from a state that it broadcasts
                after.set_shape(before.shape)  # lost where a state of one example meets inputs of unknown batch size
        return index + 1, flat_new, arrays

    _, flat_carry, arrays = tf.while_loop(
        lambda index, *_: index < length,
        body,
        (tf.constant(0), tree.flatten(carry), arrays),
        maximum_iterations=length,
    )
    stacked = [array.stack() for array in arrays]
    return tree.pack_sequence_as(carry, flat_carry), tree.pack_sequence_as(y_spec, stacked)


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compiles a function of tensors with XLA on the TensorFlow backend; leaves it alone elsewhere.

    Arguments that are not tensors (activations, `None`) are part of the compiled program's identity.
    """
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    traced = tf.function(function, jit_compile=True, autograph=False)

    @functools.wraps(function)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        chosen: Callable[Parameters, Result] = traced if _COMPILE else function
        return chosen(*args, **kwargs)

    return call


def loops_are_slow() -> bool:
    """Whether a step of a loop costs more than its arithmetic: where it is not compiled, and on an accelerator."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return not _COMPILE or bool(tf.config.list_logical_devices("GPU"))
    if backend == "jax":
        import jax

        return bool(jax.default_backend() != "cpu")
    return True


def loops_at_once() -> int:
    """How many loops that do not depend on one another run at the same time, once what is being written down is run.

    On TensorFlow, in a graph, as many as it has threads; 1 everywhere else.
    """
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    if tf.executing_eagerly():
        return 1
    threading = tf.config.threading
    chosen = threading.get_inter_op_parallelism_threads(), threading.get_intra_op_parallelism_threads()
    return min(count or _cores() for count in chosen)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def custom_gradient(function: WithGradient) -> Callable[..., Any]:
    """Gives a function a derivative of its own.

    Args:
        function: `(*tensors) -> (outputs, gradient)`, where `outputs` is a tensor or a tuple of tensors, and
            `gradient(*upstream)` takes the derivative by each output and returns a tuple with the derivative by
            each argument, `None` where there is none. It may use what `function` computed, but no tensors from
            outside: on JAX those are gone by the time when it is called.

    Returns:
        `(*tensors) -> outputs`. Arguments may be `None` too, and arrive as such.
    """

    @functools.wraps(function)
    def call(*arguments: Tensor | None) -> Any:
        there = [argument is not None for argument in arguments]

        def of_tensors(*tensors: Tensor) -> tuple[Any, Gradient]:
            remaining = iter(tensors)
            outputs, gradient = function(*[next(remaining) if present else None for present in there])

            def of_outputs(*upstream: Tensor) -> tuple[Any, ...]:
                derivatives = zip(gradient(*upstream), there, strict=True)
                return tuple(derivative for derivative, present in derivatives if present)

            return outputs, of_outputs

        tensors = [argument for argument in arguments if argument is not None]
        return _CUSTOM_GRADIENTS[keras.backend.backend()](of_tensors)(*tensors)

    return call


def _tensorflow_custom_gradient(function: WithGradient) -> Callable[..., Any]:
    import tensorflow as tf

    with_gradient: Callable[..., Any] = tf.custom_gradient(function)
    return with_gradient


def _jax_custom_gradient(function: WithGradient) -> Callable[..., Any]:
    import jax

    def with_one_upstream(*tensors: Tensor) -> tuple[Any, Gradient]:
        outputs, gradient = function(*tensors)
        several = isinstance(outputs, tuple)
        return outputs, lambda upstream: gradient(*upstream) if several else gradient(upstream)

    with_gradient: Callable[..., Any] = jax.custom_gradient(with_one_upstream)
    return with_gradient


def _torch_custom_gradient(function: WithGradient) -> Callable[..., Any]:
    return functools.partial(_torch_function().apply, function)


@functools.cache
def _torch_function() -> Any:
    import torch

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, function: WithGradient, *tensors: Tensor) -> Any:
            outputs, ctx.gradient = function(*tensors)
            # New tensors on the same storage: the way back keeps the old ones and hangs on the new ones. Were they
            # the same, they would keep each other in memory until the next garbage collection.
            return tuple(y.detach() for y in outputs) if isinstance(outputs, tuple) else outputs.detach()

        @staticmethod
        def backward(ctx: Any, *upstream: Tensor) -> tuple[Any, ...]:
            return None, *ctx.gradient(*upstream)

    return Function


_CUSTOM_GRADIENTS = {
    "tensorflow": _tensorflow_custom_gradient,
    "jax": _jax_custom_gradient,
    "torch": _torch_custom_gradient,
}
