"""Small data sets, tables in CSV files, and how to split and standardise them."""

from engine import did_you_mean
from nn.data.csv_file import Table, read_csv
from nn.data.datasets import (
    breast_cancer,
    circles,
    digits,
    get_dataset,
    iris,
    moons,
    scales,
    spirals,
    split,
    standardise,
    table,
    xor,
)

__all__ = [
    "Table", "breast_cancer", "circles", "digits", "get_dataset", "iris", "moons", "read_csv", "scales",
    "spirals", "split", "standardise", "table", "xor",
]  # fmt: skip


def __getattr__(name: str) -> object:
    raise AttributeError(f"module 'nn.data' has no attribute {name!r}{did_you_mean(name, __all__)}")
