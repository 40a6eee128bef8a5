"""Simplify while interpreting: numbers are computed, and what has no effect is left out.

x * 1, x + 0 and x ** 1 are x; x * -1 is -x, and x + -y is x - y. All of it is exact to the last bit, but for
the sign of a zero. x * 0 stays, as 0 times infinity is not 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from engine.formula.arithmetic import ARITHMETIC, COMPARISONS, CONSTANTS, WORDS
from engine.formula.tree import Formula, Interpreter, Tree

T = TypeVar("T")


class TreeBuilder(Interpreter[Tree]):
    """Builds the tree itself, with other trees in place of its letters."""

    def number(self, x: float) -> Tree:
        return x

    def apply(self, word: str, *args: Tree) -> Tree:
        return (word, *args)

    def choose(self, test: Tree, then: Callable[[], Tree], other: Callable[[], Tree]) -> Tree:
        return ("if", test, then(), other())

    def call(self, formula: Formula, *args: Tree) -> Tree:
        return (formula, *args)


class Simplifier(Interpreter[T]):
    """Passes to another interpreter only what remains after simplification.

    Among the meanings that it handles, a float is a known number; anything else is unknown.

    Args:
        inner: the interpreter of what remains; it takes floats as arguments, too.
        functions: whether functions of known numbers are computed; if not, sqrt(2) and pi stay as they are.

    >>> simplifier = Simplifier(TreeBuilder())
    >>> Formula("b * a ** (b - 1)").interpret(simplifier, ["x", 2.0])
    ('*', 2.0, 'x')
    """

    def __init__(self, inner: Interpreter[T], functions: bool = True) -> None:
        self.inner = inner
        self.words = WORDS if functions else {**ARITHMETIC, **COMPARISONS, "abs": abs}
        self.constants = CONSTANTS if functions else {}

    def number(self, x: float) -> T:
        return cast(T, x)

    def apply(self, word: str, *args: T) -> T:
        if not args:
            return cast(T, self.constants[word]) if word in self.constants else self.inner.apply(word)
        for arg in args:
            if not isinstance(arg, float):
                break
        else:
            if word in self.words:
                try:
                    return cast(T, self.words[word](*args))  # a float; of a comparison a bool
                except (ArithmeticError, ValueError):
                    pass  # an operation outside its domain raises when it is run
            return self.inner.apply(word, *args)
        match word, *args:
            case (
                ("*", x, float(1.0))
                | ("*", float(1.0), x)
                | ("**" | "/", x, float(1.0))
                | ("+" | "-", x, float(0.0))
                | ("+", float(0.0), x)
            ):
                return cast(T, x)
            case ("*", x, float(-1.0)) | ("*", float(-1.0), x):
                return self.inner.apply("neg", cast(T, x))
            case ("neg", ("neg", x)):
                return cast(T, x)
            case ("+", x, ("neg", y)):
                return self.inner.apply("-", cast(T, x), cast(T, y))
            case ("+", x, float(y)) if y < 0:
                return self.inner.apply("-", cast(T, x), cast(T, -y))
        return self.inner.apply(word, *args)

    def let(self, x: T) -> T:
        return x if isinstance(x, float) else self.inner.let(x)

    def choose(self, test: T, then: Callable[[], T], other: Callable[[], T]) -> T:
        if isinstance(test, bool):
            return then() if test else other()
        return self.inner.choose(test, then, other)

    def call(self, formula: Formula, *args: T) -> T:
        return self.inner.call(formula, *args)
