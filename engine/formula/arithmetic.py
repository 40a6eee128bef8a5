"""The words of a formula, and what they compute on floats."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

inf = math.inf

# The sources of the functions defined here are copied into generated programs, so they have no annotations.


def pow(a, b):  # type: ignore[no-untyped-def]
    """a ** b among the real numbers, where Python would turn complex."""
    if -inf < a < 0 and -inf < b < inf and b % 1:
        raise ValueError("a negative number has no real power that is not whole")
    return float(a**b)


def floor(a):  # type: ignore[no-untyped-def]
    """The greatest whole number that is at most a; infinities and NaN are kept."""
    return a // 1.0 if -inf < a < inf else a


def ceil(a):  # type: ignore[no-untyped-def]
    """The least whole number that is at least a; infinities and NaN are kept."""
    return -(-a // 1.0) if -inf < a < inf else a


def sign(a):  # type: ignore[no-untyped-def]
    """-1, 0 or 1; a NaN is kept."""
    return 1.0 if a > 0 else -1.0 if a < 0 else a


#: The functions that a formula may call. Any other word is an operation, and its formula is made of these.
FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": math.exp, "expm1": math.expm1, "log": math.log, "log1p": math.log1p, "sqrt": math.sqrt,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "tanh": math.tanh, "erf": math.erf, "erfc": math.erfc,
    "asin": math.asin, "acos": math.acos, "atan": math.atan, "atan2": math.atan2,
    "sinh": math.sinh, "cosh": math.cosh, "asinh": math.asinh, "acosh": math.acosh, "atanh": math.atanh,
    "abs": abs, "floor": floor, "ceil": ceil, "sign": sign,
}  # fmt: skip
CONSTANTS = {"pi": math.pi}
#: The words of two arguments, beside the operators.
BINARY = {"atan2"}
#: The words that are undefined for some numbers. Python raises an error there; every other backend checks.
PARTIAL = {"/", "**", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan",
           "asin", "acos", "sinh", "cosh", "acosh", "atanh"}  # fmt: skip
#: The words that Python's module math does not have, or not for every float.
OWN: dict[str, Callable[..., float]] = {"pow": pow, "floor": floor, "ceil": ceil, "sign": sign}

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": pow,
    "neg": operator.neg,
}  # fmt: skip

#: Every word that computes.
WORDS: dict[str, Callable[..., float]] = {**ARITHMETIC, **COMPARISONS, **FUNCTIONS}
