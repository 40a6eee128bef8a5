"""The program in Python itself, run for one sample after another."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from engine.compiler.compiled import CompiledFunction
from engine.compiler.loop import loop
from engine.formula.compile import run_source

if TYPE_CHECKING:
    from engine.compiler.program import Program


class PythonStep(CompiledFunction):
    """Runs the program as a loop over the samples; the gradients are a list of floats.

    Attributes:
        source: what is run: the statements of ``program.source``, those that are the same for all samples
            before the loop.
    """

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.source = loop(program)
        self._many = run_source(self.source, "traced program", {})["steps"]

    def run(self, parameters: list[float], columns: list[list[float]], samples: int) -> Any:
        values, sums = self._results(parameters, columns, samples)
        return reduce(add, values, 0.0) / samples, [slope / samples for slope in sums]

    def each(self, parameters: list[float], columns: list[list[float]], samples: int) -> list[float]:
        values, _ = self._results(parameters, columns, samples)
        return values

    def _results(
        self, parameters: list[float], columns: list[list[float]], samples: int
    ) -> tuple[list[float], list[float]]:
        try:
            results: tuple[list[float], list[float]]
            results = self._many(parameters, zip(*columns) if columns else [()], samples)
        except (ArithmeticError, ValueError):
            self.complain(parameters, columns)
            raise
        return results


STEP = PythonStep
