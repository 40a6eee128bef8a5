"""The operations of many arguments, written by hand: a formula in two letters cannot state them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import exp, inf, isinf, log1p
from operator import mul
from typing import TypeVar

from engine.core.op import Operation
from engine.formula.printers import Text
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


class LogSumExp(Operation):
    """y = log Σ exp(aᵢ), for numbers of any size: the local gradients are softmax(a).

    With the greatest number m, y = m + log(1 + r), where r is the sum of exp(aᵢ - m) over all numbers but the
    first that equals m. So no exponent is positive, and of a small r no digit is lost. Where m is infinite,
    y is m, and the local gradients are 1 for the first number that equals m, otherwise 0.
    """

    symbol = "logsumexp"

    def forward(self, interpreter: Interpreter[T], args: Sequence[T]) -> T:
        m, _, r = self._parts(interpreter, args)
        return interpreter.apply("+", m, interpreter.apply("log1p", r))

    def derivative(self, position: int, interpreter: Interpreter[T], args: Sequence[T], y: T) -> T:
        """Return ∂y/∂aᵢ as the short formula for people; `derivatives` is exact where y is large, too."""
        return interpreter.apply("exp", interpreter.apply("-", args[position], y))

    def derivatives(
        self, positions: Sequence[int], interpreter: Interpreter[T], args: Sequence[T], y: T
    ) -> list[T]:
        _, exps, r = self._parts(interpreter, args)
        whole = interpreter.let(interpreter.apply("+", interpreter.number(1.0), r))
        return [interpreter.apply("/", exps[position], whole) for position in positions]

    def text(self, printer: Interpreter[Text], args: Sequence[Text]) -> Text:
        exps = [printer.apply("exp", a) for a in args]
        return printer.apply("log", reduce(lambda total, more: printer.apply("+", total, more), exps))

    def value(self, *data: float) -> float:
        m, _, r = _shares(data)
        return m + log1p(r)

    def local_gradient(self, position: int, data: Sequence[float], y: float) -> float:
        return self.local_gradients(data, y, ())[position]

    def local_gradients(self, data: Sequence[float], y: float, constant: Sequence[bool]) -> tuple[float, ...]:
        _, exps, r = _shares(data)
        whole = 1.0 + r
        return _masked(tuple([e / whole for e in exps]), constant)

    @staticmethod
    def _parts(of: Interpreter[T], args: Sequence[T]) -> tuple[T, list[T], T]:
        """Return the results of `_shares`, each as its meaning in ``of``."""

        def pick(word: str, a: T, b: T, then: T, other: T) -> T:
            return of.choose(of.apply(word, a, b), lambda: then, lambda: other)

        def share(a: T, first: T) -> T:
            one_or_tie = pick(">", first, zero, one, tie)
            exp_below = lambda: of.apply("exp", of.apply("-", a, m))  # noqa: E731
            return of.let(of.choose(of.apply(">=", a, m), lambda: one_or_tie, exp_below))

        zero, one = of.number(0.0), of.number(1.0)
        greatest = [args[0]]  # of the numbers so far
        for a in args[1:]:
            greatest.append(of.let(pick(">=", greatest[-1], a, greatest[-1], a)))
        m = greatest[-1]
        tie = of.let(pick(">=", of.apply("abs", m), of.number(inf), zero, one))
        firsts = [pick(">=", a, m, one, zero) for a in args]  # 1 for the first number that equals m
        for i, a in enumerate(args[1:]):
            firsts[i + 1] = pick(">", a, greatest[i], firsts[i + 1], zero)
        firsts = list(map(of.let, firsts))
        exps = [share(a, first) for a, first in zip(args, firsts)]
        others = [pick(">", first, zero, zero, e) for e, first in zip(exps, firsts)]
        return m, exps, of.let(reduce(lambda total, more: of.apply("+", total, more), others))


def _shares(data: Sequence[float]) -> tuple[float, list[float], float]:
    """Return the greatest number m, exp(a - m) for each number a, and the sum of all of them but the first 1.

    Where m is infinite, the first that equals m counts as 1, and any other as 0.
    """
    m, first = data[0], 0
    for i, a in enumerate(data):
        if not m >= a:
            m, first = a, i
    tie = 0.0 if isinf(m) else 1.0
    exps = [(1.0 if i == first else tie) if a >= m else exp(a - m) for i, a in enumerate(data)]
    r = 0.0
    for i, e in enumerate(exps):
        if i != first:
            r += e
    return m, exps, r


def _masked(local: tuple[float, ...], constant: Sequence[bool]) -> tuple[float, ...]:
    return tuple([0.0 if skip else x for x, skip in zip(local, constant)]) if any(constant) else local
