"""Small data sets, and how to split and standardise them."""

from nn.data.datasets import (
    breast_cancer,
    circles,
    digits,
    iris,
    moons,
    spirals,
    split,
    standardise,
    table,
    xor,
)

__all__ = [
    "breast_cancer", "circles", "digits", "iris", "moons", "spirals", "split", "standardise", "table", "xor",
]  # fmt: skip
