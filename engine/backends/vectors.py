"""The functions of a calculus book on four numbers at once, in LLVM's assembly language.

exp, expm1, log, log1p and tanh are series, added up here, and right to 2 units in the last place; any other
function is that of the C library, called once a lane.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

V, I, T = "<4 x double>", "<4 x i64>", "<4 x i1>"

LN2_HIGH = float.fromhex("0x1.62e42fefa0000p-1")  # the upper 40 bits: times a whole number k it is exact
LN2_LOW = float.fromhex("0x1.cf79abc9e3b3ap-40")  # log 2 - LN2_HIGH
ROUNDER = 1.5 * 2.0**52  # added and taken away again, it rounds to a whole number


def splat(x: float) -> str:
    """A number in all four lanes."""
    bits = f"double 0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"
    return f"<{bits}, {bits}, {bits}, {bits}>"


def whole(n: int) -> str:
    """A whole number in all four lanes."""
    return f"<i64 {n}, i64 {n}, i64 {n}, i64 {n}>"


class Four:
    """Four numbers in the function that is being written: arithmetic on them writes instructions."""

    def __init__(self, rows: list[str], name: str) -> None:
        self.rows, self.name = rows, name

    def write(self, instruction: str) -> Four:
        name = f"%v{len(self.rows)}"
        self.rows.append(f"  {name} = {instruction}")
        return Four(self.rows, name)

    def number(self, x: Four | float) -> str:
        return x.name if isinstance(x, Four) else splat(x)

    def __add__(self, other: Four | float) -> Four:
        return self.write(f"fadd {V} {self.name}, {self.number(other)}")

    def __sub__(self, other: Four | float) -> Four:
        return self.write(f"fsub {V} {self.name}, {self.number(other)}")

    def __mul__(self, other: Four | float) -> Four:
        return self.write(f"fmul {V} {self.name}, {self.number(other)}")

    def __truediv__(self, other: Four | float) -> Four:
        return self.write(f"fdiv {V} {self.name}, {self.number(other)}")

    def fused(self, times: Four | float, plus: Four | float) -> Four:
        """self × times + plus, rounded once."""
        a, b, c = self.name, self.number(times), self.number(plus)
        return self.write(f"call {V} @llvm.fma.v4f64({V} {a}, {V} {b}, {V} {c})")

    def series(self, coefficients: list[float]) -> Four:
        """c₀ + c₁ self + c₂ self² + …"""
        result: Four | float = coefficients[-1]
        for c in coefficients[-2::-1]:
            result = self.fused(result, c)
        return self if isinstance(result, float) else result

    def where(self, test: str, x: float, then: Four | float) -> Four:
        """``then`` in the lanes where self ``test`` x holds, and self in the others."""
        return self.choose(self, test, x, then)

    def choose(self, of: Four, test: str, x: float, then: Four | float) -> Four:
        holds = self.write(f"fcmp {test} {V} {of.name}, {splat(x)}").name
        return self.write(f"select {T} {holds}, {V} {self.number(then)}, {V} {self.name}")

    def bits(self) -> Four:
        return self.write(f"bitcast {V} {self.name} to {I}")

    def integer(self, operation: str, n: int | Four) -> Four:
        return self.write(f"{operation} {I} {self.name}, {n.name if isinstance(n, Four) else whole(n)}")

    def double(self) -> Four:
        return self.write(f"bitcast {I} {self.name} to {V}")


def scaled(x: Four, k: Four) -> Four:
    """x × 2ᵏ, where ROUNDER + k is what ``k`` holds; in two steps, as 2ᵏ itself may be no number."""
    exponent = k.bits().integer("sub", struct.unpack("<q", struct.pack("<d", ROUNDER))[0])
    half = exponent.integer("ashr", 1)
    for part in half, exponent.integer("sub", half):
        x = x * part.integer("add", 1023).integer("shl", 52).double()
    return x


def reduced(x: Four) -> tuple[Four, Four]:
    """x = k log 2 + r, with r as near to 0 as can be: ROUNDER + k, and r."""
    shifted = (x * (1 / math.log(2))) + ROUNDER
    k = shifted - ROUNDER
    return shifted, k.fused(-LN2_LOW, k.fused(-LN2_HIGH, x))


def exp(x: Four) -> Four:
    """2ᵏ Σ rⁿ / n!"""
    x = x.where("olt", -800.0, -800.0).where("ogt", 800.0, 800.0)
    k, r = reduced(x)
    return scaled(r.series([1 / math.factorial(n) for n in range(14)]), k)


def expm1_exactly(x: Four) -> tuple[Four, Four]:
    """2ᵏ (e^r - 1) + (2ᵏ - 1), and what rounding took from it; e^r - 1 = r + r² (1/2 + r/6 + …)."""
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


def expm1(x: Four) -> Four:
    """e^x - 1, also where e^x is nearly 1."""
    y, lost = expm1_exactly(x)
    return (y + lost).choose(x, "ogt", 709.0, exp(x)).choose(x, "oeq", 0.0, x)


def log(x: Four) -> Four:
    """x = 2ᵏ m, m between √½ and √2; log m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …), s = (m - 1) / (m + 1)."""
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


def log1p(x: Four) -> Four:
    """log u + (x - (u - 1)) / u, where u is 1 + x as rounded."""
    u = x + 1.0
    lost = (x - (u - 1.0)) / u
    y = log(u) + lost
    return y.choose(x, "oeq", math.inf, x).choose(x, "ole", -1.0, math.nan).choose(x, "oeq", 0.0, x)


def tanh(x: Four) -> Four:
    """t / (t + 2), where t = e^2|x| - 1; with the sign of x."""
    size = x.write(f"call {V} @llvm.fabs.v4f64({V} {x.name})")
    t, t_lost = expm1_exactly(size.where("ogt", 22.0, 22.0) * 2.0)
    below = t + 2.0
    below_lost = (t - (below - 2.0)) + t_lost
    y = t / below
    rest = (y * -1.0).fused(below, t) + (t_lost - y * below_lost)  # t - y (t + 2)
    y = (y + rest / below).choose(x, "oeq", 0.0, 0.0)
    return x.write(f"call {V} @llvm.copysign.v4f64({V} {y.name}, {V} {x.name})")


SERIES: dict[str, Callable[[Four], Four]] = {f.__name__: f for f in (exp, expm1, log, log1p, tanh)}
INTRINSIC = {"sqrt": "llvm.sqrt.v4f64", "abs": "llvm.fabs.v4f64"}
LIBRARY = {"**": "pow"}  # what C calls by another name


def name(word: str) -> str:
    """What the function of a word is called."""
    return INTRINSIC.get(word) or f"four.{LIBRARY.get(word, word)}"


def definition(word: str) -> str:
    """The function of a word."""
    arity = 2 if word == "**" else 1
    if word == "abs":
        return ""  # declared in any case
    if word in INTRINSIC:
        return f"declare {V} @{name(word)}({V})"
    params = ", ".join(f"{V} %a{i}" for i in range(arity))
    rows: list[str] = []
    if word in SERIES:
        result = SERIES[word](Four(rows, "%a0")).name
        head = f"define internal {V} @{name(word)}({params})"
        return "\n".join([f"{head} {{", *rows, f"  ret {V} {result}", "}"])
    c = LIBRARY.get(word, word)
    before = "poison"
    for lane in range(4):
        for i in range(arity):
            rows.append(f"  %a{i}.{lane} = extractelement {V} %a{i}, i64 {lane}")
        args = ", ".join(f"double %a{i}.{lane}" for i in range(arity))
        rows.append(f"  %y{lane} = call double @{c}({args})")
        rows.append(f"  %r{lane} = insertelement {V} {before}, double %y{lane}, i64 {lane}")
        before = f"%r{lane}"
    head = f"define internal {V} @{name(word)}({params}) {{"
    declaration = f"declare double @{c}({', '.join(['double'] * arity)})"
    return "\n".join([declaration, head, *rows, f"  ret {V} {before}", "}"])


#: What every module may call.
INTRINSICS = "\n".join(
    [
        f"declare {V} @llvm.fma.v4f64({V}, {V}, {V})",
        f"declare {V} @llvm.copysign.v4f64({V}, {V})",
        f"declare {V} @llvm.fabs.v4f64({V})",
    ]
)
