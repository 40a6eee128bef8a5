"""Compute rows, derivatives and whole graphs at 50 digits, independently of the engine.

There are two references for the value of a row: mpmath's function of that name (or the definition below), so
that a wrong formula is caught; and the row's formula at 50 digits, for rows that mpmath does not have.
Derivatives never come from the row: they come from dual numbers, pairs (x, ∂x), and the rules of calculus.
"""

import math
import sys
from typing import NamedTuple

import mpmath
from mpmath import mp, mpf

from engine.formula.tree import Interpreter

mp.dps = 50


def erfc(a):
    return mp.erfc(a) if a < 1e6 else mpf(0)  # beyond, mpmath raises, and no float is that small


def erf(a):
    return mp.erf(a)


#: Operations that mpmath has under another name or not at all.
DEFINITIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "neg": lambda a: -a,
    "abs": abs,
    "max": lambda a, b: b if b > a else a,
    "min": lambda a, b: b if b < a else a,
    "erfc": erfc,
    "relu": lambda a: max(mpf(0), a),
    "leaky_relu": lambda a: a if a > 0 else mpf(0.01) * a,
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "softplus": lambda a: mp.log1p(mp.exp(a)) if a < 1e4 else a,
    "gelu": lambda a: a * erfc(-a / mp.sqrt(2)) / 2,
    "silu": lambda a: a / (1 + mp.exp(-a)),
    "elu": lambda a: a if a > 0 else mp.expm1(a),
    "atan2": lambda a, b: mp.atan2(a, b),
}


def definition(symbol):
    """Return an independent definition of the operation, or None."""
    return DEFINITIONS.get(symbol) or getattr(mpmath, symbol, None)


class Dual(NamedTuple):
    """A number at 50 digits and its derivative."""

    x: mpf
    dx: mpf


def chain(value, derivative, a):
    """Return f(a) as a Dual. The derivative is computed only if a.dx is not 0, as it may not exist."""
    return Dual(value, derivative() * a.dx if a.dx else mpf(0))


class Evaluator(Interpreter):
    """Computes a formula on Duals, by the rules of calculus for each word."""

    RULES = {  # noqa: RUF012
        "neg": (lambda a: -a, lambda a: mpf(-1)),
        "exp": (mp.exp, mp.exp),
        "expm1": (mp.expm1, mp.exp),
        "log": (mp.log, lambda a: 1 / a),
        "log1p": (mp.log1p, lambda a: 1 / (1 + a)),
        "sqrt": (mp.sqrt, lambda a: 1 / (2 * mp.sqrt(a))),
        "sin": (mp.sin, mp.cos),
        "cos": (mp.cos, lambda a: -mp.sin(a)),
        "tan": (mp.tan, lambda a: mp.sec(a) ** 2),
        "tanh": (mp.tanh, lambda a: mp.sech(a) ** 2),
        "erf": (erf, lambda a: 2 * mp.exp(-(a**2)) / mp.sqrt(mp.pi)),
        "erfc": (erfc, lambda a: -2 * mp.exp(-(a**2)) / mp.sqrt(mp.pi)),
        "abs": (abs, lambda a: mp.sign(a)),
        "asin": (mp.asin, lambda a: 1 / mp.sqrt(1 - a * a)),
        "acos": (mp.acos, lambda a: -1 / mp.sqrt(1 - a * a)),
        "atan": (mp.atan, lambda a: 1 / (1 + a * a)),
        "sinh": (mp.sinh, mp.cosh),
        "cosh": (mp.cosh, mp.sinh),
        "asinh": (mp.asinh, lambda a: 1 / mp.sqrt(1 + a * a)),
        "acosh": (mp.acosh, lambda a: 1 / mp.sqrt(a * a - 1)),
        "atanh": (mp.atanh, lambda a: 1 / (1 - a * a)),
        "floor": (mp.floor, lambda a: mpf(0)),
        "ceil": (mp.ceil, lambda a: mpf(0)),
        "sign": (mp.sign, lambda a: mpf(0)),
    }
    TESTS = {  # noqa: RUF012
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }

    def number(self, x):
        return Dual(mpf(x), mpf(0))

    def apply(self, word, *args):
        if word in self.RULES:
            function, derivative = self.RULES[word]
            [a] = args
            return chain(function(a.x), lambda: derivative(a.x), a)
        if word in self.TESTS:
            return self.TESTS[word](*(arg.x for arg in args))
        match word, args:
            case "pi", ():
                return Dual(+mp.pi, mpf(0))
            case "+", (a, b):
                return Dual(a.x + b.x, a.dx + b.dx)
            case "-", (a, b):
                return Dual(a.x - b.x, a.dx - b.dx)
            case "*", (a, b):
                return Dual(a.x * b.x, a.dx * b.x + a.x * b.dx)
            case "/", (a, b):
                return Dual(a.x / b.x, (a.dx - a.x / b.x * b.dx) / b.x)
            case "atan2", (a, b):
                square = a.x * a.x + b.x * b.x
                by_a = chain(mpf(0), lambda: b.x / square, a)
                by_b = chain(mpf(0), lambda: -a.x / square, b)
                return Dual(mp.atan2(a.x, b.x), by_a.dx + by_b.dx)
            case "**", (a, b):
                y = a.x**b.x
                by_base = chain(y, lambda: b.x * a.x ** (b.x - 1) if b.x else mpf(0), a)
                by_exponent = chain(y, lambda: y * mp.log(a.x) if a.x or b.x <= 0 else mpf(0), b)
                return Dual(y, by_base.dx + by_exponent.dx)
        raise AssertionError(f"no rule for the word {word!r}: add one")

    def choose(self, test, then, other):
        return then() if test else other()


