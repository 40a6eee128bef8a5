"""Topological order, the chain rule, and the stream of contributions."""

import copy
import math
import weakref

import mpmath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mpf
from support import witness
from support.graphs import graphs

from engine import (
    Contribution,
    Value,
    backward_steps,
    grad,
    no_grad,
    ops,
    tanh,
    topological_order,
    weighted_sum,
)
from engine.core.backward import backward

# Topological order


def test_parents_come_first_in_their_order_and_the_root_comes_last():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    ab = a * b
    root = ab + c * a
    assert topological_order(root) == [a, b, ab, c, root.parents[1], root]


def test_the_order_of_a_leaf_is_the_leaf_alone():
    x = Value(1.0)
    assert topological_order(x) == [x]


@settings(max_examples=50)
@given(graphs(most=40))
def test_every_node_is_listed_once_and_after_its_parents(graph):
    nodes = graph.build()
    order = topological_order(nodes[-1])
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is nodes[-1]
    assert all(place[parent] < place[node] for node in order for parent in node.parents)


@settings(max_examples=50)
@given(graphs(most=40))
def test_known_leaves_are_left_out_and_the_order_of_the_others_is_the_same(graph):
    nodes = graph.build()
    order = topological_order(nodes[-1])
    known = [node for node in order[:-1] if not node.parents][::2]
    assert topological_order(nodes[-1], known) == [node for node in order if node not in known]


@pytest.mark.parametrize("root", [None, 3, 3.0, "x", [Value(1.0)]], ids=repr)
@pytest.mark.parametrize("walk", [topological_order, backward_steps, lambda root: grad(root, [])])
def test_the_topological_order_of_anything_else_is_a_type_error(walk, root):
    with pytest.raises(TypeError, match=f"expected a Value, not {type(root).__name__}"):
        walk(root)


# The chain rule


def test_every_node_between_root_and_leaves_gets_its_gradient():
    x, w = Value(2.0), Value(-3.0)
    product = x * w
    y = product + x
    y.backward()
    assert (y.grad, product.grad, x.grad, w.grad) == (1.0, 1.0, -2.0, 2.0)


def test_a_shared_node_adds_to_its_parents_once_with_its_complete_gradient():
    x = Value(2.0)
    shared = x * x
    near, far = shared * 3.0, tanh(-(shared + 1.0) + 5.5)
    y = near + far
    y.backward()
    derivative = 1 - math.tanh(0.5) ** 2
    assert shared.grad == 3.0 - derivative
    assert x.grad == 4.0 * shared.grad


def test_backward_on_a_leaf_adds_1():
    x = Value(3.0)
    x.backward()
    x.backward()
    assert x.grad == 2.0


def test_leaves_accumulate_until_they_are_zeroed():
    x = Value(3.0)
    (x * x).backward()
    (x * 2).backward()
    assert x.grad == 8.0
    x.grad = 0.0
    (x * 2).backward()
    assert x.grad == 2.0


def test_a_second_pass_over_the_same_graph_adds_the_same_gradients_to_the_leaves():
    x = Value(3.0)
    middle = x * x
    y = middle * middle
    y.backward()
    y.backward()
    assert (y.grad, middle.grad, x.grad) == (1.0, 18.0, 2 * 108.0)


def test_a_backward_pass_from_an_inner_node_resets_its_gradient():
    x = Value(3.0)
    middle = x * x
    y = middle * 2
    y.backward()
    middle.backward()
    assert (middle.grad, x.grad) == (1.0, 12.0 + 6.0)


def test_a_node_outside_the_graph_of_the_root_keeps_its_gradient():
    x = Value(3.0)
    other = x * 5
    other.backward()
    (x * x).backward()
    assert other.grad == 1.0


def test_infinities_and_nan_follow_the_rules_of_ieee_in_the_backward_pass():
    x, y = Value(math.inf), Value(0.0)
    (x * y).backward()
    assert (x.grad, y.grad) == (0.0, math.inf)
    z = Value(math.nan)
    (z * z).backward()
    assert math.isnan(z.grad)


# Each node is visited once


class Stub:
    """The attributes that a backward pass uses; it counts how often the local gradients are read."""

    constant = False

    def __init__(self, *edges):
        self.parents = tuple(parent for parent, _ in edges)
        self.local, self._grad, self.visits = tuple(local for _, local in edges), 0.0, 0

    @property
    def _local(self):
        self.visits += 1
        return self.local


