"""Backpropagation as textbooks write it, by hand on plain floats; `nn.deltas` compares it with autograd."""

from typing import TYPE_CHECKING

from nn.textbook.backprop import (
    activations,
    backward_matrix,
    deltas,
    forward,
    gradients,
    hidden_deltas,
    losses,
    output_deltas,
    update,
)

if TYPE_CHECKING:
    from nn.textbook.worksheets import check_worksheet, worksheet

__all__ = [
    "forward", "output_deltas", "hidden_deltas", "deltas", "gradients", "update", "backward_matrix",
    "activations", "losses", "worksheet", "check_worksheet",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Import the worksheets when they are first used."""
    if name not in ("worksheet", "check_worksheet"):
        raise AttributeError(f"module 'nn.textbook' has no attribute {name!r}")
    from nn.textbook import worksheets

    return getattr(worksheets, name)
