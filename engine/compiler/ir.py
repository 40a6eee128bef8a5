"""A program as data: a flat list of instructions, each a formula of the results of earlier ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, Self

from engine.compiler.families import Families
from engine.compiler.graph import Graph
from engine.core.methods import Role
from engine.core.op import Operation
from engine.formula.tree import Tree


class Instruction(NamedTuple):
    """One instruction of a program."""

    name: str
    kind: str  #: "input", "parameter", "forward" or "backward"
    tree: Tree  #: its formula, in the names of earlier instructions; for an input, its own name
    label: str = ""  #: the label of the node, as the user wrote it
    op: Operation | None = None  #: the operation of a forward instruction
    args: tuple[Tree, ...] = ()  #: the name of each parent; for a plain number, the number
    needs_grad: tuple[int, ...] = ()  #: the positions of the parents whose derivative the backward pass needs
    role: Role | None = None  #: which layer, neuron and input the node belongs to

    def __repr__(self) -> str:
        return (
            f"<instruction {self.name}: {self.op.symbol if self.op else self.kind}>"  # the tree may be deep
        )


class GuardCheck(NamedTuple):
    """A comparison that Python made while the graph was built, to be checked on every sample."""

    name: str  #: the instruction that is 1.0 if the comparison holds, and 0.0 if not
    outcome: bool  #: whether it held for the sample that was traced
    line: str  #: the line of source that compared


class IR:
    """The intermediate representation that backends compile. It never changes.

    Attributes:
        graph: the graph itself, as data; the others are written from it when they are first read.
        instructions: the inputs, the parameters, one instruction for each operation, then the gradients.
        inputs, parameters: the names of those instructions, in order.
        outputs: the name of each output; a number, if the output is constant.
        gradients: for each parameter, the name of the derivative of the first output; a number, if it is
            constant.
        names: the name of each node of the graph; a plain number is itself.
        many: whether the program was traced from a list of outputs.
        guards: the comparisons that the program depends on; empty if it was traced from a finished graph.
        reads: the lines of source that read a number while the graph was built; a program cannot check them.
    """

    graph: Graph
    instructions: tuple[Instruction, ...]
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    outputs: tuple[Tree, ...]
    gradients: tuple[Tree, ...]
    guards: tuple[GuardCheck, ...]
    names: tuple[Tree, ...]

    @cached_property
    def families(self) -> Families:
        """The nodes that do the same to different numbers, so that one array holds them."""
        return Families(self.graph)

    @property
    def many(self) -> bool:
        return self.graph.many

    @property
    def reads(self) -> tuple[str, ...]:
        return self.graph.reads

    def of(self, kind: str) -> tuple[Instruction, ...]:
        """Return the instructions of one kind: input, parameter, forward or backward."""
        return tuple(instruction for instruction in self.instructions if instruction.kind == kind)

    def computed(self) -> Iterator[Instruction]:
        """Iterate over the forward and the backward instructions, in order."""
        return (
            instruction for instruction in self.instructions if instruction.kind in ("forward", "backward")
        )

    def forward(self) -> Self:
        """Return the same program without its backward pass, for predictions."""
        raise NotImplementedError

    def guarded(self) -> Self:
        """Return the same program with its guards as further outputs."""
        raise NotImplementedError

    def count_operations(self) -> int:
        """Return the number of operations of the program."""
        return sum(count_operations(instruction.tree) for instruction in self.instructions)


def names_in(tree: Tree) -> Iterator[str]:
    """Iterate over the names in a tree, from left to right."""
    todo = [tree]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, tuple):
            todo += reversed(part[1:])


def count_operations(tree: Tree) -> int:
    """Return the number of operations of a formula, plus 1; a call of another formula counts as 10."""
    todo, count = [tree], 1
    while todo:
        part = todo.pop()
        if isinstance(part, tuple):
            count += 1 if isinstance(part[0], str) else 10
            todo += part[1:]
    return count


def terms(tree: Tree) -> list[tuple[str, Tree]]:
    """Return the terms of a sum from left to right, each with its sign.

    >>> terms(("-", ("+", "a", "b"), "c"))
    [('+', 'a'), ('+', 'b'), ('-', 'c')]
    """
    found: list[tuple[str, Tree]] = []
    while isinstance(tree, tuple) and tree[0] in ("+", "-"):
        sign, *sides = tree
        tree = sides[0]
        found.append((str(sign), sides[1]))
    return [("+", tree), *reversed(found)]


def add_terms(parts: Sequence[tuple[str, Tree]]) -> Tree:
    """Return the sum of such terms.

    >>> add_terms([("-", "a"), ("+", "b")])
    ('+', ('neg', 'a'), 'b')
    """
    (sign, first), *others = parts
    tree: Tree = first if sign == "+" else ("neg", first)
    for sign, term in others:
        tree = (sign, tree, term)
    return tree
