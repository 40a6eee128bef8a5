"""Code written for micrograd runs: its operators, its names, its drawing of a graph."""

import pytest
from graphviz import Digraph

from engine import Value, topological_order


def test_operators_take_a_number_on_either_side():
    a, b = Value(3.0), Value(-2.0)
    expressions = {
        "a + 1": a + 1, "1 + a": 1 + a, "a - 1": a - 1, "1 - a": 1 - a, "2 * a": 2 * a, "a * 2": a * 2,
        "6 / a": 6 / a, "a / 6": a / 6, "-a": -a, "a ** 2": a**2, "a - b": a - b, "a / b": a / b,
    }  # fmt: skip
    for text, value in expressions.items():
        assert value.data == eval(text, {"a": 3.0, "b": -2.0}), text


def test_a_training_step_written_by_hand_works():
    w, x = Value(1.0), Value(2.0)
    for _ in range(50):
        loss = (w * x - 3.0) ** 2
        w.grad = 0
        loss.backward()
        w.data -= 0.1 * w.grad
    assert w.data == pytest.approx(1.5)


def test_relu_is_a_method_as_in_micrograd():
    x = Value(-1.0)
    y = (x * 3).relu() + x.relu()
    y.backward()
    assert (y.data, x.grad) == (0.0, 0.0)


# A notebook of micrograd draws a graph: it follows _prev, names boxes by id, and adds a node for each _op


def picture(root):
    dot, seen, waiting = Digraph(), set(), [root]
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        name = str(id(value))
        dot.node(name, label=f"{{ data {value.data:.4f} | grad {value.grad:.4f} }}", shape="record")
        if value._op:
            dot.node(name + value._op, label=value._op)
            dot.edge(name + value._op, name)
        for parent in set(value._prev):
            dot.edge(str(id(parent)), name + value._op)
            waiting.append(parent)
    return dot


def test_the_code_that_draws_a_graph_in_micrograd_runs():
    x = Value(1.0)
    y = (x * 2 + 1).relu() + x
    y.backward()
    source = picture(y).source
    assert source.count("shape=record") == 7  # x, 2, x * 2, 1, their sum, relu, y
    assert source.count("->") == 4 + 7  # into a result from its operation, into an operation from a parent
    assert ":" not in "".join(node._op for node in topological_order(y))


def test_a_value_can_be_put_in_a_set():
    a, b = Value(2.0), Value(-3.0)
    square = a * a
    assert set(square._prev) == {a}
    assert {a, b, a} == {b, a}
