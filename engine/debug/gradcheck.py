"""Compare gradients with finite differences: move an input a little, and see how the result changes."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from engine.core.backward import topological_order
from engine.core.closures import OwnOperation, symbol_of
from engine.core.grad import grad
from engine.core.messages import brief
from engine.core.node_factories import node_factory
from engine.core.op import Op, Operation, get_op
from engine.core.value import Number, Value
from engine.debug.bounded import bounded

NOISE = 16 * sys.float_info.epsilon  # the rounding error of a result, relative to the greatest number in it
ROWS = 40  # rows that a report shows at most: first the wrong ones, then those with the largest errors
HEADINGS = ("", "at", "autograd", "finite difference", "error", "")


class Comparison(NamedTuple):
    """One gradient of autograd, compared with finite differences."""

    what: str  #: the input, or the operation and its edge
    at: str  #: the numbers at which it was checked
    autograd: float
    left: float  #: the difference quotient to the left
    right: float  #: the difference quotient to the right
    noise: float  #: the possible error of the finite difference
    rtol: float  #: the relative difference that still counts as agreement
    kink: bool = False  #: whether left and right differ by more than the curvature explains
    own: bool = False  #: whether it is an edge of a closure, which is checked only within the whole function

    @property
    def finite_difference(self) -> float:
        """The central difference: the mean of left and right."""
        return (self.left + self.right) / 2

    @property
    def error(self) -> float:
        """The distance of autograd from the finite difference; at a kink, from the interval [left, right]."""
        if not self.kink:
            return abs(self.autograd - self.finite_difference)
        low, high = sorted((self.left, self.right))
        return max(low - self.autograd, self.autograd - high, 0.0)

    @property
    def close(self) -> bool:
        """Whether the error is within the relative tolerance; False if one of the numbers is a NaN."""
        return self.error <= self._tolerance

    @property
    def agrees(self) -> bool:
        """Whether tolerance and noise explain the error; False if one of the numbers is a NaN."""
        return self.own or self.error <= self.noise + self._tolerance

    @property
    def _tolerance(self) -> float:
        sides = [self.left, self.right] if self.kink else [self.finite_difference]
        return self.rtol * max(abs(self.autograd), *map(abs, sides))

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the row as texts, in the order of HEADINGS."""
        numbers = [f"{x:.10g}" for x in (self.autograd, self.finite_difference, self.error)]
        if self.own:
            return self.what, self.at, numbers[0], "", "", "own closure, not checked alone"
        verdict = [] if self.agrees else ["WRONG"]
        if self.kink:
            verdict.append(f"kink: left {self.left:.10g}, right {self.right:.10g}")
        elif self.agrees and not self.close:
            verdict.append(f"within noise of {self.noise:.2g}")
        return self.what, self.at, *numbers, ", ".join(verdict)