def ladder(rungs):
    """Return both ends and all nodes of a chain of diamonds: 2**rungs paths lead from end to end."""
    foot = top = Stub()
    nodes = [foot]
    for _ in range(rungs):
        left, right = Stub((top, 1.0)), Stub((top, 1.0))
        top = Stub((left, 1.0), (right, 1.0))
        nodes += [left, right, top]
    return foot, top, nodes


@pytest.mark.parametrize("run", [backward, lambda top: list(backward_steps(top))], ids=["backward", "stream"])
def test_on_a_ladder_of_60_diamonds_each_node_is_visited_once(run):
    foot, top, nodes = ladder(60)
    run(top)
    assert foot._grad == 2.0**60
    assert [node.visits for node in nodes] == [1] * 181


def test_the_stream_of_a_ladder_has_one_step_for_each_edge():
    _, top, nodes = ladder(60)
    steps = list(backward_steps(top))
    assert len(steps) == sum(len(node.parents) for node in nodes) == 240


def test_a_ladder_of_values_has_as_many_nodes_as_operations():
    x = y = Value(1.0)
    for _ in range(60):
        y = y * 0.5 + y * 0.5
    y.backward()
    assert (y.data, x.grad, len(topological_order(y))) == (1.0, 1.0, 1 + 60 * 5)
    assert grad(y, [x]) == [1.0]


def test_each_of_many_parents_gets_the_contribution_of_its_own_edge():
    w, a, b = [Value(2.0), Value(3.0), Value(5.0)], [Value(7.0), Value(11.0), Value(13.0)], Value(17.0)
    (weighted_sum(w, a, b) * 10).backward()
    assert [v.grad for v in (*w, *a, b)] == [70.0, 110.0, 130.0, 20.0, 30.0, 50.0, 10.0]


def test_all_of_20_000_contributions_to_one_leaf_are_added():
    x = Value(1.0)
    leaf = Stub()
    fan = Stub(*[(Stub((leaf, 2.0)), 1.0) for _ in range(20_000)])
    backward(fan)
    assert leaf._grad == 40_000.0
    y = weighted_sum([x] * 20_000, [1.0] * 20_000)
    y.backward()
    assert (y.data, x.grad) == (20_000.0, 20_000.0)


def test_a_graph_of_any_depth_needs_no_recursion():
    x = y = Value(1.0)
    for _ in range(5_000):
        y = (y + x) * 0.5
    assert len(topological_order(y)) == 1 + 3 * 5_000
    assert sum(1 for _ in backward_steps(y)) == 3 * 5_000
    [dx] = grad(y, [x], create_graph=True)
    assert dx.data == grad(y, [x])[0] == x.grad == 1.0
    gone = weakref.ref(x)
    del x, y, dx
    assert gone() is None


# Against the exact witness


@settings(max_examples=25)
@given(graphs(most=200))
def test_gradients_are_the_sums_over_all_paths_in_exact_arithmetic(graph):
    nodes = graph.build()
    nodes[-1].backward()
    exact, size = witness.chain_rule(nodes[-1])
    roundings = 2 * sum(len(node.parents) for node in exact) + 1
    for node in exact:
        if not node.constant:
            assert abs(mpf(node.grad) - exact[node]) <= roundings * (2**-53 * size[node] + 5e-324)


def leaves_of(graph):
    return tuple(map(mpf, graph.leaves))


def almost(exact, size=1.0):
    """Compare to ten digits: a wrong rule differs by far more, the rounding of a few nodes by far less."""
    return pytest.approx(float(exact), rel=1e-10, abs=1e-10 * size)


@given(graphs())
def test_value_and_gradient_of_any_graph_are_those_of_the_exact_function(graph):
    nodes = graph.build()
    root, leaves = nodes[-1], nodes[: len(graph.leaves)]
    root.backward()
    assert root.data == almost(graph.exact(*graph.leaves))
    for i, leaf in enumerate(leaves):
        orders = tuple(int(i == j) for j in range(len(leaves)))
        assert leaf.grad == almost(mpmath.diff(graph.exact, leaves_of(graph), orders), size=1e3)


