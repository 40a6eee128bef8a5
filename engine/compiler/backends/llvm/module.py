"""A whole program in LLVM's assembly language.

Its lines are cut into functions. Those whose lines depend on no input run once a step, on plain numbers; the
others once for every block of samples. A value that one function computes and another needs is kept in
memory, in a slot of its own; so are those whose products are added to the root and to the gradients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.compiler.backends.llvm import vecmath as vectors
from engine.compiler.backends.llvm.blocks import EACH, ONCE, Sizes, frame
from engine.compiler.backends.llvm.builder import whole_vectors
from engine.compiler.backends.llvm.emit import Lanes, Lines
from engine.compiler.backends.llvm.reduction import Row, rows, slots
from engine.compiler.interpreter import mentioned, operations
from engine.compiler.split import FIRST, FLAG, ONE, Item, Split
from engine.formula.tree import interpret

if TYPE_CHECKING:
    from engine.compiler.program import Program


class Assembly:
    """The text of a program, in two modules that call each other.

    Args:
        program: the program.
        cut: how many operations a function has, more or less.

    Attributes:
        lines: the functions of the program's own lines.
        frame: what calls them, see `engine.compiler.backends.llvm.blocks`, and what they call: the functions of a calculus
            book, see `engine.compiler.backends.llvm.vecmath`.
        shared_root: whether the root depends on no input.
    """

    def __init__(self, program: Program, cut: int) -> None:
        split = Split(program)
        self._root, self.shared_root = split.root, not split.root
        self._alarms: list[Row] = []  # of the functions of a block
        self._words: dict[type[Lines], set[str]] = {Lines: set(), Lanes: set()}
        self._slots = slots(split.products)
        ones = [Item(name, 1.0) for name in self._slots if name.startswith(ONE)]
        once, each = list(pieces(split.shared, cut)), list(pieces([*ones, *split.varying], cut))
        crossing = crossings([*once, *each])
        kept = [item.name for item in split.shared if item.name in crossing]
        for item in split.varying:
            if item.name in crossing:
                self._slots.setdefault(item.name, len(self._slots))
        places = numbered("g", program.parameters) | numbered("c", kept)
        functions = [self._function(f"once{i}", part, Lines(), places) for i, part in enumerate(once)]
        places |= numbered("x", program.inputs) | numbered("w", self._slots)
        functions += [self._function(f"each{i}", part, Lanes(), places) for i, part in enumerate(each)]
        table = sorted(rows(split.products, self._slots) + self._alarms)
        sizes = Sizes(
            once=len(once),
            each=len(each),
            parameters=len(program.parameters),
            inputs=len(program.inputs),
            kept=len(kept),
            slots=len(self._slots),
            sums=whole_vectors(FIRST + len(program.gradients)),
            rows=Counter(row.length for row in table),
        )
        one, many = self._words[Lines], self._words[Lanes]
        self.lines = "\n\n".join([*vectors.declarations(one, many), *functions])
        self.frame = "\n\n".join([*vectors.definitions(many), frame(sizes, table)])

    def _function(self, name: str, part: list[Item], lines: Lines, places: dict[str, tuple[str, int]]) -> str:
        known = Known(lines, places)
        for item in part:
            value = interpret(item.tree, lines, known)
            if item.place >= 0:
                lines.store(value, "b", item.place)
                continue
            known[item.name] = value
            if item.name in places:
                lines.store(value, *places[item.name])
            if item.name == self._root:
                lines.store(value, "r", 0)
        if lines.flag != lines.number(0.0):
            self._flag(name, lines)
        self._words[type(lines)] |= lines.words
        arguments = EACH if isinstance(lines, Lanes) else ONCE
        return "\n".join([f"define void @{name}({arguments}) {{", *lines.rows, "  ret void", "}"])

    def _flag(self, name: str, lines: Lines) -> None:
        """Let a function say whether something was not finite: those of a block in a slot of their own.

        What is added up is its square, which is 0 or NaN as it is itself.
        """
        if isinstance(lines, Lanes):
            slot = self._slots[name] = len(self._slots)
            lines.store(lines.flag, "w", slot)
            self._alarms.append(Row(length=1, right=slot, left=slot, place=FLAG))
        else:
            total = lines.emit(f"fadd double {lines.load('b', FLAG)}, {lines.flag}")
            lines.store(total, "b", FLAG)


def numbered(pointer: str, names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Where each of the names is found."""
    return {name: (pointer, i) for i, name in enumerate(names)}


class Known(dict[str, str]):
    """The values that a function has at hand; any other it fetches from memory."""

    def __init__(self, lines: Lines, places: dict[str, tuple[str, int]]) -> None:
        super().__init__()
        self.lines, self.places = lines, places

    def __missing__(self, name: str) -> str:
        self[name] = self.lines.load(*self.places[name])
        return self[name]


def pieces(items: list[Item], cut: int) -> Iterator[list[Item]]:
    """The items in parts of about ``cut`` operations."""
    part, size = [], 0
    for item in items:
        part.append(item)
        size += operations(item.tree)
        if size >= cut:
            yield part
            part, size = [], 0
    if part:
        yield part


def crossings(parts: list[list[Item]]) -> set[str]:
    """The values that are computed in one part and needed in another."""
    home = {item.name: i for i, part in enumerate(parts) for item in part if item.name}
    return {
        name
        for i, part in enumerate(parts)
        for item in part
        for name in mentioned(item.tree)
        if home.get(name, i) != i
    }
