"""The base class of the backends on arrays: numbers become float64 arrays, and are checked as such."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.compiler.compiled import BackendFunction, as_floats, refuse_nan


def has_nan(array: np.ndarray) -> bool:
    """Return whether a NaN is among the numbers: it is then also their maximum."""
    greatest = np.maximum.reduce(array, initial=0.0)
    return bool(greatest != greatest)


class ArrayFunction(BackendFunction[np.ndarray]):
    """A compiled program whose columns and gradients are arrays."""

    def numbers(self, given: object, what: str, names: Sequence[str] = ()) -> np.ndarray:
        array: np.ndarray = np.asarray(given if hasattr(given, "__array__") else as_floats(given, what))
        if array.ndim != 1:
            raise ValueError(f"{what}: expected one dimension, not the shape {array.shape}")
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{what}: expected real numbers, not the dtype {array.dtype}")
        floats: np.ndarray = array if array.dtype == np.float64 else array.astype(np.float64)
        if has_nan(floats):
            refuse_nan(what, int(np.isnan(floats).argmax()), names)
        return floats
