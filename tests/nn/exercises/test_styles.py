"""Right solutions in other styles are never refused: other classes, other numbers, other kinds of lists."""

import math
import random
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest

from engine import topological_order
from nn import textbook
from nn.exercises import check


def walk(v, seen):
    if id(v) not in seen:
        seen.add(id(v))
        for parent in v.parents:
            yield from walk(parent, seen)
        yield v


class Base:
    """A right class; the styles below change how a node is stored."""

    __slots__ = ("data", "grad", "local", "parents")

    def __init__(self, data, parents=(), local=()):
        self.data, self.grad, self.parents, self.local = data, 0.0, parents, local

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def backward(self):
        order = list(walk(self, set()))
        for v in order:
            if v.parents or v.grad is None:
                v.grad = 0 * self.data
        self.grad += 1
        for v in reversed(order):
            for parent, local in zip(v.parents, v.local):
                parent.grad = parent.grad + local * v.grad


class Fractions(Base):
    def __init__(self, data, parents=(), local=()):
        super().__init__(Fraction(data), parents, local)
        self.grad = Fraction(0)


class Decimals(Base):
    def __init__(self, data, parents=(), local=()):
        super().__init__(Decimal(data), parents, local)
        self.grad = Decimal(0)


class NoneAtFirst(Base):
    def __init__(self, data, parents=(), local=()):
        super().__init__(data, parents, local)
        self.grad = None


class EqualByData(Base):
    def __eq__(self, other):
        return self.data == other.data

    __hash__ = None


class Float(float):
    """A node that is a float. The operators that it only inherits are those of float, which make no nodes."""

    def __new__(cls, data, parents=(), local=()):
        return super().__new__(cls, data)

    def __init__(self, data, parents=(), local=()):
        self.grad, self.parents, self.local = 0.0, parents, local

    data = property(float)
    __hash__ = object.__hash__
    __add__, __mul__, backward = Base.__add__, Base.__mul__, Base.backward


@dataclass(eq=False)
class Record:
    data: float
    parents: tuple = ()
    local: tuple = ()
    grad: float = 0.0
    __add__, __mul__, backward = Base.__add__, Base.__mul__, Base.backward


class Paths:
    """A backward pass that walks every path, and is right."""

    def __init__(self, data, edges=()):
        self.data, self.grad, self.edges = data, 0.0, edges

    def __add__(self, other):
        return Paths(self.data + other.data, [(self, 1), (other, 1)])

    def __mul__(self, other):
        return Paths(self.data * other.data, [(self, other.data), (other, self.data)])

    def backward(self, upstream=1.0):
        self.grad += upstream
        for parent, local in self.edges:
            parent.backward(upstream * local)


STYLES = [Base, Fractions, Decimals, NoneAtFirst, EqualByData, Float, Record, Paths]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_a_class_of_another_style_passes(style):
    assert check("value", style)


@pytest.mark.parametrize("number", ["float64", "float32", "array of no dimension", "array of one number"])
def test_numbers_of_numpy_are_numbers(number):
    numpy = pytest.importorskip("numpy")
    make = {
        "float64": numpy.float64, "float32": numpy.float32, "array of no dimension": numpy.array,
        "array of one number": lambda x: numpy.reshape(x, (1,)),
    }[number]  # fmt: skip

    class Array(Base):
        def __init__(self, data, parents=(), local=()):
            super().__init__(make(data), parents, local)

    assert check("value", Array)


def test_a_class_with_other_names_passes():
    class Other(Base):
        def __init__(self, *, number, parents=(), local=()):
            super().__init__(number, parents, local)

        def __add__(self, other):
            return Other(number=self.data + other.data, parents=(self, other), local=(1, 1))

        def __mul__(self, other):
            return Other(number=self.data * other.data, parents=(self, other), local=(other.data, self.data))

    read = {"data": lambda v: v.data, "grad": lambda v: v.grad, "backward": lambda v: v.backward()}
    assert check("value", Other, make=lambda x: Other(number=x), **read)


KINDS = [
    tuple,
    iter,
    deque,
    reversed,
    lambda nodes: (v for v in nodes),
    lambda nodes: dict.fromkeys(nodes).keys(),
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_may_be_any_kind_of_list(kind):
    def order(root):
        nodes = topological_order(root)
        return kind(nodes[::-1] if kind is reversed else nodes)

    assert check("topological_order", order)


def test_an_order_without_an_order_is_refused_in_words():
    result = check("topological_order", lambda root: set(topological_order(root)))
    assert (result.step, result.right) == ("the order", "a list of 2 nodes")


def test_lists_of_a_net_may_be_iterators():
    assert check("chain", lambda a, b, c, f: (x for x in (b * f, a * f, f, a * b + c)))
    assert check("layer", lambda W, b, a: map(lambda w, b_k: sum(map(float.__mul__, w, a)) + b_k, W, b))
    assert check(
        "forward", lambda layers, x: ((iter(z) for z in part) for part in textbook.forward(layers, x))
    )


def test_columns_and_arrays_are_lists():
    numpy = pytest.importorskip("numpy")

    def update(layers, steps, rate):
        return [
            (numpy.array(W) + rate * numpy.array(dW), numpy.array(b) + rate * numpy.array(db), pair)
            for (W, b, pair), (dW, db) in zip(layers, steps)
        ]

    assert check("update", update)
    assert check("layer", lambda W, b, a: numpy.array(W) @ numpy.c_[a] + numpy.c_[b])
    assert check("neuron", lambda w, x, b: numpy.tanh([numpy.dot(w, x) + b]))
    assert check(
        "forward",
        lambda layers, x: tuple([numpy.c_[z] for z in part] for part in textbook.forward(layers, x)),
    )


def test_an_initializer_may_use_a_generator_of_numpy():
    numpy = pytest.importorskip("numpy")

    def initializer(rng, nin, nout):
        return numpy.random.default_rng(rng.getrandbits(32)).normal(0, math.sqrt(2 / nin))

    assert check("initializer", initializer, name="he")
    assert check(
        "initializer",
        lambda rng, nin, nout: random.Random(rng.random()).gauss(0, math.sqrt(2 / nin)),
        name="he",
    )
