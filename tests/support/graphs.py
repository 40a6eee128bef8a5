"""Random graphs for hypothesis: they shrink, and print themselves as Python that runs."""

import functools
import itertools
import math
import operator
from dataclasses import dataclass

from hypothesis import strategies as st
from mpmath import mpf
from support import witness

import engine
from engine import Value, ops
from engine.core.op import rows
from engine.formula.tree import Interpreter

LARGEST = 10.0  # of the numbers and slopes of a graph: beyond, rounding errors grow faster than they tell
MARGIN = 1e-2  # nearer than this to a kink, or to the border of a domain, rounding decides where one stands

OPERATORS = {"+", "-", "*", "/", "**"}
NAMES = {"max": "maximum", "min": "minimum"}


@dataclass(frozen=True)
class Step:
    """One node: an operation and its arguments, places of earlier nodes (int) or plain numbers (float)."""

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
    """A recipe that builds the same graph as often as one likes, of Values or of numbers at 50 digits."""

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
        """All nodes, leaves first and the root last."""
        nodes = list(leaves or map(Value, self.leaves))
        for step in self.steps:
            nodes.append(step.of(nodes))
        return nodes

    def exact(self, *leaves):
        """The root at 50 digits, by the functions as others know them."""
        nodes = [mpf(x) for x in leaves]
        for step in self.steps:
            function, args = witness.definition(step.symbol), map(mpf, step.given(nodes))
            nodes.append(function(*args) if function else witness.value(ops.table[step.symbol], *args))
        return nodes[-1]


class Kinks(witness.Evaluator):
    """Reads a formula to learn how near its numbers are to a kink: to where a test turns, or abs does."""

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
    """Whether there is a test or an abs in the formula of a row: most have none."""

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
    """Whether a node is in its domain for good: of moderate size, and away from kinks and from the border."""
    data = [parent.data for parent in node.parents]
    moves = [(0.0,) if parent.constant else (-MARGIN, 0.0, MARGIN) for parent in node.parents]
    for move in itertools.product(*moves):
        node.op.value(*map(operator.add, data, move))  # else it is an error, and there is no such node
    sizes = map(abs, (node.data, *node.local_gradients()))
    return nearest_kink(node.op, *data) > MARGIN and all(size <= LARGEST for size in sizes)


numbers = st.floats(-2, 2).map(lambda x: round(x, 3))
places = st.integers(0, 10_000)  # of a node, counted around and around
sides = st.sampled_from(["both", "left", "right"])  # where the nodes of a pair stand; else a plain number


@st.composite
def graphs(draw, most=12):
    """Graphs with shared nodes and paths of unequal length. A step that would leave its domain is dropped."""
    leaves = draw(st.lists(numbers, min_size=1, max_size=4))
    nodes, steps = [*map(Value, leaves)], []
    arity = {symbol: len(op.partials) for symbol, op in rows().items()}
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
