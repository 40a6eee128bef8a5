"""A compiled program as a function, and the base class of the backends, which checks the arguments."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NoReturn, Protocol, Self, TypeVar, runtime_checkable

from engine.compiler.interpreter import raise_domain_error
from engine.compiler.ir import IR
from engine.core.messages import brief
from engine.core.scalar import as_float
from engine.formula.compile import run_source

A = TypeVar("A", bound="Numbers")


class Numbers(Protocol):
    """A sequence of numbers: a list, a tuple or an array."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[float]: ...


class Columns(Protocol):
    """A sequence of columns: a list, a tuple or an array."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Numbers]: ...


@runtime_checkable
class CompiledFunction(Protocol):
    """A compiled program: ``step(parameters, columns) -> (mean, gradients)``. `Program.compile` returns it.

    Args:
        parameters: one number for each parameter of the program.
        columns: for each input of the program, a sequence of B numbers, one for each sample. A program
            without inputs takes no columns, and B is 1.

    Returns:
        The mean of the output over the B samples, and the derivative of that mean with respect to each
        parameter. A program that was traced from a list of outputs returns ``(mean, gradients, others)``:
        mean and gradients of the first output, and the B values of each further output.

    Raises:
        ValueError: the number of parameters or columns is wrong, columns are empty or differ in length, or a
            number is NaN; then nothing was run. Or a number is outside the domain of an operation, as with
            Values: the message has the sample, the formula, the numbers and the names.
        TypeError: something is not a number.
        ZeroDivisionError, OverflowError: as with Values.

    >>> from engine import Value, log, trace
    >>> x, w = Value(1.0, label="x"), Value(2.0, label="w")
    >>> step = trace(log(w * x), inputs=[x], parameters=[w]).compile("python")
    >>> step([2.0], [[1.0, 0.5]])
    (0.34657359027997264, [0.5])
    >>> step([2.0], [[1.0, -0.5]])
    Traceback (most recent call last):
    ValueError: sample 1: log(a) at a = -1.0 (v1): ...
    """

    program: IR  #: the program that was compiled

    def __call__(self, parameters: Numbers, columns: Columns = ()) -> Any:
        """Return ``(mean, gradients)``, or ``(mean, gradients, others)``."""

    def values(self, parameters: Numbers, columns: Columns = ()) -> Any:
        """Return the B values of the output; for a list of outputs, a list with the B values of each.

        It takes the same arguments and raises the same errors as the function itself, but runs no backward
        pass.
        """


class BackendFunction(CompiledFunction, Generic[A]):
    """Base class of the backends. It checks numbers and converts them to the backend's type A."""

    def __init__(self, program: IR) -> None:
        self.program = program
        self._forward: Self | None = None
        self._forward_lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Self], tuple[IR]]:
        return type(self), (self.program,)  # a copy is compiled again

    def __call__(self, parameters: Numbers, columns: Columns = ()) -> Any:
        mean, gradients, others = self.run(*self.check(parameters, columns))
        if not math.isfinite(mean):
            mean, gradients = self.rescue(parameters, columns, mean, gradients)
        return (mean, gradients, others) if self.program.many else (mean, gradients)

    def rescue(self, parameters: Numbers, columns: Columns, mean: float, gradients: A) -> tuple[float, A]:
        """Return a mean and gradients that are right even if only the sums over the samples overflow.

        The batch is computed in two halves, whose means are averaged; so is each half in turn.
        """
        lists = [list(column) for column in columns]
        samples = len(lists[0]) if lists else 1
        outputs = self.values(parameters, columns)
        if samples == 1 or not all(map(math.isfinite, outputs[0] if self.program.many else outputs)):
            return mean, gradients
        half = samples // 2
        first, second = (
            self(parameters, [c[part] for c in lists]) for part in (slice(half), slice(half, None))
        )
        share = half / samples
        mean = first[0] * share + second[0] * (1 - share)
        pairs = zip(first[1], second[1])
        return mean, self.numbers([a * share + b * (1 - share) for a, b in pairs], "the gradients")

    def values(self, parameters: Numbers, columns: Columns = ()) -> Any:
        outputs = self.forward_only().run_outputs(*self.check(parameters, columns))
        return outputs if self.program.many else outputs[0]

    def forward_only(self) -> Self:
        """Return the compiled program without its backward pass; it is compiled when it is first needed."""
        if not self.program.graph.backward:
            return self
        with self._forward_lock:
            if self._forward is None:
                self._forward = type(self)(self.program.forward())
            return self._forward

    def run(self, parameters: A, columns: list[A], samples: int) -> tuple[float, A, list[A]]:
        """Return the mean, the gradients and the further outputs, for checked arguments."""
        raise NotImplementedError

    def run_outputs(self, parameters: A, columns: list[A], samples: int) -> list[A]:
        """Return the values of every output, for checked arguments."""
        raise NotImplementedError

    def numbers(self, given: object, what: str, names: Sequence[str] = ()) -> A:
        """Return ``given`` as the backend's type of sequence.

        Args:
            given: a sequence of numbers.
            what: its name, for errors.
            names: the names of the numbers; none for the numbers of a column.

        Raises:
            TypeError: something is not a number.
            ValueError: a number is NaN.
        """
        raise NotImplementedError

    def check(self, parameters: Numbers, columns: Columns) -> tuple[A, list[A], int]:
        """Return the parameters and the columns as the backend's type of sequence, and B."""
        check_counts(self.program, parameters, columns)
        numbers = self.named_numbers(parameters)
        arrays = [self.numbers(c, f"column {name}") for name, c in zip(self.program.inputs, columns)]
        lengths = {len(column) for column in arrays} or {1}
        if len(lengths) > 1:
            listed = ", ".join(f"{name}: {len(column)}" for name, column in zip(self.program.inputs, arrays))
            raise ValueError(f"the columns differ in length: {listed}")
        if lengths == {0}:
            raise ValueError("the columns are empty; expected at least one sample")
        return numbers, arrays, lengths.pop()

    def named_numbers(self, parameters: object) -> A:
        """Return the parameters as the backend's type of sequence. The error about a NaN has its name."""
        try:
            return self.numbers(parameters, "the parameters")
        except ValueError:  # the names are written only now: there may be a million of them
            return self.numbers(parameters, "the parameters", self.program.parameters)

    def raise_domain_error(self, parameters: Numbers, columns: Columns) -> None:
        """Raise the error that Values raise for the first sample outside a domain, if there is one."""
        raise_domain_error(self.program, list(map(float, parameters)), [list(map(float, c)) for c in columns])

    def load(self, source: str, title: str, name: str) -> Callable[..., Any]:
        """Return the function ``name`` of generated source. Tracebacks show it while this object exists."""
        import linecache

        function: Callable[..., Any] = run_source(source, title, {})[name]  # type: ignore[assignment]
        forget = weakref.finalize(self, linecache.cache.pop, function.__code__.co_filename, None)
        forget.atexit = False
        return function


