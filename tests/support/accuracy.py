"""Measure the error of each row of the table against 50 digits, at difficult inputs.

Errors are in ulp, the distance between neighbouring floats. Each comes with the condition of the problem: by
how many ulp the exact result changes when an input changes by one ulp. No formula can do much better.
"""

import itertools
import math
import random
from dataclasses import dataclass

import mpmath
from mpmath import mp, mpf
from support import witness
from support.table import ROWS

from engine import Value, no_grad, ops

HUGE = 1.7976931348623157e308
DIFFICULT = [
    0.0, 5e-324, 1e-320, 2.2250738585072014e-308, 1e-300, 1e-155, 1e-17, 1e-16, 1e-8, 1e-3, 0.5, 1.0 - 2**-53,
    1.0, 1.0 + 2**-52, math.pi / 4, math.pi / 2, math.e, math.pi, 7.0, 19.0, 36.0, 40.0, 88.0, 350.0, 700.0,
    709.0, 745.0, 1000.0, 1e8, 1e16, 1e155, 1e300, HUGE,
]  # fmt: skip
PAIRED = [0.0, 5e-324, 1e-300, 0.5, 1.0 + 2**-52, 3.0, 35.5, 1000.0, 1e300]
MOVE = 4  # a result may be off by this many ulp, plus the effect of changing an input by this many ulp


def either_sign(xs):
    return sorted({sign * x for x in xs for sign in (1, -1)})


def points(op, count=40):
    """Yield difficult inputs, kinks and both sides of them, and random points: the same ones each time."""
    rng, arity = random.Random(1), len(op.partials)
    yield from itertools.product(either_sign(DIFFICULT if arity == 1 else PAIRED), repeat=arity)
    for kink in op.kinks:
        yield kink
        yield from witness.neighbours(*kink)
    for _ in range(count):
        yield tuple(rng.uniform(-4, 4) for _ in range(arity))
        yield tuple(rng.choice((-1, 1)) * 10 ** rng.uniform(-30, 30) for _ in range(arity))


@dataclass(frozen=True)
class Error:
    """One comparison: the row's result, the exact result, and the distance between them."""

    where: tuple[float, ...]
    got: float
    exact: mpf
    moves: float  #: by how many ulp the exact result changes when an input changes by one ulp

    @property
    def ulps(self):
        return witness.off_by(self.got, self.exact)

    @property
    def absolute(self):
        return abs(mpf(self.got) - self.exact)

    @property
    def allowed(self):
        return self.ulps <= MOVE * (1 + self.moves)


def real(f, *data):
    """Return ``f`` at 50 digits; None where it is not a finite real number."""
    try:
        y = f(*map(mpf, data))
    except (ZeroDivisionError, ValueError):
        return None
    return y if isinstance(y, mpf) and mp.isfinite(y) else None


def outcome(f, *args):
    """Return the result of a call, or the error that it raises."""
    try:
        return f(*args)
    except (ArithmeticError, ValueError) as error:
        return error


def compare(got, f, data):
    """Return an Error; None if both agree that there is no number, or none that a float can hold."""
    exact = real(f, *data)
    if isinstance(got, OverflowError) and exact is not None:
        return None if abs(exact) > HUGE else Error(data, math.inf, exact, 0.0)
    if isinstance(got, Exception):
        assert exact is None, f"{got!r}, but it is {mpmath.nstr(exact, 17)}"
        return None
    assert exact is not None, f"{got} at {data}, where the function is not defined"
    near = [real(f, *point) for point in witness.neighbours(*data)]
    return Error(data, got, exact, max((witness.ulps(y, exact) for y in near if y is not None), default=0.0))


def value_error(op, *data):
    """Compare the row's value with an independent definition, or else with its own formula at 50 digits."""
    f = witness.definition(op.symbol) or (lambda *data: witness.value(op, *data))
    return compare(outcome(op.value, *data), f, data)


def derivative_error(op, position, *data):
    """Compare the row's derivative with that of its formula at 50 digits; None where there is no value."""
    parents = [Value(x) if i == position else x for i, x in enumerate(data)]
    with no_grad():
        y = outcome(op, *parents)
    if isinstance(y, Exception) or (y.data == 0 and witness.value(op, *data) != 0):
        return None  # no value, or one too small for a float, which has no meaningful derivative
    node = outcome(op, *parents)
    got = node if isinstance(node, Exception) else node.local_gradients()[position]
    return compare(got, lambda *data: witness.derivative(op, position, *data), data)


def edges():
    """Return every row with each of its positions; None stands for its value."""
    return [(op, position) for op in ROWS.values() for position in (None, *range(len(op.partials)))]


def error(op, position, *data):
    """Return the error of the value (position None) or of one derivative."""
    return value_error(op, *data) if position is None else derivative_error(op, position, *data)


def worst(op, position, data=None):
    """Return the error that is largest relative to the condition of the problem."""
    found = [error(op, position, *point) for point in data or points(op)]
    return max(filter(None, found), key=lambda error: error.ulps / (1 + error.moves))  # an overflow: inf


def name(it):
    return it.symbol if isinstance(it, ops.Op) else "y" if it is None else f"∂y/∂{'ab'[it]}"