@given(graphs(most=6), st.data())
def test_second_and_third_derivatives_of_any_graph_are_exact_too(graph, data):
    nodes = graph.build()
    leaves = nodes[: len(graph.leaves)]
    y, orders = nodes[-1], [0] * len(leaves)
    for _ in range(3):
        i = data.draw(st.integers(0, len(leaves) - 1))
        orders[i] += 1
        [y] = grad(y, [leaves[i]], create_graph=True)
        exact = mpmath.diff(graph.exact, leaves_of(graph), tuple(orders))
        assume(abs(exact) < 1e4)
        assert y.data == almost(exact, size=1e3)


@given(graphs())
def test_a_graph_prints_itself_as_python_that_runs(graph):
    space = {}
    exec(repr(graph), space)
    nodes = graph.build()
    nodes[-1].backward()
    for i, node in enumerate(nodes):
        assert (space[f"v{i}"].data, space[f"v{i}"].grad) == (node.data, node.grad)


# The stream


def test_a_contribution_has_these_fields():
    fields = ("node", "parent", "position", "upstream", "local", "contribution", "total")
    assert Contribution._fields == fields


def test_the_stream_gives_one_contribution_for_each_edge_of_backward():
    x, w = Value(3.0), Value(2.0)
    product = w * x
    y = product + x
    assert list(backward_steps(y)) == [
        (y, product, 0, 1.0, 1.0, 1.0, 1.0),
        (y, x, 1, 1.0, 1.0, 1.0, 1.0),
        (product, w, 0, 1.0, 3.0, 3.0, 3.0),
        (product, x, 1, 1.0, 2.0, 2.0, 3.0),
    ]
    assert (x.grad, w.grad) == (3.0, 3.0)


def test_the_total_of_a_leaf_includes_its_earlier_gradient():
    x = Value(3.0)
    x.grad = 10.0
    [first, second] = backward_steps(x * x)
    assert (first.total, second.total, x.grad) == (13.0, 16.0, 16.0)


def test_the_two_edges_of_a_square_differ_in_their_positions():
    x = Value(3.0)
    assert [(step.parent, step.position) for step in backward_steps(x * x)] == [(x, 0), (x, 1)]


def test_edges_to_plain_numbers_are_left_out():
    x = Value(3.0)
    assert [step.position for step in backward_steps(2 - x)] == [1]
    assert [step.position for step in backward_steps(x**2)] == [0]


def test_the_stream_of_a_leaf_is_empty_and_adds_1():
    x = Value(3.0)
    assert list(backward_steps(x)) == []
    assert x.grad == 1.0


def test_each_step_of_the_stream_writes_its_gradient():
    x = Value(3.0)
    middle = x * x
    y = middle * 2
    stream = backward_steps(y)
    assert (y.grad, middle.grad) == (0.0, 0.0)
    next(stream)
    assert (y.grad, middle.grad, x.grad) == (1.0, 2.0, 0.0)
    stream.close()
    y.backward()
    assert (middle.grad, x.grad) == (2.0, 12.0)


@settings(max_examples=50)
@given(graphs(most=60))
def test_stream_and_backward_agree_to_the_last_bit(graph):
    first, second = graph.build(), graph.build()
    first[-1].backward()
    steps = list(backward_steps(second[-1]))
    assert [node.grad.hex() for node in first] == [node.grad.hex() for node in second]
    last = {}
    for step in steps:
        assert step.upstream.hex() == step.node.grad.hex()  # it is complete already
        assert step.node.parents[step.position] is step.parent
        assert step.local == step.node.local_gradients()[step.position]
        assert step.contribution == step.upstream * step.local
        last[step.parent] = step.total
    assert all(node.grad == total for node, total in last.items())


# grad


def test_grad_writes_no_gradients():
    x = Value(3.0)
    middle = x * x
    y = middle * x
    x.grad, middle.grad, y.grad = 5.0, 6.0, 7.0
    assert grad(y, [x, middle, y]) == [27.0, 3.0, 1.0]
    assert grad(y, [x], create_graph=True)[0].data == 27.0
    assert (x.grad, middle.grad, y.grad) == (5.0, 6.0, 7.0)


def test_the_gradient_with_respect_to_a_value_that_y_does_not_depend_on_is_0():
    x, other = Value(3.0), Value(4.0)
    assert grad(x * x, [other, x, x + 1]) == [0.0, 6.0, 0.0]
    [zero] = grad(x * x, [other], create_graph=True)
    assert isinstance(zero, Value)
    assert (zero.data, zero.parents) == (0.0, ())


