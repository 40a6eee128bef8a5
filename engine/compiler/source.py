"""A program written down as Python that a person reads from top to bottom, and that runs on its own."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.compiler.identifiers import Names
from engine.formula.arithmetic import CONSTANTS, FUNCTIONS, pow
from engine.formula.printers import (
    ATOM,
    POWER,
    PRODUCT,
    SIGN,
    SUM,
    PythonPrinter,
    Text,
    float_literal,
    float_literals,
    is_whole,
)
from engine.formula.tree import Formula, Tree, interpret

if TYPE_CHECKING:
    from engine.compiler.program import Line, Program

WIDTH = 100  # columns of a line
LISTED = 100  # lines that print shows
TERMS = 200  # of a sum in one statement: Python's own reader is recursive

#: What a line may not be called, because it means something else in the source.
RESERVED = (*FUNCTIONS, *CONSTANTS, "pow", "inf", "nan", "step", "parameters", "inputs", "steps", "samples",
            "values", "math", "float", "ValueError", "where", "choose")  # fmt: skip


class Same(dict[str, Text]):
    """Every name stands for itself."""

    def __missing__(self, name: str) -> Text:
        return Text(name)


class Source(PythonPrinter):
    """Writes the trees of a program, and keeps what their text needs to run.

    >>> writer = Source()
    >>> writer.statement("z", ("+", "b", ("*", "w", ("tanh", "x"))))
    'z = b + w*tanh(x)'
    >>> writer.imports
    {'tanh'}
    """

    module = "math"  # where the functions come from

    def __init__(self, taken: Iterable[str] = ()) -> None:
        super().__init__()
        self.imports: set[str] = set()
        self.functions: list[str] = []  # the definitions of the words that are operations, innermost first
        self._names, self._named = Names((*RESERVED, *taken)), dict[Formula, str]()

    def number(self, x: float) -> Text:
        if not math.isfinite(x):
            self.imports.add("nan" if math.isnan(x) else "inf")
        return super().number(x)

    def apply(self, word: str, *args: Text) -> Text:
        if word in CONSTANTS or (word in FUNCTIONS and word != "abs"):
            self.imports.add(word)
        if word == "*":
            left, right = float_literals(args)
            return Text(f"{left.within(PRODUCT)}*{right.within(SIGN)}", PRODUCT)
        return super().apply(word, *args)

    def power(self, base: Text, exponent: Text) -> Text:
        if is_whole(exponent):
            return Text(f"{base.within(ATOM)}**{exponent.text}", POWER)
        self.imports |= {"inf", "pow"} if self.module == "math" else {"pow"}
        return Text(f"pow({base.text}, {exponent.text})")

    def call(self, formula: Formula, *args: Text) -> Text:
        if formula not in self._named:
            body = float_literal(
                formula.interpret(self, [Text("a"), Text("b")])
            ).text  # with what it calls in turn
            self._named[formula] = name = self._names.give(formula.name)
            self.functions.append(f"def {name}({', '.join(formula.letters)}):\n    return {body}\n")
        return Text(f"{self._named[formula]}({', '.join(arg.text for arg in args)})")

    def statement(self, name: str, tree: Tree) -> str:
        """``name = formula``; a long sum goes over several rows, a very long one over several statements."""
        terms = list(self.terms(tree))
        if len(terms) == 1:
            return f"{name} = {float_literal(terms[0]).text}"
        texts = [terms[0].text, *(term.text for term in terms[1:])]
        parts = [texts[:TERMS], *([name, *texts[i : i + TERMS]] for i in range(TERMS, len(texts), TERMS))]
        return "\n".join(rows(f"{name} = ", "(", part, " ", ")") for part in parts)

    def terms(self, tree: Tree) -> Iterator[Text]:
        """The terms of a sum from left to right, all but the first with their sign."""
        spine = []
        while isinstance(tree, tuple) and tree[0] in ("+", "-"):
            spine.append(tree)
            tree = tree[1]
        first = interpret(tree, self, Same())
        yield Text(first.within(SUM)) if spine else first
        for sign, _, other in reversed(spine):
            yield Text(f"{sign} {interpret(other, self, Same()).within(PRODUCT)}")


def rows(head: str, left: str, parts: list[str], between: str, right: str) -> str:
    """The parts in one row if they fit, else in brackets, in as many rows as it takes."""
    line = head + between.join(parts)
    if len(line) <= WIDTH and left == "(":
        return line
    if not parts:
        return head + left + right
    lines, row = [], head + left
    margin = " " * len(row)
    for i, part in enumerate(parts):
        piece = part + (between if i < len(parts) - 1 else right)
        if len(row) + len(piece.rstrip()) > WIDTH and row.strip():
            lines.append(row.rstrip())
            row = margin
        row += piece
    return "\n".join([*lines, row])


def source(program: Program, kind: type[Source] = Source) -> str:
    """The program as Python; run, it defines ``step(parameters, inputs) -> (value, gradients)``."""
    writer = kind(line.name for line in program.lines)
    body = [*unpack(program.inputs, "inputs"), *unpack(program.parameters, "parameters")]
    body += statements(writer, "forward", program.of("forward"))
    value, *gradients = (
        float_literal(interpret(tree, writer, Same())).text for tree in (program.root, *program.gradients)
    )
    if backward := program.of("backward"):
        body += statements(writer, f"backward: d_v stands for ∂{value}/∂v, so that d_{value} is 1", backward)
    body += ["", rows(f"return {value}, ", "[", gradients, ", ", "]")]
    code = "\n".join(body).replace("\n", "\n    ")
    return (
        f'"""{value} of one sample, and its slope in every parameter: a graph as a program."""\n'
        + preface(writer)
        + "\n\ndef step(parameters, inputs):\n    "
        + re.sub(r" +$", "", code, flags=re.M)
        + "\n"
    )


def preface(writer: Source) -> str:
    """What the statements of a writer need to run: imports, and the functions that they call."""
    parts = []
    helpers = [pow_source()] * (writer.module == "math" and "pow" in writer.imports)
    if names := sorted(writer.imports - {"pow"} if helpers else writer.imports):
        parts.append("\n" + rows(f"from {writer.module} import ", "(", names, ", ", ")") + "\n")
    return "".join(parts + ["\n\n" + text for text in helpers + writer.functions])


def pow_source() -> str:
    """Return the source of `pow`, for a program that runs on its own."""
    first, *rest = inspect.getsource(pow).splitlines(keepends=True)
    return first.partition("  #")[0] + "\n" + "".join(rest)


def unpack(names: tuple[str, ...], what: str) -> list[str]:
    """The line that gives each of ``what`` its name."""
    if len(names) == 1:
        return [f"[{names[0]}] = {what}"]
    return [rows("", "(", list(names), ", ", ")") + f" = {what}"] if names else []


def statements(writer: Source, heading: str, lines: Iterable[Line]) -> Iterator[str]:
    """The lines one after another, with a comment where a layer begins: z2_0 is of layer 2."""
    yield f"\n# {heading}"
    before = None
    for line in lines:
        found = re.match(r"[^\W\d_]+(\d+)_\d", line.label)
        if (layer := found and found[1]) != before:
            yield f"\n# layer {layer}" if layer else "\n# from the last layer to the root"
        before = layer
        yield writer.statement(line.name, line.tree)


def listing(program: Program) -> str:
    """The lines with their numbers and kinds; of a long program the first and the last."""
    writer = Source(line.name for line in program.lines)
    numbered = list(enumerate(program.lines))
    left_out = len(numbered) - LISTED
    text = [repr(program)]
    for number, line in numbered if left_out <= 0 else numbered[: LISTED // 2] + numbered[-LISTED // 2 :]:
        if left_out > 0 and number == len(numbered) - LISTED // 2:
            text.append(f"    …  {left_out:,} more lines; program.source has them all, and program.lines")
        leaf = line.kind in ("input", "parameter")
        first, *more = [line.name] if leaf else writer.statement(line.name, line.tree).splitlines()
        text.append(f"{number:5}  {line.kind:<9}  {first}")
        text += [" " * 18 + row for row in (more if len(more) < 5 else [*more[:3], "  …"])]
    return "\n".join(text)