class Report:
    """The result of `gradcheck`: it is true if everything agrees, and prints as a table.

    Attributes:
        inputs: one Comparison for each input, of the whole function.
        edges: one Comparison for each edge of the graph, of one operation.
    """

    def __init__(self, inputs: Sequence[Comparison], edges: Sequence[Comparison]) -> None:
        self.inputs, self.edges = list(inputs), list(edges)

    def __bool__(self) -> bool:
        return not self.wrong

    @property
    def wrong(self) -> list[Comparison]:
        """The rows that disagree; edges come first, as a wrong edge explains wrong inputs."""
        return [row for row in self.edges + self.inputs if not row.agrees]

    def summary(self) -> str:
        """Return one line with the number of checks, and the names of wrong rows."""
        counts = {"input": len(self.inputs), "edge": len(self.edges)}
        checked = " and ".join(f"{n} {what}{'s' * (n != 1)}" for what, n in counts.items()) + " checked"
        wrong = ", ".join(dict.fromkeys(row.what for row in self.wrong))
        return f"{checked}: {f'{len(self.wrong)} WRONG: {wrong}' if wrong else 'all agree'}"

    def _rows(self) -> list[tuple[str, ...]]:
        rows = sorted(self.inputs + self.edges, key=lambda row: (row.agrees, row.close, -row.error))
        return [row.cells() for row in rows[:ROWS]]

    def __str__(self) -> str:
        table = [HEADINGS, *self._rows()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
        return "\n".join((self.summary(), *lines))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        rows = self._rows()
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
        return f"<p>{escape(self.summary())}</p><table><tr>{head}</tr>{body}</table>"


def gradcheck(
    f: Callable[..., Number], xs: Sequence[Number], eps: float = 1e-6, rtol: float = 1e-5
) -> Report:
    """Compare each gradient of ``f`` at ``xs``, and each local gradient, with finite differences.

    If the differences to the left and to the right do not agree, there is a kink: every gradient between
    them counts as right, and the table shows both.

    Args:
        f: a function of Values that returns one Value, such as an Op. It may itself call `grad`.
        xs: the point: a number or a Value for each argument. Values may be parameters that ``f`` reads.
        eps: how far to move an input, relative to a number greater than 1.
        rtol: the relative difference that still counts as agreement.

    Raises:
        TypeError: ``f`` is not a function that returns a Value, or ``xs`` is not a list of numbers.
        ValueError: ``f`` returns different numbers at the same point, or ``eps`` is not a small positive
            number.

    >>> from engine import tanh
    >>> report = gradcheck(lambda x, w: tanh(w * x), [0.5, -2.0])
    >>> print(report.summary())
    2 inputs and 3 edges checked: all agree
    """
    if not callable(f):
        raise TypeError(f"f is a function of Values, not {type(f).__name__}: {brief(f)}")
    if not isinstance(xs, Iterable):
        raise TypeError(f"xs is a list, such as [0.5], not {type(xs).__name__}: {brief(xs)}")
    _check_eps(eps)
    values = [x if isinstance(x, Value) else Value(x, f"x{i}") for i, x in enumerate(xs)]

    def call() -> Value:
        with node_factory(None):  # record even under no_grad, so that f may differentiate
            root = f(*values)
        if not isinstance(root, Value):
            raise TypeError(f"f should return a Value, not {type(root).__name__}: {brief(root)}")
        return root

    root, again = call(), call()
    if root.data != again.data and not (math.isnan(root.data) and math.isnan(again.data)):
        raise ValueError(
            f"f returned {root.data} and then {again.data} at the same point: it has no gradient to check"
        )

    def at(value: Value, x: float) -> float:
        kept, value.data = value.data, x
        try:
            return call().data
        finally:
            value.data = kept

    order = topological_order(root)
    gradients = grad(root, order)
    scale = greatest_of(node.data * gradient for node, gradient in zip(order, gradients, strict=True))
    inputs = []
    for i, (value, gradient) in enumerate(zip(values, grad(root, values), strict=True)):
        name, point = bounded(value.label) or f"x{i}", f"{value.data:.6g}"
        left, right, noise, kink = difference_quotients(
            functools.partial(at, value), value.data, eps, scale, rtol
        )
        inputs.append(Comparison(name, point, gradient, left, right, noise, rtol, kink))
    return Report(inputs, [edge for node in order for edge in _edges(node, eps, rtol)])


def check_row(op: Op | str, eps: float = 1e-6, rtol: float = 1e-5) -> Report:
    """Compare the derivatives of a row with finite differences, at the points that the row names.

    At a kink, the derivative must be the one that the row states, and lie between those on both sides.

    Args:
        op: the row, or its symbol.
        eps, rtol: see `gradcheck`.

    Raises:
        TypeError: ``op`` is not a row.
        ValueError: there is no operation of that symbol, or the row names no points.

    >>> bool(check_row("tanh"))
    True
    """
    row: Operation | str = get_op(op) if isinstance(op, str) else op
    if not isinstance(row, Op):
        raise TypeError(f"expected an Op or its symbol, not {type(op).__name__}: {brief(op)}")
    _check_eps(eps)
    if not row.at:
        raise ValueError(f"the row {row.symbol} names no points: make it with at=[...]")
    smooth = [edge for point in row.at for edge in _edges(row(*map(Value, point)), eps, rtol)]
    kinks = []
    for point, picks in row.kinks.items():
        for letter, pick, edge in zip("ab", picks, _edges(row(*map(Value, point)), eps, rtol), strict=False):
            what = f"{symbol_of(row)}: ∂y/∂{letter} picked"
            kinks.append(Comparison(what, edge.at, edge.autograd, pick, pick, noise=0.0, rtol=0.0))
            # a NaN where one of the sides is outside the domain; at a jump both quotients have no limit
            if not math.isnan(edge.left) and not _jumps(row, point):
                kinks.append(edge)
    return Report([], smooth + kinks)


def _jumps(row: Op, point: tuple[float, ...]) -> bool:
    """Return whether a neighbouring float has a value that is far from the one at ``point``."""
    y = row.value(*point)
    near = [
        (*point[:i], math.nextafter(x, towards), *point[i + 1 :])
        for i, x in enumerate(point)
        for towards in (-math.inf, math.inf)
    ]
    return any(abs(row.value(*neighbour) - y) > 1e-3 * (1 + abs(y)) for neighbour in near)


class Quotients(NamedTuple):
    """The difference quotients at one point, and how exact they are."""

    left: float
    right: float
    noise: float  #: their possible error, from rounding and from the third derivative
    kink: bool  #: whether they differ by more than the curvature explains


def difference_quotients(
    f: Callable[[float], float], x: float, eps: float, scale: float, rtol: float = 1e-5
) -> Quotients:
    """Return the difference quotients of ``f`` to the left and to the right of ``x``.

    Rounding errors are relative to ``scale``, the greatest part of the result. A smaller step is tried if the
    usual one leaves the domain of ``f``, is too long for its curvature, or crosses a kink nearby. If no step
    is possible, all numbers are NaN.
    """
    found = []
    for h in dict.fromkeys([eps * max(1.0, abs(x)), eps * abs(x)]):
        try:
            found.append(_quotients(f, x, h, scale, rtol))
        except (ArithmeticError, ValueError):
            continue
        left, right, noise, kink = found[-1]
        if not kink and noise <= rtol * max(abs(left), abs(right)):
            break
    best = sorted(found, key=lambda quotients: (quotients.kink, quotients.noise))
    return best[0] if best else Quotients(math.nan, math.nan, math.nan, False)


def _quotients(f: Callable[[float], float], x: float, h: float, scale: float, rtol: float) -> Quotients:
    low, high = x - h, x + h
    y = f(x)
    left, right = (y - f(low)) / (x - low), (f(high) - y) / (high - x)
    # Compare with twice the step: there, the error from the third derivative is four times as large, and
    # curvature makes the gap between left and right twice as wide; but the gap of a kink stays the same.
    lowest, highest = f(low - h), f(high + h)
    longer = (highest - lowest) / (4 * h)
    jump = 2 * (right - left) - (highest - 2 * y + lowest) / (2 * h)
    rounding = NOISE * scale / h
    noise = rounding + abs(longer - (left + right) / 2)
    return Quotients(left, right, noise, abs(jump) > 8 * rounding + rtol * max(abs(left), abs(right)))


def greatest_of(numbers: Iterable[float]) -> float:
    """Return the greatest absolute value of the finite numbers; 0.0 if there is none."""
    return max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


def _check_eps(eps: float) -> None:
    if not 0 < eps < 1:
        raise ValueError(f"eps is a small positive number, not {eps}")


def _edges(node: Value, eps: float, rtol: float) -> list[Comparison]:
    """Check each edge from ``node`` to a parent, by moving that parent alone."""
    if node.op is None:
        return []
    data, op, edges = [parent.data for parent in node.parents], node.op, []
    for i, (parent, local) in enumerate(zip(node.parents, node.local_gradients(), strict=True)):
        if parent.constant:
            continue
        letter = bounded(parent.label) or ("ab"[i] if len(data) < 3 else f"parent {i}")
        what = f"{symbol_of(op)}: ∂{bounded(node.label) or 'y'}/∂{letter}"
        if isinstance(op, OwnOperation):
            edges.append(Comparison(what, _point(data), local, local, local, 0.0, rtol, own=True))
            continue

        def at(x: float, i: int = i) -> float:
            return op.value(*data[:i], x, *data[i + 1 :])

        scale = greatest_of((node.data, local * parent.data))
        left, right, noise, kink = difference_quotients(at, parent.data, eps, scale, rtol)
        edges.append(Comparison(what, _point(data), local, left, right, noise, rtol, kink))
    return edges


def _point(data: Sequence[float]) -> str:
    return ", ".join(f"{x:.6g}" for x in data[:3]) + (", …" if len(data) > 3 else "")
