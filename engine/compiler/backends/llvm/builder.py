"""Vectors of numbers in LLVM's assembly language."""

from __future__ import annotations

import struct

import llvmlite.binding as llvm

LANES = 8 if llvm.get_host_cpu_features().get("avx512f") else 4  # of this processor
KIND = f"v{LANES}f64"  # in the names of intrinsic functions
V, I, T = (f"<{LANES} x {kind}>" for kind in ("double", "i64", "i1"))


def bits(x: float) -> str:
    """Return a number to the last bit: in decimals where that is exact.

    >>> bits(-0.5), bits(0.1)
    ('-0.5', '0x3FB999999999999A')
    """
    if abs(x) < 1e15 and (1024 * x).is_integer():
        return repr(x)
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"


def whole_vectors(count: int) -> int:
    """Return ``count`` rounded up to whole vectors."""
    return -(-count // LANES) * LANES


def splat(x: float) -> str:
    """Return a vector with a number in all lanes."""
    return f"splat (double {bits(x)})"


def whole(n: int) -> str:
    """Return a vector with a whole number in all lanes."""
    return f"splat (i64 {n})"


class Vector:
    """A vector in the function that is being written: arithmetic on it writes instructions."""

    def __init__(self, rows: list[str], name: str) -> None:
        self.rows, self.name = rows, name

    def write(self, instruction: str) -> Vector:
        name = f"%v{len(self.rows)}"
        self.rows.append(f"  {name} = {instruction}")
        return Vector(self.rows, name)

    def number(self, x: Vector | float) -> str:
        return x.name if isinstance(x, Vector) else splat(x)

    def __add__(self, other: Vector | float) -> Vector:
        return self.write(f"fadd {V} {self.name}, {self.number(other)}")

    def __sub__(self, other: Vector | float) -> Vector:
        return self.write(f"fsub {V} {self.name}, {self.number(other)}")

    def __mul__(self, other: Vector | float) -> Vector:
        return self.write(f"fmul {V} {self.name}, {self.number(other)}")

    def __truediv__(self, other: Vector | float) -> Vector:
        return self.write(f"fdiv {V} {self.name}, {self.number(other)}")

    def fused(self, times: Vector | float, plus: Vector | float) -> Vector:
        """Return self × times + plus, rounded once."""
        a, b, c = self.name, self.number(times), self.number(plus)
        return self.write(f"call {V} @llvm.fma.{KIND}({V} {a}, {V} {b}, {V} {c})")

    def series(self, coefficients: list[float]) -> Vector:
        """Return c₀ + c₁ self + c₂ self² + …, for at least four coefficients.

        Neighbouring terms are added first, all pairs at a time, which is quicker than one term after another;
        the two first terms are added last, so that their rounding errors are the only ones that matter.
        """
        parts: list[Vector | float] = list(coefficients[2:])
        power = self
        while len(parts) > 1:
            pairs = [power.fused(b, a) for a, b in zip(parts[::2], parts[1::2])]
            parts = [*pairs, *parts[len(pairs) * 2 :]]
            power = power * power
        [rest] = parts
        return self.fused(self.fused(rest, coefficients[1]), coefficients[0])

    def where(self, test: str, x: float, then: Vector | float) -> Vector:
        """Return ``then`` in the lanes where self ``test`` x holds, and self in the others."""
        return self.choose(self, test, x, then)

    def choose(self, of: Vector, test: str, x: float, then: Vector | float) -> Vector:
        holds = self.write(f"fcmp {test} {V} {of.name}, {splat(x)}").name
        return self.write(f"select {T} {holds}, {V} {self.number(then)}, {V} {self.name}")

    def bits(self) -> Vector:
        return self.write(f"bitcast {V} {self.name} to {I}")

    def integer(self, operation: str, n: int | Vector) -> Vector:
        return self.write(f"{operation} {I} {self.name}, {n.name if isinstance(n, Vector) else whole(n)}")

    def double(self) -> Vector:
        return self.write(f"bitcast {I} {self.name} to {V}")
