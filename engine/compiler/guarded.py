"""A compiled program that checks on every sample the comparisons that Python made while it was traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.compiler.compiled import Columns, CompiledFunction, Numbers, check_counts
from engine.compiler.interpreter import find_failed_guard
from engine.compiler.ir import IR, GuardCheck


class GuardError(ValueError):
    """A comparison came out differently for a sample than for the one that was traced.

    Attributes:
        sample: the number of the sample, counted from 0.
        line: the line of source that compared.

    >>> from engine import Value, trace
    >>> x, w = Value(1.0, label="x"), Value(2.0, label="w")
    >>> step = trace(lambda x: max(0, w * x), inputs=[x], parameters=[w]).compile("python")
    >>> step([2.0], [[1.0, 3.0]])
    (4.0, [2.0])
    >>> step([2.0], [[1.0, -3.0]])
    Traceback (most recent call last):
    engine.compiler.guarded.GuardError: sample 1: Python's comparison in ... comes out differently ...
    """

    def __init__(self, sample: int, guard: GuardCheck) -> None:
        self.sample, self.line = sample, guard.line
        super().__init__(
            f"sample {sample}: Python's comparison in {guard.line} comes out differently than for the sample "
            "that was traced"
        )


class GuardedFunction(CompiledFunction):
    """Runs a program with its guards as further outputs, and checks them.

    Args:
        program: a program with guards.
        backend: what compiles it.
    """

    def __init__(self, program: IR, backend: Callable[[IR], CompiledFunction]) -> None:
        self.program, self._backend = program, backend
        self._inner = backend(program.guarded())

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.program, self._backend)  # a copy is compiled anew

    def __call__(self, parameters: Numbers, columns: Columns = ()) -> Any:
        mean, gradients, others = self._run(self._inner, parameters, columns)
        others = self._checked(others)
        return (mean, gradients, others) if self.program.many else (mean, gradients)

    def values(self, parameters: Numbers, columns: Columns = ()) -> Any:
        outputs = self._checked(self._run(self._inner.values, parameters, columns))
        return outputs if self.program.many else outputs[0]

    def _run(self, run: Callable[..., Any], parameters: Numbers, columns: Columns) -> Any:
        check_counts(self.program, parameters, columns)
        try:
            return run(parameters, columns)
        except (ArithmeticError, ValueError):
            # the branch that was traced may have no value for a sample that takes another one
            rows: Sequence[Sequence[float]] = [list(map(float, column)) for column in columns]
            if any(x != x for row in rows for x in row):
                raise  # a NaN was given
            failed = find_failed_guard(self.program, list(map(float, parameters)), rows)
            if failed is None:
                raise
            raise GuardError(*failed) from None

    def _checked(self, outputs: list[Any]) -> list[Any]:
        """Return the outputs without those of the guards, after checking these."""
        count = len(outputs) - len(self.program.guards)
        for guard, column in zip(self.program.guards, outputs[count:]):
            held = column.all() if hasattr(column, "all") else all(column)
            if not (held if guard.outcome else not (column.any() if hasattr(column, "any") else any(column))):
                sample = next(i for i, holds in enumerate(column) if bool(holds) is not guard.outcome)
                raise GuardError(sample, guard)
        return outputs[:count]
