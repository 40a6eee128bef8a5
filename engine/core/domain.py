"""The errors of operations outside their domain: formula, numbers and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.core.messages import one_line
from engine.formula.printers import StrPrinter, Text
from engine.formula.tree import Interpreter


class Described(Protocol):
    """The methods of an operation that describe it."""

    def letters(self, count: int) -> Sequence[str]: ...

    def text(self, printer: Interpreter[Text], args: Sequence[Text]) -> Text: ...

    def derivative(
        self, position: int, interpreter: Interpreter[Text], args: Sequence[Text], y: Text
    ) -> Text: ...

    def value(self, *data: float) -> float: ...

    def local_gradient(self, position: int, data: Sequence[float], y: float) -> float: ...


def domain_error(
    op: Described, error: Exception, data: Sequence[float], labels: Sequence[str] = ()
) -> Exception:
    """Return ``error`` with the formula, the numbers and the labels in its message.

    >>> from engine import ops
    >>> domain_error(ops.log, ValueError("math domain error"), [-1.0], ["x"])
    ValueError('log(a) at a = -1.0 (x): math domain error')
    """
    what = failing_formula(op, len(data))
    try:
        result = op.value(*data)
    except (ArithmeticError, ValueError):
        pass
    else:  # y exists, so a derivative does not
        for position in range(len(data)):
            try:
                op.local_gradient(position, data, result)
            except (ArithmeticError, ValueError):
                what = failing_formula(op, len(data), position)
                break
    return type(error)(f"{what} at {describe_point(op, data, labels)}: {error.args[-1]}")


def failing_formula(op: Described, count: int, position: int | None = None) -> str:
    """Return the formula that an error is about: y, or its derivative with respect to one of the parents.

    Args:
        op: the operation.
        count: the number of its parents.
        position: the parent; None for y itself.
    """
    letters, printer = [Text(letter) for letter in op.letters(count)], StrPrinter()
    y = op.text(printer, letters).text
    if position is None:
        return y
    derivative = op.derivative(position, printer, letters, Text("y")).text
    return f"the derivative ∂/∂{letters[position].text} of {y}, which is {derivative},"


def describe_point(op: Described, data: Sequence[float], labels: Sequence[str] = ()) -> str:
    """Return where an operation was evaluated: ``a = 2.0 (x), b = 3.0``."""
    letters, labels = op.letters(len(data)), labels or [""] * len(data)
    named = [f" ({one_line(label)})" if label else "" for label in labels]
    return ", ".join(f"{a} = {x}{name}" for a, x, name in zip(letters, data, named))
