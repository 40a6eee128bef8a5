"""How far each row is from the truth, over points that are meant to hurt. Run me to see the table.

An error is counted in ulp, the distance between neighbouring floats. Beside it stands by how much the truth
itself moves when an input moves by one ulp: an error of that size is the problem's, and not the row's.
"""

import itertools
import math
import random
from dataclasses import dataclass

import mpmath
from mpmath import mp, mpf
from support import witness

from engine import Value, no_grad, ops

HUGE = 1.7976931348623157e308
NASTY = [
    0.0, 5e-324, 1e-320, 2.2250738585072014e-308, 1e-300, 1e-155, 1e-17, 1e-16, 1e-8, 1e-3, 0.5, 1.0 - 2**-53,
    1.0, 1.0 + 2**-52, math.pi / 4, math.pi / 2, math.e, math.pi, 7.0, 19.0, 36.0, 40.0, 88.0, 350.0, 700.0,
    709.0, 745.0, 1000.0, 1e8, 1e16, 1e155, 1e300, HUGE,
]  # fmt: skip
PAIRED = [0.0, 5e-324, 1e-300, 0.5, 1.0 + 2**-52, 3.0, 35.5, 1000.0, 1e300]
MOVE = 4  # so many ulp a result may be off, and by so many ulp an input may be thought to have moved


def either_sign(xs):
    return sorted({sign * x for x in xs for sign in (1, -1)})


def points(op, count=40):
    """Nasty points, the kinks and both sides of them, and the same random points of every size each time."""
    rng, arity = random.Random(1), len(op.partials)
    yield from itertools.product(either_sign(NASTY if arity == 1 else PAIRED), repeat=arity)
    for kink in op.kinks:
        yield kink
        yield from witness.neighbours(*kink)
    for _ in range(count):
        yield tuple(rng.uniform(-4, 4) for _ in range(arity))
        yield tuple(rng.choice((-1, 1)) * 10 ** rng.uniform(-30, 30) for _ in range(arity))


@dataclass(frozen=True)
class Error:
    """One comparison: what the row gave, what is true, and how far they are apart."""

    where: tuple[float, ...]
    got: float
    exact: mpf
    moves: float  #: what one ulp in an input makes of the truth, in ulp of the truth

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
    """What ``f`` gives at 50 digits; None where there is no finite real number."""
    try:
        y = f(*map(mpf, data))
    except (ZeroDivisionError, ValueError):
        return None
    return y if isinstance(y, mpf) and mp.isfinite(y) else None


def outcome(f, *args):
    """What a call comes to: a number, or the error that it raises."""
    try:
        return f(*args)
    except (ArithmeticError, ValueError) as error:
        return error


def compare(got, f, data):
    """An Error; or None if both agree that there is no number, or none that a float can hold."""
    exact = real(f, *data)
    if isinstance(got, OverflowError) and exact is not None:
        return None if abs(exact) > HUGE else Error(data, math.inf, exact, 0.0)
    if isinstance(got, Exception):
        assert exact is None, f"{got!r}, but it is {mpmath.nstr(exact, 17)}"
        return None
    assert exact is not None, f"{got} at {data}, where there is no such number"
    near = [real(f, *point) for point in witness.neighbours(*data)]
    return Error(data, got, exact, max((witness.ulps(y, exact) for y in near if y is not None), default=0.0))


def value_error(op, *data):
    """The row's value beside the function as others know it, or else beside its formula at 50 digits."""
    f = witness.definition(op.symbol) or (lambda *data: witness.value(op, *data))
    return compare(outcome(op.value, *data), f, data)


def slope_error(op, position, *data):
    """The row's slope beside the calculus of its formula at 50 digits; None where the value is no number."""
    parents = [Value(x) if i == position else x for i, x in enumerate(data)]
    with no_grad():
        y = outcome(op, *parents)
    if isinstance(y, Exception) or (y.data == 0 and witness.value(op, *data) != 0):
        return None  # no value, or one that is less than any float: its slope is nobody's
    node = outcome(op, *parents)
    got = node if isinstance(node, Exception) else node.local_gradients()[position]
    return compare(got, lambda *data: witness.derivative(op, position, *data), data)


def edges():
    """Every row with each of its positions; None stands for its value."""
    rows = [op for op in ops.table.values() if isinstance(op, ops.Op)]
    return [(op, position) for op in rows for position in (None, *range(len(op.partials)))]


def error(op, position, *data):
    return value_error(op, *data) if position is None else slope_error(op, position, *data)


def worst(op, position, data=None):
    """The error that has the least excuse."""
    found = [error(op, position, *point) for point in data or points(op)]
    return max(filter(None, found), key=lambda error: error.ulps / (1 + error.moves))  # an overflow: inf


def name(it):
    return it.symbol if isinstance(it, ops.Op) else "y" if it is None else f"∂y/∂{'ab'[it]}"


if __name__ == "__main__":
    print(f"{'row':12}{'':8}{'ulp':>10}{'the truth moves':>18}{'absolute':>10}   at")
    for op, position in edges():
        it = worst(op, position)
        where = ", ".join(f"{x!r}" for x in it.where)
        row = f"{op.symbol:12}{name(position):8}{it.ulps:10.3g}{it.moves:18.3g}{float(it.absolute):10.2g}"
        print(f"{row}   {where}")
