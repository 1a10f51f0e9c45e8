"""The interface of a hand-derived family: what `through_time` needs of one kind of cell."""

from typing import Any, NamedTuple, Protocol, TypeAlias

from ..arguments import Tensor

Factors: TypeAlias = list[tuple[Tensor, Tensor]]
"""Pairs `[T, B, M]`, `[T, B, N]` whose products `left_tᵀ right_t`, summed over t, are blocks of ∂L/∂U `[M, N]`."""


class Family(Protocol):
    """The equations of one kind of cell over a whole sequence, forward and backward; implemented by a module.

    All sequences are time-major: T timesteps, B examples, H units, G blocks of columns in the kernel. A cell has one
    state h, or also a state c; the derivative by a tensor has the tensor's shape.
    """

    def options(self, cell: Any) -> Any:
        """Return the activations and switches that select a program: a hashable `NamedTuple`."""

    def weights(self, cell: Any) -> list[Tensor]:
        """Return the tensors inside the recurrence: the recurrent kernel `[H, GH]` first, then biases `[H]`."""

    def forward(
        self,
        projected: Tensor,
        states: list[Tensor],
        weights: list[Tensor],
        mask: Tensor | None,
        dropout_mask: Tensor | None,
        options: Any,
        training: bool,
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Run all steps forward.

        Args:
            projected: `[T, B, GH]`, the products of the inputs with the kernel, with their bias.
            states: initial states, each `[B, H]`: h first.
            weights: see `weights`.
            mask: `[T, B, 1]`, ones and zeros, or `None`. A masked step leaves the states as they are.
            dropout_mask: `[B, H]`, or `None`: multiplies h_{t-1} where it enters a product.
            options: see `options`.
            training: whether to return the residuals.

        Returns:
            h at every step `[T, B, H]`; the last states other than h, each `[B, H]`; the residuals that `backward`
            and `factors` need, each `[T, B, …]`.
        """

    def backward(
        self,
        d_h: Tensor,
        d_last: list[Tensor],
        states: list[Tensor],
        weights: list[Tensor],
        h: Tensor,
        residuals: tuple[Tensor, ...],
        mask: Tensor | None,
        dropout_mask: Tensor | None,
        options: Any,
        measured: bool,
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Run all steps backward.

        Args:
            d_h: derivative by every output, `[T, B, H]`.
            d_last: derivatives by the last states other than h, each `[B, H]`.
            states, weights, mask, dropout_mask, options: the arguments of `forward`.
            h, residuals: the results of `forward`.
            measured: whether to return the squares.

        Returns:
            δ, the derivative by `projected`, `[T, B, GH]`; the derivatives by the initial states, each `[B, H]`; if
            measured, `Σ_b (∂L/∂s_{b,t})²` for each state s, each `[T, H]`, float32.
        """

    def factors(
        self,
        deltas: Tensor,
        states: list[Tensor],
        h: Tensor,
        residuals: tuple[Tensor, ...],
        dropout_mask: Tensor | None,
        options: Any,
    ) -> Factors:
        """Return the factors of the recurrent kernel's derivative, `deltas` being δ `[T, B, GH]`."""

    def weight_gradients(self, factors: Factors, options: Any) -> list[Tensor]:
        """Return the derivative by each of the `weights`, as one large product over all steps."""


class Arguments(NamedTuple):
    """The tensors that enter a hand-derived time loop: arguments of its custom gradient, once they are flattened.

    The first four fields have one entry for each part of the batch, `B_i` examples (`parts.py`).

    Attributes:
        projected: `[T, B_i, GH]`.
        states: a list with each initial state `[B_i, H]`.
        masks: `[T, B_i, 1]` of ones and zeros, or `None`.
        dropout_masks: `[B_i, H]`, or `None`.
        weights: the tensors inside the recurrence, see `Family.weights`.
        taps: zero vectors `[T]`.
    """

    projected: list[Tensor]
    states: list[list[Tensor]]
    masks: list[Tensor | None]
    dropout_masks: list[Tensor | None]
    weights: list[Tensor]
    taps: list[Tensor]
