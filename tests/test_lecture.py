"""The code of a first lecture on micrograd runs with the Value of chalkgrad."""

import math
import random

import pytest

from engine import Value, draw_dot

# The expression L = (a b + c) f


@pytest.fixture
def expression():
    a, b, c, f = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c"), Value(-2.0, label="f")
    e = a * b
    e.label = "e"
    d = e + c
    d.label = "d"
    L = d * f
    L.label = "L"
    return a, b, c, d, e, f, L


def test_a_value_has_the_repr_children_and_operation_of_micrograd(expression):
    *_, d, e, f, L = expression
    assert repr(L).startswith("Value(data=-8.0")
    assert set(L._prev) == {d, f}
    assert (L._op, d._op, e._op, f._op) == ("*", "+", "*", "")


def test_a_student_can_draw_the_graph_with_a_function(expression):
    graphviz = pytest.importorskip("graphviz")

    def trace(root):
        nodes, edges = set(), set()

        def build(v):
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    edges.add((child, v))
                    build(child)

        build(root)
        return nodes, edges

    dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
    nodes, edges = trace(expression[-1])
    for n in nodes:
        uid = str(id(n))
        dot.node(name=uid, label="{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad), shape="record")  # noqa: UP031
        if n._op:
            dot.node(name=uid + n._op, label=n._op)
            dot.edge(uid + n._op, uid)
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    assert "data -8.0000" in dot.source
    assert dot.pipe("svg").startswith(b"<?xml")


def test_draw_dot_takes_the_arguments_of_micrograd(expression):
    picture = draw_dot(expression[-1], format="svg", rankdir="TB")
    assert picture.format == "svg"
    assert "rankdir=TB" in picture.source


def test_gradients_can_be_written_and_steps_taken_by_hand(expression):
    a, b, c, d, e, f, L = expression
    L.grad = 1.0
    f.grad = d.data
    d.grad = f.data
    c.grad = e.grad = d.grad * 1.0
    a.grad, b.grad = e.grad * b.data, e.grad * a.data
    for leaf in (a, b, c, f):
        leaf.data += 0.01 * leaf.grad
    assert ((a * b + c) * f).data == pytest.approx(-7.286496)
    L.grad = 0.0
    for leaf in (a, b, c, d, e, f):
        leaf.grad = 0.0


# A neuron


def neuron():
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    x1w1 = x1 * w1
    x2w2 = x2 * w2
    both = x1w1 + x2w2
    n = both + b
    return (x1, x2, w1, w2, b), (x1w1, x2w2, both, n)


def test_the_backward_pass_of_a_neuron_step_by_step():
    (x1, x2, w1, w2, b), (x1w1, x2w2, both, n) = neuron()
    o = n.tanh()
    o.grad = 1.0
    for node in (o, n, b, both, x2w2, x1w1):
        node._backward()
    assert (x1.grad, w1.grad, x2.grad, w2.grad) == pytest.approx((-1.5, 1.0, 0.5, 0.0))


def test_a_student_can_write_the_backward_pass():
    leaves, (*_, n) = neuron()
    o = n.tanh()
    topo, visited = [], set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            topo.append(v)

    build_topo(o)
    o.grad = 1.0
    for node in reversed(topo):
        node._backward()
    assert [leaf.grad for leaf in leaves] == pytest.approx([-1.5, 0.5, 1.0, 0.0, 0.5])


def test_a_student_can_write_a_tanh_with_a_closure():
    leaves, (*_, n) = neuron()

    def tanh(x):
        t = (math.exp(2 * x.data) - 1) / (math.exp(2 * x.data) + 1)
        out = Value(t, (x,), "tanh")

        def _backward():
            x.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    o = tanh(n)
    o.backward()
    assert [leaf.grad for leaf in leaves] == pytest.approx([-1.5, 0.5, 1.0, 0.0, 0.5])


def test_tanh_in_pieces_has_the_same_gradients():
    leaves, (*_, n) = neuron()
    e = (2 * n).exp()
    o = (e - 1) / (e + 1)
    o.backward()
    assert o.data == pytest.approx(0.7071067811865476)
    assert [leaf.grad for leaf in leaves] == pytest.approx([-1.5, 0.5, 1.0, 0.0, 0.5])


def test_the_gradients_of_a_value_used_twice_add_up():
    a = Value(3.0, label="a")
    b = a + a
    b.backward()
    assert a.grad == 2.0


# A net that a student writes


class Neuron:
    def __init__(self, nin):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(random.uniform(-1, 1))

    def __call__(self, x):
        act = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)
        return act.tanh()

    def parameters(self):
        return [*self.w, self.b]


class MLP:
    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        self.layers = [[Neuron(sizes[i]) for _ in range(sizes[i + 1])] for i in range(len(nouts))]

    def __call__(self, x):
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0] if len(x) == 1 else x

    def parameters(self):
        return [p for layer in self.layers for neuron in layer for p in neuron.parameters()]


def test_a_net_written_by_a_student_learns_four_samples():
    random.seed(2)
    net = MLP(3, [4, 4, 1])
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    ys = [1.0, -1.0, -1.0, 1.0]
    losses = []
    for _ in range(40):
        predictions = [net(x) for x in xs]
        loss = sum((prediction - y) ** 2 for y, prediction in zip(ys, predictions))
        for p in net.parameters():
            p.grad = 0.0
        loss.backward()
        for p in net.parameters():
            p.data += -0.1 * p.grad
        losses.append(loss.data)
    assert losses[-1] < 0.1 < losses[0]
    assert len(net.parameters()) == 41