def check_counts(program: IR, parameters: object, columns: object) -> None:
    """Raise an error unless there is one number for each parameter and one column for each input."""
    for what, count, given in (
        ("parameter", len(program.graph.parameters), parameters),
        ("column", len(program.graph.inputs), columns),
    ):
        if isinstance(given, (str, bytes)) or not hasattr(given, "__len__"):
            raise TypeError(f"expected a sequence of {what}s, not {type(given).__name__}: {brief(given)}")
        if len(given) != count:
            names = program.inputs if what == "column" else program.parameters
            listed = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
            raise ValueError(f"expected {count} {what}{'s' * (count != 1)} ({listed}), not {len(given)}")


def as_floats(given: object, what: str) -> list[float]:
    """Return ``given`` as a list of floats, or raise an error that begins with ``what``."""
    if hasattr(given, "tolist"):
        if getattr(given, "ndim", 1) != 1:
            raise ValueError(f"{what}: expected one dimension, not the shape {getattr(given, 'shape', '')}")
        given = given.tolist()
    if isinstance(given, (str, bytes)) or not hasattr(given, "__len__") or not hasattr(given, "__iter__"):
        raise TypeError(f"{what}: expected a sequence of numbers, not {type(given).__name__}")
    try:
        return [as_float(x) for x in given]
    except TypeError as error:
        raise TypeError(f"{what}: {error}") from None


def refuse_nan(what: str, i: int, names: Sequence[str]) -> NoReturn:
    """Raise the ValueError for a NaN at position ``i``."""
    raise ValueError(f"{what}: {names[i] if names else f'sample {i}'} is NaN")