def test_the_gradient_of_a_value_with_respect_to_itself_is_1():
    x = Value(3.0)
    assert grad(x, [x]) == [1.0]
    [one] = grad(x, [x], create_graph=True)
    assert isinstance(one, Value)
    assert one.data == 1.0


def test_xs_may_list_the_same_value_twice_or_be_empty():
    x = Value(3.0)
    assert grad(x * x, [x, x]) == [6.0, 6.0]
    assert grad(x * x, []) == []
    assert grad(x * x, (v for v in [x])) == [6.0]


@pytest.mark.parametrize("xs", [None, 3.0, Value(3.0)], ids=lambda xs: type(xs).__name__)
def test_xs_is_a_list(xs):
    with pytest.raises(TypeError, match=r"^xs is a list of Values: to .* by x alone, call grad\(y, \[x\]\)$"):
        grad(Value(1.0) * 2, xs)


@pytest.mark.parametrize("x", [None, 3.0, "x", [Value(1.0)]], ids=repr)
def test_xs_are_values(x):
    with pytest.raises(TypeError, match=f"expected a Value, not {type(x).__name__}"):
        grad(Value(1.0) * 2, [Value(1.0), x])


@settings(max_examples=50)
@given(graphs(most=40))
def test_grad_and_backward_agree_to_the_last_bit(graph):
    nodes = graph.build()
    nodes[-1].backward()
    assert [g.hex() for g in grad(nodes[-1], nodes)] == [node.grad.hex() for node in nodes]


@given(graphs(most=20))
def test_with_create_graph_the_numbers_are_the_same(graph):
    nodes = graph.build()
    plain, remembered = grad(nodes[-1], nodes), grad(nodes[-1], nodes, create_graph=True)
    assert [g.data for g in remembered] == plain


def test_the_gradient_of_a_gradient_can_be_drawn_and_differentiated():
    x = Value(0.5, label="x")
    [dy] = grad(tanh(x), [x], create_graph=True)
    assert x in topological_order(dy)
    [second] = grad(dy, [x], create_graph=True)
    [third] = grad(second, [x], create_graph=True)
    exact = [mpmath.diff(mpmath.tanh, mpf(0.5), n) for n in (1, 2, 3)]
    assert [dy.data, second.data, third.data] == [pytest.approx(float(e), rel=1e-14) for e in exact]


def test_a_hessian_is_symmetric():
    x, y = Value(0.7), Value(-1.3)
    f = ops.sin(x * y) * ops.exp(x) + x / y
    dx, dy = grad(f, [x, y], create_graph=True)
    assert grad(dx, [y])[0] == pytest.approx(grad(dy, [x])[0], rel=1e-14)


def test_backward_from_an_expression_of_gradients_reaches_the_leaves():
    x = Value(3.0)
    [derivative] = grad(x**3, [x], create_graph=True)
    (derivative * derivative).backward()  # (3x²)² = 9x⁴
    assert x.grad == 36 * 3.0**3


def test_factors_of_1_and_terms_of_0_make_no_nodes_in_a_gradient():
    x, w = Value(3.0), Value(2.0)
    assert grad(x * w, [x], create_graph=True)[0] is w  # 0 + 1 * w
    assert grad((x + 1) * w, [x], create_graph=True)[0] is w  # 0 + w * 1
    [derivative] = grad(x * x + x, [x], create_graph=True)
    assert [node.data for node in topological_order(derivative)] == [1.0, 3.0, 4.0, 7.0]


STALE = {
    "x * x": lambda x, w: x * x,
    "x * w": lambda x, w: x * w,
    "x + w": lambda x, w: x + w,
    "tanh": lambda x, w: tanh(x),
    "abs": lambda x, w: abs(x),
    "cos": lambda x, w: ops.cos(x),
    "x ** 4": lambda x, w: x**4,
    "weighted sum": lambda x, w: weighted_sum([w, w], [x, x]),
    "log": lambda x, w: ops.log(x),
    "deep": lambda x, w: (tanh(x * x) + 1) * 2,
}


