"""Exercises on the backward pass of engine's Values: topological order, backward, and zero_grad."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from operator import attrgetter

from engine import Value, topological_order
from nn.exercises.checker import Case, Named, Slip, Steps, Topic, Unlike, as_list, unlike
from nn.exercises.topics.graphs import Graph, NodeClass, graphs, repeated_passes
from nn.exercises.topics.value import LEAVES_RESET, LEFT_OVER, WHY_LEAVES_RESET, WHY_LEFT_OVER

GRADS = ([1.5], [-2.0, 0.5], [3.0, 0.0, -1.0])


@lru_cache(maxsize=1)
def _graphs() -> tuple[Graph, ...]:
    small = (graphs(size, leaves, ("+", "*")) for size in (1, 2, 3) for leaves in ((2.0,), (2.0, -3.0)))
    return tuple(graph for some in small for graph in some)


# Topological order


def _order_case(graph: Graph) -> Case:
    def run(solution: object) -> Steps:
        values = graph.values()

        def order() -> Named:
            assert callable(solution)
            given = solution(values[-1])
            nodes = as_list(given)
            if nodes is None:
                return Named([("the order", unlike(given, f"a list of {len(values)} nodes"))])
            seen = Named([("the number of nodes in the order", len(nodes))])
            for v in values:
                times = sum(node is v for node in nodes)
                seen.append((f"how often {v.label} is listed", times))
            place = {id(node): i for i, node in enumerate(nodes)}
            for v in values:
                for parent in dict.fromkeys(v.parents):
                    before = place.get(id(parent), -1) < place.get(id(v), -1)
                    seen.append(
                        (f"{parent.label} stands before {v.label}", Unlike("yes" if before else "no"))
                    )
            return seen

        yield "topological_order(root)", order

    return Case(str(graph), run, picture=graph.play)


def _visit(v: Value, found: list[Value], once: bool, first: bool) -> list[Value]:
    """List the nodes by a recursion: each node once or not, before its parents or after."""
    if once and any(v is node for node in found):
        return found
    if first:
        found.append(v)
    for parent in v.parents:
        _visit(parent, found, once, first)
    if not first:
        found.append(v)
    return found


def _breadth_first(root: Value) -> list[Value]:
    found, todo = [root], [root]
    while todo:
        for parent in todo.pop(0).parents:
            if parent not in found:
                found.append(parent)
                todo.append(parent)
    return found[::-1]


def _order_slips() -> Iterator[Slip]:
    yield Slip(
        "the order is reversed",
        "Parents stand before their children, and the root comes last.",
        lambda root: topological_order(root)[::-1],
    )
    yield Slip(
        "nodes are listed once for each path",
        "Keep the nodes that were visited, and skip them.",
        lambda root: _visit(root, [], once=False, first=False),
    )
    yield Slip(
        "a node is added before its parents are visited",
        "Add a node after its parents were visited; a reversed list of first visits is no topological order.",
        lambda root: _visit(root, [], once=True, first=True)[::-1],
    )
    yield Slip(
        "a node is added before its parents, and the list is not reversed",
        "Add a node after its parents.",
        lambda root: _visit(root, [], once=True, first=True),
    )
    yield Slip(
        "a search by levels",
        "A node that is reached by a short and by a long path belongs before all of its children.",
        _breadth_first,
    )
    yield Slip(
        "the root is missing",
        "The root is the last node of its own order.",
        lambda root: topological_order(root)[:-1],
    )
    yield Slip(
        "the leaves are missing",
        "A leaf is a node, too.",
        lambda root: [v for v in topological_order(root) if v.parents],
    )
    yield Slip(
        "only the parents of the root",
        "Visit the parents of the parents, too.",
        lambda root: [*dict.fromkeys(root.parents), root],
    )
    yield Slip("nothing is returned", "The function has to return the list.", lambda root: None)


# Backward


def _backward_case(graph: Graph) -> Case:
    def run(solution: object) -> Steps:
        values = graph.values()

        def backward() -> float:
            assert callable(solution)
            solution(values[-1])
            return values[-1].grad

        yield graph.root_step, backward
        for v in reversed(values[:-1]):
            yield f"{v.label}.grad", lambda v=v: v.grad  # type: ignore[misc]

    return Case(str(graph), run, picture=graph.play)


def _with_backward(solution: object) -> NodeClass:
    """Return engine's Value with the student's backward pass."""
    assert callable(solution)
    return NodeClass(Value, attrgetter("data"), attrgetter("grad"), solution)


def _pass(
    order: Callable[[Value], list[Value]] = topological_order,
    seed: float | None = 1.0,
    reset: Callable[[Value], bool] = lambda v: bool(v.parents),
    add: Callable[[float, float], float] = lambda grad, c: grad + c,
    contribution: Callable[[float, float], float] = lambda upstream, local: upstream * local,
    pairs: Callable[[Value], list[tuple[Value, float]]] = lambda v: list(zip(v.parents, v.local_gradients())),
) -> Callable[[Value], None]:
    """Return a backward pass of which a slip replaces one part."""

    def backward(root: Value) -> None:
        for v in order(root):
            v.grad = 0.0 if reset(v) else v.grad
        if seed is not None:
            root.grad = seed
        for v in reversed(order(root)):
            for parent, local in pairs(v):
                parent.grad = add(parent.grad, contribution(v.grad, local))

    return backward


def _build_pass(parts: Mapping[str, object]) -> Callable[[Value], None]:
    return _pass(**parts)  # type: ignore[arg-type]


def _recursive(v: Value) -> None:
    for parent, local in zip(v.parents, v.local_gradients()):
        parent.grad += v.grad * local
        _recursive(parent)


def _seeded(root: Value) -> None:
    for v in topological_order(root):
        v.grad = 0.0 if v.parents else v.grad
    root.grad = 1.0
    _recursive(root)


def _backward_slips() -> Iterator[Slip]:
    def slip(name: str, why: str, **parts: object) -> Slip:
        return Slip(name, why, _build_pass(parts), parts)

    yield slip(
        "= where += is needed",
        "A node that feeds two others gets two contributions, and the second one replaced the first.",
        add=lambda grad, c: c,
    )
    yield Slip(
        "no topological order",
        "The recursion passes the whole gradient of a node on once for each path. "
        "Visit each node once, after all of its children.",
        _seeded,
    )
    yield slip("the root's gradient is not set to 1", "The backward pass starts with ∂L/∂L = 1.", seed=None)
    yield slip(LEFT_OVER, WHY_LEFT_OVER, reset=lambda v: False)
    yield slip(LEAVES_RESET, WHY_LEAVES_RESET, reset=lambda v: True)
    yield slip(
        "the order is not reversed",
        "The backward pass goes from the root to the leaves.",
        order=lambda root: topological_order(root)[::-1],
    )
    yield slip(
        "children are not all visited before their parents",
        "A node passed its gradient on before all of its contributions had arrived.",
        order=lambda root: _visit(root, [], once=True, first=True)[::-1],
    )
    yield slip(
        "the upstream gradient is forgotten",
        "A contribution is the upstream gradient times the local gradient.",
        contribution=lambda upstream, local: local,
    )
    yield slip(
        "the local gradient is forgotten",
        "A contribution is the upstream gradient times the local gradient.",
        contribution=lambda upstream, local: upstream,
    )
    yield slip(
        "the local gradient is added to the upstream gradient",
        "The chain rule multiplies them.",
        contribution=lambda upstream, local: upstream + local,
    )
    yield slip(
        "a set of parents",
        "In x * x, both parents are one node, and a set keeps it once.",
        pairs=lambda v: list(dict(zip(v.parents, v.local_gradients())).items()),
    )
    yield slip(
        "only the first parent gets a contribution",
        "Every parent of an operation gets one.",
        pairs=lambda v: list(zip(v.parents, v.local_gradients()))[:1],
    )
    yield slip(
        "the local gradients are swapped",
        "They stand in the order of the parents.",
        pairs=lambda v: list(zip(v.parents, v.local_gradients()[::-1])),
    )


# zero_grad


def _zero_case(grads: list[float]) -> Case:
    def run(solution: object) -> Steps:
        parameters = [Value(float(i + 1), label=f"p{i}") for i in range(len(grads))]
        for p, grad in zip(parameters, grads):
            p.grad = grad

        def zero() -> float:
            assert callable(solution)
            solution(parameters)
            return parameters[0].grad

        yield "p0.grad", zero
        for p in parameters[1:]:
            yield f"{p.label}.grad", lambda p=p: p.grad  # type: ignore[misc]
        for p in parameters:
            yield f"{p.label}.data", lambda p=p: p.data  # type: ignore[misc]

    return Case(f"parameters with the gradients {grads}", run)


def _set(parameters: list[Value], grad: float | None = None, data: float | None = None) -> None:
    for p in parameters:
        p.grad = p.grad if grad is None else grad
        p.data = p.data if data is None else data


@cache
def topic(name: str) -> Topic:
    """Return one of the three topics."""
    if name == "topological_order":
        cases = tuple(map(_order_case, _graphs()))
        return Topic(name, cases, topological_order, tuple(_order_slips()))
    if name == "backward":
        cases = *map(_backward_case, _graphs()), *repeated_passes(_with_backward)
        return Topic(name, cases, Value.backward, tuple(_backward_slips()), build=_build_pass)
    slips = (
        Slip("nothing changes", "Set the .grad of each parameter: p.grad = 0.0.", lambda ps: None),
        Slip(
            "only the first parameter", "Set the gradient of every parameter.", lambda ps: _set(ps[:1], 0.0)
        ),
        Slip(
            "the data is set to zero", "Set .grad, and leave .data as it is.", lambda ps: _set(ps, data=0.0)
        ),
        Slip(
            "data and gradient are set to zero",
            "Set .grad, and leave .data as it is.",
            lambda ps: _set(ps, 0.0, 0.0),
        ),
        Slip(
            "the gradient is set to 1",
            "1 is the seed of the root; a gradient is zeroed by 0.",
            lambda ps: _set(ps, 1.0),
        ),
    )
    return Topic(name, tuple(map(_zero_case, GRADS)), lambda ps: _set(ps, 0.0), slips)
