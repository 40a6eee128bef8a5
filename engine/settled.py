"""A formula where some letters stand for plain numbers: 2 * x, although the row says b * a ** (b - 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.formula import Algebra, Formula
from engine.notation import Text
from engine.op import Calculus


class Part(NamedTuple):
    """A part of a formula: its text, and its number, if it has one whatever the Values are."""

    text: Text
    number: float | None = None
    given: bool = False  #: whether a plain number of the expression is in it, not only numbers of the row


class Settled(Algebra[Part]):
    """Writes a formula in another notation, but works out what follows from the plain numbers alone.

    Args:
        notation: how to write what is left.
        numeral: how to write a number that was worked out.

    >>> from engine.notation import People
    >>> args = [Part(Text("x")), Part(Text("2"), 2.0, given=True)]
    >>> Formula("0 if b <= 0 else b * a ** (b - 1)").fold(Settled(People(), Text), args).text.text
    '2 * x'
    """

    def __init__(self, notation: Algebra[Text], numeral: Callable[[float], Text]) -> None:
        self.notation, self.numeral = notation, numeral

    def number(self, x: float) -> Part:
        return Part(self.notation.number(x), x)

    def apply(self, word: str, *args: Part) -> Part:
        given = any(arg.given for arg in args)
        numbers = [arg.number for arg in args if arg.number is not None]
        if given and len(numbers) == len(args):
            try:
                x = float(Calculus().apply(word, *numbers))
                return Part(self.numeral(x), x, given)
            except (ArithmeticError, ValueError):
                pass  # what cannot be worked out is written as it stands
        if word == "**" and args[1].given and args[1].number == 1:
            return args[0]
        return Part(self.notation.apply(word, *(arg.text for arg in args)))

    def choose(self, test: Part, then: Callable[[], Part], other: Callable[[], Part]) -> Part:
        if test.number is not None:
            return then() if test.number else other()
        return Part(self.notation.choose(test.text, lambda: then().text, lambda: other().text))

    def call(self, formula: Formula, *args: Part) -> Part:
        return Part(self.notation.call(formula, *(arg.text for arg in args)))
