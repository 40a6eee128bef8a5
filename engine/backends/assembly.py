"""A whole program in LLVM's assembly language.

It is cut into functions. Those whose lines depend on no input run once a step, the others once for every
four samples. A value that one function computes and another needs is kept in memory, in a slot of its own;
the root and the gradients are added up in memory, lane by lane.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from engine.backends import vectors
from engine.backends.lanes import ZERO, Lanes
from engine.backends.replay import mentioned
from engine.backends.vectors import V
from engine.formula import Tree, fold

if TYPE_CHECKING:
    from engine.program import Program

#: What each function is told: where to find the parameters (twice), the inputs, the slots, the sums, the roots,
#: and what all samples share.
POINTERS = "pqxwsrb"
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
        text: the functions; ``step`` is the one to be called, see `main`.
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
        whole = main(len(once), len(each), self.sums, len(program.inputs))
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


def operations(tree: Tree) -> int:
    """How many operations a formula has; a word that has a formula of its own counts as ten."""
    todo, found = [tree], 1
    while todo:
        part = todo.pop()
        if isinstance(part, tuple):
            found += 1 if isinstance(part[0], str) else 10
            todo += part[1:]
    return found


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


def main(once: int, each: int, sums: int, inputs: int) -> str:
    """The function that is called: all samples, four by four.

    Its arguments are the number of blocks of four, of which the last may hold fewer samples; how many that
    holds; the number of samples; and where to find the parameters, the inputs (block by block, in each input
    by input), the slots, the sums, the sums of the last block, the roots, what all samples share, and the
    results.
    """

    def calls(what: str, count: int, x: str, s: str, r: str) -> str:
        arguments = ", ".join(f"ptr %{pointer}" for pointer in ("p", "p", x, "w", s, r, "b"))
        return "\n".join(f"  call void @{what}{i}({arguments})" for i in range(count))

    return f"""\
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define void @step(i64 %blocks, i64 %tail, i64 %n,
                  ptr %p, ptr %x, ptr %w, ptr %s, ptr %t, ptr %r, ptr %b, ptr %y) {{
start:
  call void @llvm.memset.p0.i64(ptr %s, i8 0, i64 {32 * sums}, i1 false)
  call void @llvm.memset.p0.i64(ptr %t, i8 0, i64 {32 * sums}, i1 false)
  %last = sub i64 %blocks, 1
{calls("once", once, "x", "t", "r")}
  br label %block
block:
  %i = phi i64 [0, %start], [%next, %block]
  %offset = mul i64 %i, {inputs}
  %xi = getelementptr {V}, ptr %x, i64 %offset
  %ri = getelementptr {V}, ptr %r, i64 %i
  %ends = icmp eq i64 %i, %last
  %si = select i1 %ends, ptr %t, ptr %s
{calls("each", each, "xi", "si", "ri")}
  %next = add i64 %i, 1
  br i1 %ends, label %prepare, label %block
prepare:
  %tail1 = insertelement <4 x i64> poison, i64 %tail, i64 0
  %tail4 = shufflevector <4 x i64> %tail1, <4 x i64> poison, <4 x i32> zeroinitializer
  %alive = icmp ult <4 x i64> <i64 0, i64 1, i64 2, i64 3>, %tail4
  %samples = uitofp i64 %n to double
  br label %sum
sum:
  %j = phi i64 [0, %prepare], [%after, %sum]
  %sj = getelementptr {V}, ptr %s, i64 %j
  %tj = getelementptr {V}, ptr %t, i64 %j
  %bj = getelementptr double, ptr %b, i64 %j
  %yj = getelementptr double, ptr %y, i64 %j
  %full = load {V}, ptr %sj, align 32
  %rest = load {V}, ptr %tj, align 32
  %masked = select <4 x i1> %alive, {V} %rest, {V} {ZERO}
  %all = fadd {V} %full, %masked
  %low = shufflevector {V} %all, {V} poison, <2 x i32> <i32 0, i32 1>
  %high = shufflevector {V} %all, {V} poison, <2 x i32> <i32 2, i32 3>
  %pair = fadd <2 x double> %low, %high
  %left = extractelement <2 x double> %pair, i64 0
  %right = extractelement <2 x double> %pair, i64 1
  %total = fadd double %left, %right
  %mean = fdiv double %total, %samples
  %base = load double, ptr %bj, align 8
  %result = fadd double %mean, %base
  store double %result, ptr %yj, align 8
  %after = add i64 %j, 1
  %done = icmp eq i64 %after, {sums}
  br i1 %done, label %end, label %sum
end:
  ret void
}}
"""
