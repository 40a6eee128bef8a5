"""The checks of topological order, backward and zero_grad on engine's Values."""

import pytest

from engine import Value, topological_order
from nn.exercises import check
from nn.exercises.checker import check_topic
from nn.exercises.topics.passes import topic

NAMES = ["topological_order", "backward", "zero_grad"]


def depth_first(root):
    order, seen = [], set()

    def visit(v):
        if v not in seen:
            seen.add(v)
            for parent in reversed(v.parents):
                visit(parent)
            order.append(v)

    visit(root)
    return order


def by_counting(root):
    children, todo = {root: 0}, [root]
    while todo:
        for parent in todo.pop().parents:
            if parent not in children:
                children[parent] = 0
                todo.append(parent)
            children[parent] += 1
    order, ready = [], [root]
    while ready:
        order.append(ready.pop(0))
        for parent in order[-1].parents:
            children[parent] -= 1
            if not children[parent]:
                ready.append(parent)
    return order[::-1]


@pytest.mark.parametrize("right", [topological_order, depth_first, by_counting])
def test_every_right_order_passes(right):
    assert check("topological_order", right)
    assert check("topological_order", lambda root: tuple(right(root)))


def begin(root):
    for v in topological_order(root):
        v.grad = 0.0 if v.parents else v.grad
    root.grad = 1.0


def by_closures(root):
    begin(root)
    for v in reversed(topological_order(root)):
        v._backward()


def by_local_gradients(root):
    begin(root)
    for v in by_counting(root)[::-1]:
        for parent, local in zip(v.parents, v.local_gradients()):
            parent.grad += v.grad * local


def by_pullbacks(root):
    grads = {root: 1.0}
    for v in reversed(depth_first(root)):
        v.grad = grads[v] if v.parents else v.grad + grads[v]
        for parent, contribution in zip(v.parents, v.pullback(v.grad)):
            grads[parent] = grads.get(parent, 0.0) + contribution


@pytest.mark.parametrize("right", [by_closures, by_local_gradients, by_pullbacks, Value.backward])
def test_every_right_backward_pass_passes(right):
    assert check("backward", right)


@pytest.mark.parametrize(("reset", "cause"), [
    (lambda v: None, "the gradients between are left over from the first pass"),
    (lambda v: 0.0, "the gradients of the leaves are set to 0"),
])  # fmt: skip
def test_a_second_pass_is_part_of_the_check(reset, cause):
    def backward(root):
        order = topological_order(root)
        for v in order:
            v.grad = v.grad if reset(v) is None else reset(v)
        root.grad = 1.0
        for v in reversed(order):
            v._backward()

    assert check("backward", backward).cause == cause


@pytest.mark.parametrize("name", NAMES)
def test_each_known_slip_is_named(name):
    for slip in topic(name).slips:
        assert check_topic(topic(name), slip.solution).cause == slip.name


def test_zero_grad_may_write_none():
    def zero_grad(parameters):
        for p in parameters:
            p.grad = None

    assert check("zero_grad", zero_grad)


def test_a_stub_fails_everywhere():
    for name in NAMES:
        assert not check(name, lambda _: None)


def test_a_solution_that_is_not_written_yet_is_not_called_wrong():
    def raises(w, x, b):
        raise NotImplementedError("write this")

    for solution, step in (raises, "neuron(...)"), (lambda w, x, b: ..., "tanh(b + Σ w x)"):
        result = check("neuron", solution)
        assert not result
        assert result.unwritten
        assert str(result) == f"neuron: not done yet. The first step that is not written: {step}"


def test_a_wrong_step_before_one_that_is_not_written_is_called_wrong():
    result = check("forward", lambda layers, x: ([[9.0] for _ in layers], ...))
    assert not result.unwritten
    assert str(result).startswith("forward: not yet.")
