"""In a browser, a graph is freed at a constant depth of calls, and no node that is still held."""

import gc
import subprocess
import sys
import weakref

import pytest

import engine.core.release as module
from engine import Value, grad
from engine.core.adjoint import AdjointNode


@pytest.fixture
def depths(monkeypatch):
    """Free Values as in a browser; the list has the depth of each call."""
    found, inside = [], 0

    def counted(self):
        nonlocal inside
        inside += 1
        found.append(inside)
        module.release(self)
        inside -= 1

    for nodes in (Value, AdjointNode):
        monkeypatch.setattr(nodes, "__del__", counted, raising=False)
    return found


def chain(length, step=lambda y: y * 1.0):
    nodes = [Value(1.0)]
    for _ in range(length):
        nodes.append(step(nodes[-1]))
    return nodes


@pytest.mark.parametrize("step", [lambda y: y * 1.0, lambda y: y * y, lambda y: y + (y + 1.0), Value.tanh])
def test_100_000_nodes_are_freed_in_calls_of_constant_depth(step, depths):
    nodes = chain(50_000, step)
    last, seen = nodes[-1], [weakref.ref(node) for node in nodes]
    del nodes
    gc.collect()
    depths.clear()
    del last
    assert len(depths) >= 50_000
    assert max(depths) <= 2
    assert not any(ref() for ref in seen)


def test_a_node_that_is_held_keeps_its_parents(depths):
    nodes = chain(1000)
    held, last = nodes[400], nodes[-1]
    parents = [node.parents for node in nodes[:401]]
    del nodes
    depths.clear()
    del last
    assert len(depths) >= 599
    for expected in reversed(parents):
        assert held.parents == expected
        held = held.parents[0] if held.parents else held


def test_parents_that_are_held_as_a_tuple_stay(depths):
    y = Value(2.0) * Value(3.0)
    parents = y.parents
    del y
    assert [parent.data for parent in parents] == [2.0, 3.0]


def test_nodes_made_by_hand_are_freed(depths):
    last = Value(1.0)
    for _ in range(1000):
        parent, last = last, Value(1.0, (last,), "own")
    del parent
    seen = weakref.ref(last.parents[0])
    depths.clear()
    del last
    assert max(depths) <= 2
    assert seen() is None


def test_gradients_are_those_without_it(depths):
    x = Value(0.5)
    y = x
    for _ in range(1000):
        y = y * 0.5 + x
    depths.clear()
    assert grad(y, [x]) == [sum(0.5**k for k in range(1001))]
    assert len(depths) > 1000  # the nodes of the backward pass
    assert max(depths) <= 2


def test_a_value_that_could_not_be_made_is_freed_silently(depths):
    with pytest.raises(TypeError):
        Value("x")
    assert depths


def test_values_have_no_del_outside_of_a_browser():
    assert not hasattr(Value, "__del__")
    assert not hasattr(AdjointNode, "__del__")


def test_it_is_switched_on_in_a_browser_and_for_both_kinds_of_nodes():
    code = (
        "import sys, threading, subprocess, signal, tempfile, pathlib, decimal; sys.platform = 'emscripten'; "
        "import engine; from engine.core.adjoint import AdjointNode; "
        "print(engine.Value.__del__ is AdjointNode.__del__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
