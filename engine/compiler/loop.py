"""A program as one loop over the samples, before which stands what is the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from engine.compiler.identifiers import Names
from engine.compiler.source import RESERVED, Same, Source, preface, rows, statements, unpack
from engine.formula.printers import float_literal
from engine.formula.tree import Formula, Interpreter, Tree, interpret

if TYPE_CHECKING:
    from engine.compiler.program import Line, Program

Part = tuple[Tree, bool]  # a formula, and whether it varies from sample to sample


class Constancy(Interpreter[Part]):
    """Takes out of a formula the largest parts that do not vary, and gives each of them a name.

    >>> taken = Constancy(Names())
    >>> known = {"w": ("w", False), "x": ("x", True)}
    >>> interpret(("+", ("*", 2.0, "w"), ("*", "w", "x")), taken, known)
    (('+', 'c', ('*', 'w', 'x')), True)
    >>> taken.parts
    {'c': ('*', 2.0, 'w')}
    """

    def __init__(self, names: Names) -> None:
        self.names, self.parts, self._branches = names, dict[str, Tree](), 0

    def number(self, x: float) -> Part:
        return x, False

    def apply(self, word: str, *args: Part) -> Part:
        return self._made(word, *args)

    def call(self, formula: Formula, *args: Part) -> Part:
        return self._made(formula, *args)

    def choose(self, test: Part, then: Callable[[], Part], other: Callable[[], Part]) -> Part:
        self._branches += 1  # what stands in a branch may have no value unless it is taken
        parts = test, then(), other()
        self._branches -= 1
        return ("if", *(tree for tree, _ in parts)), any(varies for _, varies in parts)

    def _made(self, word: str | Formula, *args: Part) -> Part:
        if not any(varies for _, varies in args):
            return (word, *(tree for tree, _ in args)), False
        return (word, *(tree if varies else self._name(tree) for tree, varies in args)), True

    def _name(self, tree: Tree) -> Tree:
        if not isinstance(tree, tuple) or self._branches:
            return tree
        name = self.names.give("c")
        self.parts[name] = tree
        return name


class Known(dict[str, Part]):
    """Every name stands for itself, and varies if it is one of ``varying``."""

    def __init__(self, varying: set[str]) -> None:
        super().__init__()
        self.varying = varying

    def __missing__(self, name: str) -> Part:
        return name, name in self.varying


def sorted_out(program: Program, names: Names) -> tuple[list[Line], list[Line]]:
    """The lines that are the same for all samples, and those that vary."""
    varying = set(program.inputs)
    known = Known(varying)
    once: list[Line] = []
    each: list[Line] = []
    for line in program.lines:
        if line.kind in ("forward", "backward"):
            taken = Constancy(names)
            tree, varies = interpret(line.tree, taken, known)
            once += [line._replace(name=name, tree=part) for name, part in taken.parts.items()]
            (each if varies else once).append(line._replace(tree=tree))
            if varies:
                varying.add(line.name)
    return once, each


def loop(program: Program) -> str:
    """The program as Python: it defines ``steps(parameters, samples, count) -> (values, sums)``."""
    names = Names((*RESERVED, *(line.name for line in program.lines)))
    once, each = sorted_out(program, names)
    each, alike = begun(each, program.gradients, {*program.parameters, *(line.name for line in once)})
    count = names.give("count")
    sums = [names.give(f"sum_{it}" if isinstance(it, str) else "sum") for it in program.gradients]
    taken = (*(line.name for line in (*once, *each)), *program.parameters, *program.inputs, *sums, count)
    writer = Source(taken)

    def text(tree: Tree) -> str:
        return float_literal(interpret(tree, writer, Same())).text

    def written(heading: str, lines: list[Line]) -> list[str]:
        return list(statements(writer, heading, lines)) if lines else []

    forward = written("forward", [line for line in each if line.kind == "forward"])
    backward = written("backward", [line for line in each if line.kind == "backward"])
    varying = {line.name for line in each}
    ends = [(it, name) for it, name in zip(program.gradients, sums) if isinstance(it, str) and it in varying]
    within = [*unpack(program.inputs, "inputs"), *forward, f"values.append({text(program.root)})"]
    within += added_up(backward, ends)
    before = [*unpack(program.parameters, "parameters"), *written("the same for every sample", once)]
    before += ["", "values = []"]
    for it, name in zip(program.gradients, sums):
        before.append(f"{name} = {count}*{text(alike[it])}" if alike.get(it) else f"{name} = 0.0")
    body = ["\n".join(before), "for inputs in samples:\n" + indented("\n".join(within))]
    body += [rows("return values, ", "[", sums, ", ", "]")]
    head = f'"""{text(program.root)} of every sample, and the sums of its slopes."""\n'
    steps = f"\n\ndef steps(parameters, samples, {count}):\n" + indented("\n\n".join(body)) + "\n"
    return head + preface(writer) + steps


def begun(each: list[Line], gradients: Sequence[Tree], same: set[str]) -> tuple[list[Line], dict[Tree, Tree]]:
    """The lines without what they add to a gradient in every sample alike, and that, by the gradient."""
    alike = {it: it for it in gradients if not isinstance(it, str) or it in same}
    wanted, rest = {*gradients}, []
    for line in each:
        match line.tree:
            case ("+", str(part), other) if part in same and line.name in wanted:
                alike[line.name], line = part, line._replace(tree=other)
        rest.append(line)
    return rest, alike


def added_up(backward: list[str], ends: list[tuple[str, str]]) -> Iterator[str]:
    """The statements of the backward pass, and each gradient added to its sum, at once where that can be."""
    left = dict(ends)
    for statement in backward:
        name, _, value = statement.partition(" = ")
        if name in left and f"\n{name} = " not in statement:  # it is in one piece
            yield f"{left.pop(name)} += {value}"
        else:
            yield statement
    for gradient, name in ends:
        if gradient in left:
            yield f"{name} += {gradient}"


def indented(text: str) -> str:
    """The text, four columns further in."""
    return "\n".join(f"    {line}".rstrip() for line in text.split("\n"))
