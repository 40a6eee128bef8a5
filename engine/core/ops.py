"""The table of operations: one row each, written as in the back of a calculus book.

This module is the only one that states calculus. A row gives the formula of an operation and its partial
derivatives. Evaluation, gradients of any order, explanations, pictures, source code and machine code all
follow from the row; to add an operation, write one more row. ``textbook`` is the form that people write.
"""

from __future__ import annotations

from engine.core.op import Op, Operation, get_op, shipped, table
from engine.core.reductions import LogSumExp, Total, WeightedSum

__all__ = ["Op", "Operation", "find", "get_op", "table"]

find = get_op  # its name in version 0.1.0

# fmt: off
#            symbol        y = f(a, b)                   ∂y/∂a                    ∂y/∂b
add     = Op("+",         "a + b",                      "1",                     "1",
             at=[(2, 3), (-1, 0.5)])
sub     = Op("-",         "a - b",                      "1",                     "-1",
             at=[(2, 3), (-1, 0.5)])
mul     = Op("*",         "a * b",                      "b",                     "a",
             at=[(2, 3), (-1, 0.5)])
div     = Op("/",         "a / b",                      "1 / b",                 "-y / b",
             at=[(2, 3), (-1, -0.5)], textbook=("a / b", "1 / b", "-a / b**2"))
# below 0.5, b - 1 loses digits of b, and the last factor brings them back; where b is tiny, a ** (b - 1) may
# overflow though the derivative does not; 0 ** 0 is 1 for every a nearby; y = 0 stays 0 for every b nearby
pow     = Op("**",        "a ** b",
             "b * a ** (b - 1) if b >= 0.5"
             " else (0 if abs(a) + abs(b) <= 0 else b / a * y) if abs(b) <= 5e-16"
             " else b * a ** (b - 1) * a ** (b - (b - 1 + 1)) if abs(a) <= 1e307 else b * a ** (b - 1)",
                                                        "0 if abs(y) <= 0 else y * log(a)",
             at=[(2, 3), (0.5, -1.5), (2, 0)], textbook=("a ** b", "b * a ** (b - 1)", "y * log(a)"))

neg     = Op("neg",       "-a",                         "-1",                    at=[-1, 2])
exp     = Op("exp",       "exp(a)",                     "y",                     at=[-1, 2])
expm1   = Op("expm1",     "expm1(a)",                   "exp(a)",                at=[-1, 1e-3],
             textbook=("exp(a) - 1", "exp(a)"))
log     = Op("log",       "log(a)",                     "1 / a",                 at=[0.5, 3])
log1p   = Op("log1p",     "log1p(a)",                   "1 / (1 + a)",           at=[-0.5, 1e-3],
             textbook=("log(1 + a)", "1 / (1 + a)"))
sqrt    = Op("sqrt",      "sqrt(a)",                    "1 / (2 * y)",           at=[0.5, 3])
sin     = Op("sin",       "sin(a)",                     "cos(a)",                at=[-1, 2])
cos     = Op("cos",       "cos(a)",                     "-sin(a)",               at=[-1, 2])
tan     = Op("tan",       "tan(a)",                     "1 + y**2",              at=[-1, 0.5])
tanh    = Op("tanh",      "tanh(a)",                    "1 - y**2",              at=[-1, 0.5])
erf     = Op("erf",       "erf(a)",                     "2 / sqrt(pi) * exp(-(a * a))",  at=[-1, 0.5],
             textbook=("erf(a)", "2 / sqrt(pi) * exp(-a**2)"))
erfc    = Op("erfc",      "erfc(a)",                    "-2 / sqrt(pi) * exp(-(a * a))", at=[-1, 0.5])

# the exponent is never positive, so that nothing overflows
sigmoid = Op("sigmoid",   "1 / (1 + exp(-a)) if a >= 0 else exp(a) / (1 + exp(a))",
                                                        "y * (1 - y)",           at=[-2, 0, 1],
             textbook=("1 / (1 + exp(-a))", "y * (1 - y)"))
softplus = Op("softplus", "a + log1p(exp(-a)) if a > 0 else log1p(exp(a))",
                                                        "sigmoid(a)",            at=[-2, 0, 1],
             textbook=("log(1 + exp(a))", "sigmoid(a)"))
# a times the probability that a standard normal variable is smaller than a
gelu    = Op("gelu",      "0 if a < -40 else a * (erfc(-a / sqrt(2)) / 2)",
             "0 if a < -40 else 1 if a > 40 else"
             " erfc(-a / sqrt(2)) / 2 + a * exp(-(a * a) / 2) / sqrt(2 * pi)",   at=[-2, 0, 1],
             textbook=("a * (1 + erf(a / sqrt(2))) / 2",
                       "(1 + erf(a / sqrt(2))) / 2 + a * exp(-a**2 / 2) / sqrt(2 * pi)"))

# kinks: comparisons with NaN are false, so the last branch must return NaN
maximum = Op("max",       "a if a >= b else b if b > a else a + b",  "a >= b",   "a < b",
             at=[(2, 3), (1, -1)], kinks={(1, 1): (1, 0)}, textbook=("max(a, b)", "a >= b", "a < b"))
minimum = Op("min",       "a if a <= b else b if b < a else a + b",  "a <= b",   "a > b",
             at=[(2, 3), (1, -1)], kinks={(1, 1): (1, 0)}, textbook=("min(a, b)", "a <= b", "a > b"))
relu    = Op("relu",      "0 if a <= 0 else a",         "0 if a <= 0 else 1",    at=[-1, 0.5], kinks={0: 0},
             textbook=("max(0, a)", "0 if a <= 0 else 1"))
leaky_relu = Op("leaky_relu", "0.01 * a if a <= 0 else a", "0.01 if a <= 0 else 1",
                at=[-1, 0.5], kinks={0: 0.01})
abs     = Op("abs",       "abs(a)",                     "(a > 0) - (a < 0)",     at=[-1, 0.5], kinks={0: 0},
             textbook=("abs(a)", "sign(a)"))
# fmt: on

# These two take any number of arguments, so they are written by hand.
weighted_sum = table[WeightedSum.symbol] = WeightedSum()
total = table[Total.symbol] = Total()
shipped.update(table)


from engine.core.more_ops import (  # noqa: E402, I001  (its rows use those above)
    acos as acos, acosh as acosh, asin as asin, asinh as asinh, atan as atan, atan2 as atan2, atanh as atanh,
    ceil as ceil, cosh as cosh, elu as elu, floor as floor, sign as sign, silu as silu, sinh as sinh,
)  # fmt: skip

logsumexp = table[LogSumExp.symbol] = LogSumExp()
