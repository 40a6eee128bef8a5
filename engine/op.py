"""What a row of the table is: a symbol, a formula and its slopes, checked when the row is made."""

from __future__ import annotations

import functools
import keyword
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from engine.formula import CONSTANTS, LETTERS, Algebra, Formula
from engine.notation import People, Text, function
from engine.plain import plain

T = TypeVar("T")

#: Every operation, by its symbol.
table: dict[str, Operation] = {}
#: The symbols of the rows that chalkgrad ships; no other row may take one.
own: set[str] = set()
#: Who wants to be told of each new row.
listeners: list[Callable[[Op], None]] = []


class Operation:
    """What every reader of a graph may ask of an operation, be it a row or written by hand."""

    symbol: str

    def forward(self, algebra: Algebra[T], args: Sequence[T]) -> T:
        """y in the terms of ``algebra``, where ``args`` stand for the parents."""
        raise NotImplementedError

    def slope(self, position: int, algebra: Algebra[T], args: Sequence[T], y: T) -> T:
        """∂y/∂(the parent at ``position``) in the terms of ``algebra``."""
        raise NotImplementedError

    def value(self, *data: float) -> float:
        """y in floats."""
        raise NotImplementedError

    def letters(self, count: int) -> Sequence[str]:
        """What to call ``count`` parents where they have no names of their own."""
        return "ab"[:count] if count <= 2 else [f"a{i}" for i in range(count)]

    def outside(self, error: Exception, data: Sequence[float], labels: Sequence[str] = ()) -> Exception:
        """``error`` again, of the same type, with the formula, the numbers and the labels in its message."""
        letters = self.letters(len(data))
        args, y = [Text(letter) for letter in letters], Text("y")
        what = self.forward(People(), args).text
        try:
            result = self.value(*data)
        except (ArithmeticError, ValueError):
            pass
        else:  # the value is there, so it is a slope that is not
            for position, letter in enumerate(letters):
                try:
                    self.slope(position, Calculus(), data, result)
                except (ArithmeticError, ValueError):
                    slope = self.slope(position, People(), args, y).text
                    what = f"the slope ∂/∂{letter} of {what}, which is {slope},"
                    break
        return type(error)(f"{what} at {self.point(data, labels)}: {error.args[-1]}")

    def point(self, data: Sequence[float], labels: Sequence[str] = ()) -> str:
        """Where it was evaluated: ``a = 2.0 (x), b = 3.0``."""
        letters, labels = self.letters(len(data)), labels or [""] * len(data)
        named = [f" ({one_line(label)})" if label else "" for label in labels]
        return ", ".join(f"{a} = {x}{name}" for a, x, name in zip(letters, data, named))

    def __repr__(self) -> str:
        return f"<op {self.symbol}>"

    def __reduce__(self) -> tuple[Callable[[str], Operation], tuple[str]]:
        return find, (self.symbol,)  # a copy of an op is the row of the same symbol


