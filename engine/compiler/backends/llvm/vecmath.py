"""The elementary functions of a vector of numbers, in LLVM's assembly language.

exp, expm1, log, log1p and tanh are computed here from series, to within 2 units in the last place; any other
function is that of the C library, called once for each lane.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from engine.compiler.backends.llvm.builder import KIND, LANES, I, V, Vector
from engine.formula.arithmetic import BINARY

LN2_HIGH = float.fromhex("0x1.62e42fefa0000p-1")  # the upper 40 bits: times a whole number k it is exact
LN2_LOW = float.fromhex("0x1.cf79abc9e3b3ap-40")  # log 2 - LN2_HIGH
ROUNDER = 1.5 * 2.0**52  # adding and subtracting it rounds to a whole number


def scaled(x: Vector, k: Vector) -> Vector:
    """Return x × 2ᵏ, for ``k`` = ROUNDER + k; in two steps, as 2ᵏ itself may overflow."""
    exponent = k.bits().integer("sub", struct.unpack("<q", struct.pack("<d", ROUNDER))[0])
    half = exponent.integer("ashr", 1)
    for part in half, exponent.integer("sub", half):
        x = x * part.integer("add", 1023).integer("shl", 52).double()
    return x


def reduced(x: Vector) -> tuple[Vector, Vector]:
    """Return ROUNDER + k and r such that x = k log 2 + r and r is as small as possible."""
    shifted = (x * (1 / math.log(2))) + ROUNDER
    k = shifted - ROUNDER
    return shifted, k.fused(-LN2_LOW, k.fused(-LN2_HIGH, x))


def exp(x: Vector) -> Vector:
    """Return e^x = 2ᵏ Σ rⁿ / n!"""
    x = x.where("olt", -800.0, -800.0).where("ogt", 800.0, 800.0)
    k, r = reduced(x)
    return scaled(r.series([1 / math.factorial(n) for n in range(14)]), k)


def expm1_exactly(x: Vector) -> tuple[Vector, Vector]:
    """Return 2ᵏ (e^r - 1) + (2ᵏ - 1), and its rounding error; e^r - 1 = r + r² (1/2 + r/6 + …)."""
    near = x.where("olt", -800.0, -800.0).where("ogt", 709.0, 709.0)
    shifted, r = reduced(near)
    k = shifted - ROUNDER
    lost = k.fused(-LN2_LOW, k.fused(-LN2_HIGH, near) - r)  # from r
    tail, square = r.series([1 / math.factorial(n) for n in range(2, 16)]), r * r
    p = square.fused(tail, r)
    lost = square.fused(tail, r - p) + lost.fused(p, lost)  # from p
    power = scaled((r - r) + 1.0, shifted)
    y = power.fused(p, power - 1.0)
    return y, power.fused(lost, power.fused(p, (power - 1.0) - y))


def expm1(x: Vector) -> Vector:
    """Return e^x - 1, also where e^x is nearly 1."""
    y, lost = expm1_exactly(x)
    return (y + lost).choose(x, "ogt", 709.0, exp(x)).choose(x, "oeq", 0.0, x)


def log(x: Vector) -> Vector:
    """Return log x: x = 2ᵏ m, √½ < m < √2, log m = 2 artanh s = 2 (s + s³/3 + …), s = (m - 1) / (m + 1)."""
    tiny = x * 2.0**54
    scaled_up = x.where("olt", 2.0**-1022, tiny)
    shift = ((x - x) + 0.0).choose(x, "olt", 2.0**-1022, -54.0)
    root_half = struct.unpack("<q", struct.pack("<d", math.sqrt(0.5)))[0] & ~0xFFFFFFFF
    above = scaled_up.bits().integer("sub", root_half)
    k = above.integer("ashr", 52)
    m = scaled_up.bits().integer("sub", k.integer("shl", 52)).double()
    exponent = k.write(f"sitofp {I} {k.name} to {V}") + shift
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    square = (f * f) * 0.5
    rest = z.series([2.0 / (2 * n + 1) for n in range(1, 12)]) * z
    # log m = f - f²/2 + s (f²/2 + rest), of which f is exact
    small = s.fused(square + rest, exponent * LN2_LOW)
    y = exponent.fused(LN2_HIGH, f - (square - small))
    y = y.choose(x, "ole", 0.0, math.nan).choose(x, "oeq", math.inf, x)
    return y.choose(x, "oeq", 0.0, -math.inf).choose(x, "uno", 0.0, x)


def log1p(x: Vector) -> Vector:
    """Return log(1 + x) = log u + (x - (u - 1)) / u, where u is 1 + x, rounded."""
    u = x + 1.0
    lost = (x - (u - 1.0)) / u
    y = log(u) + lost
    return y.choose(x, "oeq", math.inf, x).choose(x, "ole", -1.0, math.nan).choose(x, "oeq", 0.0, x)


def tanh(x: Vector) -> Vector:
    """Return t / (t + 2), where t = e^2|x| - 1, with the sign of x."""
    size = x.write(f"call {V} @{INTRINSIC['abs']}({V} {x.name})")
    t, t_lost = expm1_exactly(size.where("ogt", 22.0, 22.0) * 2.0)
    below = t + 2.0
    below_lost = (t - (below - 2.0)) + t_lost
    y = t / below
    rest = (y * -1.0).fused(below, t) + (t_lost - y * below_lost)  # t - y (t + 2)
    y = (y + rest / below).choose(x, "oeq", 0.0, 0.0)
    return x.write(f"call {V} @llvm.copysign.{KIND}({V} {y.name}, {V} {x.name})")


SERIES: dict[str, Callable[[Vector], Vector]] = {f.__name__: f for f in (exp, expm1, log, log1p, tanh)}
INTRINSIC = {
    "sqrt": f"llvm.sqrt.{KIND}", "abs": f"llvm.fabs.{KIND}",
    "floor": f"llvm.floor.{KIND}", "ceil": f"llvm.ceil.{KIND}",
}  # fmt: skip
LIBRARY = {"**": "pow"}  # the words that have another name in C


def name(word: str) -> str:
    """Return the name of the function of a word."""
    return INTRINSIC.get(word) or f"lanes.{LIBRARY.get(word, word)}"


def scalar(word: str) -> str:
    """Return the name of the function of a word on one number."""
    return INTRINSIC[word].replace(KIND, "f64") if word in INTRINSIC else LIBRARY.get(word, word)


def definition(word: str) -> str:
    """Return the function of a word on a vector."""
    rows: list[str] = []
    result = SERIES[word](Vector(rows, "%a0")).name if word in SERIES else lane_by_lane(word, rows)
    params = ", ".join(f"{V} %a{i}" for i in range(arity(word)))
    return "\n".join([f"define {V} @{name(word)}({params}) {{", *rows, f"  ret {V} {result}", "}"])


def lane_by_lane(word: str, rows: list[str]) -> str:
    """Return the result of calling the C library once for each lane."""
    result = "poison"
    for lane in range(LANES):
        args = []
        for i in range(arity(word)):
            rows.append(f"  %a{i}.{lane} = extractelement {V} %a{i}, i64 {lane}")
            args.append(f"double %a{i}.{lane}")
        rows.append(f"  %y{lane} = call double @{scalar(word)}({', '.join(args)})")
        rows.append(f"  %r{lane} = insertelement {V} {result}, double %y{lane}, i64 {lane}")
        result = f"%r{lane}"
    return result


def arity(word: str) -> int:
    """Return the number of arguments of a word."""
    return 2 if word == "**" or word in BINARY else 1


def declared(word: str, kind: str, called: str) -> str:
    """Return the declaration of a function."""
    return f"declare {kind} @{called}({', '.join([kind] * arity(word))})"


def declarations(one: set[str], many: set[str]) -> list[str]:
    """Return the declarations of functions of some words on a number, and of some on a vector."""
    numbers = [declared(word, "double", scalar(word)) for word in sorted(one)]
    return numbers + [declared(word, V, name(word)) for word in sorted(many)]


def definitions(many: set[str]) -> list[str]:
    """Return the functions of some words on a vector, and all that they call."""
    series, borrowed = sorted(many & SERIES.keys()), sorted(many - SERIES.keys() - INTRINSIC.keys())
    numbers = [declared(word, "double", scalar(word)) for word in borrowed]
    return [*INTRINSICS, *numbers, *map(definition, series + borrowed)]


#: The intrinsic functions that the series call.
INTRINSICS = (
    f"declare {V} @llvm.fma.{KIND}({V}, {V}, {V})",
    f"declare {V} @llvm.copysign.{KIND}({V}, {V})",
    f"declare {V} @llvm.fabs.{KIND}({V})",
)
