"""What the backends on arrays share: numbers come in as float64 arrays, and are checked as such."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.compiler.compiled import CompiledFunction


def has_nan(array: Any) -> bool:
    """Whether a NaN is among the numbers: then it is also the greatest of them."""
    greatest = np.maximum.reduce(array, initial=0.0)
    return bool(greatest != greatest)


class ArrayStep(CompiledFunction):
    """A step whose columns are arrays; the gradients are one, too."""

    def numbers(self, given: Any, what: str, names: Sequence[str] = ()) -> Any:
        """``given`` as a float64 array of one dimension, without a NaN."""
        if type(given) is not np.ndarray:
            given = np.asarray(given if hasattr(given, "__array__") else super().numbers(given, what, names))
        if given.ndim != 1:
            raise ValueError(f"{what}: expected one dimension, not the shape {given.shape}")
        if given.dtype.kind not in "fiub":
            raise TypeError(f"{what}: expected real numbers, not the dtype {given.dtype}")
        array = given if given.dtype == np.float64 else given.astype(np.float64)
        if has_nan(array):
            self.refuse_nan(what, int(np.isnan(array).argmax()), names)
        return array
