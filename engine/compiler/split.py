"""A program in two parts: what all samples share, and what each of them does; and what is added up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from engine.compiler.interpreter import mentioned
from engine.formula.tree import Tree

if TYPE_CHECKING:
    from engine.compiler.program import Program

FLAG, MEAN, FIRST = 0, 1, 2  # places among the sums: is something not finite, the root, the first gradient
LONG = 64  # terms of a sum in one item
ONE = "1"  # the second factor of what is no product


class Item(NamedTuple):
    """A value to be computed: one that has a name, or one that all samples add to a sum."""

    name: str
    tree: Tree
    place: int = -1


class Product(NamedTuple):
    """What each sample adds to a sum: the product of two values, which it has computed."""

    left: str
    place: int
    right: str


class Split:
    """The lines of a program, told apart.

    Attributes:
        shared: what is the same for all samples.
        varying: what each sample computes, in the order of how many values must be computed before.
        products: what each sample adds to the sums.
        root: the name of the result of a sample; empty if all samples share it.
    """

    def __init__(self, program: Program) -> None:
        self.shared: list[Item] = []
        self.products: list[Product] = []
        self._lines: list[list[Item]] = []  # the items of each line that varies
        self._varies, self._kept = set(program.inputs), dict[Tree, str]()
        self._names = map("#{}".format, count())  # for what has no name
        places: dict[Tree, int] = {name: FIRST + i for i, name in enumerate(program.gradients)}
        for line in program.lines:
            if line.name in places:
                self._end(places[line.name], line.tree)
            elif line.kind in ("forward", "backward"):
                self._line(line.name, line.tree)
        self._end(MEAN, program.root)
        self.root = next((product.left for product in self.products if product.place == MEAN), "")
        for i, gradient in enumerate(program.gradients):
            if isinstance(gradient, float):
                self._end(FIRST + i, gradient)
        self.varying = [item for line in by_depth(self._lines) for item in line]
        self.products.sort()

    def _line(self, name: str, tree: Tree) -> None:
        """One line; a long sum is several items."""
        items, parts = [], list(terms(tree))
        while len(parts) > LONG:
            groups = [added(parts[i : i + LONG]) for i in range(0, len(parts), LONG)]
            items += [Item(next(self._names), group) for group in groups]
            parts = [("+", item.name) for item in items[-len(groups) :]]
        items.append(Item(name, tree if len(parts) == 1 else added(parts)))
        varying = []
        for item in items:
            if self._is_varying(item.tree):
                self._varies.add(item.name)
                self._kept[item.name] = item.name
                varying.append(item)
            else:
                self.shared.append(item)
        if varying:
            self._lines.append(varying)

    def _is_varying(self, tree: Tree) -> bool:
        return not self._varies.isdisjoint(mentioned(tree))

    def _end(self, place: int, tree: Tree) -> None:
        """What is added to a sum, term by term."""
        shared = []
        for sign, term in terms(tree):
            if self._is_varying(term):
                product = sign == "+" and isinstance(term, tuple) and term[0] == "*"
                left, right = term[1:] if product else (added([(sign, term)]), 1.0)
                self.products.append(Product(self._keep(left), place, self._keep(right)))
            else:
                shared.append((sign, term))
        if shared:
            self.shared.append(Item("", added(shared), place))

    def _keep(self, tree: Tree) -> str:
        """The name under which each sample keeps a value."""
        if tree == 1.0:
            return ONE
        name = self._kept.get(tree) if isinstance(tree, str | float) else None
        if name is None:
            name = next(self._names)
            self._lines.append([Item(name, tree)])
            if isinstance(tree, str | float):
                self._kept[tree] = name
        return name


def terms(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """The terms of a sum from left to right, each with its sign."""
    found = []
    while isinstance(tree, tuple) and tree[0] in ("+", "-"):
        found.append((tree[0], tree[2]))
        tree = tree[1]
    yield "+", tree
    yield from reversed(found)


def added(parts: Sequence[tuple[str, Tree]]) -> Tree:
    """The sum of such terms."""
    (sign, first), *others = parts
    tree = first if sign == "+" else ("neg", first)
    for sign, term in others:
        tree = (sign, tree, term)
    return tree


def by_depth(lines: list[list[Item]]) -> list[list[Item]]:
    """What needs only the leaves comes first, then what needs only that, and so on.

    Side by side stands then what does not wait for each other, such as the neurons of a layer: a processor
    computes it at the same time. But what only one line needs stands right before it, and is soon forgotten.
    """
    depth: dict[str, int] = {}
    needs: dict[str, list[int]] = {}
    for i, items in enumerate(lines):
        names = {name for item in items for name in mentioned(item.tree)}
        deep = 1 + max((depth.get(name, 0) for name in names), default=0)
        depth |= dict.fromkeys((item.name for item in items), deep)
        for name in names:
            needs.setdefault(name, []).append(i)
    found = list(lines)
    for i, items in reversed(list(enumerate(lines))):
        match needs.get(items[-1].name):
            case [j] if found[j]:
                found[i], found[j] = [], [*items, *found[j]]
    return sorted(filter(None, found), key=lambda items: depth[items[-1].name])
