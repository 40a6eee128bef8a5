"""A formula is one line of a calculus book, read as a tree that anyone can walk.

A row of the table writes its mathematics as text: ``"1 - y**2"``. Here the text is parsed, and everything
that is not arithmetic is refused. What is left is a tree of three kinds of thing:

    3.0                         a number
    "a"                         a letter: a and b are what goes in, y is what came out
    ("*", tree, tree)           a word and what it is applied to

To read a tree is to *fold* it: from the leaves up, each word is handed to an algebra, which knows what the
words mean. One algebra writes Python, another LaTeX, another builds Values, another emits machine code;
none of them needs to know which operation it is reading.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T")
Tree = Any  # float | str | tuple[word, Tree, ...]

LETTERS = "aby"
LONGEST = 500  # characters of a text, and
DEEPEST = 60  # levels of a tree: far more than a line of a book has, far fewer than Python's stack allows

#: The words that every reader knows. Any other word is an operation, and its formula is made of these.
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp, "expm1": math.expm1, "log": math.log, "log1p": math.log1p, "sqrt": math.sqrt,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "tanh": math.tanh, "erf": math.erf, "erfc": math.erfc,
    "abs": abs,
}  # fmt: skip
CONSTANTS = {"pi": math.pi}
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
#: The words that have no value for some numbers: Python raises there, and any other reader must look.
RISKY = {"/", "**", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan"}


class Algebra(Generic[T]):
    """What the words of a formula mean to one reader. A subclass says at least `number` and `apply`."""

    def number(self, x: float) -> T:
        """The meaning of a number that stands in the formula."""
        raise NotImplementedError

    def apply(self, word: str, *args: T) -> T:
        """The meaning of a word: + - * / ** neg, pi, < <= > >=, or one of FUNCTIONS."""
        raise NotImplementedError

    def choose(self, test: T, then: Callable[[], T], other: Callable[[], T]) -> T:
        """``then if test else other``, both still unread, so that a reader that computes reads only one."""
        return self.apply("if", test, then(), other())

    def call(self, formula: Formula, *args: T) -> T:
        """A word that is itself an operation: unless the reader has a name for it, its formula is read."""
        return formula.fold(self, args)


class Formula:
    """One formula of a row: its text, and the tree that the text means.

    Args:
        text: the formula.
        letters: those that it may use, of ``a`` and ``b`` (the parents) and ``y`` (the result).
        words: the operations that it may call by name, beside FUNCTIONS.
        name: the word by which later formulas may call this one.

    Raises:
        ValueError: the text is not arithmetic in those letters and words; the message shows where.

    >>> Formula("1 - y**2").tree
    ('-', 1.0, ('**', 'y', 2.0))
    """

    def __init__(
        self, text: str, letters: str = LETTERS, words: Mapping[str, Formula] | None = None, name: str = ""
    ) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a formula is a str, not {type(text).__name__}: {text!r}")
        self.text, self.name = text.strip(), name
        if len(self.text) > LONGEST or not self.text.isprintable() or "#" in self.text:
            why = f"it is one line, without comments, of at most {LONGEST} characters"
            raise ValueError(f"{text!r:.80} is not a formula: {why}")
        self._allowed, self._words = tuple(letters), words or {}
        try:
            parsed = ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(f"{text!r} is not a formula: {getattr(error, 'msg', error)}") from None
        self.tree: Tree = self._number(parsed, DEEPEST)
        self.letters = tuple(letter for letter in LETTERS if _mentions(self.tree, letter))

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"

    def fold(self, algebra: Algebra[T], args: Sequence[T], y: T | None = None) -> T:
        """Read the tree from its leaves up, with ``args`` for the letters a and b, and ``y`` for y."""
        return fold(self.tree, algebra, {**dict(zip("ab", args, strict=False)), "y": y})

    # From Python's syntax tree to ours: what has no line here is refused.

    def _number(self, node: ast.expr, deep: int) -> Tree:
        """The tree of whatever stands for a number; a comparison standing alone counts 1 or 0."""
        if not deep:
            self._refuse(node, f"a row has at most {DEEPEST} levels")
        down = deep - 1
        match node:
            case ast.Constant(value=int() | float() as x) if not isinstance(x, bool):
                return float(x) if abs(x) < 1e308 else self._refuse(node, "the number is too large")
            case ast.Name(id=name) if name in self._allowed:
                return name
            case ast.Name(id=name) if name in CONSTANTS:
                return (name,)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                tree = self._number(part, down)
                return -tree if isinstance(tree, float) else ("neg", tree)
            case ast.BinOp(op=op, left=left, right=right) if type(op) in OPERATORS:
                return (OPERATORS[type(op)], self._number(left, down), self._number(right, down))
            case ast.Call(func=ast.Name(id=word), args=args, keywords=[]):
                return (self._word(word, len(args), node), *(self._number(arg, down) for arg in args))
            case ast.IfExp(test=ast.Compare() as test, body=then, orelse=other):
                return ("if", self._test(test, down), self._number(then, down), self._number(other, down))
            case ast.Compare():
                return ("if", self._test(node, down), 1.0, 0.0)
        self._refuse(node, f"a row is arithmetic in the letters {', '.join(self._allowed)}")

    def _test(self, node: ast.Compare, deep: int) -> Tree:
        if len(node.ops) > 1 or type(node.ops[0]) not in COMPARISONS:
            self._refuse(node, "rows compare two things, with < <= > >=")
        sides = (node.left, node.comparators[0])
        return (COMPARISONS[type(node.ops[0])], *(self._number(side, deep) for side in sides))

    def _word(self, word: str, count: int, node: ast.expr) -> str | Formula:
        if word not in FUNCTIONS and word not in self._words:
            known = ", ".join(sorted({*FUNCTIONS, *CONSTANTS, *self._words}))
            self._refuse(node, f"the word {word!r} is unknown; known are {known}")
        expected = 1 if word in FUNCTIONS else len(self._words[word].letters)
        if count != expected:
            self._refuse(node, f"{word} takes {expected} argument{'s' * (expected > 1)}, not {count}")
        return word if word in FUNCTIONS else self._words[word]

    def _refuse(self, node: ast.expr, why: str) -> NoReturn:
        part = ast.get_source_segment(self.text, node)
        raise ValueError(f"{self.text!r} is not a formula: {why}, at {part!r:.60}")


def fold(tree: Tree, algebra: Algebra[T], letters: Mapping[str, Any]) -> T:
    """Read any tree from its leaves up; ``letters`` says what each name in it stands for.

    First operands are followed in a loop, so that a sum may have any number of terms.
    """
    spine = []
    while isinstance(tree, tuple) and len(tree) > 1 and tree[0] != "if":
        spine.append(tree)
        tree = tree[1]
    result = _leaf(tree, algebra, letters)
    for word, _, *others in reversed(spine):
        args = [result, *(fold(part, algebra, letters) for part in others)]
        result = algebra.call(word, *args) if isinstance(word, Formula) else algebra.apply(word, *args)
    return result


def _leaf(tree: Tree, algebra: Algebra[T], letters: Mapping[str, Any]) -> T:
    if isinstance(tree, float):
        return algebra.number(tree)
    if isinstance(tree, str):
        return letters[tree]  # type: ignore[no-any-return]
    if len(tree) == 1:
        return algebra.apply(tree[0])
    _, test, then, other = tree
    return algebra.choose(
        fold(test, algebra, letters),
        lambda: fold(then, algebra, letters),
        lambda: fold(other, algebra, letters),
    )


def _mentions(tree: Tree, letter: str) -> bool:
    parts = tree[1:] if isinstance(tree, tuple) else ()
    return tree == letter or any(_mentions(part, letter) for part in parts)
