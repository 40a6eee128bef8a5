"""The exact witness: rows, slopes and whole graphs at 50 digits, by means that share nothing with the engine.

What a row computes is told twice. Once by mpmath's own function of that name (or by its definition in every
textbook, below), so that a wrong formula is caught; and once by the row's formula, read at 50 digits, which
serves rows that mpmath does not know. Slopes are never taken from the row: they come from dual numbers,
pairs (x, ∂x) that obey the rules of calculus word by word.
"""

import math
import sys
from typing import NamedTuple

import mpmath
from mpmath import mp, mpf

from engine.formula.tree import Interpreter

mp.dps = 50


def erfc(a):
    return mp.erfc(a) if a < 1e6 else mpf(0)  # beyond, mpmath gives up, and the floats have ended long ago


def erf(a):
    return mp.erf(a)


#: What mpmath has under another name, or not at all: the definitions, as books have them.
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
}


def definition(symbol):
    """The function of that name as others know it, or None."""
    return DEFINITIONS.get(symbol) or getattr(mpmath, symbol, None)


class Dual(NamedTuple):
    """A number at 50 digits, and how it answers when the inputs are nudged."""

    x: mpf
    dx: mpf


def chain(value, slope, a):
    """A Dual through one function. A slope along which nothing is passed may not exist, and is left alone."""
    return Dual(value, slope() * a.dx if a.dx else mpf(0))


class Evaluator(Interpreter):
    """Reads a formula on Duals. These are the rules of every calculus book, for the words of a formula."""

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
            function, slope = self.RULES[word]
            [a] = args
            return chain(function(a.x), lambda: slope(a.x), a)
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
            case "**", (a, b):
                y = a.x**b.x
                by_base = chain(y, lambda: b.x * a.x ** (b.x - 1) if b.x else mpf(0), a)
                by_exponent = chain(y, lambda: y * mp.log(a.x) if a.x or b.x <= 0 else mpf(0), b)
                return Dual(y, by_base.dx + by_exponent.dx)
        raise AssertionError(f"the witness has no rule for the word {word!r}: give it one")

    def choose(self, test, then, other):
        return then() if test else other()


def value(op, *data):
    """y at 50 digits, as the row's formula has it."""
    return op.forward(Evaluator(), [Dual(mpf(x), mpf(0)) for x in data]).x


def slope(op, position, *data):
    """∂y/∂(one input) at 50 digits; at a kink, that of the branch which the formula takes there."""
    return op.forward(Evaluator(), [Dual(mpf(x), mpf(i == position)) for i, x in enumerate(data)]).dx


def ulps(x, exact):
    """How far a number is from the exact one, in steps between neighbouring floats."""
    return float(abs(mpf(x) - exact) / math.ulp(min(abs(float(exact)), sys.float_info.max)))


def off_by(got, exact):
    """The same for a float, where infinity is right for what no float can hold."""
    if abs(exact) > sys.float_info.max:
        return 0.0 if abs(got) >= sys.float_info.max and (got > 0) == (exact > 0) else math.inf
    return ulps(got, exact) if math.isfinite(got) else math.inf


def neighbours(*data):
    """The points at which one of the numbers is a neighbouring float."""
    for i, x in enumerate(data):
        for towards in (-math.inf, math.inf):
            yield *data[:i], math.nextafter(x, towards), *data[i + 1 :]


def chain_rule(root):
    """∂root/∂node for every node, from the kept local gradients at 50 digits: sums over all paths.

    Beside each gradient stands the sum of the absolute values of its paths, which is what rounding errors
    are relative to. The order of the pass is found here anew, by the number of children yet to come.
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