@pytest.mark.parametrize("make", STALE.values(), ids=STALE)
@pytest.mark.parametrize("now", [-3.0, 2.0, math.nan])
def test_a_number_changed_after_the_forward_pass_is_an_error_with_create_graph(make, now):
    x, w = Value(3.0, label="x"), Value(0.5, label="w")
    y = make(x, w)
    before = grad(y, [x, w])
    x.data = now
    why = "was changed: compute it again before you differentiate with create_graph=True$"
    with pytest.raises(ValueError, match=f"^Value\\(.* no longer follows from the numbers .*{why}"):
        grad(y, [x], create_graph=True)
    assert grad(y, [x, w]) == before
    x.data = 3.0
    assert grad(y, [x], create_graph=True)[0].data == before[0]


def test_a_nan_that_is_still_a_nan_counts_as_unchanged():
    x = Value(math.nan)
    [derivative] = grad(x * x, [x], create_graph=True)
    assert math.isnan(derivative.data)


def test_a_gradient_computed_under_no_grad_has_no_parents():
    x = Value(3.0)
    y = x * x
    with no_grad():
        [derivative] = grad(y, [x], create_graph=True)
    assert (derivative.data, derivative.parents) == (6.0, ())


# Laws


@given(graphs(), st.floats(-4, 4))
def test_gradients_are_linear_in_the_seed(graph, seed):
    nodes = graph.build()
    leaves = nodes[: len(graph.leaves)]
    _, size = witness.chain_rule(nodes[-1])
    pairs = zip(leaves, grad(nodes[-1], leaves), grad(nodes[-1] * seed, leaves), strict=True)
    for leaf, derivative, scaled in pairs:
        rounding = float(1e-12 * abs(seed) * size.get(leaf, 0)) + 1e-300
        assert scaled == pytest.approx(seed * derivative, rel=1e-12, abs=rounding)


@given(graphs(), st.data())
def test_the_gradient_of_a_sum_is_the_sum_of_the_gradients(graph, data):
    nodes = graph.build()
    u, v = (nodes[data.draw(st.integers(0, len(nodes) - 1))] for _ in range(2))
    leaves = nodes[: len(graph.leaves)]
    sums = [a + b for a, b in zip(grad(u, leaves), grad(v, leaves), strict=True)]
    _, size = witness.chain_rule(u + v)
    for whole, parts, leaf in zip(grad(u + v, leaves), sums, leaves, strict=True):
        assert whole == pytest.approx(parts, rel=1e-12, abs=float(1e-12 * size.get(leaf, 0)))


@given(graphs(most=6), graphs(most=6))
def test_the_chain_rule_holds_for_random_compositions(inner, outer):
    """The derivative of f(g(x), rest) in x is that of f in its first argument times that of g."""
    g = inner.build()
    assume(g[-1].data == pytest.approx(outer.leaves[0], abs=3))
    try:
        f = outer.build([g[-1], *map(Value, outer.leaves[1:])])
    except (ArithmeticError, ValueError):
        assume(False)
    [df] = grad(f[-1], [g[-1]])
    dg = grad(g[-1], g[: len(inner.leaves)])
    _, size = witness.chain_rule(f[-1])
    for leaf, derivative in zip(g, dg, strict=False):
        close = pytest.approx(df * derivative, rel=1e-10, abs=float(1e-12 * size.get(leaf, 0)))
        assert grad(f[-1], [leaf]) == [close]


@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_in_which_independent_nodes_are_made_changes_nothing(graph, rng):
    nodes = graph.build()
    again = list(map(Value, graph.leaves)) + [None] * len(graph.steps)

    def step(i):
        return graph.steps[i - len(graph.leaves)]

    waiting = list(range(len(graph.leaves), graph.size))
    while waiting:
        i = rng.choice([i for i in waiting if None not in step(i).given(again)])
        again[i] = step(i).of(again)
        waiting.remove(i)
    nodes[-1].backward()
    again[-1].backward()
    assert [(n.data.hex(), n.grad.hex()) for n in nodes] == [(n.data.hex(), n.grad.hex()) for n in again]


def test_reading_a_graph_does_not_change_it():
    x = Value(3.0, label="x")
    y = tanh(x * x)
    nodes = topological_order(y)
    before = copy.deepcopy([(n.data, n.grad, n.label, n.local_gradients()) for n in nodes])
    grad(y, [x], create_graph=True)
    topological_order(y)
    assert [(n.data, n.grad, n.label, n.local_gradients()) for n in nodes] == before
