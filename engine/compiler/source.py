"""Write a program as Python source: one function to read and run, or a loop over the samples."""

from __future__ import annotations

import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from engine.compiler.batching import hoist
from engine.compiler.identifiers import Identifiers
from engine.compiler.ir import IR, Instruction, terms
from engine.formula.arithmetic import CONSTANTS, FUNCTIONS, OWN, PARTIAL
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
from engine.formula.tree import Formula, Interpreter, Tree, interpret

WIDTH = 100  # columns of a line
LISTED = 100  # instructions that print shows
TERMS = 200  # of a sum in one statement: Python's own parser is recursive

#: The names that no instruction may have, because they have another meaning in the source.
RESERVED = (*FUNCTIONS, *CONSTANTS, "pow", "inf", "nan", "step", "parameters", "inputs", "steps", "samples",
            "values", "math", "float", "ValueError", "where", "choose")  # fmt: skip


class Names(dict[str, Text]):
    """Each name means itself. The names that were looked up are collected in ``used``."""

    def __init__(self) -> None:
        super().__init__()
        self.used: dict[str, None] = {}

    def __missing__(self, name: str) -> Text:
        self.used[name] = None
        return Text(name)


class Assignment(NamedTuple):
    """One statement of generated Python, as data."""

    name: str
    terms: list[str]  #: the expression; a sum has more than one term

    def write(self, target: str) -> str:
        """Return the statement; ``target`` is the text before the expression: ``x =`` or ``total +=``."""
        if len(self.terms) == 1:
            return f"{target} {self.terms[0]}"
        return rows(f"{target} ", "(", self.terms, " ", ")")


class Source(PythonPrinter):
    """Writes the trees of a program as Python, and collects the imports and functions that the text needs.

    >>> writer = Source()
    >>> writer.statement("z", ("+", "b", ("*", "w", ("tanh", "x"))))
    'z = b + w*tanh(x)'
    >>> writer.imports
    {'tanh'}
    """

    module = "math"  # the module of the functions

    def __init__(self, taken: Iterable[str] = ()) -> None:
        super().__init__()
        self.names = Names()
        self.imports: set[str] = set()
        self.functions: list[str] = []  # definitions of the operations called by name, innermost first
        self._identifiers, self._named = Identifiers((*RESERVED, *taken)), dict[Formula, str]()

    def number(self, x: float) -> Text:
        if not math.isfinite(x):
            self.imports.add("nan" if math.isnan(x) else "inf")
        return super().number(x)

    def apply(self, word: str, *args: Text) -> Text:
        if word in CONSTANTS or (word in FUNCTIONS and word != "abs"):
            self._use(word)
        if word == "*":
            left, right = float_literals(args)
            return Text(f"{left.within(PRODUCT)}*{right.within(SIGN)}", PRODUCT)
        return super().apply(word, *args)

    def power(self, base: Text, exponent: Text) -> Text:
        if is_whole(exponent):
            return Text(f"{base.within(ATOM)}**{exponent.text}", POWER)
        self._use("pow")
        return Text(f"pow({base.text}, {exponent.text})")

    def _use(self, word: str) -> None:
        """Note that the text needs a function; those that `math` does not have are defined, with ``inf``."""
        self.imports |= {word, "inf"} if word in OWN and self.module == "math" else {word}

    def call(self, formula: Formula, *args: Text) -> Text:
        if formula not in self._named:
            outside, self.names = self.names, Names()  # the letters of the function are its own
            body = self.text(formula.tree)
            self.names = outside
            self._named[formula] = name = self._identifiers.give(formula.name)
            self.functions.append(f"def {name}({', '.join(formula.letters)}):\n    return {body}\n")
        return Text(f"{self._named[formula]}({', '.join(arg.text for arg in args)})")

    def text(self, tree: Tree) -> str:
        """Return a formula as Python that gives a float."""
        return float_literal(interpret(tree, self, self.names)).text

    def statement(self, name: str, tree: Tree) -> str:
        """Return ``name = formula``; a long sum takes several lines, a very long one several statements."""
        return "\n".join(assignment.write(f"{name} =") for assignment in self.assignments(name, tree))

    def assignments(self, name: str, tree: Tree) -> list[Assignment]:
        """Return the statements that compute a formula: one, or more for a very long sum."""
        texts = term_texts(tree, self, self.names)
        if len(texts) == 1:
            return [Assignment(name, [self.text(tree)])]
        parts = [texts[:TERMS], *([name, *texts[i : i + TERMS]] for i in range(TERMS, len(texts), TERMS))]
        return [Assignment(name, part) for part in parts]


def term_texts(tree: Tree, printer: Interpreter[Text], names: Mapping[str, Text]) -> list[str]:
    """Return the text of each term of a sum, with its sign; a formula that is no sum is one term."""
    (_, first), *others = terms(tree)
    texts = [interpret(first, printer, names).within(SUM)]
    return texts + [f"{sign} {interpret(term, printer, names).within(PRODUCT)}" for sign, term in others]


