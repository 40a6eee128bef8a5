"""The form of an operation that people read, where its formula also guards against overflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from engine.formula.printers import Text
from engine.formula.tree import Formula, Interpreter

T = TypeVar("T")


class TextbookForm:
    """Base class of operations: y and its derivatives as a textbook has them. Nothing is computed by them."""

    texts: tuple[Formula, ...] = ()  #: y and its derivatives; empty if they are those that compute

    def text(self, printer: Interpreter[Text], args: Sequence[Text]) -> Text:
        """Return the formula of y as people read it."""
        raise NotImplementedError

    def derivative(self, position: int, interpreter: Interpreter[T], args: Sequence[T], y: T) -> T:
        """Return ∂y/∂(the parent at ``position``), computed by ``interpreter``."""
        raise NotImplementedError

    def textbook(self, printer: Interpreter[Text], args: Sequence[Text]) -> Text:
        """Return the formula of y as a textbook has it, without what serves floating-point numbers only."""
        return self.texts[0].interpret(printer, args) if self.texts else self.text(printer, args)

    def textbook_derivative(self, position: int, interpreter: Interpreter[T], args: Sequence[T], y: T) -> T:
        """Return ∂y/∂(the parent at ``position``) as a textbook has it."""
        if self.texts:
            return self.texts[1 + position].interpret(interpreter, args, y)
        return self.derivative(position, interpreter, args, y)


def textbook_formulas(texts: Sequence[str], arity: int, words: Mapping[str, Formula]) -> tuple[Formula, ...]:
    """Return the formulas of y and its derivatives, or nothing if there are no texts."""
    if isinstance(texts, str):
        raise TypeError(f"textbook is a list of texts, of y and its derivatives, not {texts!r:.60}")
    if texts and len(texts) != 1 + arity:
        raise ValueError(f"textbook has {1 + arity} texts, of y and its derivatives, not {len(texts)}")
    return tuple(Formula(text, "ab"[:arity] + "y", words) for text in texts)
