"""A whole program in LLVM's assembly language.

Its instructions are divided into functions. Those that are the same for all samples run once a call, on plain
numbers; the others run once for every block of samples. A value that one function computes and another needs
is kept in memory, in a slot of its own; so are the values whose products are added to the mean and the
gradients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from engine.compiler.backends.llvm import vecmath as vectors
from engine.compiler.backends.llvm.builder import whole_vectors
from engine.compiler.backends.llvm.emit import Lanes, Lines
from engine.compiler.backends.llvm.frame import EACH, ONCE, Sizes, frame
from engine.compiler.backends.llvm.reduction import Row, rows, slots
from engine.compiler.backends.llvm.schedule import FLAG, ONE, Item, Schedule
from engine.compiler.ir import IR, count_operations, names_in
from engine.formula.tree import interpret


class Output(NamedTuple):
    """The place of an output: its column, or the sum that holds the number if all samples share it."""

    shared: bool
    place: int


class Assembly:
    """The text of a program, in two modules that call each other.

    Args:
        program: the program.
        cut: about how many operations a function has.

    Attributes:
        lines: the functions of the program's own instructions.
        frame: the code that calls them, see `engine.compiler.backends.llvm.frame`, and the functions that
            they call, see `engine.compiler.backends.llvm.vecmath`.
        outputs: the place of each output.
        sums: the number of sums.
    """

    def __init__(self, program: IR, cut: int) -> None:
        split = Schedule(program)
        columns = dict.fromkeys(name for name in split.outputs if isinstance(name, str))
        self._columns = {name: i for i, name in enumerate(columns)}
        self.outputs = [
            Output(False, self._columns[it]) if isinstance(it, str) else Output(True, it)
            for it in split.outputs
        ]
        self.sums = split.sums
        self._alarms: list[Row] = []  # of the functions that run for each block
        self._words: dict[type[Lines], set[str]] = {Lines: set(), Lanes: set()}
        self._slots = slots(split.products)
        ones = [Item(name, 1.0) for name in self._slots if name.startswith(ONE)]
        once, each = list(divide(split.shared, cut)), list(divide([*ones, *split.varying], cut))
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
            sums=whole_vectors(split.sums),
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
            if item.name in self._columns:
                lines.store(value, "r", self._columns[item.name])
        if lines.flag != lines.number(0.0):
            self._flag(name, lines)
        self._words[type(lines)] |= lines.words
        arguments = EACH if isinstance(lines, Lanes) else ONCE
        return "\n".join([f"define void @{name}({arguments}) {{", *lines.rows, "  ret void", "}"])

    def _flag(self, name: str, lines: Lines) -> None:
        """Store whether a number was not finite; a function of a block has a slot of its own for it.

        The square of the flag is added up: it is 0 or NaN, as the flag is.
        """
        if isinstance(lines, Lanes):
            slot = self._slots[name] = len(self._slots)
            lines.store(lines.flag, "w", slot)
            self._alarms.append(Row(length=1, right=slot, left=slot, place=FLAG))
        else:
            total = lines.emit(f"fadd double {lines.load('b', FLAG)}, {lines.flag}")
            lines.store(total, "b", FLAG)


def numbered(pointer: str, names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return the place of each name in memory."""
    return {name: (pointer, i) for i, name in enumerate(names)}


class Known(dict[str, str]):
    """The values in the registers of a function; any other value is loaded from memory."""

    def __init__(self, lines: Lines, places: dict[str, tuple[str, int]]) -> None:
        super().__init__()
        self.lines, self.places = lines, places

    def __missing__(self, name: str) -> str:
        self[name] = self.lines.load(*self.places[name])
        return self[name]


def divide(items: list[Item], cut: int) -> Iterator[list[Item]]:
    """Divide the items into parts of about ``cut`` operations."""
    part, size = [], 0
    for item in items:
        part.append(item)
        size += count_operations(item.tree)
        if size >= cut:
            yield part
            part, size = [], 0
    if part:
        yield part


def crossings(parts: list[list[Item]]) -> set[str]:
    """Return the values that are computed in one part and needed in another."""
    owner = {item.name: i for i, part in enumerate(parts) for item in part if item.name}
    return {
        name
        for i, part in enumerate(parts)
        for item in part
        for name in names_in(item.tree)
        if owner.get(name, i) != i
    }
