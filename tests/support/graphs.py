"""Random graphs for hypothesis: they shrink, and their repr is Python that runs."""

import functools
import itertools
import math
import operator
from dataclasses import dataclass

from hypothesis import strategies as st
from mpmath import mpf
from support import witness
from support.table import ROWS

import engine
from engine import Value, ops
from engine.formula.tree import Interpreter

LARGEST = 10.0  # limit of the data and local gradients of a graph: beyond, rounding errors grow too fast
JUMP = 0.5  # a larger change within the margin is a step, as of floor
MARGIN = 1e-2  # nearer than this to a kink, or to the border of a domain, rounding decides the result

OPERATORS = {"+", "-", "*", "/", "**"}
NAMES = {"max": "maximum", "min": "minimum"}


@dataclass(frozen=True)
class Step:
    """One node: an operation and its arguments, indices of earlier nodes (int) or plain numbers (float)."""

    symbol: str
    args: tuple[int | float, ...]

    def given(self, nodes):
        return [nodes[arg] if isinstance(arg, int) else arg for arg in self.args]

    def of(self, nodes):
        return ops.table[self.symbol](*self.given(nodes))

    def __str__(self):
        names = [f"v{arg}" if isinstance(arg, int) else f"({arg!r})" for arg in self.args]
        if self.symbol in OPERATORS:
            return f" {self.symbol} ".join(names)
        if self.symbol == "neg":
            return f"-{names[0]}"
        if self.symbol == "abs":
            return f"abs({names[0]})"
        name = NAMES.get(self.symbol, self.symbol)
        call = name if name in engine.__all__ else f"ops.table[{self.symbol!r}]"
        return f"{call}({', '.join(names)})"


@dataclass(frozen=True)
class Graph:
    """A description of a graph; it builds the graph from Values, or computes it at 50 digits."""

    leaves: tuple[float, ...]
    steps: tuple[Step, ...]

    def __repr__(self):
        lines = ["from engine import *", ""]
        lines += [f"v{i} = Value({x!r})" for i, x in enumerate(self.leaves)]
        lines += [f"v{i} = {step}" for i, step in enumerate(self.steps, len(self.leaves))]
        return "\n".join([*lines, f"v{self.size - 1}.backward()", ""])

    @property
    def size(self):
        return len(self.leaves) + len(self.steps)

    def build(self, leaves=None):
        """Return all nodes, leaves first and the root last."""
        nodes = list(leaves or map(Value, self.leaves))
        for step in self.steps:
            nodes.append(step.of(nodes))
        return nodes

    def exact(self, *leaves):
        """Return the root at 50 digits, by independent definitions of the operations."""
        nodes = [mpf(x) for x in leaves]
        for step in self.steps:
            function, args = witness.definition(step.symbol), map(mpf, step.given(nodes))
            nodes.append(function(*args) if function else witness.value(ops.table[step.symbol], *args))
        return nodes[-1]


class Kinks(witness.Evaluator):
    """Computes a formula and its distance to a kink: to a comparison that changes, or to abs of 0."""

    def __init__(self):
        self.nearest = math.inf

    def apply(self, word, *args):
        if word in self.TESTS:
            self.nearest = min(self.nearest, abs(args[0].x - args[1].x))
        if word == "abs":
            self.nearest = min(self.nearest, abs(args[0].x))
        return super().apply(word, *args)


@functools.cache
def may_have_kinks(op):
    """Return whether there is a condition or an abs in the formula of a row; most have none."""

    class Words(Interpreter):
        def number(self, x):
            return set()

        def apply(self, word, *args):
            return {word}.union(*args)

    return bool(op.forward(Words(), [set(), set()]) & {"if", "abs"})


def nearest_kink(op, *data):
    if not may_have_kinks(op):
        return math.inf
    kinks = Kinks()
    op.forward(kinks, [witness.Dual(mpf(x), mpf(0)) for x in data])
    return kinks.nearest


def tame(node):
    """Return whether a node is of moderate size, and not near a kink or the border of its domain."""
    data = [parent.data for parent in node.parents]
    moves = [(0.0,) if parent.constant else (-MARGIN, 0.0, MARGIN) for parent in node.parents]
    for move in itertools.product(*moves):
        y = node.op.value(*map(operator.add, data, move))  # raises outside the domain
        if abs(y - node.data) > JUMP:
            return False
    sizes = map(abs, (node.data, *node.local_gradients()))
    return nearest_kink(node.op, *data) > MARGIN and all(size <= LARGEST for size in sizes)


numbers = st.floats(-2, 2).map(lambda x: round(x, 3))
places = st.integers(0, 10_000)  # index of a node, modulo their number
sides = st.sampled_from(["both", "left", "right"])  # which arguments are nodes; the other is a plain number


@st.composite
def graphs(draw, most=12):
    """Draw graphs with shared nodes and paths of unequal length. A step outside its domain is left out."""
    leaves = draw(st.lists(numbers, min_size=1, max_size=4))
    nodes, steps = [*map(Value, leaves)], []
    arity = {symbol: len(op.partials) for symbol, op in ROWS.items()}
    symbols = st.sampled_from(sorted(arity))
    for _ in range(draw(st.integers(1, most))):
        symbol = draw(symbols)
        args = [draw(places) % len(nodes) for _ in range(arity[symbol])]
        if arity[symbol] == 2 and (side := draw(sides)) != "both":
            args[side == "left"] = draw(numbers)
        step = Step(symbol, tuple(args))
        try:
            node = step.of(nodes)
            if not tame(node):
                continue
        except (ArithmeticError, ValueError):
            continue
        nodes.append(node)
        steps.append(step)
    return Graph(tuple(leaves), tuple(steps))
