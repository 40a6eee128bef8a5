"""An operation: its symbol, its formula and its partial derivatives, checked when it is made."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

from engine.core.checks import as_point, check_symbol
from engine.core.domain import domain_error
from engine.core.messages import brief, did_you_mean
from engine.core.scalar import Recordable, as_float
from engine.core.textbook_form import TextbookForm, textbook_formulas
from engine.formula.arithmetic import COMPARISONS, CONSTANTS, WORDS
from engine.formula.compile import compile_formula
from engine.formula.printers import Text
from engine.formula.tree import Formula, Interpreter

T = TypeVar("T")
R = TypeVar("R", bound=Recordable)
Point = float | Sequence[float]  # where to check a row: a number, or one for each letter

#: Every operation, by its symbol.
table: dict[str, Operation] = {}
#: The symbols of version 0.1.0; no other operation may take one. Operations that were added later may be
#: replaced by a row of the same symbol, so that programs with such a row keep working.
shipped: set[str] = set()
#: The operation of each word of a formula, whatever row later takes its symbol.
word_operations: dict[str, Operation] = {}
#: Called with each Op when it is registered.
on_register: list[Callable[[Op], None]] = []


class Operation(TextbookForm):
    """The interface of every operation, whether it is a row of text or written by hand.

    >>> get_op("*").value(2.0, 3.0), get_op("*").local_gradient(0, [2.0, 3.0], 6.0)
    (6.0, 3.0)
    """

    symbol: str

    def forward(self, interpreter: Interpreter[T], args: Sequence[T]) -> T:
        """Return y, computed by ``interpreter`` from ``args``."""
        raise NotImplementedError

    def derivative(self, position: int, interpreter: Interpreter[T], args: Sequence[T], y: T) -> T:
        """Return ∂y/∂(the parent at ``position``), computed by ``interpreter``."""
        raise NotImplementedError

    def derivatives(
        self, positions: Sequence[int], interpreter: Interpreter[T], args: Sequence[T], y: T
    ) -> list[T]:
        """Return the derivatives at several positions; an operation may compute them together."""
        return [self.derivative(position, interpreter, args, y) for position in positions]

    def text(self, printer: Interpreter[Text], args: Sequence[Text]) -> Text:
        """Return the formula of y as people read it."""
        return self.forward(printer, args)

    def value(self, *data: float) -> float:
        """Return y as a float."""
        raise NotImplementedError

    def local_gradient(self, position: int, data: Sequence[float], y: float) -> float:
        """Return ∂y/∂(the parent at ``position``) as a float."""
        return float(self.derivative(position, Evaluator(), data, y))

    def local_gradients(self, data: Sequence[float], y: float, constant: Sequence[bool]) -> tuple[float, ...]:
        """Return ∂y/∂parent for each parent; 0.0 for a plain number, whose derivative is not computed."""
        return tuple([0.0 if skip else self.local_gradient(i, data, y) for i, skip in enumerate(constant)])

    def letters(self, count: int) -> Sequence[str]:
        """Return names for ``count`` parents that have no names of their own."""
        return "ab"[:count] if count <= 2 else [f"a{i}" for i in range(count)]

    def __repr__(self) -> str:
        return f"<op {self.symbol}>"

    def __reduce__(self) -> tuple[Callable[[str], Operation], tuple[str]]:
        return get_op, (self.symbol,)  # a copy of an operation is the one of the same symbol


class Op(Operation):
    """One row of the table. Making it registers it: its symbol is then a word for formulas and an activation.

    Args:
        symbol: the name in pictures; if it is an identifier, later formulas may call the op by it.
        formula: y as a function of ``a``, or of ``a`` and ``b``.
        partials: ∂y/∂a, and ∂y/∂b if there is a b. They may use ``y``, too.
        at: points (a number, or a pair) at which to check the row, on both sides of a kink.
        kinks: the points without a derivative, with the derivative that the row states there.
        textbook: y and its derivatives as a textbook has them, for explanations, where the row differs.

    An op called on Values records a node; called on plain numbers, it returns a float.

    Raises:
        ValueError: a formula is not arithmetic, there is not one partial derivative for each letter, or the
            symbol belongs to an operation of version 0.1.0. The message shows the row, and nothing is
            registered.

    >>> swish = Op("swish", "a * sigmoid(a)", "sigmoid(a) + y * (1 - sigmoid(a))")
    >>> swish(0.0)
    0.0
    >>> Op("cube", "a ** 3", "3 * x**2")
    Traceback (most recent call last):
    ValueError: Op('cube', 'a ** 3', '3 * x**2'): '3 * x**2' is not a formula: a formula is arithmetic in ...
    """

    formula: Formula
    partials: tuple[Formula, ...]

    def __init__(
        self,
        symbol: str,
        formula: str,
        *partials: str,
        at: Sequence[Point] = (),
        kinks: Mapping[Any, Point] | None = None,
        textbook: Sequence[str] = (),
    ) -> None:
        self.symbol, arity = symbol, len(partials)
        words = {
            name: op.formula
            for name, op in rows().items()
            if name.isidentifier() and op is not word_operations.get(name)
        }
        try:
            check_symbol(symbol, shipped)
            self.formula = Formula(formula, "ab", words, symbol)
            self.partials = tuple(Formula(partial, "ab"[:arity] + "y", words) for partial in partials)
            if arity not in (1, 2) or self.formula.letters != tuple("ab"[:arity]):
                used = ", ".join(self.formula.letters) or "none"
                raise ValueError(
                    f"a row has one partial derivative for each letter: letters {used}, derivatives {arity}"
                )
            self.texts = textbook_formulas(textbook, arity, {symbol: self.formula} | words)
            self.at = [as_point(p, arity) for p in at]
            self.kinks = {as_point(p, arity): as_point(y, arity) for p, y in dict(kinks or {}).items()}
        except (TypeError, ValueError) as error:
            row = ", ".join(f"{text!r:.500}" for text in (symbol, formula, *partials))
            raise type(error)(f"Op({row}): {error}") from None
        self.__doc__ = f"y = {formula}, with the derivative{'s' * (arity > 1)} {' and '.join(partials)}."
        table[symbol] = self
        if symbol in WORDS:
            word_operations.setdefault(symbol, self)  # the first is chalkgrad's own
        for callback in on_register:
            callback(self)

    @functools.cached_property
    def value(self) -> Callable[..., float]:
        """The formula, compiled to a function of floats when it is first needed."""
        return compile_formula(self.formula)

    def forward(self, interpreter: Interpreter[T], args: Sequence[T]) -> T:
        return self.formula.interpret(interpreter, args)

    def derivative(self, position: int, interpreter: Interpreter[T], args: Sequence[T], y: T) -> T:
        return self.partials[position].interpret(interpreter, args, y)

    @overload
    def __call__(self, *args: float) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *args: R | float) -> R: ...
    def __call__(self, *args: Any) -> Any:
        if len(args) != (n := len(self.partials)):
            raise TypeError(f"{self.symbol} takes {n} argument{'s' * (n > 1)}, not {len(args)}")
        for arg in args:
            if hasattr(arg, "__record__"):  # a Value, which has a method to record a node
                y = arg.__record__(self, *args)
                if y is NotImplemented:
                    kinds = ", ".join(type(arg).__name__ for arg in args)
                    raise TypeError(f"{self.symbol} takes Values and plain numbers, not {kinds}")
                return y
        data = [as_float(arg) for arg in args]
        try:
            return self.value(*data)
        except (ArithmeticError, ValueError) as error:
            raise domain_error(self, error, data) from None


class Evaluator(Interpreter[Any]):
    """Compute a formula: on floats a float, on Values a Value."""

    def number(self, x: float) -> float:
        return x

    def apply(self, word: str, *args: Any) -> Any:
        for arg in args:
            if not isinstance(arg, float):  # a Value: the word is an operation, or compares numbers
                return (COMPARISONS.get(word) or word_operations[word])(*args)  # type: ignore[operator]
        return WORDS[word](*args) if args else CONSTANTS[word]

    def choose(self, test: bool, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
        return then() if test else other()


def rows() -> dict[str, Op]:
    """Return the operations that are rows of text, by their symbols."""
    return {symbol: op for symbol, op in table.items() if isinstance(op, Op)}


def get_op(symbol: str) -> Operation:
    """Return the operation of that symbol.

    Raises:
        ValueError: there is none; the message lists all symbols, and names the most similar one.

    >>> get_op("tanh")
    <op tanh>
    """
    if symbol not in table:
        hint = did_you_mean(symbol, table)
        raise ValueError(
            f"no operation {brief(symbol)}{hint}; there are {', '.join(table)}. Define it with Op first"
        )
    return table[symbol]
