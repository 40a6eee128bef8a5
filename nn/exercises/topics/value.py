"""Exercise "value": a class of nodes with operators, functions and ``backward()``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from operator import attrgetter, methodcaller
from typing import ClassVar, TypeAlias

from engine import Value, brief, did_you_mean
from nn.exercises.checker import Case, Slip, Topic
from nn.exercises.topics.graphs import FUNCTIONS, OPERATIONS, NodeClass, graphs, repeated_passes
from nn.validation import expected

Numbers: TypeAlias = tuple[float, ...]
Access: TypeAlias = str | Callable[..., object]

NEEDS = {  # the methods that show that a class means to have an operation
    "-": ["__sub__"], "neg": ["__neg__"], "/": ["__truediv__"], "**": ["__pow__"],
    "v - number": ["__sub__"], "number - v": ["__sub__"], "v / number": ["__truediv__"],
    "number / v": ["__truediv__"], **{name: [name] for name in FUNCTIONS},
}  # fmt: skip
REST = ("__sub__", "__neg__", "__truediv__", "__pow__", "__radd__", "__rmul__")
WORDS = {  # the operations of the graphs of each size
    1: list(OPERATIONS),
    2: [word for word in OPERATIONS if "number" not in word and word != "sum"],
    3: ["+", "*"],
}
LEAVES: tuple[tuple[int, Numbers], ...] = (
    (1, (2.0,)), (1, (-0.5,)), (1, (2.0, -3.0)), (2, (2.0,)), (2, (2.0, -3.0)), (3, (2.0,)),
)  # fmt: skip
LEFT_OVER = "the gradients between are left over from the first pass"
WHY_LEFT_OVER = (
    "A second backward pass must not pass them on again: set the gradient of each node that has parents to 0 "
    "before it. The gradients of the leaves add up."
)
LEAVES_RESET = "the gradients of the leaves are set to 0"
WHY_LEAVES_RESET = "They add up over several backward passes, until zero_grad is called."
WITH_NUMBERS = ("v + number", "v * number", "number + v", "number * v", "sum")


def prepare(
    mine: object,
    make: Callable[[float], object] | None = None,
    data: Access = "data",
    grad: Access = "grad",
    backward: Access = "backward",
    operations: Iterable[str] | None = None,
) -> NodeClass:
    """Return the student's class as a solution.

    Args:
        mine: the class.
        make: makes a leaf from a number; the class itself if it is left out.
        data, grad: the attributes of a node, or functions of it.
        backward: the method of a root, or a function of it.
        operations: the operations to check. If left out, + and * of nodes; once the class has a further
            operator, numbers on either side and sum(), too; and each operation whose method it has.
    """
    if not callable(mine) and make is None:
        expected("expected a class of nodes", mine)
    if operations is None:
        full = any(_defines(mine, name) for name in REST)
        has = {"+", "*", *(WITH_NUMBERS if full else ())}
        has |= {word for word, needs in NEEDS.items() if all(_defines(mine, n) for n in needs)}
    else:
        has = set(operations)
        if unknown := sorted(has - OPERATIONS.keys()):
            listed = ", ".join(OPERATIONS)
            hint = did_you_mean(unknown[0], OPERATIONS) or f"; expected some of {listed}"
            raise ValueError(f"there is no operation {unknown[0]!r}{hint}")
    maker = make or mine
    assert callable(maker)
    return NodeClass(maker, _reader(data), _reader(grad), _reader(backward, methodcaller), frozenset(has))


def _defines(mine: object, name: str) -> bool:
    """Return whether a class has a method of its own; those of float do not count."""
    method = getattr(mine, name, None)
    return callable(method) and method is not getattr(float, name, None)


def _reader(
    access: Access, kind: Callable[[str], Callable[[object], object]] = attrgetter
) -> Callable[[object], object]:
    if isinstance(access, str):
        return kind(access)
    if not callable(access):
        raise TypeError(f"expected the name of an attribute or a function, not {brief(access)}")
    return access


@lru_cache(maxsize=1)
def topic() -> Topic:
    """Return the topic. Its cases are made when they are first needed."""
    right = prepare(Value, operations=OPERATIONS)
    cases = *_cases(right), *repeated_passes(_as_class)
    return Topic("value", cases, right, tuple(_slips()), lambda solution: _as_class(solution).has, _draft)


def _as_class(solution: object) -> NodeClass:
    assert isinstance(solution, NodeClass)
    return solution


def _cases(right: NodeClass) -> Iterator[Case]:
    """Iterate over the graphs, the smallest first.

    Those outside a domain are left out, and those that compute with 0: relu has a kink there.
    """
    for size, leaves in LEAVES:
        for graph in graphs(size, leaves, WORDS[size]):
            case = graph.case()
            try:
                numbers = [run() for _, run in case.run(right)]
            except (ArithmeticError, ValueError):
                continue
            computed_from = numbers[: len(graph.names) - 1]
            if all(isinstance(x, float) and abs(x) < 1e6 for x in numbers) and 0.0 not in computed_from:
                yield case


# A Value such as a student writes, of which each slip replaces one part


class Draft:
    """A node with its local gradients."""

    numbers: ClassVar[dict[str, Callable[..., float]]] = {
        "+": lambda a, b: a + b, "*": lambda a, b: a * b, "-": lambda a, b: a - b, "/": lambda a, b: a / b,
        "neg": lambda a: -a, "**": lambda a, n: a**n, "exp": math.exp, "log": math.log, "tanh": math.tanh,
        "sigmoid": lambda a: 1 / (1 + math.exp(-a)), "relu": lambda a: max(0.0, a),
    }  # fmt: skip
    rules: ClassVar[dict[str, Callable[..., Numbers]]] = {
        "+": lambda a, b, y: (1.0, 1.0), "*": lambda a, b, y: (b, a), "-": lambda a, b, y: (1.0, -1.0),
        "/": lambda a, b, y: (1 / b, -a / b**2), "neg": lambda a, y: (-1.0,),
        "**": lambda a, n, y: (n * a ** (n - 1), 0.0), "exp": lambda a, y: (y,), "log": lambda a, y: (1 / a,),
        "tanh": lambda a, y: (1 - y * y,), "sigmoid": lambda a, y: (y * (1 - y),),
        "relu": lambda a, y: (float(a > 0),),
    }  # fmt: skip

    def __init__(self, data: float, parents: tuple[Draft, ...] = (), local: Numbers = ()) -> None:
        self.data, self.grad, self.parents, self.local = data, 0.0, parents, local

    def apply(self, word: str, *others: Draft | float) -> Draft:
        """Return the result of an operation on this node and others."""
        parents = (self, *(v if isinstance(v, Draft) else type(self)(v) for v in others))
        numbers = [v.data for v in parents]
        y = self.numbers[word](*numbers)
        return type(self)(y, parents, self.rules[word](*numbers, y))

    def __add__(self, other: Draft | float) -> Draft:
        return self.apply("+", other)

    def __mul__(self, other: Draft | float) -> Draft:
        return self.apply("*", other)

    def __sub__(self, other: Draft | float) -> Draft:
        return self.apply("-", other)

    def __truediv__(self, other: Draft | float) -> Draft:
        return self.apply("/", other)

    def __pow__(self, other: float) -> Draft:
        return self.apply("**", other)

    def __neg__(self) -> Draft:
        return self.apply("neg")

    def __radd__(self, other: float) -> Draft:
        return self + other

    def __rmul__(self, other: float) -> Draft:
        return self * other

    def __rsub__(self, other: float) -> Draft:
        return type(self)(other) - self

    def __rtruediv__(self, other: float) -> Draft:
        return type(self)(other) / self

    def exp(self) -> Draft:
        return self.apply("exp")

    def log(self) -> Draft:
        return self.apply("log")

    def tanh(self) -> Draft:
        return self.apply("tanh")

    def sigmoid(self) -> Draft:
        return self.apply("sigmoid")

    def relu(self) -> Draft:
        return self.apply("relu")

    def order(self) -> list[Draft]:
        """Return the nodes, each after its children."""
        seen: list[Draft] = []

        def visit(v: Draft) -> None:
            if v not in seen:
                for parent in v.parents:
                    visit(parent)
                seen.append(v)

        visit(self)
        return seen[::-1]

    def add(self, contribution: float) -> None:
        """Add a contribution to the gradient."""
        self.grad += contribution

    def spread(self) -> None:
        """Give each parent its contribution."""
        for parent, d in zip(self.parents, self.local):
            parent.add(self.grad * d)

    def backward(self) -> None:
        """Run the backward pass."""
        for v in self.order():
            if v.parents:
                v.grad = 0.0
        self.grad = 1.0
        for v in self.order():
            v.spread()


def _draft(parts: Mapping[str, object]) -> NodeClass:
    return prepare(type("Draft", (Draft,), dict(parts)), operations=OPERATIONS)


def _slips() -> Iterator[Slip]:
    def slip(name: str, why: str, **parts: object) -> Slip:
        return Slip(name, why, _draft(parts), parts)

    def rule(word: str, name: str, why: str, local: Callable[..., Numbers]) -> Slip:
        return slip(name, why, rules=Draft.rules | {word: local})

    def number(word: str, name: str, why: str, forward: Callable[..., float]) -> Slip:
        return slip(name, why, numbers=Draft.numbers | {word: forward})

    yield slip(
        "= where += is needed",
        "A node that feeds two others gets two contributions, and the second one replaced the first.",
        add=_replace,
    )
    yield slip(
        "no topological order",
        "The recursion visits a node once for each path and passes its whole "
        "gradient on every time. Visit each node once, after all of its children.",
        backward=_recursive_backward,
    )
    yield slip(
        "children are not all visited before their parents",
        "A node passed its gradient on before all of its contributions had arrived. Use a topological order.",
        order=_depth_first,
    )
    yield slip(
        "the order is not reversed",
        "The backward pass goes from the root to the leaves, and this one "
        "goes from the leaves to the root, so only the root passes a gradient on.",
        order=lambda self: Draft.order(self)[::-1],
    )
    yield slip(
        "the root's gradient is not set to 1",
        "The backward pass starts with ∂L/∂L = 1; from 0, every gradient stays 0.",
        backward=lambda self: [v.spread() for v in self.order()],
    )
    yield slip(LEFT_OVER, WHY_LEFT_OVER, backward=_backward_left_over)
    yield slip(LEAVES_RESET, WHY_LEAVES_RESET, backward=_backward_with_reset)
    yield slip(
        "the upstream gradient is forgotten",
        "A contribution is the upstream gradient times the local gradient.",
        spread=lambda self: [p.add(d) for p, d in zip(self.parents, self.local)],
    )
    yield slip(
        "the local gradient is forgotten",
        "A contribution is the upstream gradient times the local gradient.",
        spread=lambda self: [p.add(self.grad) for p in self.parents],
    )
    yield slip(
        "the local gradient is added to the upstream gradient",
        "The chain rule multiplies them.",
        spread=lambda self: [p.add(self.grad + d) for p, d in zip(self.parents, self.local)],
    )
    yield slip(
        "a set of parents",
        "In x * x, both parents are one node. A set keeps it once, and one of the two contributions is lost.",
        spread=_spread_once,
    )
    yield slip(
        "only the first parent gets a contribution",
        "Every parent of an operation gets one.",
        spread=lambda self: [p.add(self.grad * d) for p, d in [*zip(self.parents, self.local)][:1]],
    )
    yield rule(
        "*",
        "each factor gets itself",
        "The local gradient of a in a * b is b, the other factor.",
        lambda a, b, y: (a, b),
    )
    yield rule(
        "*",
        "the product as the local gradient of *",
        "The local gradient of a in a * b is b.",
        lambda a, b, y: (y, y),
    )
    yield rule(
        "*",
        "1 as the local gradient of *",
        "The local gradient of a in a * b is b.",
        lambda a, b, y: (1.0, 1.0),
    )
    yield rule(
        "+",
        "the terms as the local gradients of +",
        "The local gradient of a sum is 1 for each term.",
        lambda a, b, y: (b, a),
    )
    yield rule(
        "-",
        "the sign of the second parent of -",
        "The local gradient of b in a - b is -1.",
        lambda a, b, y: (1.0, 1.0),
    )
    yield rule(
        "neg", "the sign of the local gradient of -a", "The local gradient of -a is -1.", lambda a, y: (1.0,)
    )
    yield rule(
        "/",
        "the square is missing in the local gradient of /",
        "The local gradient of b in a / b is -a / b².",
        lambda a, b, y: (1 / b, -a / b),
    )
    yield rule(
        "/",
        "the sign of the local gradient of /",
        "The local gradient of b in a / b is -a / b².",
        lambda a, b, y: (1 / b, a / b**2),
    )
    yield rule(
        "**",
        "the exponent is missing as a factor",
        "The local gradient of aⁿ is n aⁿ⁻¹.",
        lambda a, n, y: (a ** (n - 1), 0.0),
    )
    yield rule(
        "**",
        "the exponent does not fall by one",
        "The local gradient of aⁿ is n aⁿ⁻¹.",
        lambda a, n, y: (n * y, 0.0),
    )
    yield rule(
        "exp",
        "exp's local gradient from its input",
        "The local gradient of exp(a) is exp(a), the result, and not a.",
        lambda a, y: (a,),
    )
    yield rule(
        "exp",
        "1 as the local gradient of exp",
        "The local gradient of exp(a) is exp(a), the result.",
        lambda a, y: (1.0,),
    )
    yield rule(
        "log",
        "log's local gradient is the logarithm",
        "The local gradient of log(a) is 1 / a.",
        lambda a, y: (y,),
    )
    yield rule(
        "tanh",
        "tanh's local gradient from its input",
        "The local gradient of tanh(a) is 1 - y², with the result y, not with a.",
        lambda a, y: (1 - a * a,),
    )
    yield rule(
        "tanh",
        "tanh's local gradient without the square",
        "The local gradient of tanh(a) is 1 - y².",
        lambda a, y: (1 - y,),
    )
    yield rule(
        "tanh",
        "tanh's local gradient is taken at the result",
        "The local gradient of tanh is 1 - y², with y = tanh(a), and not 1 - tanh(y)².",
        lambda a, y: (1 - math.tanh(y) ** 2,),
    )
    yield rule(
        "sigmoid",
        "sigmoid's local gradient from its input",
        "The local gradient of σ(a) is y (1 - y), with the result y, not with a.",
        lambda a, y: (a * (1 - a),),
    )
    yield rule(
        "relu",
        "relu passes every gradient on",
        "The local gradient of relu(a) is 0 where a < 0.",
        lambda a, y: (1.0,),
    )
    yield rule(
        "relu",
        "relu's local gradient is its result",
        "The local gradient of relu(a) is 1 where a > 0, and not a.",
        lambda a, y: (y,),
    )
    yield number("relu", "relu lets negative numbers through", "relu(a) is 0 where a < 0.", lambda a: a)
    yield number("-", "a - b in the wrong order", "a - b and b - a have opposite signs.", lambda a, b: b - a)
    yield slip(
        "no __radd__", "Python computes 2 + v by v.__radd__(2), and sum() begins with 0 + v.", __radd__=None
    )
    yield slip("no __rmul__", "Python computes 3 * v by v.__rmul__(3).", __rmul__=None)
    yield slip("no __rsub__", "Python computes 5 - v by v.__rsub__(5).", __rsub__=None)
    yield slip("no __rtruediv__", "Python computes 2 / v by v.__rtruediv__(2).", __rtruediv__=None)
    yield slip(
        "__radd__ calls itself",
        "other + self calls __radd__ again, without end; self + other calls __add__.",
        __radd__=lambda self, other: other + self,
    )
    yield slip(
        "__rmul__ calls itself",
        "other * self calls __rmul__ again, without end; self * other calls __mul__.",
        __rmul__=lambda self, other: other * self,
    )
    yield slip(
        "__rsub__ in the wrong order",
        "5 - v calls v.__rsub__(5), which is 5 - v and not v - 5.",
        __rsub__=lambda self, other: self - other,
    )
    yield slip(
        "__rtruediv__ in the wrong order",
        "2 / v calls v.__rtruediv__(2), which is 2 / v and not v / 2.",
        __rtruediv__=lambda self, other: self / other,
    )
    yield slip(
        "an operator expects a node",
        "A number has no .data: make it a node first, as in other = other "
        "if isinstance(other, Value) else Value(other).",
        apply=_nodes_only,
    )
    yield slip(
        "+ returns a tuple",
        "A comma at the end of a line makes a tuple.",
        __add__=lambda self, other: (self.apply("+", other),),
    )
    yield slip(
        "+ returns nothing", "The method has to return the new node.", __add__=lambda self, other: None
    )
    yield slip(
        "* returns nothing", "The method has to return the new node.", __mul__=lambda self, other: None
    )
    yield slip(
        "+ returns a number",
        "The result has to be a node that records its parents.",
        __add__=lambda self, other: self.apply("+", other).data,
    )
    yield slip(
        "+ changes its first argument",
        "An operation makes a new node and leaves its parents as they are.",
        __add__=_in_place,
    )
    yield slip(
        "the gradient starts at 1",
        "A gradient starts at 0, as contributions are added to it.",
        __init__=_starts_at_one,
    )


def _replace(self: Draft, contribution: float) -> None:
    self.grad = contribution


def _backward_left_over(self: Draft) -> None:
    self.grad = 1.0
    for v in self.order():
        v.spread()


def _backward_with_reset(self: Draft) -> None:
    for v in self.order():
        v.grad = 0.0
    _backward_left_over(self)


def _recursive_backward(self: Draft) -> None:
    self.grad = 1.0
    _recurse(self)


def _recurse(v: Draft) -> None:
    v.spread()
    for parent in v.parents:
        _recurse(parent)


def _depth_first(self: Draft) -> list[Draft]:
    seen: list[Draft] = []

    def visit(v: Draft) -> None:
        if v not in seen:
            seen.append(v)
            for parent in v.parents:
                visit(parent)

    visit(self)
    return seen


def _spread_once(self: Draft) -> None:
    for parent, d in dict(zip(self.parents, self.local)).items():
        parent.add(self.grad * d)


def _nodes_only(self: Draft, word: str, *others: Draft) -> Draft:
    if word in ("+", "*", "-", "/"):
        [other.data for other in others]
    return Draft.apply(self, word, *others)


def _in_place(self: Draft, other: Draft | float) -> Draft:
    self.data += other.data if isinstance(other, Draft) else other
    return self


def _starts_at_one(self: Draft, data: float, parents: tuple[Draft, ...] = (), local: Numbers = ()) -> None:
    Draft.__init__(self, data, parents, local)
    self.grad = 1.0
