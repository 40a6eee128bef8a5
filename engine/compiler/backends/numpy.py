"""The program over whole columns: the same source, in which a name stands for the numbers of many samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

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

from engine.compiler.backends.arrays import ArrayFunction
from engine.compiler.ir import IR
from engine.compiler.source import Source, source
from engine.formula.arithmetic import FUNCTIONS, PARTIAL
from engine.formula.printers import Text, float_literal
from engine.formula.tree import Formula

SAMPLES = (
    1024  # in one call: enough to make NumPy's overhead small, few enough to keep the columns in the cache
)

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
    result = np.empty(test.shape)
    for taken, branch in (test, then), (~test, other):
        result[taken] = branch(*(arg[taken] if isinstance(arg, np.ndarray) else arg for arg in args))
    return result


class ColumnSource(Source):
    """Writes the same formulas, except for choices: the branch may differ from sample to sample."""

    module = __name__
    calls = False  # whether the text so far calls a function, or divides

    def apply(self, word: str, *args: Text) -> Text:
        self.calls |= word in PARTIAL or (word in FUNCTIONS and word != "abs")
        return super().apply(word, *args)

    def call(self, formula: Formula, *args: Text) -> Text:
        text = super().call(formula, *args)
        self.calls = True
        return text

    def choose(self, test: Text, then: Callable[[], Text], other: Callable[[], Text]) -> Text:
        names, outside, outside_calls = self.names, self.names.used, self.calls
        names.used, self.calls = {}, False
        first, second = float_literal(then()).text, float_literal(other()).text
        used, calls = names.used, self.calls
        names.used, self.calls = outside | used, outside_calls or calls
        if not calls:
            self.imports.add("where")
            return Text(f"where({test.text}, {first}, {second})")
        self.imports.add("choose")
        letters = ", ".join(used)
        return Text(f"choose({test.text}, lambda {letters}: {first}, lambda {letters}: {second}, {letters})")


class NumpyFunction(ArrayFunction):
    """Runs NumPy; the gradients and the further outputs are float64 arrays.

    Attributes:
        source: the code that is run.
    """

    def __init__(self, program: IR) -> None:
        super().__init__(program)
        self.source = source(program, ColumnSource)
        self._step = self.load(self.source, "traced program over columns", "step")

    def run(
        self, parameters: np.ndarray, columns: list[np.ndarray], samples: int
    ) -> tuple[float, np.ndarray, list[np.ndarray]]:
        mean, sums = 0.0, np.zeros(len(self.program.gradients))
        results = self._results(parameters, columns, samples)
        with np.errstate(over="ignore", invalid="ignore"):  # `rescue` computes a mean whose sum overflows
            for count, (value, *_), gradients in results:
                mean += total(value, count)
                sums += [total(gradient, count) for gradient in gradients]
        return float(mean / samples), sums / samples, joined(results)[1:] if self.program.many else []

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
        shared = parameters.tolist()
        for first in range(0, samples, SAMPLES):
            value, gradients, *others = self._step(shared, [c[first : first + SAMPLES] for c in columns])
            yield min(SAMPLES, samples - first), [value, *(others[0] if others else [])], gradients


Part: TypeAlias = tuple[int, list[Column], list[Column]]  # the number of samples, the outputs, the gradients


def total(column: Column, count: int) -> float:
    """Return the sum over the samples; a value that is the same for all of them is one number."""
    return float(np.add.reduce(column)) if isinstance(column, np.ndarray) else column * count


def joined(parts: list[Part]) -> list[np.ndarray]:
    """Return each output as one array."""
    counts = [count for count, _, _ in parts]
    outputs = zip(*(outputs for _, outputs, _ in parts))
    return [np.concatenate([np.broadcast_to(x, n) for x, n in zip(output, counts)]) for output in outputs]


BACKEND = NumpyFunction
