"""The pieces that every family's way back shares."""

from collections.abc import Callable
from typing import Any, TypeVar

from keras import ops, tree

from ..arguments import Tensor
from ..backend import Gradient, custom_gradient
from .family import Factors

Structure = TypeVar("Structure")


def before(initial: Tensor, sequence: Tensor) -> Tensor:
    """s_{t-1} for every t: `[B, H]`, `[T, B, H]` → `[T, B, H]`."""
    return ops.concatenate([initial[None], sequence[:-1]], axis=0)


def sum_of_products(factors: Factors) -> Tensor:
    """`Σ_t left_tᵀ right_t`, each as one product, side by side: pairs `[T, B, M]`, `[T, B, N]` → `[M, ΣN]`."""
    products = [ops.matmul(ops.transpose(_rows(left)), _rows(right)) for left, right in factors]
    return products[0] if len(products) == 1 else ops.concatenate(products, axis=-1)


def _rows(x: Tensor) -> Tensor:
    """`[T, B, M]` → `[TB, M]`."""
    return ops.reshape(x, (-1, x.shape[-1]))


def squared_summands(factors: Factors) -> Tensor:
    """`‖left_tᵀ right_t‖²_F` for every t, the pairs added up: float32 `[T]`."""
    return sum(_squared_product(*(ops.cast(x, "float32") for x in pair)) for pair in factors)


_LARGE_PRODUCT = 2**16
"""Entries from which the B×B form of `_squared_product` is the cheaper one, at the batch sizes of training."""


def _squared_product(left: Tensor, right: Tensor) -> Tensor:
    turn: Callable[[Tensor], Tensor] = lambda x: ops.transpose(x, (0, 2, 1))
    if left.shape[-1] * right.shape[-1] < _LARGE_PRODUCT:
        return ops.sum(ops.square(ops.matmul(turn(left), right)), axis=(1, 2))
    # Σ_mn (Σ_b l_bm r_bn)² = Σ_bb' (l_b · l_b') (r_b · r_b')
    return ops.sum(ops.matmul(left, turn(left)) * ops.matmul(right, turn(right)), axis=(1, 2))


def keep_masked(present: Tensor | None, new: Tensor, old: Tensor) -> Tensor:
    """`new` where the step is present, `old` where it is masked. present `[B, 1]` of ones and zeros, or `None`."""
    return new if present is None else ops.where(present > 0, new, old)


def split_masked(present: Tensor | None, derivative: Tensor) -> tuple[Tensor, Tensor]:
    """A derivative's two ways back from one step: through the cell, and past it where the step is masked."""
    if present is None:
        return derivative, 0
    return derivative * present, derivative * (1 - present)


def square(derivative: Tensor) -> Tensor:
    """`Σ_b d_b²`, float32 `[H]`: summed over examples only, which compiles to plain vector additions."""
    return ops.sum(ops.square(ops.cast(derivative, "float32")), axis=0)


def constant(tensors: Any) -> Any:
    """The same tensors, without their past. `None` stays `None`."""
    return tree.map_structure(lambda tensor: None if tensor is None else ops.stop_gradient(tensor), tensors)


def first_derivatives_only(derivatives: Structure, sources: Any) -> Structure:
    """Return the derivatives of a backward pass, such that their own derivatives by `sources` are NaN.

    A caller that differentiates the backward pass would miss terms, and has to see NaN instead of a number. `None`
    stays `None`.
    """

    @custom_gradient
    def identity(*tensors: Tensor) -> tuple[tuple[Tensor, ...], Gradient]:
        def nan(*upstream: Tensor) -> tuple[Tensor, ...]:
            return tuple(ops.full_like(tensor, float("nan")) for tensor in tensors)

        return tuple(ops.copy(tensor) for tensor in tensors), nan

    leaves = tree.flatten(derivatives)
    copies = iter(identity(*[tensor for tensor in (*leaves, *tree.flatten(sources)) if tensor is not None]))
    checked: Structure = tree.pack_sequence_as(derivatives, [None if leaf is None else next(copies) for leaf in leaves])
    return checked