class ColumnSource(Source):
    """Writes the same formulas, except for choices: the branch may differ from sample to sample."""

    module = "engine.compiler.backends.numpy"
    calls = False  # whether the text so far calls a function, or divides

    def apply(self, word: str, *args: Text) -> Text:
        self.calls |= word in PARTIAL or (word in FUNCTIONS and word != "abs")
        return super().apply(word, *args)

    def call(self, formula: Formula, *args: Text) -> Text:
        text = super().call(formula, *args)
        self.calls = True
        return text

    def choose(self, test: Text, then: Callable[[], Text], other: Callable[[], Text]) -> Text:
        names, outside, outside_calls = self.names, self.names.used, self.calls
        names.used, self.calls = {}, False
        first, second = float_literal(then()).text, float_literal(other()).text
        used, calls = names.used, self.calls
        names.used, self.calls = outside | used, outside_calls or calls
        if not calls:
            self.imports.add("where")
            return Text(f"where({test.text}, {first}, {second})")
        self.imports.add("choose")
        letters = ", ".join(used)
        return Text(f"choose({test.text}, lambda {letters}: {first}, lambda {letters}: {second}, {letters})")


def rows(head: str, left: str, parts: Sequence[str], between: str, right: str) -> str:
    """Return the parts on one line if they fit, otherwise in brackets on as many lines as needed."""
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


def source(program: IR, kind: type[Source] = Source) -> str:
    """Return the program as Python that defines ``step(parameters, inputs) -> (value, gradients)``.

    For a program that was traced from a list of outputs, it is ``(value, gradients, others)``.
    """
    writer = kind(instruction.name for instruction in program.instructions)
    body = [*unpack(program.inputs, "inputs"), *unpack(program.parameters, "parameters")]
    body += statements(writer, "forward", program.of("forward"))
    value, *others = map(writer.text, program.outputs)
    gradients = [writer.text(tree) for tree in program.gradients]
    if backward := program.of("backward"):
        body += statements(writer, f"backward: d_v stands for ∂{value}/∂v, so that d_{value} is 1", backward)
    result = rows(f"return {value}, ", "[", gradients, ", ", "]")
    if program.many:
        *lines, last = result.split("\n")
        result = "\n".join([*lines, rows(f"{last}, ", "[", others, ", ", "]")])
    also = f", {len(others)} more output{'s' * (len(others) > 1)}" if others else ""
    return (
        f'"""{value} of one sample, and its derivative with respect to each parameter{also}."""\n'
        + preface(writer)
        + "\n\ndef step(parameters, inputs):\n"
        + textwrap.indent("\n".join([*body, "", result]), "    ")
        + "\n"
    )


class Loop(NamedTuple):
    """The instructions of a program as a loop over the samples."""

    once: list[Instruction]  #: those that run before the loop
    each: list[Instruction]  #: those that run for each sample
    constant: dict[Tree, Tree]  #: the part of a gradient that is the same for all samples, by gradient
    sums: list[str]  #: the name of the sum of each gradient

    @classmethod
    def of(cls, program: IR, identifiers: Identifiers) -> Loop:
        """Return the loop of a program; its new names are made by ``identifiers``."""
        once, each = hoist(program, identifiers)
        shared = {*program.parameters, *(instruction.name for instruction in once)}
        each, constant = split_gradients(each, program.gradients, shared)
        sums = [identifiers.give(f"sum_{it}" if isinstance(it, str) else "sum") for it in program.gradients]
        return cls(once, each, constant, sums)


def loop_source(program: IR) -> str:
    """Return the program as Python that defines ``steps(parameters, samples, count)``.

    It returns the values of the first output, the sums of its gradients, and a list with the values of each
    further output. Whatever is the same for all samples is computed before the loop.
    """
    identifiers = Identifiers((*RESERVED, *(instruction.name for instruction in program.instructions)))
    once, each, constant, sums = Loop.of(program, identifiers)
    count = identifiers.give("count")
    columns = [identifiers.give(f"values_{k}") for k in range(1, len(program.outputs))]
    computed = [instruction.name for instruction in (*once, *each)]
    writer = Source((*computed, *program.parameters, *program.inputs, *sums, *columns, count))

    def written(heading: str, part: list[Instruction], sums: Mapping[str, str] | None = None) -> list[str]:
        return list(statements(writer, heading, part, sums)) if part else []

    lists = ["values", *columns]
    body = [*unpack(program.inputs, "inputs"), *written("forward", [i for i in each if i.kind == "forward"])]
    body += [f"{name}.append({writer.text(tree)})" for name, tree in zip(lists, program.outputs)]
    sum_of = {it: name for it, name in zip(program.gradients, sums) if isinstance(it, str)}
    body += written("backward", [i for i in each if i.kind == "backward"], sum_of)
    before = [*unpack(program.parameters, "parameters"), *written("the same for every sample", once), ""]
    before += [f"{name} = []" for name in lists]
    for it, name in zip(program.gradients, sums):
        start = f"{count}*{writer.text(constant[it])}" if constant.get(it) else "0.0"
        before.append(f"{name} = {start}")
    after = rows("return values, ", "[", sums, ", ", "], ") + rows("", "[", columns, ", ", "]").lstrip()
    parts = ["\n".join(before), "for inputs in samples:\n" + textwrap.indent("\n".join(body), "    "), after]
    return (
        f'"""{writer.text(program.outputs[0])} of every sample, and the sums of its derivatives."""\n'
        + preface(writer)
        + f"\n\ndef steps(parameters, samples, {count}):\n"
        + textwrap.indent("\n\n".join(parts), "    ")
        + "\n"
    )


