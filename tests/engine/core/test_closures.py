"""Nodes made by hand with a closure, and the backward step by hand."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest

from engine import (
    Value,
    backward_steps,
    draw_dot,
    explain,
    get_op,
    grad,
    gradcheck,
    no_grad,
    play,
    stale,
    topological_order,
    trace,
)


def by_hand(symbol, data, parents, *derivatives):
    """Return a node as in micrograd: its closure adds to the gradients of its parents."""
    out = Value(data, parents, symbol)

    def closure():
        for parent, derivative in zip(parents, derivatives, strict=True):
            parent.grad += derivative * out.grad

    out._backward = closure
    return out


def mul(a, b):
    return by_hand("mul", a.data * b.data, (a, b), b.data, a.data)


def add(a, b):
    return by_hand("add", a.data + b.data, (a, b), 1.0, 1.0)


def tanh(a):
    t = math.tanh(a.data)
    return by_hand("tanh", t, (a,), 1 - t * t)


def neuron(mul, add, tanh):
    leaves = [
        Value(x, label=name) for name, x in {"x1": 2.0, "x2": 0.5, "w1": -3.0, "w2": 1.0, "b": 6.8}.items()
    ]
    x1, x2, w1, w2, b = leaves
    return tanh(add(add(mul(x1, w1), mul(x2, w2)), b)), leaves


OURS = (lambda a, b: a * b, lambda a, b: a + b, lambda a: a.tanh())


# pullback and _backward


def test_pullback_returns_the_contribution_to_each_parent_in_order():
    a, b = Value(2.0), Value(5.0)
    assert (a * b).pullback(10.0) == (50.0, 20.0)
    assert (a * 3.0).pullback(10.0) == (30.0, 0.0)  # a plain number has no gradient
    assert Value(1.0).pullback(10.0) == ()


def test_the_step_by_hand_gives_the_gradients_of_a_backward_pass():
    out, leaves = neuron(*OURS)
    expected = grad(out, leaves)
    out.grad = 1.0
    for node in reversed(topological_order(out)):
        node._backward()
    assert [leaf.grad for leaf in leaves] == expected


def test_the_step_by_hand_adds_to_the_existing_gradients():
    a = Value(3.0)
    y = a * a
    a.grad, y.grad = 1.0, 2.0
    y._backward()
    assert a.grad == 1.0 + 2.0 * 3.0 + 2.0 * 3.0


def test_the_step_by_hand_of_a_leaf_does_nothing():
    Value(1.0)._backward()


# A node made by hand


def test_a_node_made_by_hand_has_parents_and_an_operation_that_is_not_registered():
    a, b = Value(2.0), Value(5.0)
    out = Value(10.0, (a, b), "mine")
    assert (out.parents, out._prev, out.label) == ((a, b), (a, b), "")
    assert (out._op, out.op.symbol) == ("mine", "mine")
    with pytest.raises(ValueError, match="no operation 'mine'"):
        get_op("mine")


@pytest.mark.parametrize("make", [
    lambda a: Value(1.0, (a,), "op", "name"), lambda a: Value(1.0, (a,), op="op", label="name"),
    lambda a: Value(1.0, _children=(a,), _op="op", label="name"),
    lambda a: Value(1.0, [a], "op", label="name"),
])  # fmt: skip
def test_the_arguments_can_be_given_by_their_names_in_micrograd(make):
    a = Value(2.0)
    out = make(a)
    assert (out.parents, out._op, out.label) == ((a,), "op", "name")


def test_a_leaf_may_have_the_symbol_of_an_operation():
    leaf = Value(2.0, _op="input")
    assert (leaf.parents, leaf._op, leaf.op) == ((), "input", None)


def test_a_subclass_with_the_arguments_of_micrograd_works():
    class Mine(Value):
        def __init__(self, data, _children=(), _op=""):
            super().__init__(data, _children, _op)

    x = Mine(2.0)
    y = x * x + 1
    y.backward()
    assert (y.data, x.grad) == (5.0, 4.0)


def test_gradients_through_closures_are_those_of_the_operations():
    ours, theirs = neuron(*OURS), neuron(mul, add, tanh)
    for root, _ in (ours, theirs):
        root.backward()
    assert [leaf.grad for leaf in theirs[1]] == pytest.approx([leaf.grad for leaf in ours[1]], rel=1e-15)
    assert theirs[0].local_gradients() == pytest.approx(ours[0].local_gradients())


def test_closures_and_operations_work_in_one_graph():
    a, b = Value(2.0), Value(-3.0)
    y = mul(a, b) * a + tanh(a)
    y.backward()
    t = math.tanh(2.0)
    assert (a.grad, b.grad) == pytest.approx((2 * 2.0 * -3.0 + 1 - t * t, 4.0))


def test_the_stream_and_the_pass_agree_to_the_last_bit():
    root, leaves = neuron(mul, add, tanh)
    root.backward()
    expected = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = 0.0
    steps = list(backward_steps(root))
    assert [leaf.grad for leaf in leaves] == expected
    assert len(steps) == 9
    assert all(step.contribution == step.upstream * step.local for step in steps)


def test_an_equal_sign_in_a_closure_has_the_effect_of_plus_equal():
    a = Value(3.0)
    out = Value(a.data * 2, (a,), "double")

    def closure():
        a.grad = 2.0 * out.grad

    out._backward = closure
    (out + a).backward()
    assert a.grad == 3.0


def test_a_parent_used_twice_gets_the_contribution_once():
    a = Value(3.0)
    y = mul(a, a)
    y.backward()
    assert a.grad == 6.0
    assert grad(y, [a]) == [6.0]


def test_grad_leaves_every_gradient_as_it_was():
    root, leaves = neuron(mul, add, tanh)
    for i, node in enumerate(topological_order(root)):
        node.grad = float(i)
    expected = grad(root, leaves)
    assert [node.grad for node in topological_order(root)] == [float(i) for i in range(10)]
    root.backward()
    assert [leaf.grad - i for i, leaf in zip((0, 1, 3, 4, 7), leaves)] != expected  # they were not 0


def test_a_second_pass_calls_the_closures_again():
    a = Value(3.0)
    y = mul(a, a)
    y.backward()
    y.backward()
    assert a.grad == 12.0


def test_a_closure_can_replace_the_derivatives_of_an_operation():
    a = Value(3.0)
    y = a * 2.0

    def closure():
        a.grad += 100.0 * y.grad

    y._backward = closure
    y.backward()
    assert a.grad == 100.0
    assert y._backward is closure


def test_a_write_to_a_node_that_is_not_a_parent_is_an_error_that_names_both():
    a, stranger = Value(3.0), Value(4.0, label="stranger")
    out = Value(6.0, (a,), "double", "out")

    def closure():
        stranger.grad += out.grad

    out._backward = closure
    with pytest.raises(
        ValueError, match=r"the closure of Value\(.*'out'.*writes the gradient of .*'stranger'"
    ):
        out.backward()
    assert (a.grad, stranger.grad) == (0.0, 0.0)


def test_an_error_in_a_closure_restores_the_gradients():
    a = Value(3.0)
    out = Value(6.0, (a,), "double")
    a.grad = 5.0

    def closure():
        a.grad += 1.0
        raise RuntimeError("mine")

    out._backward = closure
    with pytest.raises(RuntimeError, match="mine"):
        grad(out, [a])
    assert a.grad == 5.0


def test_a_node_without_a_closure_is_an_error_and_not_a_zero():
    a = Value(3.0)
    with pytest.raises(ValueError, match="was made by hand and has no closure: assign one to ._backward"):
        (Value(6.0, (a,), "double") * 2).backward()


@pytest.mark.parametrize("parents", [("x",), (1.0,), 3, None])
def test_parents_that_are_not_values_are_refused(parents):
    with pytest.raises(TypeError, match="Values|expected a label"):
        Value(1.0, parents, "f")


def test_a_closure_is_a_function():
    y = Value(1.0) * 2
    with pytest.raises(TypeError, match="_backward is a function without arguments, not 3"):
        y._backward = 3


@pytest.mark.parametrize("use", [
    lambda y, a: grad(y, [a], create_graph=True), lambda y, a: trace(y, parameters=[a]),
], ids=["create_graph", "trace"])  # fmt: skip
def test_create_graph_and_trace_raise_an_error_that_names_op_instead(use):
    a = Value(3.0)
    with pytest.raises(
        ValueError, match="its closure cannot be differentiated again or compiled; an operation made"
    ):
        use(mul(a, a), a)


def test_copies_are_refused_as_the_closure_would_refer_to_the_original_nodes():
    a = Value(3.0)
    for refuse in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="closure|pickled"):
            refuse(mul(a, a) + 1.0)


def test_a_node_made_by_hand_is_never_stale():
    a = Value(3.0)
    y = mul(a, a)
    a.data = 4.0
    assert stale(y) == []


def test_under_no_grad_a_node_made_by_hand_is_still_a_node():
    a = Value(3.0)
    with no_grad():
        y = mul(a, a)
    y.backward()
    assert a.grad == 6.0


def test_a_node_of_an_operation_stores_no_closure():
    y = Value(2.0) * Value(3.0)
    assert type(y._local) is tuple


# explain, draw_dot, play and gradcheck


def test_explain_says_that_the_closure_is_the_users_own():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    y = mul(a, b)
    y.label = "y"
    for text in (str(explain(a, y * 2)), explain(a, y * 2).markdown):
        assert "-3" in text
        assert "by a closure of your own" in text
    assert "y = mul(a, b) = -6" in str(explain(a, y))


def test_pictures_and_players_show_its_edges():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    y = mul(a, b)
    assert ">mul<" in draw_dot(y, local_gradients=True).source or "label=mul" in draw_dot(y).source
    assert [step[:2] for step in play(y).story["backward"]] == [[2, 0], [2, 1]]


def test_gradcheck_checks_the_whole_function_but_not_the_edges_of_a_closure():
    report = gradcheck(lambda a, b: mul(a, b) * a, [2.0, -3.0])
    assert report
    assert str(report).count("own closure, not checked alone") == 2

    def wrong(a):
        return by_hand("wrong", a.data**2, (a,), 3.0)

    report = gradcheck(lambda a: wrong(a) * 2.0, [2.0])
    assert not report
    assert "1 WRONG" in report.summary()


def test_a_function_may_wrap_the_one_that_it_replaces():
    x, visits = Value(3.0), []
    y = x * x
    inner = y._backward

    def hook():
        visits.append(y.grad)
        inner()

    y._backward = hook
    y.backward()
    assert (x.grad, visits) == (6.0, [1.0])


def test_a_missing_closure_does_not_become_one_by_being_assigned_to_itself():
    y = Value(6.0, (Value(3.0),), "double")
    y._backward = y._backward
    with pytest.raises(ValueError, match="has no closure"):
        y.backward()


def test_the_step_by_hand_inside_a_closure_may_write_parents_only():
    x = Value(3.0)
    h = x * x
    out = Value(h.data, (h,), "id")

    def closure():
        h.grad += out.grad
        h._backward()

    out._backward = closure
    with pytest.raises(ValueError, match="which is not one of its parents"):
        out.backward()


def test_a_pass_inside_a_closure_is_refused():
    x, w = Value(3.0), Value(2.0)
    out = Value(6.0, (x,), "f")
    out._backward = lambda: (w * x).backward()
    with pytest.raises(ValueError, match="starts a backward pass from"):
        grad(out, [x])
    assert (x.grad, w.grad) == (0.0, 0.0)


def test_a_closure_that_the_variable_does_not_reach_does_not_stop_a_second_derivative():
    x, w = Value(3.0), Value(2.0)
    [dx] = grad(x**3 + mul(w, w), [x], create_graph=True)
    assert dx.data == 27.0


def test_parents_may_be_any_collection_of_values():
    a, b = Value(1.0), Value(2.0)
    assert Value(3.0, np.array([a, b]), "f").parents == (a, b)
    assert set(Value(3.0, {a, b}, "f").parents) == {a, b}


def test_attributes_are_copied_deeply():
    x = Value(1.0)
    x.history, x.me = [1.0], x
    y = copy.deepcopy(x)
    y.history.append(2.0)
    assert x.history == [1.0]
    assert y.me is y


# A node that gets its parents, its symbol and its closure after it was made


def parts(a):
    def closure():
        a.grad += 3.0 * out.grad

    out = Value(3.0 * a.data)
    return out, {"_prev": {a}, "_op": "triple", "_backward": closure}


@pytest.mark.parametrize("order", list(itertools.permutations(("_prev", "_op", "_backward"))))
def test_parents_symbol_and_closure_may_be_assigned_in_any_order(order):
    a = Value(2.0, label="a")
    out, values = parts(a)
    for name in order:
        setattr(out, name, values[name])
    (out * out).backward()
    assert (out.parents, out._op, out.op.symbol) == ((a,), "triple", "triple")
    assert (out.grad, a.grad) == (12.0, 36.0)
    assert "by a closure of your own" in " ".join(str(explain(a, out)).split())


def test_other_parents_may_be_assigned_to_a_node_made_by_hand():
    a, b = Value(2.0), Value(5.0)
    out = by_hand("f", 1.0, (a,), 3.0)
    out._prev = [a, b]
    out.backward()
    assert (out.parents, a.grad, b.grad) == ((a, b), 3.0, 0.0)


@pytest.mark.parametrize(("parents", "error", "message"), [
    (lambda x: 3.0, TypeError, "the parents of a node, not float: 3.0"),
    (lambda x: [3.0], TypeError, "the parents of a node are Values, not float: 3.0"),
    (lambda x: [x], ValueError, "a node cannot depend on itself"),
    (lambda x: [x * 2 + 1], ValueError, "a node cannot depend on itself"),
])  # fmt: skip
def test_wrong_parents_are_refused_and_nothing_changes(parents, error, message):
    x = Value(1.0)
    with pytest.raises(error, match=message):
        x._prev = parents(x)
    assert (x.parents, x.op) == ((), None)


def test_the_parents_and_the_symbol_of_an_operation_cannot_be_assigned():
    y = Value(2.0) * 3.0
    with pytest.raises(
        AttributeError, match=r"Value\(data=6.0, grad=0.0\) was computed by '\*', which names"
    ):
        y._prev = {Value(1.0)}
    with pytest.raises(
        AttributeError, match=r"Value\(data=6.0, grad=0.0\) was computed by '\*', which names"
    ):
        y._op = "times"
    with pytest.raises(TypeError, match="a label is a str, not int: 3"):
        Value(1.0)._op = 3


def test_the_closure_of_a_leaf_runs_when_it_is_called_by_hand_only():
    a, out = Value(2.0), Value(6.0)

    def closure():
        a.grad += 3.0 * out.grad

    out._backward = closure
    out.grad = 1.0
    out._backward()
    assert a.grad == 3.0
    (out * 1.0).backward()
    assert a.grad == 3.0


def test_a_subclass_may_write_the_closure_as_a_method():
    class Sum(Value):
        def __init__(self, a, b):
            super().__init__(a.data + b.data, (a, b), "sum")
            self.a, self.b = a, b

        def _backward(self):
            self.a.grad += self.grad
            self.b.grad += self.grad

    x, w = Value(3.0), Value(2.0)
    y = Sum(x * w, x) * 2.0
    y.backward()
    assert (x.grad, w.grad) == (6.0, 6.0)
    assert grad(Sum(x, x), [x]) == [2.0]
    y.parents[0]._backward()
    assert y.parents[0].b.grad == 8.0
