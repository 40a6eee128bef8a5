"""Nudge an input, see how the result answers, and hold that against the gradient."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from engine.core.backward import topological_order
from engine.core.grad import grad
from engine.core.grad_mode import no_grad
from engine.core.messages import one_line
from engine.core.op import Op
from engine.core.value import Number, Value

NOISE = 16 * sys.float_info.epsilon  # what a value may be off by, relative to the greatest number on the way
ROWS = 40  # a report shows so many rows, the wrong ones and the worst ones first
HEADINGS = ("", "at", "autograd", "finite difference", "error", "")


class Slope(NamedTuple):
    """One gradient, beside what nudging found: the slopes to the left and to the right, and their mean."""

    what: str  #: the input; or the op, and which edge of it
    at: str  #: the numbers at which it was checked
    autograd: float
    left: float
    right: float
    noise: float  #: what the slopes to the left and to the right may be off by
    rtol: float  #: what relative difference still counts as agreement

    @property
    def finite_difference(self) -> float:
        """The central difference: the mean of the slopes to the left and to the right."""
        return (self.left + self.right) / 2

    @property
    def error(self) -> float:
        """How far autograd is from the two slopes. At a kink they differ, and all between them is right."""
        low, high = sorted((self.left, self.right))
        return max(low - self.autograd, self.autograd - high, 0.0 * self.autograd)

    @property
    def agrees(self) -> bool:
        """Whether rounding may explain the error; never so if one of the numbers is a NaN."""
        return self.error <= self.noise + self.rtol * max(abs(self.autograd), abs(self.left), abs(self.right))

    def cells(self) -> tuple[str, ...]:
        """The row as texts, under HEADINGS."""
        numbers = (self.autograd, self.finite_difference, self.error)
        return self.what, self.at, *(f"{x:.10g}" for x in numbers), "" if self.agrees else "WRONG"


class Report:
    """What `gradcheck` found: true if everything agrees, and as text a table.

    Attributes:
        inputs: one Slope for each input, of the whole function.
        edges: one Slope for each edge of the graph, of one operation.
    """

    def __init__(self, inputs: Sequence[Slope], edges: Sequence[Slope]) -> None:
        self.inputs, self.edges = list(inputs), list(edges)

    def __bool__(self) -> bool:
        return not self.wrong

    @property
    def wrong(self) -> list[Slope]:
        """The rows that disagree; edges first, as a wrong edge explains wrong inputs."""
        return [slope for slope in self.edges + self.inputs if not slope.agrees]

    def summary(self) -> str:
        """One line: how much was checked, and what is wrong."""
        counts = {"input": len(self.inputs), "edge": len(self.edges)}
        checked = " and ".join(f"{n} {what}{'s' * (n != 1)}" for what, n in counts.items()) + " checked"
        guilty = ", ".join(dict.fromkeys(slope.what for slope in self.wrong))
        return f"{checked}: {f'{len(self.wrong)} WRONG: {guilty}' if guilty else 'all agree'}"

    def _shown(self) -> list[Slope]:
        return sorted(self.inputs + self.edges, key=lambda s: (s.agrees, -s.error))[:ROWS]

    def __str__(self) -> str:
        table = [HEADINGS, *(slope.cells() for slope in self._shown())]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
        return "\n".join((self.summary(), *lines))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        rows = (slope.cells() for slope in self._shown())
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
        return f"<p>{escape(self.summary())}</p><table><tr>{head}</tr>{body}</table>"


def gradcheck(f: Callable[..., Any], xs: Sequence[Number], eps: float = 1e-6, rtol: float = 1e-5) -> Report:
    """Compare each gradient of ``f`` at ``xs``, and each local gradient on the way, with finite differences.

    Args:
        f: a function of Values that returns one Value; an Op will do.
        xs: where: one number for each argument; or Values, such as the parameters that ``f`` reads.
        eps: by how much to nudge, relative to a number greater than 1.
        rtol: what relative difference still counts as agreement.

    Raises:
        TypeError: ``f`` does not return a Value.
        ValueError: ``eps`` is not a small positive number.

    >>> from engine import tanh
    >>> report = gradcheck(lambda x, w: tanh(w * x), [0.5, -2.0])
    >>> print(report.summary())
    2 inputs and 3 edges checked: all agree
    """
    values = [x if isinstance(x, Value) else Value(x, f"x{i}") for i, x in enumerate(xs)]
    root = f(*values)
    if not isinstance(root, Value):
        raise TypeError(f"f should return a Value, not {type(root).__name__}")
    order = topological_order(root)
    greatest = greatest_of(node.data for node in order)  # what rounding errors on the way are relative to

    def at(value: Value, x: float) -> float:
        kept, value.data = value.data, x
        try:
            with no_grad():
                return float(f(*values).data)
        finally:
            value.data = kept

    inputs = []
    for i, (value, slope) in enumerate(zip(values, grad(root, values), strict=True)):
        left, right, noise = nudge(functools.partial(at, value), value.data, eps, greatest)
        inputs.append(
            Slope(one_line(value.label) or f"x{i}", f"{value.data:.6g}", slope, left, right, noise, rtol)
        )
    return Report(inputs, [edge for node in order for edge in _edges(node, eps, rtol)])


def check_row(op: Op, eps: float = 1e-6, rtol: float = 1e-5) -> Report:
    """Compare the slopes of a row with finite differences, at the points that the row names.

    At a kink, the row's slope has to be the one that it picks, and to lie between those on both sides.

    >>> from engine.core import ops
    >>> bool(check_row(ops.tanh))
    True
    """
    if not op.at:
        raise ValueError(f"the row {op.symbol} names no points: make it with at=[...]")
    smooth = [edge for point in op.at for edge in _edges(op(*map(Value, point)), eps, rtol)]
    kinks = []
    for point, picks in op.kinks.items():
        for letter, pick, edge in zip("ab", picks, _edges(op(*map(Value, point)), eps, rtol), strict=False):
            what = f"{op.symbol}: ∂y/∂{letter} picked"
            kinks.append(edge._replace(what=what, left=pick, right=pick, noise=0.0, rtol=0.0))
            if edge.left == edge.left:  # a NaN where one of the sides is outside the domain
                kinks.append(edge)
    return Report([], smooth + kinks)


def nudge(f: Callable[[float], float], x: float, eps: float, greatest: float) -> tuple[float, float, float]:
    """The slopes of ``f`` to the left and to the right of ``x``, and what they may be off by.

    They are off by rounding errors, relative to the ``greatest`` number on the way, and because ``f`` is no
    straight line: by about as much as the slope changes when the nudge is twice as long. Where the usual
    nudge leaves the domain of ``f``, a smaller one is tried; then the slopes are NaN.
    """
    if not 0 < eps < 1:
        raise ValueError(f"eps is a small positive number, not {eps}")
    for h in (eps * max(1.0, abs(x)), eps * abs(x)):
        low, high = x - h, x + h
        try:
            y = f(x)
            left, right = (y - f(low)) / (x - low), (f(high) - y) / (high - x)
            longer = (f(high + h) - f(low - h)) / (4 * h)
            return left, right, NOISE * greatest / h + abs(longer - (left + right) / 2)
        except (ArithmeticError, ValueError):
            continue
    return math.nan, math.nan, math.nan


def greatest_of(numbers: Iterable[float]) -> float:
    """The greatest in size of those that are finite."""
    return max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


def _edges(node: Value, eps: float, rtol: float) -> list[Slope]:
    """Each edge from ``node`` to a parent, checked by nudging that parent alone."""
    if node.op is None:
        return []
    data = [parent.data for parent in node.parents]
    greatest, op, slopes = greatest_of([*data, node.data]), node.op, []
    for i, (parent, local) in enumerate(zip(node.parents, node.local_gradients(), strict=True)):
        if parent.constant:
            continue
        letter = one_line(parent.label) or ("ab"[i] if len(data) < 3 else f"parent {i}")

        def at(x: float, i: int = i) -> float:
            return op.value(*data[:i], x, *data[i + 1 :])

        left, right, noise = nudge(at, parent.data, eps, greatest)
        what = f"{op.symbol}: ∂{one_line(node.label) or 'y'}/∂{letter}"
        slopes.append(Slope(what, _point(data), local, left, right, noise, rtol))
    return slopes


def _point(data: Sequence[float]) -> str:
    return ", ".join(f"{x:.6g}" for x in data[:3]) + (", …" if len(data) > 3 else "")
