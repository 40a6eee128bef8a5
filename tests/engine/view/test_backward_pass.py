"""BackwardPass computes the numbers of `backward` and writes no gradient."""

import pytest
from hypothesis import given, settings
from support.graphs import graphs

from engine import BackwardPass, Value, backward_steps, grad, topological_order, weighted_sum


@settings(max_examples=50)
@given(graphs())
def test_a_pass_has_the_numbers_of_backward_bit_for_bit(graph):
    root = graph.build([Value(x) for x in graph.leaves])[-1]
    run = BackwardPass(root)
    order = topological_order(root)
    assert run.order == order
    assert all(node.grad == 0.0 for node in order)
    variable = [node for node in order if not node.constant]
    assert [run.gradients[node] for node in variable] == grad(root, variable)
    if root.parents:
        assert [step.edge for step in run.steps] == list(backward_steps(root))


def test_a_pass_does_not_change_existing_gradients():
    x = Value(3.0)
    y = x * x
    x.grad, y.grad = 5.0, 7.0
    assert BackwardPass(y).gradients[x] == 6.0
    assert (x.grad, y.grad) == (5.0, 7.0)


def test_a_plain_number_has_the_gradient_0():
    z = weighted_sum([Value(2.0)], [3.0], 1.0)
    run = BackwardPass(z)
    assert [run.gradients[node] for node in z.parents] == [3.0, 0.0, 0.0]
    assert len(run.steps) == 1


def test_the_children_are_the_edges_that_lead_from_a_node():
    x = Value(3.0)
    square = x * x
    y = square + x
    run = BackwardPass(y)
    assert run.children[x] == [(square, 0), (square, 1), (y, 1)]
    assert run.children[y] == []
    assert [step.only for step in run.steps] == [True, False, False, False]


def test_the_pass_from_a_leaf_has_one_node():
    x = Value(3.0)
    run = BackwardPass(x)
    assert (run.order, run.steps, run.gradients) == ([x], [], {x: 1.0})


@pytest.mark.parametrize("wrong", [1.0, None, "x"])
def test_a_pass_from_anything_but_a_value_is_an_error(wrong):
    with pytest.raises(TypeError, match="expected a Value, not"):
        BackwardPass(wrong)
