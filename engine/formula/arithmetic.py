"""The words of a formula, and what they compute on floats."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

#: The functions that a formula may call. Any other word is an operation, and its formula is made of these.
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp, "expm1": math.expm1, "log": math.log, "log1p": math.log1p, "sqrt": math.sqrt,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "tanh": math.tanh, "erf": math.erf, "erfc": math.erfc,
    "abs": abs,
}  # fmt: skip
CONSTANTS = {"pi": math.pi}
#: The words that are undefined for some numbers. Python raises an error there; every other backend checks.
PARTIAL = {"/", "**", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan"}

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def pow(a, b):  # type: ignore[no-untyped-def]  # its source is copied into generated programs
    """a ** b among the real numbers, where Python would turn complex."""
    if -inf < a < 0 and -inf < b < inf and b % 1:
        raise ValueError("a negative number has no real power that is not whole")
    return float(a**b)


inf = math.inf

ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": pow,
    "neg": operator.neg,
}  # fmt: skip

#: Every word that computes.
WORDS: dict[str, Callable[..., float]] = {**ARITHMETIC, **COMPARISONS, **FUNCTIONS}
