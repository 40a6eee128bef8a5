"""The base class of the backends on arrays: numbers become float64 arrays, and are checked as such."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.compiler.compiled import BackendFunction, as_floats, refuse_nan
from engine.compiler.ir import IR
from engine.compiler.matrices import Block, Matrices


def has_nan(array: np.ndarray) -> bool:
    """Return whether a NaN is among the numbers: it is then also their maximum."""
    greatest = np.maximum.reduce(array, axis=None, initial=0.0)
    return bool(greatest != greatest)


def find_matrices(program: IR) -> Matrices | None:
    """Return a program as one on matrices; None if its nodes are too different for that to pay."""
    return Matrices(program.families) if program.families.pays() else None


class Layout:
    """The places of the numbers of a block in an array of all parameters or all inputs.

    Args:
        block: the block.

    >>> layout = Layout(Block("W", ((0, 1), (3, 4))))
    >>> layout.read(np.arange(6.0))
    array([[0., 1.],
           [3., 4.]])
    """

    def __init__(self, block: Block) -> None:
        self.shape = height, width = len(block.positions), len(block.positions[0])
        first, step = block.regular() or (0, 0)
        self.column = slice(first, first + step * (height - 1) + 1, step) if width == 1 and step else None
        self._rows, self._step = slice(first, first + step * height), step
        self._positions: np.ndarray | None = None if step else np.array(block.positions)

    @property
    def positions(self) -> np.ndarray:
        """The position of each number."""
        if self._positions is None:
            height, width = self.shape
            starts = range(self._rows.start, self._rows.start + height * self._step, self._step)
            self._positions = np.add.outer(np.array(starts), np.arange(width))
        return self._positions

    def view(self, array: np.ndarray) -> np.ndarray | None:
        """Return the block of a flat array of parameters as a view; None if the positions are irregular."""
        if self.column is not None:
            return array[self.column][:, None]
        if self._step and self._rows.stop <= len(array):
            return array[self._rows].reshape(self.shape[0], self._step)[:, : self.shape[1]]
        return None

    def read(self, array: np.ndarray) -> np.ndarray:
        """Return the block of a flat array of parameters."""
        view = self.view(array)
        return array[self.positions] if view is None else view

    def read_rows(self, array: np.ndarray) -> np.ndarray:
        """Return some rows of the inputs."""
        return array[self.positions[:, 0] if self.column is None else self.column]


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