def value(op, *data):
    """Return y at 50 digits, by the row's formula."""
    return op.forward(Evaluator(), [Dual(mpf(x), mpf(0)) for x in data]).x


def derivative(op, position, *data):
    """Return ∂y/∂(one input) at 50 digits; at a kink, that of the branch which the formula takes there."""
    return op.forward(Evaluator(), [Dual(mpf(x), mpf(i == position)) for i, x in enumerate(data)]).dx


def ulps(x, exact):
    """Return the distance of a number from the exact one, in ulp of the exact one."""
    return float(abs(mpf(x) - exact) / math.ulp(min(abs(float(exact)), sys.float_info.max)))


def off_by(got, exact):
    """Return the same for a float; infinity is correct for a number too large for a float."""
    if abs(exact) > sys.float_info.max:
        return 0.0 if abs(got) >= sys.float_info.max and (got > 0) == (exact > 0) else math.inf
    return ulps(got, exact) if math.isfinite(got) else math.inf


def neighbours(*data):
    """Yield the points at which one of the numbers is replaced by a neighbouring float."""
    for i, x in enumerate(data):
        for towards in (-math.inf, math.inf):
            yield *data[:i], math.nextafter(x, towards), *data[i + 1 :]


def chain_rule(root):
    """Return ∂root/∂node for every node at 50 digits, and the size of each gradient.

    The size is the sum of the absolute values over all paths; rounding errors are relative to it. The order
    does not come from the engine: a node is ready when all of its children are done.
    """
    children = {root: 0}
    stack = [root]
    while stack:
        for parent in stack.pop().parents:
            if parent not in children:
                children[parent] = 0
                stack.append(parent)
            children[parent] += 1
    gradients, sizes = dict.fromkeys(children, mpf(0)), dict.fromkeys(children, mpf(0))
    gradients[root] = sizes[root] = mpf(1)
    ready = [root]
    while ready:
        node = ready.pop()
        for parent, local in zip(node.parents, node.local_gradients(), strict=True):
            gradients[parent] += gradients[node] * mpf(local)
            sizes[parent] += sizes[node] * abs(mpf(local))
            children[parent] -= 1
            if not children[parent]:
                ready.append(parent)
    return gradients, sizes
