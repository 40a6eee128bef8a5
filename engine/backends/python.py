"""The program in Python itself: its source, run for one sample after another."""

from __future__ import annotations

from collections.abc import Iterable
from operator import add
from typing import TYPE_CHECKING, Any

from engine.backends.step import Step
from engine.notation import run

if TYPE_CHECKING:
    from engine.program import Program


class PythonStep(Step):
    """Runs ``program.source``; the gradients are a list of floats."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._one = run(program.source, "traced program")["step"]

    def run(self, parameters: list[float], columns: list[list[float]], samples: int) -> Any:
        mean, sums = 0.0, [0.0] * len(self.program.gradients)
        for value, gradients in self._results(parameters, columns):
            mean += value
            sums = list(map(add, sums, gradients))
        return mean / samples, [slope / samples for slope in sums]

    def each(self, parameters: list[float], columns: list[list[float]], samples: int) -> list[float]:
        return [value for value, _ in self._results(parameters, columns)]

    def _results(
        self, parameters: list[float], columns: list[list[float]]
    ) -> Iterable[tuple[float, list[float]]]:
        one = self._one
        try:
            for inputs in zip(*columns) if columns else [()]:
                yield one(parameters, inputs)
        except (ArithmeticError, ValueError):
            self.complain(parameters, columns)
            raise


STEP = PythonStep