def split_gradients(
    each: list[Instruction], gradients: Sequence[Tree], shared: set[str]
) -> tuple[list[Instruction], dict[Tree, Tree]]:
    """Take out of each gradient its first term, if that is the same for all samples.

    Returns:
        The instructions without those terms, and the terms, by gradient.
    """
    constant = {it: it for it in gradients if not isinstance(it, str) or it in shared}
    wanted, rest = {*gradients}, []
    for instruction in each:
        match instruction.tree:
            case ("+", str(term), other) if term in shared and instruction.name in wanted:
                constant[instruction.name], instruction = term, instruction._replace(tree=other)
        rest.append(instruction)
    return rest, constant


def preface(writer: Source) -> str:
    """Return what the statements of a writer need to run: imports, and the functions that they call."""
    parts = []
    own = writer.imports & OWN.keys() if writer.module == "math" else set()
    helpers = [source_of(OWN[name]) for name in sorted(own)]
    if names := sorted(writer.imports - own):
        parts.append("\n" + rows(f"from {writer.module} import ", "(", names, ", ", ")") + "\n")
    return "".join(parts + ["\n\n" + text for text in helpers + writer.functions])


def source_of(function: Callable[..., float]) -> str:
    """Return the source of one of OWN, for a program that runs on its own."""
    first, *rest = inspect.getsource(function).splitlines(keepends=True)
    return first.partition("  #")[0] + "\n" + "".join(rest)


def unpack(names: tuple[str, ...], values: str) -> list[str]:
    """Return the statement that assigns ``values`` to the names; none for no names."""
    if len(names) == 1:
        return [f"[{names[0]}] = {values}"]
    return [rows("", "(", list(names), ", ", ")") + f" = {values}"] if names else []


def statements(
    writer: Source, heading: str, instructions: Iterable[Instruction], sums: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Iterate over the statements of the instructions, with a comment where a layer begins.

    Args:
        writer: writes the formulas.
        heading: the comment before the first statement.
        instructions: the instructions.
        sums: the name of the sum that an instruction is added to, by the name of the instruction.
    """
    sums = sums or {}
    yield f"\n# {heading}"
    before = None
    for instruction in instructions:
        layer = instruction.role and instruction.role.layer
        if layer != before:
            yield "\n# from the last layer to the root" if layer is None else f"\n# layer {layer}"
        before = layer
        name = instruction.name
        assignments = writer.assignments(name, instruction.tree)
        if name in sums and len(assignments) == 1:
            yield assignments[0].write(f"{sums[name]} +=")
            continue
        for assignment in assignments:
            yield assignment.write(f"{name} =")
        if name in sums:
            yield f"{sums[name]} += {name}"


def listing(program: IR, title: str) -> str:
    """Return the instructions with their numbers and kinds; of a long program the first and the last."""
    writer = Source(instruction.name for instruction in program.instructions)
    numbered = list(enumerate(program.instructions))
    left_out = len(numbered) - LISTED
    text = [title]
    for number, it in numbered if left_out <= 0 else numbered[: LISTED // 2] + numbered[-LISTED // 2 :]:
        if left_out > 0 and number == len(numbered) - LISTED // 2:
            text.append(f"    …  {left_out:,} more lines; program.source has them all, and program.lines")
        leaf = it.kind in ("input", "parameter")
        first, *more = [it.name] if leaf else writer.statement(it.name, it.tree).splitlines()
        text.append(f"{number:5}  {it.kind:<9}  {first}")
        text += [" " * 18 + row for row in (more if len(more) < 5 else [*more[:3], "  …"])]
    if program.many:
        outputs = [writer.text(tree) for tree in program.outputs]
        hidden = len(outputs) - LISTED
        text += [f"       output     {name}" for name in outputs[:LISTED]]
        text += [f"    …  {hidden:,} more outputs; program.outputs has them all"] * (hidden > 0)
    return "\n".join(text)
