"""The order of the work: the values that all samples share, those that each computes, and the sums.

Sums are numbered: 0 for the alarm (is something not finite), 1 for the mean, then the gradients, then the
outputs that are the same for all samples.
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

from engine.compiler.batching import Batching
from engine.compiler.ir import IR, add_terms, names_in, terms
from engine.formula.tree import Tree

FLAG, MEAN, FIRST = 0, 1, 2  # places among the sums: the alarm, the first output, the first gradient
LONG = 64  # terms of a sum in one item
ONE = "1"  # the second factor of a term that is not a product


class Item(NamedTuple):
    """A value to compute: one with a name, or one that all samples add to a sum."""

    name: str
    tree: Tree
    place: int = -1


class Product(NamedTuple):
    """The product of two values of a sample, which the sample adds to a sum."""

    left: str
    place: int
    right: str


class Schedule:
    """The values of a program in the order in which they are computed.

    Attributes:
        shared: the values that are the same for all samples.
        varying: the values that each sample computes, sorted by depth.
        products: the products that each sample adds to the sums.
        outputs: for each output the name of the value that each sample computes, or the place of the sum if
            all samples share it.
        sums: the number of sums.
    """

    def __init__(self, program: IR) -> None:
        self.shared: list[Item] = []
        self.products: list[Product] = []
        self._groups: list[list[Item]] = []  # the items of each instruction that depends on the sample
        self._batching, self._kept = Batching(program), dict[Tree, str]()
        self._names = map("#{}".format, count())  # of values without a name
        places: dict[Tree, int] = {name: FIRST + i for i, name in enumerate(program.gradients)}
        for instruction in program.computed():
            if instruction.name in places:
                self._add_to_sum(places[instruction.name], instruction.tree)
            else:
                self._compute(instruction.name, instruction.tree)
        self._add_to_sum(MEAN, program.outputs[0])
        for i, gradient in enumerate(program.gradients):
            if isinstance(gradient, float):
                self._add_to_sum(FIRST + i, gradient)
        self.sums = FIRST + len(program.gradients)
        self.outputs = [self._output(k, tree) for k, tree in enumerate(program.outputs)]
        self.varying = [item for group in by_depth(self._groups) for item in group]
        self.products.sort()

    def _compute(self, name: str, tree: Tree) -> None:
        """Add one instruction; a long sum becomes several items."""
        items, parts = [], terms(tree)
        while len(parts) > LONG:
            groups = [add_terms(parts[i : i + LONG]) for i in range(0, len(parts), LONG)]
            items += [Item(next(self._names), group) for group in groups]
            parts = [("+", item.name) for item in items[-len(groups) :]]
        items.append(Item(name, tree if len(parts) == 1 else add_terms(parts)))
        varying = []
        for item in items:
            if self._batching.add(item.name, item.tree):
                self._kept[item.name] = item.name
                varying.append(item)
            else:
                self.shared.append(item)
        if varying:
            self._groups.append(varying)

    def _add_to_sum(self, place: int, tree: Tree) -> None:
        """Add a formula to a sum, term by term."""
        shared = []
        for sign, term in terms(tree):
            if self._batching.depends(term):
                if sign == "+" and isinstance(term, tuple) and term[0] == "*":
                    left, right = term[1:]
                else:
                    left, right = add_terms([(sign, term)]), 1.0
                self.products.append(Product(self._keep(left), place, self._keep(right)))
            else:
                shared.append((sign, term))
        if shared:
            self.shared.append(Item("", add_terms(shared), place))

    def _output(self, k: int, tree: Tree) -> str | int:
        """Return where an output is found."""
        if self._batching.depends(tree):
            return self._keep(tree)
        if k == 0:
            return MEAN
        self.shared.append(Item("", tree, self.sums))
        self.sums += 1
        return self.sums - 1

    def _keep(self, tree: Tree) -> str:
        """Return the name under which each sample keeps a value."""
        if tree == 1.0:
            return ONE
        name = self._kept.get(tree) if isinstance(tree, str | float) else None
        if name is None:
            name = next(self._names)
            self._groups.append([Item(name, tree)])
            if isinstance(tree, str | float):
                self._kept[tree] = name
        return name


def by_depth(groups: list[list[Item]]) -> list[list[Item]]:
    """Sort by depth: first the values that need only leaves, then those that need only these, and so on.

    Independent values are adjacent, such as the neurons of a layer, so a processor computes them in parallel.
    A value used only once directly precedes its use (short live range).
    """
    depth: dict[str, int] = {}
    needs: dict[str, list[int]] = {}
    for i, items in enumerate(groups):
        names = {name for item in items for name in names_in(item.tree)}
        deep = 1 + max((depth.get(name, 0) for name in names), default=0)
        depth |= dict.fromkeys((item.name for item in items), deep)
        for name in names:
            needs.setdefault(name, []).append(i)
    found = list(groups)
    for i, items in reversed(list(enumerate(groups))):
        match needs.get(items[-1].name):
            case [j] if found[j]:
                found[i], found[j] = [], [*items, *found[j]]
    return sorted(filter(None, found), key=lambda items: depth[items[-1].name])
