"""The program over whole columns: the same source, in which a name stands for the numbers of many samples."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import TypeAlias, cast

import numpy as np
from numpy import arccos as acos  # noqa: F401
from numpy import arccosh as acosh  # noqa: F401
from numpy import arcsin as asin  # noqa: F401
from numpy import arcsinh as asinh  # noqa: F401
from numpy import arctan as atan  # noqa: F401
from numpy import arctan2 as atan2  # noqa: F401
from numpy import arctanh as atanh  # noqa: F401
from numpy import (  # noqa: F401 (for the source)
    ceil,
    cos,
    cosh,
    exp,
    expm1,
    floor,
    inf,
    log,
    log1p,
    nan,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

from engine.compiler.backends.arrays import ArrayFunction, Layout, find_matrices, has_nan
from engine.compiler.compiled import Columns, Numbers, check_counts
from engine.compiler.ir import IR
from engine.compiler.matrices import Matrices
from engine.compiler.matrix_source import matrix_source
from engine.compiler.source import ColumnSource, source

Column: TypeAlias = "np.ndarray | float"  # a value that is the same for all samples is a float

pow = np.float_power


def one_by_one(f: Callable[[float], float]) -> Callable[[Column], Column]:
    """Return a function of numbers as a function of columns and numbers."""
    many = np.vectorize(f, otypes=[np.float64])
    return lambda x: many(x) if isinstance(x, np.ndarray) else f(x)


erf, erfc = one_by_one(math.erf), one_by_one(math.erfc)


def where(test: np.ndarray | bool, then: Column, other: Column) -> Column:
    """Return ``then if test else other``, sample by sample."""
    return np.where(test, then, other) if isinstance(test, np.ndarray) else then if test else other


def choose(
    test: np.ndarray | bool, then: Callable[..., Column], other: Callable[..., Column], *args: Column
) -> Column:
    """Return ``then if test else other``; each branch runs only on the samples that take it."""
    if not isinstance(test, np.ndarray):
        return then(*args) if test else other(*args)
    shape = np.broadcast_shapes(test.shape, *[np.shape(arg) for arg in args])
    result: np.ndarray = np.empty(shape)
    if test.all() or not test.any():  # mostly all samples take one branch
        result[...] = (then if test.all() else other)(*args)
        return result
    chosen: np.ndarray = np.broadcast_to(test, shape)
    arrays = [np.broadcast_to(arg, shape) if isinstance(arg, np.ndarray) else arg for arg in args]
    for taken, branch in (chosen, then), (~chosen, other):
        result[taken] = branch(*(arg[taken] if isinstance(arg, np.ndarray) else arg for arg in arrays))
    return result


def rows(*parts: np.ndarray) -> np.ndarray:
    """Return the rows of all parts, one below the other."""
    samples = max(part.shape[1] for part in parts)
    array: np.ndarray = np.concatenate([
        part if part.shape[1] == samples else np.broadcast_to(part, (len(part), samples)) for part in parts
    ])  # fmt: skip
    return array


def put(part: Column, index: slice | list[int], size: int) -> np.ndarray:
    """Return ``size`` rows of zeros, to which the rows of ``part`` are added at the places ``index``."""
    array = np.atleast_2d(part)
    result: np.ndarray = np.zeros((size, array.shape[1]))
    if isinstance(index, slice):
        result[index] = array
    else:
        np.add.at(result, index, array)
    return result


def first(array: np.ndarray) -> np.ndarray:
    """Return 1 where the greatest number of each column stands first, and 0 elsewhere; 0 for a NaN."""
    chosen = array.argmax(0) == np.arange(len(array))[:, None]
    result: np.ndarray = (chosen & (array == array)).astype(np.float64)
    return result


def exps(array: np.ndarray, greatest: np.ndarray) -> np.ndarray:
    """Return exp(a - m) for each number a, where m is the greatest of its column.

    Where m is infinite, it is 1 for the first a that equals m, and 0 for the others.
    """
    finite = np.isfinite(greatest)
    if finite.all():
        result: np.ndarray = exp(array - greatest)
        return result
    with np.errstate(invalid="ignore"):
        result = exp(array - greatest)
    np.copyto(result, first(array), where=~finite & (array == greatest))
    return result


def others(array: np.ndarray) -> np.ndarray:
    """Return the sum of each column without its first greatest number."""
    rest = array.copy()
    rest[array.argmax(0), np.arange(array.shape[1])] = 0.0
    sums: np.ndarray = np.add.reduce(rest, 0, keepdims=True)
    return sums


class NumpyFunction(ArrayFunction):
    """Runs NumPy; the gradients and the further outputs are float64 arrays.

    Nodes that do the same to different numbers are one array, so that a layer is a matrix product. A program
    of few such nodes is run line by line.

    Attributes:
        source: the code that is run.
    """

    def __init__(self, program: IR) -> None:
        super().__init__(program)
        matrices = find_matrices(program)
        self.source = matrix_source(matrices) if matrices else source(program, ColumnSource)
        step = self.load(self.source, "traced program over columns", "step")
        self._run = MatrixStep(matrices, step, program) if matrices else LineStep(step)

    def check(self, parameters: Numbers, columns: Columns) -> tuple[np.ndarray, list[np.ndarray], int]:
        """Return the same as the base class; an array of all columns stays one, and is checked at once."""
        if not (isinstance(columns, np.ndarray) and columns.ndim == 2 and columns.dtype == np.float64):
            return super().check(parameters, columns)
        check_counts(self.program, parameters, columns)
        if not columns.size or has_nan(columns):
            return super().check(parameters, list(columns))  # which names the column
        numbers = self.named_numbers(parameters)
        return numbers, cast("list[np.ndarray]", columns), columns.shape[1]

    def run(
        self, parameters: np.ndarray, columns: list[np.ndarray], samples: int
    ) -> tuple[float, np.ndarray, list[np.ndarray]]:
        results = self._results(parameters, columns, samples)
        with np.errstate(over="ignore", invalid="ignore"):  # `rescue` computes a mean whose sum overflows
            mean = reduce(add, [total(value, count) for count, (value, *_), _ in results])
            gradients = reduce(add, [gradients for _, _, gradients in results])
        return float(mean / samples), gradients, joined(results)[1:] if self.program.many else []

    def run_outputs(
        self, parameters: np.ndarray, columns: list[np.ndarray], samples: int
    ) -> list[np.ndarray]:
        return joined(self._results(parameters, columns, samples))

    def _results(self, parameters: np.ndarray, columns: list[np.ndarray], samples: int) -> list[Part]:
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
                return list(self._parts(parameters, columns, samples))
        except (ArithmeticError, ValueError):
            self.raise_domain_error(parameters, columns)
        with np.errstate(all="ignore"):  # a sum or a product overflowed, which is allowed
            return list(self._parts(parameters, columns, samples))

    def _parts(self, parameters: np.ndarray, columns: list[np.ndarray], samples: int) -> Iterator[Part]:
        step, size = self._run.start(parameters, samples), self._run.samples
        for first in range(0, samples, size):
            part = columns if samples <= size else [column[first : first + size] for column in columns]
            count = min(size, samples - first)
            yield count, *step(part, count)


Part: TypeAlias = tuple[int, list[Column], np.ndarray]  # the number of samples, the outputs, the gradients
Step: TypeAlias = "Callable[[Sequence[np.ndarray], int], tuple[list[Column], np.ndarray]]"


class LineStep:
    """Runs the program line by line, on one array for each value."""

    samples = 1024  # enough to make NumPy's overhead small, few enough to keep the columns in the cache

    def __init__(self, step: Callable[..., tuple[Column, list[Column], list[Column]]]) -> None:
        self._step = step

    def start(self, parameters: np.ndarray, samples: int) -> Step:
        """Return a function of the columns of some samples, and of their number.

        It returns the outputs, and the part of these samples in the mean gradients.
        """
        shared = parameters.tolist()

        def step(columns: Sequence[np.ndarray], count: int) -> tuple[list[Column], np.ndarray]:
            value, gradients, *others = self._step(shared, columns)
            sums = np.array([total(gradient, count) for gradient in gradients])
            outputs = [value, *(others[0] if others else [])]
            return [x.copy() if isinstance(x, np.ndarray) else x for x in outputs], sums / samples

        return step


class MatrixStep:
    """Runs the program on matrices."""

    samples = 8192

    def __init__(
        self,
        matrices: Matrices,
        step: Callable[..., tuple[Column, list[Column], list[Column]]],
        program: IR,
    ) -> None:
        self._step, self._size = step, len(program.graph.parameters) if program.graph.backward else 0
        self._parameters = [Layout(block) for block in matrices.parameters]
        self._inputs = [Layout(block) for block in matrices.inputs]
        counts: np.ndarray = np.zeros(self._size, int)
        for layout in self._parameters if self._size else ():
            np.add.at(counts, layout.positions, 1)
        self._all = bool((counts == 1).all())
        self._sums = np.zeros(self._size)
        self._views = [layout.view(self._sums) for layout in self._parameters]
        self._lock = threading.Lock()  # one call at a time may use the sums

    def start(self, parameters: np.ndarray, samples: int) -> Step:
        """Return the same as `LineStep.start`."""
        blocks = [layout.read(parameters) for layout in self._parameters]

        def step(columns: Sequence[np.ndarray], count: int) -> tuple[list[Column], np.ndarray]:
            array = np.asarray(columns)
            inputs = [layout.read_rows(array) for layout in self._inputs]
            value, gradients, others = self._step(blocks, inputs, count)
            outputs = [row for output in (value, *others) for row in rows_of(output)]
            return outputs, self._part(gradients, samples)

        return step

    def _part(self, gradients: list[Column], samples: int) -> np.ndarray:
        """Return the derivatives with respect to each block, divided by ``samples``, as one flat array."""
        with self._lock:
            if not self._all:
                self._sums[:] = 0.0
            for layout, view, gradient in zip(self._parameters, self._views, gradients):
                if view is None:
                    np.add.at(self._sums, layout.positions, gradient)
                elif self._all:
                    view[...] = gradient
                else:
                    view += gradient
            part: np.ndarray = self._sums / samples
        return part


def rows_of(output: Column) -> list[Column]:
    """Return the rows of an output; a float for one that is the same for all samples."""
    if not isinstance(output, np.ndarray):
        return [output]
    return [*output.copy()] if output.shape[1] > 1 else output[:, 0].tolist()


def total(column: Column, count: int) -> float:
    """Return the sum over the samples; a value that is the same for all of them is one number."""
    return float(np.add.reduce(column)) if isinstance(column, np.ndarray) else column * count


def joined(parts: list[Part]) -> list[np.ndarray]:
    """Return each output as one array."""
    counts = [count for count, _, _ in parts]
    outputs = zip(*(outputs for _, outputs, _ in parts))
    if len(parts) == 1:
        return [np.full(counts[0], x) if isinstance(x, float) else x for (x,) in outputs]
    return [np.concatenate([np.broadcast_to(x, n) for x, n in zip(output, counts)]) for output in outputs]


BACKEND = NumpyFunction
