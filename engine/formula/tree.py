"""A formula is one line of text, parsed into a tree that an interpreter evaluates, prints or compiles.

The table of operations gives its mathematics as text: ``"1 - y**2"``. The text is parsed here, and anything
that is not arithmetic is refused. The result is a tree of three kinds of node:

    3.0                         a number
    "a"                         a letter: a and b are the arguments, y is the result
    ("*", tree, tree)           a word and its arguments

To interpret a tree, each word is passed to an `Interpreter`, from the leaves up. One interpreter prints
Python, another LaTeX, another computes Values, another emits machine code; none of them depends on the
operation.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NoReturn, TypeAlias, TypeVar

from engine.formula.arithmetic import BINARY, CONSTANTS, FUNCTIONS

T = TypeVar("T")
Word: TypeAlias = "str | Formula"
Tree: TypeAlias = "float | str | tuple[Word, *tuple[Tree, ...]]"

LETTERS = "aby"
LONGEST = 500  # characters of a text
DEEPEST = 60  # levels of a tree, far fewer than Python's recursion limit

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


class Interpreter(Generic[T]):
    """The meaning of the words of a formula. A subclass defines at least `number` and `apply`."""

    def let(self, x: T) -> T:
        """Return an intermediate result that is used more than once; an interpreter may give it a name."""
        return x

    def number(self, x: float) -> T:
        """Return the meaning of a number in the formula."""
        raise NotImplementedError

    def apply(self, word: str, *args: T) -> T:
        """Return the meaning of a word: + - * / ** neg, pi, < <= > >=, or one of FUNCTIONS."""
        raise NotImplementedError

    def choose(self, test: T, then: Callable[[], T], other: Callable[[], T]) -> T:
        """Return ``then if test else other``; both are functions, as one of them need not be computed."""
        return self.apply("if", test, then(), other())

    def call(self, formula: Formula, *args: T) -> T:
        """Return the meaning of an operation called by name; by default its formula is interpreted."""
        return formula.interpret(self, args)


class Formula:
    """One formula of an operation: its text, and the tree that the text means.

    Args:
        text: the formula.
        letters: those that it may use, of ``a`` and ``b`` (the arguments) and ``y`` (the result).
        words: the operations that it may call by name, beside FUNCTIONS; they come first.
        name: the word by which later formulas may call this one.

    Raises:
        TypeError: the text is not a str.
        ValueError: the text is not arithmetic in those letters and words; the message shows where.

    >>> Formula("1 - y**2").tree
    ('-', 1.0, ('**', 'y', 2.0))
    """

    def __init__(
        self, text: str, letters: str = LETTERS, words: Mapping[str, Formula] | None = None, name: str = ""
    ) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a formula is a str, not {type(text).__name__}: {text!r:.60}")
        self.text, self.name = text.strip(), name
        if len(self.text) > LONGEST or not self.text.isprintable() or "#" in self.text:
            why = f"it is one line, without comments, of at most {LONGEST} characters"
            raise ValueError(f"{text!r:.80} is not a formula: {why}")
        self._allowed, self._words, self._used = tuple(letters), words or {}, set[str]()
        try:
            parsed = ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(f"{text!r} is not a formula: {getattr(error, 'msg', error)}") from None
        self.tree: Tree = self._number(parsed, DEEPEST)
        self.letters = tuple(letter for letter in LETTERS if letter in self._used)

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"

    def interpret(self, interpreter: Interpreter[T], args: Sequence[T], y: T | None = None) -> T:
        """Interpret the tree, with ``args`` for the letters a and b, and ``y`` for y."""
        letters = dict(zip("ab", args, strict=False))
        return interpret(self.tree, interpreter, letters if y is None else {**letters, "y": y})

    # From Python's syntax tree to ours: a kind of node without a case here is refused.

    def _number(self, node: ast.expr, deep: int) -> Tree:
        """Return the tree of an expression that stands for a number; a comparison alone counts 1 or 0."""
        if not deep:
            self._refuse(node, f"a formula has at most {DEEPEST} levels")
        down = deep - 1
        match node:
            case ast.Constant(value=int() | float() as x) if not isinstance(x, bool):
                return float(x) if abs(x) < 1e308 else self._refuse(node, "the number is too large")
            case ast.Name(id=name) if name in self._allowed:
                self._used.add(name)
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
        self._refuse(node, f"a formula is arithmetic in the letters {', '.join(self._allowed)}")

    def _test(self, node: ast.Compare, deep: int) -> Tree:
        if len(node.ops) > 1 or type(node.ops[0]) not in COMPARISONS:
            self._refuse(node, "a formula compares two things, with < <= > >=")
        sides = (node.left, node.comparators[0])
        return (COMPARISONS[type(node.ops[0])], *(self._number(side, deep) for side in sides))

    def _word(self, word: str, count: int, node: ast.expr) -> Word:
        called = self._words.get(word)
        if called is None and word not in FUNCTIONS:
            known = ", ".join(sorted({*FUNCTIONS, *CONSTANTS, *self._words}))
            self._refuse(node, f"the word {word!r} is unknown; known are {known}")
        expected = len(called.letters) if called else 1 + (word in BINARY)
        if count != expected:
            self._refuse(node, f"{word} takes {expected} argument{'s' * (expected > 1)}, not {count}")
        return called or word

    def _refuse(self, node: ast.expr, why: str) -> NoReturn:
        part = ast.get_source_segment(self.text, node)
        raise ValueError(f"{self.text!r} is not a formula: {why}, at {part!r:.60}")


def interpret(tree: Tree, interpreter: Interpreter[T], names: Mapping[str, T]) -> T:
    """Interpret any tree, from its leaves up; ``names`` gives the meaning of each name in it.

    First arguments are followed in a loop, so that a sum may have any number of terms.
    """
    spine: list[tuple[Word, tuple[Tree, ...]]] = []  # each word, and its arguments but for the first
    while isinstance(tree, tuple) and len(tree) > 1 and tree[0] != "if":
        spine.append((tree[0], tree[2:]))
        tree = tree[1]
    result = _leaf(tree, interpreter, names)
    for word, others in reversed(spine):
        args = [result, *[interpret(part, interpreter, names) for part in others]]
        result = interpreter.apply(word, *args) if isinstance(word, str) else interpreter.call(word, *args)
    return result


def _leaf(tree: Tree, interpreter: Interpreter[T], names: Mapping[str, T]) -> T:
    if isinstance(tree, float):
        return interpreter.number(tree)
    if isinstance(tree, str):
        return names[tree]
    if len(tree) == 1:
        return interpreter.apply(str(tree[0]))
    test, then, other = list(tree[1:])
    return interpreter.choose(
        interpret(test, interpreter, names),
        lambda: interpret(then, interpreter, names),
        lambda: interpret(other, interpreter, names),
    )
