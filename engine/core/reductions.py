"""The operations of many arguments, written by hand: a formula in two letters cannot state them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul
from typing import TypeVar

from engine.core.op import Operation
from engine.formula.tree import Interpreter

T = TypeVar("T")


class WeightedSum(Operation):
    """z = b + Σ wᵢ aᵢ, with the parents w…, a…, b."""

    symbol = "Σwa"

    def forward(self, interpreter: Interpreter[T], args: Sequence[T]) -> T:
        n = len(args) // 2
        z = args[-1]
        for w, a in zip(args[:n], args[n:-1], strict=True):
            z = interpreter.apply("+", z, interpreter.apply("*", w, a))
        return z

    def derivative(self, position: int, interpreter: Interpreter[T], args: Sequence[T], y: T) -> T:
        n = len(args) // 2
        if position == 2 * n:
            return interpreter.number(1.0)
        return args[position + n] if position < n else args[position - n]

    def value(self, *data: float) -> float:
        n = len(data) // 2
        z = data[-1]
        for product in map(mul, data[:n], data[n:-1]):
            z += product
        return z

    def local_gradients(self, data: Sequence[float], y: float, constant: Sequence[bool]) -> tuple[float, ...]:
        n = len(data) // 2
        return _masked((*data[n:-1], *data[:n], 1.0), constant)


class Total(Operation):
    """y = Σ aᵢ."""

    symbol = "Σ"

    def forward(self, interpreter: Interpreter[T], args: Sequence[T]) -> T:
        y = args[0]
        for a in args[1:]:
            y = interpreter.apply("+", y, a)
        return y

    def derivative(self, position: int, interpreter: Interpreter[T], args: Sequence[T], y: T) -> T:
        return interpreter.number(1.0)

    def value(self, *data: float) -> float:
        y = data[0]
        for a in data[1:]:  # not sum(): from Python 3.12 on it adds in another way
            y += a
        return y

    def local_gradients(self, data: Sequence[float], y: float, constant: Sequence[bool]) -> tuple[float, ...]:
        return _masked((1.0,) * len(data), constant)


def _masked(local: tuple[float, ...], constant: Sequence[bool]) -> tuple[float, ...]:
    return tuple([0.0 if skip else x for x, skip in zip(local, constant)]) if any(constant) else local
