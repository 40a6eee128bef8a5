"""Further rows of the table, added after version 0.1.0: a row of the user's own may replace each of them."""

from __future__ import annotations

from engine.core.op import Op

# fmt: off
asin    = Op("asin",      "asin(a)",                    "1 / sqrt((1 - a) * (1 + a))",  at=[-0.75, 0.5],
             textbook=("asin(a)", "1 / sqrt(1 - a**2)"))
acos    = Op("acos",      "acos(a)",                    "-1 / sqrt((1 - a) * (1 + a))", at=[-0.75, 0.5],
             textbook=("acos(a)", "-1 / sqrt(1 - a**2)"))
# where a * a would overflow, both parts of the fraction are divided by a
atan    = Op("atan",      "atan(a)",
             "1 / (1 + a * a) if abs(a) <= 1 else 1 / a / (a + 1 / a)",          at=[-2, 0.5],
             textbook=("atan(a)", "1 / (1 + a**2)"))
sinh    = Op("sinh",      "sinh(a)",                    "cosh(a)",               at=[-1, 2])
cosh    = Op("cosh",      "cosh(a)",                    "sinh(a)",               at=[-1, 2])
asinh   = Op("asinh",     "asinh(a)",
             "1 / sqrt(1 + a * a) if abs(a) <= 1 else 1 / abs(a) / sqrt(1 + 1 / a * (1 / a))", at=[-2, 0.5],
             textbook=("asinh(a)", "1 / sqrt(1 + a**2)"))
acosh   = Op("acosh",     "acosh(a)",                   "1 / (sqrt(a - 1) * sqrt(a + 1))", at=[1.5, 3],
             textbook=("acosh(a)", "1 / sqrt(a**2 - 1)"))
atanh   = Op("atanh",     "atanh(a)",                   "1 / ((1 - a) * (1 + a))",  at=[-0.75, 0.5],
             textbook=("atanh(a)", "1 / (1 - a**2)"))
# the angle of the point (b, a); ∂y/∂a = b / (a² + b²) and ∂y/∂b = -a / (a² + b²), divided as in atan
atan2   = Op("atan2",     "atan2(a, b)",
             "1 / b / (1 + a / b * (a / b)) if abs(a) <= abs(b) else b / a / a / (1 + b / a * (b / a))",
             "-a / b / b / (1 + a / b * (a / b)) if abs(a) <= abs(b) else -1 / a / (1 + b / a * (b / a))",
             at=[(2, 3), (-1, 0.5), (0.5, -2)],
             textbook=("atan2(a, b)", "b / (a**2 + b**2)", "-a / (a**2 + b**2)"))

# infinities are named where 0 * inf would be NaN and the limit exists
silu    = Op("silu",      "0 if a < -800 else a * sigmoid(a)",
             "0 if a < -800 else 1 if a > 800 else sigmoid(a) * (1 + a * sigmoid(-a))", at=[-2, 0, 1],
             textbook=("a * sigmoid(a)", "sigmoid(a) * (1 + a * (1 - sigmoid(a)))"))
elu     = Op("elu",       "a if a > 0 else expm1(a)",   "1 if a > 0 else exp(a)", at=[-2, 0.5],
             textbook=("a if a > 0 else exp(a) - 1", "1 if a > 0 else exp(a)"))

# steps: every whole number is a kink of floor and ceil, and 0 is the one of sign
floor   = Op("floor",     "floor(a)",                   "0", at=[-1.5, 0.5], kinks={-1: 0, 0: 0, 1: 0})
ceil    = Op("ceil",      "ceil(a)",                    "0", at=[-1.5, 0.5], kinks={-1: 0, 0: 0, 1: 0})
sign    = Op("sign",      "sign(a)",                    "0", at=[-1.5, 0.5], kinks={0: 0})
# fmt: on