class Op(Operation):
    """One row of the table. To make it is to register it: its symbol is then a word and an activation.

    Args:
        symbol: what the picture shows; if it is a name, later rows may call the op by it.
        formula: y as a function of ``a``, or of ``a`` and ``b``.
        partials: ∂y/∂a, and ∂y/∂b if there is a b. They may use ``y``, too.
        at: points (a number, or a pair) at which to check the row, on both sides of a kink.
        kinks: the points that have no slope, with the slopes that the row picks there.

    Called on Values, an op records a node; called on plain numbers, it returns a float.

    Raises:
        ValueError: a formula is not arithmetic, there is not one slope for each letter, or the symbol
            belongs to a row of chalkgrad's own. The message shows the row, and nothing is registered.

    >>> swish = Op("swish", "a * sigmoid(a)", "sigmoid(a) + y * (1 - sigmoid(a))")
    >>> swish(0.0)
    0.0
    >>> Op("cube", "a ** 3", "3 * x**2")
    Traceback (most recent call last):
    ValueError: Op('cube', 'a ** 3', '3 * x**2'): '3 * x**2' is not a formula: a row is arithmetic in ...
    """

    formula: Formula
    partials: tuple[Formula, ...]

    def __init__(
        self,
        symbol: str,
        formula: str,
        *partials: str,
        at: Sequence[Any] = (),
        kinks: Mapping[Any, Any] | None = None,
    ) -> None:
        self.symbol, arity = symbol, len(partials)
        words = {name: op.formula for name, op in rows().items() if name.isidentifier()}
        try:
            check_symbol(symbol)
            self.formula = Formula(formula, "ab", words, symbol)
            self.partials = tuple(Formula(partial, "ab"[:arity] + "y", words) for partial in partials)
            if arity not in (1, 2) or self.formula.letters != tuple("ab"[:arity]):
                used = ", ".join(self.formula.letters) or "none"
                raise ValueError(f"a row has one slope for each letter: letters {used}, slopes {arity}")
            self.at = [point(p, arity) for p in at]
            self.kinks = {point(p, arity): point(slopes, arity) for p, slopes in dict(kinks or {}).items()}
        except (TypeError, ValueError) as error:
            row = ", ".join(f"{text!r:.500}" for text in (symbol, formula, *partials))
            raise type(error)(f"Op({row}): {error}") from None
        self.__doc__ = f"y = {formula}, with the slope{'s' * (arity > 1)} {' and '.join(partials)}."
        table[symbol] = self
        for tell in listeners:
            tell(self)

    @functools.cached_property
    def value(self) -> Callable[..., float]:
        """y in floats: the formula, compiled when it is first asked for."""
        return function(self.formula)

    def forward(self, algebra: Algebra[T], args: Sequence[T]) -> T:
        return self.formula.fold(algebra, args)

    def slope(self, position: int, algebra: Algebra[T], args: Sequence[T], y: T) -> T:
        return self.partials[position].fold(algebra, args, y)

    def __call__(self, *args: Any) -> Any:
        if len(args) != len(self.partials):
            takes = f"{len(self.partials)} argument{'s' * (len(self.partials) > 1)}"
            raise TypeError(f"{self.symbol} takes {takes}, not {len(args)}")
        for arg in args:
            if hasattr(arg, "__record__"):  # a Value: how it is recorded is its own affair
                y = arg.__record__(self)(*args)
                if y is NotImplemented:
                    kinds = ", ".join(type(arg).__name__ for arg in args)
                    raise TypeError(f"{self.symbol} takes Values and plain numbers, not {kinds}")
                return y
        data = [plain(arg) for arg in args]
        try:
            return self.value(*data)
        except (ArithmeticError, ValueError) as error:
            raise self.outside(error, data) from None


def rows() -> dict[str, Op]:
    """The operations that are rows of text."""
    return {symbol: op for symbol, op in table.items() if isinstance(op, Op)}


def find(symbol: str) -> Operation:
    """The operation of that symbol.

    Raises:
        ValueError: there is none; the message lists those that there are.

    >>> find("tanh")
    <op tanh>
    """
    if symbol not in table:
        raise ValueError(f"no operation {symbol!r}; there are {', '.join(table)}. Define it with Op first")
    return table[symbol]


def one_line(it: Any) -> str:
    r"""A label or a path as one line of a message, whatever is in it.

    >>> print(one_line("x"), one_line("two\nlines"))
    x 'two\nlines'
    """
    text = str(it)
    return text if text.isprintable() else repr(text)


def check_symbol(symbol: str) -> None:
    """Refuse a symbol that could not be shown, or that already means something else."""
    if not isinstance(symbol, str):
        raise TypeError(f"a symbol is a str, not {type(symbol).__name__}")
    if not symbol.isprintable() or symbol.split() != [symbol] or ":" in symbol or symbol.startswith("_"):
        raise ValueError("a symbol is one printable word, without a colon, and not beginning with _")
    if symbol in own or symbol in {*LETTERS, *CONSTANTS, "pow", "inf", "nan", *keyword.kwlist}:
        raise ValueError(f"the symbol {symbol!r} is taken; please choose another")


def point(numbers: Any, arity: int) -> tuple[float, ...]:
    """A point as a tuple of ``arity`` floats; a lone number will do for one."""
    point = tuple(map(plain, numbers if isinstance(numbers, (tuple, list)) else [numbers]))
    if len(point) != arity:
        raise ValueError(f"a point of this row is {arity} number{'s' * (arity > 1)}, not {numbers!r}")
    return point


class Calculus(Algebra[Any]):
    """Reads a formula on Values and floats: the words are the rows themselves, so Values come out."""

    TESTS: ClassVar = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

    def number(self, x: float) -> float:
        return x

    def apply(self, word: str, *args: Any) -> Any:
        if word in self.TESTS:
            return self.TESTS[word](*args)
        return table[word](*args) if args else CONSTANTS[word]  # type: ignore[operator]

    def choose(self, test: bool, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
        return then() if test else other()
