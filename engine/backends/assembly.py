"""A whole program in LLVM's assembly language.

It is cut into functions. Those whose lines depend on no input run once a step, on plain numbers; the others
once for every four samples. A value that one function computes and another needs is kept in memory, in a slot
of its own; so are those whose products are added to the root and to the gradients.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.backends import vectors
from engine.backends.blocks import EACH, ONCE, Sizes, step
from engine.backends.gather import rows, slots
from engine.backends.lanes import Lanes, Lines
from engine.backends.replay import mentioned, operations
from engine.backends.split import FIRST, FLAG, ONE, Item, Product, Split
from engine.backends.vector import whole_vectors
from engine.formula import fold

if TYPE_CHECKING:
    from engine.program import Program


class Assembly:
    """The text of a program, and what memory it needs.

    Args:
        program: the program.
        cut: how many operations a function has, more or less.

    Attributes:
        text: the functions; ``step`` is the one to be called, see `engine.backends.blocks`.
        kept: how many values that all samples share are kept in memory.
        slots: the values of each block that are kept, and where.
        rows: what is added to the sums, see `engine.backends.gather`.
        sums: how many sums there are, in whole vectors: FLAG, MEAN and, from FIRST on, the gradients.
        shared_root: whether the root depends on no input.
    """

    def __init__(self, program: Program, cut: int) -> None:
        split = Split(program)
        self.root, self.shared_root, self._products = split.root, not split.root, split.products
        self.sums = whole_vectors(FIRST + len(program.gradients))
        self._words: dict[type[Lines], set[str]] = {Lines: set(), Lanes: set()}
        once, each = list(pieces(split.shared, cut)), list(pieces(split.varying, cut))
        crossing = crossings([*once, *each])
        kept = [item.name for item in split.shared if item.name in crossing]
        self.kept, self.slots = len(kept), slots(split.products)
        for item in split.varying:
            if item.name in crossing:
                self.slots.setdefault(item.name, len(self.slots))
        alone = numbered("g", program.parameters) | numbered("c", kept)
        spread = numbered("p", [*program.parameters, *kept]) | numbered("x", program.inputs)
        functions = [self._function(f"once{i}", part, Lines(), alone) for i, part in enumerate(once)]
        spread |= numbered("w", self.slots)
        functions += [self._function(f"each{i}", part, Lanes(), spread) for i, part in enumerate(each)]
        self.rows = rows(sorted(self._products), self.slots)
        sizes = Sizes(len(once), len(each), len(program.parameters), len(program.inputs), self.kept,
                      len(self.slots), len(self.rows), self.sums)  # fmt: skip
        self.text = "\n\n".join([*self._library(), *functions, step(sizes)])

    def _function(self, name: str, part: list[Item], lines: Lines, places: dict[str, tuple[str, int]]) -> str:
        known = Known(lines, places)
        for item in part:
            value = fold(item.tree, lines, known)
            if item.place >= 0:
                lines.add(value, item.place)
                continue
            known[item.name] = value
            if item.name in places:
                lines.store(value, *places[item.name])
            if item.name == self.root:
                lines.store(value, "r", 0)
        if lines.flag != lines.number(0.0):
            self._flag(name, lines)
        self._words[type(lines)] |= lines.words
        head = f"define internal void @{name}({EACH if isinstance(lines, Lanes) else ONCE}) noinline {{"
        return "\n".join([head, *lines.rows, "  ret void", "}"])

    def _flag(self, name: str, lines: Lines) -> None:
        """Let a function say whether something was not finite: those of a block in a slot of their own."""
        if isinstance(lines, Lanes):
            self.slots[name] = len(self.slots)
            lines.store(lines.flag, "w", self.slots[name])
            self._products.append(Product(name, FLAG, ONE))
        else:
            lines.add(lines.flag, FLAG)

    def _library(self) -> list[str]:
        """The functions that those of the program call."""
        one, four = self._words[Lines], self._words[Lanes]
        declared = [vectors.declaration(word) for word in sorted(one | vectors.borrowed(four))]
        return [vectors.INTRINSICS, *declared, *(vectors.definition(word) for word in sorted(four))]


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
