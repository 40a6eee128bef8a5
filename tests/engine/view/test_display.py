"""A notebook shows a Value in one line, with its graph if that is small; its repr is micrograd's."""

import sys

import pytest

from engine import Value, as_value, no_grad, total
from engine.view.display import MOST, html, line
from nn import Neuron


@pytest.fixture
def y():
    y = Value(3.0, label="x") * Value(-2.0, label="w")
    y.label = "y"
    return y


def chain(nodes):
    y = Value(1.0)
    for _ in range(nodes - 1):
        y = y.tanh()
    return y


def test_the_line_has_number_operation_parents_and_gradient(y):
    assert line(y) == "y = -6 · operation × · parents x = 3, w = -2 · grad –"
    y.backward()
    assert line(y) == "y = -6 · operation × · parents x = 3, w = -2 · grad 1"
    assert line(y.parents[0]) == "x = 3 · leaf · grad -2"
    assert line(y.tanh()).endswith("operation tanh · parent y = -6 · grad –")


def test_a_value_without_a_gradient_says_why(y):
    assert line(as_value(2)) == "2 · plain number"
    with no_grad():
        assert line(y * y) == "36 · not recorded"


def test_of_many_parents_only_some_are_listed():
    assert len(line(total([Value(float(i)) for i in range(100)]))) < 100


def test_a_small_graph_is_shown_under_the_line():
    shown = html(Neuron(2)([1.0, 2.0]))
    assert shown.index("grad –</div>") < shown.index('src="data:image/svg+xml')


def test_a_graph_of_a_dozen_nodes_is_drawn_and_a_larger_one_is_not():
    assert "<img" in html(chain(MOST))
    assert "<img" not in html(chain(MOST + 1))
    assert "<img" not in html(Value(1.0))


def test_of_a_large_graph_only_a_few_nodes_are_visited():
    class Counting(Value):
        __slots__ = ()

        def __hash__(self):
            visits.append(self)
            return id(self)

    visits = []
    y = total([Counting(1.0) for _ in range(3)])
    for _ in range(1000):
        y = y + Counting(1.0)
    html(y)
    assert len(visits) < 100


def test_without_graphviz_the_line_is_shown(y, monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    assert html(y) == "<div>y = -6 · operation × · parents x = 3, w = -2 · grad –</div>"


def test_a_label_is_text():
    assert html(Value(1.0, label="<b>&")) == "<div>&lt;b&gt;&amp; = 1 · leaf · grad –</div>"


def test_a_notebook_takes_the_html_and_keeps_the_repr(y):
    assert list(y._repr_mimebundle_()) == ["text/html"]
    assert y._repr_mimebundle_(include=["text/plain"]) == {}
    assert y._repr_mimebundle_(exclude=["text/html"]) == {}
    assert repr(y) == "Value(data=-6.0, grad=0.0, label='y')"
