"""Backpropagation as textbooks write it, by hand on plain floats; `nn.deltas` compares it with autograd."""

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
from nn.textbook.worksheet import check_worksheet, worksheet

__all__ = [
    "forward", "output_deltas", "hidden_deltas", "deltas", "gradients", "update", "backward_matrix",
    "activations", "losses", "worksheet", "check_worksheet",
]  # fmt: skip
