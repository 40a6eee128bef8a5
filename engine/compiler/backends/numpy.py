"""The program over whole columns: the same source, in which a name stands for the numbers of many samples."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import cos, exp, expm1, inf, log, log1p, nan, pi, sin, sqrt, tan, tanh  # noqa: F401 (for the source)

from engine.compiler.backends.arrays import ArrayStep
from engine.compiler.source import Source, source
from engine.formula.compile import run_source
from engine.formula.printers import Text, float_literal

if TYPE_CHECKING:
    from engine.compiler.program import Program

SAMPLES = 1024  # at once: so many that NumPy's overhead is small, so few that the columns stay in the cache

pow = np.float_power


def one_by_one(f: Callable[[float], float]) -> Callable[[Any], Any]:
    """A function of numbers as one of columns, too."""
    many = np.vectorize(f, otypes=[np.float64])
    return lambda x: many(x) if isinstance(x, np.ndarray) else f(x)


erf, erfc = one_by_one(math.erf), one_by_one(math.erfc)


def where(test: Any, then: Any, other: Any) -> Any:
    """``then if test else other``, sample by sample."""
    return np.where(test, then, other) if isinstance(test, np.ndarray) else then if test else other


def choose(test: Any, then: Callable[..., Any], other: Callable[..., Any], *args: Any) -> Any:
    """``where`` for branches that may have no value: each is evaluated only on the samples that take it."""
    if not isinstance(test, np.ndarray):
        return then(*args) if test else other(*args)
    result = np.empty(test.shape)
    for taken, branch in (test, then), (~test, other):
        result[taken] = branch(*(arg[taken] if isinstance(arg, np.ndarray) else arg for arg in args))
    return result


class Columns(Source):
    """Writes the same formulas, but for choices: the branch may differ from sample to sample."""

    module = __name__

    def choose(self, test: Text, then: Callable[[], Text], other: Callable[[], Text]) -> Text:
        first, second = float_literal(then()).text, float_literal(other()).text
        if not re.search(r"[(/]|\*\*", first + second):
            self.imports.add("where")
            return Text(f"where({test.text}, {first}, {second})")
        self.imports.add("choose")
        words = re.findall(r"(?<![\w.])[^\W\d]\w*(?!\w*\()", f"{first} {second}")
        names = ", ".join(word for word in dict.fromkeys(words) if word not in ("lambda", *self.imports))
        return Text(f"choose({test.text}, lambda {names}: {first}, lambda {names}: {second}, {names})")


class NumpyStep(ArrayStep):
    """Runs NumPy; the gradients are a float64 array.

    Attributes:
        source: what is run.
    """

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.source = source(program, Columns)
        self._many = run_source(self.source, "traced program over columns", {})["step"]

    def run(self, parameters: Any, columns: Any, samples: int) -> Any:
        mean, sums = 0.0, np.zeros(len(self.program.gradients))
        for count, value, gradients in self._results(parameters, columns, samples):
            mean += total(value, count)
            sums += [total(gradient, count) for gradient in gradients]
        return float(mean / samples), sums / samples

    def each(self, parameters: Any, columns: Any, samples: int) -> Any:
        results = self._results(parameters, columns, samples)
        return np.concatenate([np.broadcast_to(value, count) for count, value, _ in results])

    def _results(self, parameters: Any, columns: Any, samples: int) -> list[tuple[int, Any, Any]]:
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
                return list(self._parts(parameters, columns, samples))
        except (ArithmeticError, ValueError):
            self.complain(parameters, columns)
        with np.errstate(all="ignore"):  # what overflowed was a sum or a product, which may
            return list(self._parts(parameters, columns, samples))

    def _parts(self, parameters: Any, columns: Any, samples: int) -> Iterator[tuple[int, Any, Any]]:
        shared = parameters.tolist()
        for first in range(0, samples, SAMPLES):
            value, gradients = self._many(shared, [column[first : first + SAMPLES] for column in columns])
            yield min(SAMPLES, samples - first), value, gradients


def total(column: Any, count: int) -> Any:
    """The sum over the samples; what is the same for all of them is one number."""
    return np.add.reduce(column) if isinstance(column, np.ndarray) else column * count


STEP = NumpyStep
