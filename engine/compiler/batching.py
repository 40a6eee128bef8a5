"""Find the values of a program that depend on the sample, and those that are the same for all samples."""

from __future__ import annotations

from collections.abc import Callable

from engine.compiler.identifiers import Identifiers
from engine.compiler.ir import IR, Instruction, names_in
from engine.formula.tree import Formula, Interpreter, Tree, interpret

Part = tuple[Tree, bool]  # a formula, and whether it depends on the sample


class Batching:
    """The values of a program that depend on the sample: the inputs, and whatever is computed from them.

    Args:
        program: the program.

    >>> from engine import Value, trace
    >>> x, w = Value(1.0, label="x"), Value(2.0, label="w")
    >>> batching = Batching(trace(w * w + x, inputs=[x], parameters=[w]))
    >>> sorted(batching.names), batching.depends(("*", 2.0, "w"))
    (['x', 'y'], False)
    """

    def __init__(self, program: IR) -> None:
        self.names = set(program.inputs)
        for instruction in program.computed():
            self.add(instruction.name, instruction.tree)

    def depends(self, tree: Tree) -> bool:
        """Return whether a formula depends on the sample."""
        return not self.names.isdisjoint(names_in(tree))

    def add(self, name: str, tree: Tree) -> bool:
        """Give a formula a name, and return whether it depends on the sample."""
        depends = self.depends(tree)
        if depends:
            self.names.add(name)
        return depends


def hoist(program: IR, identifiers: Identifiers) -> tuple[list[Instruction], list[Instruction]]:
    """Return the instructions that run once, and those that run for each sample.

    A part of a formula that is the same for all samples becomes an instruction of its own.
    """
    batching = Batching(program)
    known = _Known(batching)
    once: list[Instruction] = []
    each: list[Instruction] = []
    for instruction in program.computed():
        hoister = Hoister(identifiers)
        tree, depends = interpret(instruction.tree, hoister, known)
        once += [instruction._replace(name=name, tree=part) for name, part in hoister.parts.items()]
        (each if depends else once).append(instruction._replace(tree=tree))
    return once, each


class Hoister(Interpreter[Part]):
    """Takes the largest parts that are the same for all samples out of a formula, and names each of them.

    >>> hoister = Hoister(Identifiers())
    >>> known = {"w": ("w", False), "x": ("x", True)}
    >>> interpret(("+", ("*", 2.0, "w"), ("*", "w", "x")), hoister, known)
    (('+', 'c', ('*', 'w', 'x')), True)
    >>> hoister.parts
    {'c': ('*', 2.0, 'w')}
    """

    def __init__(self, identifiers: Identifiers) -> None:
        self.identifiers, self.parts, self._branches = identifiers, dict[str, Tree](), 0

    def number(self, x: float) -> Part:
        return x, False

    def apply(self, word: str, *args: Part) -> Part:
        return self._build(word, *args)

    def call(self, formula: Formula, *args: Part) -> Part:
        return self._build(formula, *args)

    def choose(self, test: Part, then: Callable[[], Part], other: Callable[[], Part]) -> Part:
        self._branches += 1  # a part of a branch may have no value unless the branch is taken
        parts = test, then(), other()
        self._branches -= 1
        return ("if", *(tree for tree, _ in parts)), any(depends for _, depends in parts)

    def _build(self, word: str | Formula, *args: Part) -> Part:
        if not any(depends for _, depends in args):
            return (word, *(tree for tree, _ in args)), False
        return (word, *(tree if depends else self._name(tree) for tree, depends in args)), True

    def _name(self, tree: Tree) -> Tree:
        if not isinstance(tree, tuple) or self._branches:
            return tree
        name = self.identifiers.give("c")
        self.parts[name] = tree
        return name


class _Known(dict[str, Part]):
    """Each name means itself; whether it depends on the sample is looked up."""

    def __init__(self, batching: Batching) -> None:
        super().__init__()
        self.batching = batching

    def __missing__(self, name: str) -> Part:
        return name, name in self.batching.names
