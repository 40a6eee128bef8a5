"""Small data sets, and how to split and standardise them."""

from engine import did_you_mean
from nn.data.datasets import (
    breast_cancer,
    circles,
    digits,
    get_dataset,
    iris,
    moons,
    spirals,
    split,
    standardise,
    table,
    xor,
)

__all__ = [
    "breast_cancer", "circles", "digits", "get_dataset", "iris", "moons", "spirals", "split", "standardise",
    "table", "xor",
]  # fmt: skip


def __getattr__(name: str) -> object:
    raise AttributeError(f"module 'nn.data' has no attribute {name!r}{did_you_mean(name, __all__)}")
