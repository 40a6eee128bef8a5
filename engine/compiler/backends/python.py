"""The program as Python, run for one sample after another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TypeAlias

from engine.compiler.compiled import BackendFunction, as_floats, refuse_nan
from engine.compiler.ir import IR
from engine.compiler.source import loop_source

Results: TypeAlias = tuple[list[float], list[float], list[list[float]]]


class PythonFunction(BackendFunction[list[float]]):
    """Runs the program as a loop over the samples; the gradients are a list of floats.

    Attributes:
        source: the code that is run: the statements of ``program.source``, of which those that are the same
            for all samples stand before the loop.
    """

    def __init__(self, program: IR) -> None:
        super().__init__(program)
        self.source = loop_source(program)
        self._steps = self.load(self.source, "traced program", "steps")

    def numbers(self, given: object, what: str, names: Sequence[str] = ()) -> list[float]:
        floats = as_floats(given, what)
        for i, x in enumerate(floats):
            if math.isnan(x):
                refuse_nan(what, i, names)
        return floats

    def run(
        self, parameters: list[float], columns: list[list[float]], samples: int
    ) -> tuple[float, list[float], list[list[float]]]:
        values, sums, others = self._results(parameters, columns, samples)
        return reduce(add, values, 0.0) / samples, [it / samples for it in sums], others

    def run_outputs(
        self, parameters: list[float], columns: list[list[float]], samples: int
    ) -> list[list[float]]:
        values, _, others = self._results(parameters, columns, samples)
        return [values, *others]

    def _results(self, parameters: list[float], columns: list[list[float]], samples: int) -> Results:
        try:
            results: Results = self._steps(parameters, zip(*columns) if columns else [()], samples)
        except (ArithmeticError, ValueError):
            self.raise_domain_error(parameters, columns)
            raise
        return results


BACKEND = PythonFunction
