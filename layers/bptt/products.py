"""The pieces that every family's way back shares."""

from typing import Any

from keras import ops, tree

from ..backend import custom_gradient


def before(initial: Any, sequence: Any) -> Any:
    """s_{t-1} for every t: `[B, H]`, `[T, B, H]` → `[T, B, H]`."""
    return ops.concatenate([initial[None], sequence[:-1]], axis=0)


def sum_of_products(left: Any, right: Any) -> Any:
    """`Σ_t left_tᵀ right_t` as one product: `[T, B, M]`, `[T, B, N]` → `[M, N]`."""
    rows = lambda x: ops.reshape(x, (-1, x.shape[-1]))
    return ops.matmul(ops.transpose(rows(left)), rows(right))


def keep_masked(present: Any, new: Any, old: Any) -> Any:
    """`new` where the step is present, `old` where it is masked. present `[B, 1]` of ones and zeros, or `None`."""
    return new if present is None else ops.where(present > 0, new, old)


def split_masked(present: Any, derivative: Any) -> tuple[Any, Any]:
    """A derivative's two ways back from one step: through the cell, and past it where the step is masked."""
    if present is None:
        return derivative, 0
    return derivative * present, derivative * (1 - present)


def square(derivative: Any) -> Any:
    """`Σ_b d_b²`, float32 `[H]`: summed over examples only, which compiles to plain vector additions."""
    return ops.sum(ops.square(ops.cast(derivative, "float32")), axis=0)


def constant(tensors: Any) -> Any:
    """The same tensors, without their past. `None` stays `None`."""
    return tree.map_structure(lambda tensor: None if tensor is None else ops.stop_gradient(tensor), tensors)


def first_derivatives_only(derivatives: tuple, sources: Any) -> tuple:
    """The derivatives of a way back, whose own derivatives by `sources` are NaN.

    Who differentiates the way back again would miss terms, and is to see NaN, not a number.
    """

    @custom_gradient
    def identity(*tensors):
        nan = lambda *upstream: tuple(ops.full_like(tensor, float("nan")) for tensor in tensors)
        return tuple(ops.copy(tensor) for tensor in tensors), nan

    tensors = [tensor for tensor in tree.flatten((derivatives, sources)) if tensor is not None]
    return identity(*tensors)[: len(derivatives)]
