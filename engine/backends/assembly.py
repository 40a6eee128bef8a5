"""A whole program in LLVM's assembly language.

It is cut into functions. Those whose lines depend on no input run once a step, the others once for every
four samples. A value that one function computes and another needs is kept in memory, in a slot of its own;
the root and the gradients are added up in memory, lane by lane.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from engine.backends import vectors
from engine.backends.blocks import POINTERS, step
from engine.backends.lanes import ZERO, Lanes
from engine.backends.replay import mentioned, operations
from engine.formula import Tree, fold

if TYPE_CHECKING:
    from engine.program import Program

FLAG, MEAN, FIRST = 0, 1, 2  # places among the sums: is something not finite, the root, the first gradient


class Item(NamedTuple):
    """A value to be computed: one that has a name, or one that is added to a sum."""

    name: str
    tree: Tree
    place: int = -1
    back: bool = False  # whether it belongs to the backward pass


class Assembly:
    """The text of a program, and what memory it needs.

    Args:
        program: the program.
        cut: how many operations a function has, more or less.

    Attributes:
        text: the functions; ``step`` is the one to be called, see `engine.backends.blocks`.
        slots: how many values are kept in memory.
        sums: how many sums there are, of which FLAG, MEAN and, from FIRST on, the gradients.
        shared_root: whether the root depends on no input.
    """

    def __init__(self, program: Program, cut: int) -> None:
        self.leaves = {name: ("p", i) for i, name in enumerate(program.parameters)}
        self.leaves |= {name: ("x", i) for i, name in enumerate(program.inputs)}
        self.sums = FIRST + len(program.gradients)
        shared, varying = self._sorted(program)
        self.shared_root = any(item.place == MEAN for item in shared)
        once, each = list(pieces(shared, cut)), list(pieces(varying, cut))
        self.places = crossings([*once, *each])
        self.slots = len(self.places)
        self._words: set[str] = set()
        functions = [self._function(f"once{i}", part, False) for i, part in enumerate(once)]
        functions += [self._function(f"each{i}", part, True) for i, part in enumerate(each)]
        library = [vectors.definition(word) for word in sorted(self._words)]
        whole = step(len(once), len(each), self.sums, len(program.parameters), len(program.inputs))
        self.text = "\n\n".join([vectors.INTRINSICS, *library, *functions, whole])

    def _sorted(self, program: Program) -> tuple[list[Item], list[Item]]:
        """What is the same for all samples, and what varies. Gradients are taken apart into both."""
        varies = set(program.inputs)
        items: tuple[list[Item], list[Item]] = ([], [])

        def end(place: int, tree: Tree) -> None:
            for group, found in zip(apart(tree, varies), items):
                if group is not None:
                    found.append(Item("", group, place, place >= FIRST))

        places = {gradient: FIRST + i for i, gradient in enumerate(program.gradients)}
        for line in program.lines:
            if line.name in places:
                end(places[line.name], line.tree)
            elif line.name not in self.leaves:
                varying = not varies.isdisjoint(mentioned(line.tree))
                items[varying].append(Item(line.name, line.tree, back=line.kind == "backward"))
                if varying:
                    varies.add(line.name)
        end(MEAN, program.root)
        for i, gradient in enumerate(program.gradients):
            if isinstance(gradient, float):
                end(FIRST + i, gradient)
        return items

    def _function(self, name: str, part: list[Item], varies: bool) -> str:
        lanes = Lanes()
        known = Known(self, lanes)
        for item in part:
            if item.back:
                known.turn_back()
            value = fold(item.tree, lanes, known)
            if item.name:
                known[item.name] = value
            if item.name in self.places:
                lanes.store(value, "w", self.places[item.name])
            if item.place >= 0:
                (lanes.add if varies else lanes.share)(value, item.place)
            if item.place == MEAN and varies:
                lanes.store(value, "r", 0)
        if lanes.flag != ZERO:
            lanes.add(lanes.flag, FLAG)
        self._words |= lanes.words
        parameters = ", ".join(f"ptr noalias %{pointer}" for pointer in POINTERS)
        return "\n".join(
            [f"define internal void @{name}({parameters}) noinline {{", *lanes.rows, "  ret void", "}"]
        )


class Known(dict[str, str]):
    """The values that a function has at hand; any other it fetches from memory."""

    def __init__(self, assembly: Assembly, lanes: Lanes) -> None:
        super().__init__()
        self.assembly, self.lanes, self._parameters = assembly, lanes, "p"

    def turn_back(self) -> None:
        """From here on read the parameters by their other address.

        LLVM, which cannot know that it is the same, would else keep each of them from its use forward to that
        backward, for which there are not registers enough.
        """
        if self._parameters == "p":
            self._parameters = "q"
            for name in [name for name in self if self.assembly.leaves.get(name, "")[:1] == ("p",)]:
                del self[name]

    def __missing__(self, name: str) -> str:
        pointer, place = self.assembly.leaves.get(name, ("w", 0))
        if pointer == "w":
            place = self.assembly.places[name]
        self[name] = self.lanes.load(self._parameters if pointer == "p" else pointer, place)
        return self[name]


def apart(tree: Tree, varies: set[str]) -> list[Tree]:
    """A sum as two: of the terms that are the same for all samples, and of those that vary. None for none."""
    terms = []
    while isinstance(tree, tuple) and tree[0] in ("+", "-"):
        terms.append((tree[0], tree[2]))
        tree = tree[1]
    groups: list[Tree] = [None, None]
    for sign, term in [("+", tree), *reversed(terms)]:
        varying = not varies.isdisjoint(mentioned(term))
        so_far = groups[varying]
        groups[varying] = (
            (sign, so_far, term) if so_far is not None else term if sign == "+" else ("neg", term)
        )
    return groups


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


def crossings(parts: list[list[Item]]) -> dict[str, int]:
    """A slot for each value that is computed in one part and needed in another."""
    home = {item.name: i for i, part in enumerate(parts) for item in part if item.name}
    needed: dict[str, int] = {}
    for i, part in enumerate(parts):
        for item in part:
            for name in mentioned(item.tree):
                if home.get(name, i) != i:
                    needed.setdefault(name, len(needed))
    return needed
