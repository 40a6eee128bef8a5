"""A program on arrays: one array for each family of like nodes, whose columns are the samples.

Each result is a formula, a tree as in `engine.formula`, in the names of earlier ones. Beside the words of
formulas there are words for arrays of two dimensions:

    ("@", W, A)           the matrix product; ("T", W) is the transpose
    ("rows", A, B, ...)   the rows of all arguments, one below the other
    ("take", A, index)    some rows of A, ("put", A, index, size) the same rows of an array of zeros
    ("sum0", A)           the sum of the rows, ("sum1", A) the sum over the samples
    ("greatest", A)       the greatest of each column, ("first", A) where it stands first in its column
    ("exps", A, m)        exp(A - m), where m has the greatest of each column
    ("others", A)         the sum of each column without its greatest
    ("like", a, A)        a, repeated to the shape of A
    ("unless", test)      0 where the test holds, 1 elsewhere

An index and a size are names, whose meanings are in `Matrices.indices`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import groupby
from operator import eq
from typing import NamedTuple, TypeAlias, cast

from engine.compiler.families import GREATEST, INPUTS, NUMBERS, PARAMETERS, REDUCTIONS, Families, Family
from engine.compiler.identifiers import Identifiers
from engine.compiler.ir import Instruction
from engine.compiler.lines import Namer, forward_tree
from engine.compiler.source import RESERVED
from engine.core import ops
from engine.core.methods import Role
from engine.formula.simplify import Simplifier
from engine.formula.tree import Tree

Positions: TypeAlias = "tuple[tuple[int, ...], ...]"
Index: TypeAlias = "slice | int | list[int]"
SAMPLES = "samples"  # the name of the number of samples


class Block(NamedTuple):
    """A matrix of parameters, or of rows of the inputs, which are its only column.

    Attributes:
        name: its name.
        positions: that of each number among the parameters or the inputs, row by row.
    """

    name: str
    positions: Positions

    def regular(self) -> tuple[int, int] | None:
        """Return the first position and the distance of the rows, if both are regular; otherwise None."""
        rows = self.positions
        first, width = rows[0][0], len(rows[0])
        step = rows[1][0] - first if len(rows) > 1 else width
        if step < width:
            return None
        columns = [range(start, start + step * len(rows), step) for start in range(first, first + width)]
        return (first, step) if all(map(eq, rows, zip(*columns))) else None


class Shape(NamedTuple):
    """The shape of an array: its rows, and whether it has a column for each sample, or one for all."""

    rows: int
    varies: bool


def slice_or_list(places: list[int]) -> slice | list[int]:
    """Return places that follow one another as a slice, and any others as they are.

    >>> slice_or_list([2, 3, 4]), slice_or_list([2, 4])
    (slice(2, 5, None), [2, 4])
    """
    first, stop = places[0], places[-1] + 1
    return slice(first, stop) if places == list(range(first, stop)) else places


class Matrices:
    """The program on arrays of a graph.

    Args:
        families: the families of the graph.

    Attributes:
        parameters, inputs: the blocks that the program takes.
        indices: the meaning of each name of an index or a size.
        numbers: the rows of each matrix of plain numbers, by its name.
        forward, backward: the statements.
        outputs: the formulas of the outputs: one row for the first, and one or more for further ones.
        gradients: for each block of parameters, the formula of its derivatives.
    """

    def __init__(self, families: Families) -> None:
        self._families, self._graph = families, families.graph
        self._identifiers = Identifiers((*RESERVED, *WORDS, SAMPLES))
        self.parameters: list[Block] = []
        self.inputs: list[Block] = []
        self.indices: dict[str, Index] = {}
        self.numbers: dict[str, list[list[float]]] = {}
        self.forward: list[Instruction] = []
        self.backward: list[Instruction] = []
        self._namer = Namer(self._let)
        self._simplifier = Simplifier(self._namer)
        self._nameless = 0
        self._kind, self._role = "forward", cast("Role | None", None)  # of what is being written
        self._shapes: dict[str, Shape] = {SAMPLES: Shape(1, False)}
        self._blocks: dict[tuple[int, object], str] = {}
        self._widths: dict[str, int] = {}  # the columns of each matrix of weights
        self._known: dict[object, str] = {}  # the names of the constants
        self._arrays: dict[int, Tree] = {}  # of each family
        self._contributions: dict[int | str, list[Tree]] = {}  # to the gradient of each family and block
        for number, family in enumerate(families.families):
            self._compute(number, family)
        first, *further = self._graph.outputs
        self.outputs = [self._take([first]), *self._together(further)]
        self.gradients: list[Tree] = []
        if self._graph.backward:
            self._kind = "backward"
            self._differentiate()

    # Names and shapes

    def _let(self, tree: Tree, label: str = "") -> str:
        """Give a formula a name."""
        self._nameless += not label
        name = self._identifiers.give(label or f"V{self._nameless}")
        self._shapes[name] = self._shape(tree)
        statements = self.forward if self._kind == "forward" else self.backward
        statements.append(Instruction(name, self._kind, tree, role=self._role))
        return name

    def _index(self, value: Index) -> str:
        """Return the name of an index or a size."""
        key = "index", (value.start, value.stop) if isinstance(value, slice) else repr(value)
        if key not in self._known:
            self._known[key] = name = self._identifiers.give("i")
            self.indices[name] = value
        return self._known[key]

    def _matrix(self, rows: list[list[float]]) -> str:
        """Return the name of a matrix of plain numbers."""
        key = "numbers", repr(rows)
        if key not in self._known:
            self._known[key] = name = self._identifiers.give("C")
            self.numbers[name] = rows
            self._shapes[name] = Shape(len(rows), False)
        return self._known[key]

    def _shape(self, tree: Tree) -> Shape:
        if isinstance(tree, float):
            return Shape(1, False)
        if isinstance(tree, str):
            return self._shapes[tree]
        word, *args = tree
        if word in ("take", "put"):
            size = self.indices[str(args[1 if word == "take" else 2])]
            rows = len(range(size.start, size.stop)) if isinstance(size, slice) else size
            return Shape(rows if isinstance(rows, int) else len(rows), self._shape(args[0]).varies)
        if word == "like":
            return self._shape(args[1])
        if word == "@" and isinstance(args[1], tuple) and args[1][0] == "T":  # a sum over the samples
            return Shape(self._shape(args[0]).rows, False)
        shapes = [self._shape(arg) for arg in args]
        varies = any(shape.varies for shape in shapes)
        match word:
            case "T":
                return Shape(self._widths[str(args[0])], varies)
            case "@":
                return Shape(shapes[0].rows, varies)
            case "rows":
                return Shape(sum(shape.rows for shape in shapes), varies)
            case "sum0" | "greatest" | "others":
                return Shape(1, varies)
            case "sum1":
                return Shape(shapes[0].rows, False)
        return Shape(max([shape.rows for shape in shapes], default=1), varies)

    # The rows of arguments

    def _runs(self, nodes: Sequence[int]) -> list[tuple[int, list[int]]]:
        """Return the nodes in runs of one family or kind of leaf, each with the places there."""
        runs = groupby(nodes, self._families.sources.__getitem__)
        return [(source, list(run)) for source, run in runs]

    def _take(self, nodes: Sequence[int], label: str = "") -> Tree:
        """Return the rows of some nodes; one row, if all are the same."""
        runs = self._runs(nodes)
        if len(runs) > 1:
            parts = [self._expand(self._piece(*run, label), len(run[1])) for run in runs]
            return self._namer.let(("rows", *parts))
        return self._piece(*runs[0], label)

    def _together(self, nodes: Sequence[int]) -> Iterator[Tree]:
        """Iterate over the rows of some nodes: those of a run as one formula, if it has a row for each."""
        for source, run in self._runs(nodes):
            rows = self._piece(source, run, "")
            at_once = self._shape(rows).rows == len(run)
            yield from [rows] if at_once else [self._piece(source, [node], "") for node in run]

    def _piece(self, source: int, nodes: list[int], label: str) -> Tree:
        places = list(map(self._families.places.__getitem__, nodes))
        if source == NUMBERS:
            numbers = [self._graph.numbers[node] for node in nodes]
            same = all(repr(x) == repr(numbers[0]) for x in numbers)
            return numbers[0] if same else self._matrix([[x] for x in numbers])
        if len(set(places)) == 1:
            nodes, places = nodes[:1], places[:1]
        if source in (INPUTS, PARAMETERS):
            return self._block(source, tuple(zip(places)), nodes, label)
        return self._rows_of(self._arrays[source], len(self._families.families[source].members), places)

    def _rows_of(self, array: Tree, size: int, places: list[int]) -> Tree:
        """Return some rows of an array that stands for ``size`` rows."""
        if self._shape(array).rows == 1 or places == list(range(size)):
            return array
        index = slice_or_list(places)
        rows: Tree = ("take", array, self._index(index))
        return rows if isinstance(index, slice) else self._namer.let(rows)

    def _expand(self, tree: Tree, rows: int) -> Tree:
        """Return the same with as many rows as it stands for."""
        if isinstance(tree, float):
            return self._matrix([[tree]] * rows)
        if self._shape(tree).rows == rows:
            return tree
        return self._namer.let(("take", tree, self._index([0] * rows)))

    def _block(self, source: int, positions: Positions, nodes: Sequence[int], label: str) -> str:
        """Return the name of a block of leaves."""
        key = source, positions
        if key not in self._blocks:
            role = self._graph.roles[nodes[0]]
            if not label and role and role.kind in ("w", "b"):
                label = f"{'W' if role.kind == 'w' else 'b'}{role.layer or ''}"
            if not label and len(nodes) == 1:
                label = self._graph.labels[nodes[0]]
            blocks = self.inputs if source == INPUTS else self.parameters
            name = self._identifiers.give(label or ("X" if source == INPUTS else "P"))
            self._blocks[key] = name
            self._shapes[name] = Shape(len(positions), source == INPUTS)
            blocks.append(Block(name, positions))
        return self._blocks[key]

    def _sum_rows(self, tree: Tree, rows: int) -> Tree:
        """Return the sum of the rows of a formula that stands for ``rows`` rows."""
        if rows == 1 or self._shape(tree).rows > 1:
            return ("sum0", tree) if rows > 1 else tree
        return self._simplifier.apply("*", tree, float(rows))

    # The forward pass

    def _columns(self, family: Family) -> list[tuple[int, ...]]:
        """Return for each position of the operation the nodes that stand there, one for each member."""
        return list(zip(*[self._families.args[node] for node in family.members]))

    def _label(self, family: Family) -> str:
        node = family.members[0]
        role = self._graph.roles[node]
        if role and role.kind in ("z", "a"):
            return f"{role.kind.upper()}{role.layer or ''}"
        if len(family.members) > 1:
            return ""
        return self._graph.labels[node] or ("y" if node == self._graph.outputs[0] else "")

    def _compute(self, number: int, family: Family) -> None:
        self._role = self._graph.roles[family.members[0]]
        tree = self._tree(family)
        self._arrays[number] = tree if isinstance(tree, float) else self._let(tree, self._label(family))

    def _tree(self, family: Family) -> Tree:
        op, simplifier = family.op, self._simplifier
        if family.product:
            matrix, inputs, bias = self._product(family)
            return simplifier.apply("+", ("@", matrix, inputs), bias)
        parents = self._families.args[family.members[0]]
        if op is ops.weighted_sum:
            weights, inputs, bias = self._dot(parents)
            product = simplifier.apply("*", weights, inputs)
            return simplifier.apply("+", self._sum_rows(product, len(parents) // 2), bias)
        if op is ops.total:
            sums = [self._sum_rows(self._take(nodes), len(nodes)) for _, nodes in self._runs(parents)]
            return reduce(lambda total, more: simplifier.apply("+", total, more), sums)
        if op is GREATEST:
            return ("greatest", self._rows(parents))
        if op is ops.logsumexp:
            greatest, _, rest = self._shares(parents)
            return simplifier.apply("+", greatest, ("log1p", rest))
        return forward_tree(op, [self._take(nodes) for nodes in self._columns(family)], simplifier)

    def _product(self, family: Family) -> tuple[str, Tree, Tree]:
        """Return the matrix of the weights, the inputs, and the bias."""
        rows = [self._families.args[node] for node in family.members]
        n = len(rows[0]) // 2
        role = self._graph.roles[family.members[0]]
        label = f"A{role.layer - 1}" if role and role.layer else ""
        inputs = self._expand(self._take(rows[0][n:-1], label), n)
        places = self._families.places.__getitem__
        if self._families.sources[rows[0][0]] == PARAMETERS:
            positions = tuple([tuple(map(places, row[:n])) for row in rows])
            weights: str = self._block(PARAMETERS, positions, rows[0][:n], "")
        else:
            numbers = [[self._graph.numbers[w] for w in row[:n]] for row in rows]
            weights = self._matrix(numbers)
        self._widths[weights] = n
        return weights, inputs, self._take([row[-1] for row in rows])

    def _dot(self, parents: tuple[int, ...]) -> tuple[Tree, Tree, Tree]:
        n = len(parents) // 2
        return self._take(parents[:n]), self._take(parents[n:-1]), self._take(parents[-1:])

    def _rows(self, parents: tuple[int, ...]) -> Tree:
        """Return an array with the arguments of one node as its rows."""
        return self._namer.let(self._expand(self._take(parents), len(parents)))

    def _shares(self, parents: tuple[int, ...]) -> tuple[Tree, Tree, Tree]:
        """Return what `engine.core.reductions` computes for logsumexp: m, the exps, and r."""
        let, rows = self._namer.let, self._rows(parents)
        greatest = let(("greatest", rows))
        exps = let(("exps", rows, greatest))
        return greatest, exps, let(("others", exps))

    # The backward pass: the gradient of an array that is the same for all samples is the sum over them

    def _differentiate(self) -> None:
        root = self._graph.outputs[0]
        one: Tree = 1.0 if self._shape(self.outputs[0]).varies else SAMPLES
        self._give([root], one, self._shape(self.outputs[0]).varies)
        for number in range(len(self._families.families) - 1, -1, -1):
            if contributions := self._contributions.pop(number, []):
                self._pass_on(self._families.families[number], number, self._sum(contributions))
        for block in self.parameters:
            self._role = self._graph.roles[self._graph.parameters[block.positions[0][0]]]
            tree = self._sum(self._contributions.get(block.name, [0.0]))
            self.gradients.append(tree if isinstance(tree, float) else self._let(tree, f"d{block.name}"))

    def _sum(self, trees: list[Tree]) -> Tree:
        """Return the sum of formulas; equal ones, such as the two of p * p, are computed once."""
        apply = self._simplifier.apply
        terms = [tree if n == 1 else apply("*", float(n), tree) for tree, n in Counter(trees).items()]
        return reduce(lambda total, more: apply("+", total, more), terms)

    def _pass_on(self, family: Family, number: int, upstream: Tree) -> None:
        """Add to the gradients of the arguments of a family."""
        op, array = family.op, self._arrays[number]
        varies, learns = self._shape(array).varies, self._graph.requires_grad
        self._role = role = self._graph.roles[family.members[0]]
        if op in REDUCTIONS:
            if not isinstance(upstream, (str, float)):
                label = f"D{role.layer or ''}" if role and role.kind == "z" else f"d_{array}"
                upstream = self._let(upstream, label)
            self._pass_on_reduction(family, array, upstream, varies)
            return
        columns = self._columns(family)
        needed = [i for i, nodes in enumerate(columns) if any(map(learns.__getitem__, nodes))]
        if len(needed) > 1 and not isinstance(upstream, (str, float)):
            upstream = self._let(upstream, f"d_{array}")
        args = [self._take(nodes) for nodes in columns]
        for i, local in zip(needed, op.derivatives(needed, self._simplifier, args, array)):
            self._give(columns[i], self._times(upstream, local), varies)

    def _times(self, upstream: Tree, local: Tree) -> Tree:
        match local:
            case ("if", test, 0.0, 1.0) if not isinstance(upstream, float):
                return ("*", upstream, ("unless", test))
        return self._simplifier.apply("*", upstream, local)

    def _pass_on_reduction(self, family: Family, array: Tree, upstream: Tree, varies: bool) -> None:
        op, parents = family.op, self._families.args[family.members[0]]
        n = len(parents) // 2
        if family.product:
            self._pass_on_product(family, array, upstream, varies)
        elif op is ops.weighted_sum:
            weights, inputs, _ = self._dot(parents)
            self._give(parents[:n], self._simplifier.apply("*", upstream, inputs), varies)
            self._give(parents[n:-1], self._simplifier.apply("*", upstream, weights), varies)
            self._give(parents[-1:], upstream, varies)
        elif op is ops.total:
            self._give(parents, upstream, varies)
        elif op is GREATEST:
            self._give(parents, self._simplifier.apply("*", upstream, ("first", self._rows(parents))), varies)
        else:
            _, exps, rest = self._shares(parents)
            local: Tree = ("/", exps, ("+", 1.0, rest))
            self._give(parents, self._simplifier.apply("*", upstream, local), varies)

    def _pass_on_product(self, family: Family, array: Tree, upstream: Tree, varies: bool) -> None:
        weights, inputs, _ = self._product(family)
        shape = self._shape(upstream)
        if shape != self._shape(array):
            upstream = self._let(("like", upstream, array), f"d_{array}")
        self._give([self._families.args[node][-1] for node in family.members], upstream, varies)
        if varies and not self._shape(inputs).varies:
            upstream, varies = self._let(("sum1", upstream), f"d_{array}"), False
        if weights not in self.numbers:
            self._contributions.setdefault(weights, []).append(("@", upstream, ("T", inputs)))
        parents = self._families.args[family.members[0]]
        nodes = parents[len(parents) // 2 : -1]
        if any(map(self._graph.requires_grad.__getitem__, nodes)):
            self._give(nodes, ("@", ("T", weights), upstream), varies)

    def _give(self, nodes: Sequence[int], tree: Tree, varies: bool) -> None:
        """Add a formula, one row for each node, to the gradients of the nodes.

        Args:
            nodes: the nodes.
            tree: the formula; its one row may stand for all nodes.
            varies: whether it is the gradient of each sample, or already the sum over all.
        """
        runs = self._runs(nodes)
        if len(runs) > 1 and not isinstance(tree, (str, float)):
            tree = self._let(tree, "d")
        start = 0
        for source, run in runs:
            stop = start + len(run)
            if any(map(self._graph.requires_grad.__getitem__, run)):
                part = self._rows_of(tree, len(nodes), list(range(start, stop)))
                self._add(source, run, part, varies)
            start = stop

    def _add(self, source: int, nodes: list[int], tree: Tree, varies: bool) -> None:
        places = list(map(self._families.places.__getitem__, nodes))
        if len(set(places)) == 1:
            tree, nodes, places = self._sum_rows(tree, len(places)), nodes[:1], places[:1]
        target = self._piece(source, nodes, "") if source == PARAMETERS else self._arrays[source]
        if varies and not self._shape(target).varies:
            shape = self._shape(tree)
            tree = ("sum1", tree) if shape.varies else self._simplifier.apply("*", tree, SAMPLES)
        if source == PARAMETERS:
            self._contributions.setdefault(str(target), []).append(tree)
            return
        size = len(self._families.families[source].members)
        if places != list(range(size)):
            tree = ("put", tree, self._index(slice_or_list(places)), self._index(size))
        self._contributions.setdefault(source, []).append(tree)


#: The functions that the printed program calls beside those of formulas.
WORDS = ("rows", "put", "first", "exps", "others", "broadcast_to", "maximum", "array", "numpy")
