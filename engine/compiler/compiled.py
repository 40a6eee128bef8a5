"""A compiled program as a function of many samples: what every backend checks, and what it gives back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.compiler.interpreter import complain
from engine.core.scalar import as_float

if TYPE_CHECKING:
    from engine.compiler.program import Program


class CompiledFunction:
    """``step(parameters, columns) -> (mean, gradients)``.

    Args:
        parameters: one number for each parameter of the program.
        columns: for each input of the program a sequence of B numbers, one for each sample. A program
            without inputs takes none, and B is 1.

    Returns:
        The mean of the root over the B samples, and its gradient: for each parameter the slope of that mean.

    Raises:
        ValueError: the wrong number of parameters or columns, columns of different lengths or empty, a NaN
            among the numbers; nothing has run. Or, as when Values compute it, a number outside the domain of
            an operation: the message has the sample, the formula, the numbers and the names.
        TypeError: something is not a number.
        ZeroDivisionError, OverflowError: as when Values compute it.

    >>> from engine import Value, log, trace
    >>> x, w = Value(1.0, label="x"), Value(2.0, label="w")
    >>> step = trace(log(w * x), inputs=[x], parameters=[w]).compile("python")
    >>> step([2.0], [[1.0, 0.5]])
    (0.34657359027997264, [0.5])
    >>> step([2.0], [[1.0, -0.5]])
    Traceback (most recent call last):
    ValueError: sample 1: log(a) at a = -1.0 (v1): ...
    """

    def __init__(self, program: Program) -> None:
        self.program = program

    def __call__(self, parameters: Sequence[float], columns: Sequence[Sequence[float]] = ()) -> Any:
        parameters, columns, samples = self.check(parameters, columns)
        return self.run(parameters, columns, samples)

    def values(self, parameters: Sequence[float], columns: Sequence[Sequence[float]] = ()) -> Any:
        """The root for each of the B samples; arguments and errors are those of the step itself."""
        parameters, columns, samples = self.check(parameters, columns)
        return self.each(parameters, columns, samples)

    def run(self, parameters: Any, columns: Any, samples: int) -> Any:
        """What the backend says to it, once the numbers are known to be right."""
        raise NotImplementedError

    def each(self, parameters: Any, columns: Any, samples: int) -> Any:
        """The root of every sample, likewise."""
        raise NotImplementedError

    def check(self, parameters: Any, columns: Any) -> tuple[Any, Any, int]:
        """The numbers as the backend wants them, and B."""
        self.fits("parameter", self.program.parameters, parameters)
        self.fits("column", self.program.inputs, columns)
        parameters = self.numbers(parameters, "the parameters", self.program.parameters)
        columns = [self.numbers(c, f"column {n}") for n, c in zip(self.program.inputs, columns)]
        lengths = {len(column) for column in columns} or {1}
        if len(lengths) > 1:
            told = ", ".join(f"{name}: {len(column)}" for name, column in zip(self.program.inputs, columns))
            raise ValueError(f"the columns differ in length: {told}")
        if lengths == {0}:
            raise ValueError("the columns are empty; expected at least one sample")
        return parameters, columns, lengths.pop()

    def fits(self, what: str, names: Sequence[str], given: Any) -> None:
        """Raise, unless there is one of ``given`` for each name."""
        if isinstance(given, (str, bytes)) or not hasattr(given, "__len__"):
            raise TypeError(f"expected a sequence of {what}s, not {type(given).__name__}")
        if len(given) != len(names):
            listed = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
            raise ValueError(
                f"expected {len(names)} {what}{'s' * (len(names) != 1)} ({listed}), not {len(given)}"
            )

    def numbers(self, given: Any, what: str, names: Sequence[str] = ()) -> Any:
        """``given`` as a list of floats; a backend on arrays makes an array of it."""
        if hasattr(given, "tolist"):
            if getattr(given, "ndim", 1) != 1:
                raise ValueError(f"{what}: expected one dimension, not the shape {given.shape}")
            given = given.tolist()
        if isinstance(given, (str, bytes)) or not hasattr(given, "__len__"):
            raise TypeError(f"{what}: expected a sequence of numbers, not {type(given).__name__}")
        try:
            floats = [as_float(x) for x in given]
        except TypeError as error:
            raise TypeError(f"{what}: {error}") from None
        for i, x in enumerate(floats):
            if math.isnan(x):
                self.refuse_nan(what, i, names)
        return floats

    def refuse_nan(self, what: str, i: int, names: Sequence[str]) -> None:
        raise ValueError(f"{what}: {names[i] if names else f'sample {i}'} is NaN")

    def complain(self, parameters: Any, columns: Any) -> None:
        """Raise as Values would, for the first sample that leaves a domain."""
        complain(self.program, list(map(float, parameters)), [list(map(float, c)) for c in columns])
