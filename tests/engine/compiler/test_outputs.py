"""A program may have many outputs: mean and gradients are those of the first, the others are columns."""

import math
from itertools import chain

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from support.backends import each_backend, each_fast_backend, each_library, near
from support.graphs import Graph, Step, graphs

from engine import Value, as_value, exp, grad, log, sqrt, tanh, topological_order, trace


def leaves(*names):
    return [Value(0.5 + i, label=name) for i, name in enumerate(names)]


def run_source(program, parameters, rows):
    """Return the result of the program's own source for each row."""
    space = {}
    exec(program.source, space)
    return [space["step"](parameters, row) for row in rows]


# Random graphs


def random_program(graph, picks, varies, moves):
    """Return a program of some nodes of a random graph, its arguments, and the same numbers from Values."""
    nodes = graph.build()
    count = len(graph.leaves)
    chosen = [pick % len(nodes) for pick in picks]
    inputs = [i for i in range(count) if varies[i]]
    parameters = [i for i in range(count) if not varies[i]]
    samples = [[x + move * varies[i] for i, x in enumerate(graph.leaves)] for move in moves]
    samples = samples if inputs else samples[:1]
    values, gradients = [], []
    for sample in samples:
        try:
            own = [Value(x) for x in sample]
            made = graph.build(own)
            values.append([made[i].data for i in chosen])
            gradients.append(grad(made[chosen[0]], [own[i] for i in parameters]))
        except (ArithmeticError, ValueError):
            assume(False)
    roots, leaves = [nodes[i] for i in chosen], [nodes[i] for i in parameters]
    assume(not leaves or any(p in topological_order(root) for root in roots for p in leaves))
    program = trace(roots, [nodes[i] for i in inputs], leaves)
    columns = [[sample[i] for sample in samples] for i in inputs]
    return program, [graph.leaves[i] for i in parameters], columns, list(zip(*values)), gradients


drawn = given(
    graphs(),
    st.lists(st.integers(0, 100), min_size=1, max_size=5),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=20),
)


def agrees(backend, graph, picks, varies, moves):
    program, parameters, columns, values, gradients = random_program(graph, picks, varies, moves)
    step = program.compile(backend)
    mean, found, others = step(parameters, columns)
    assert [mean] == near([sum(values[0]) / len(values[0])], size=values[0])
    means = [sum(column) / len(column) for column in zip(*gradients)]
    assert list(found) == near(means, size=[1.0, *chain(*gradients)])
    assert len(others) == len(values) - 1
    for column, expected in zip(others, values[1:]):
        assert list(column) == near(expected)
    for column, expected in zip(step.values(parameters, columns), values, strict=True):
        assert list(column) == near(expected)


@each_fast_backend
@settings(suppress_health_check=list(HealthCheck), max_examples=60)
@drawn
@example(Graph((0.0,), (Step("*", (0, 0)),)), [0], [True] * 4, [0.5, 0.499998092651368, -0.5, -0.5])
def test_outputs_of_a_random_graph_are_those_of_values(backend, graph, picks, varies, moves):
    agrees(backend, graph, picks, varies, moves)


@each_library
@settings(suppress_health_check=list(HealthCheck), max_examples=8)
@drawn
def test_outputs_of_a_random_graph_are_those_of_values_in_a_library(backend, graph, picks, varies, moves):
    agrees(backend, graph, picks, varies, moves)


@settings(suppress_health_check=list(HealthCheck), max_examples=40)
@drawn
def test_the_source_has_the_bits_of_values(graph, picks, varies, moves):
    program, parameters, columns, values, gradients = random_program(graph, picks, varies, moves)
    rows = list(zip(*columns)) or [()]
    for sample, (value, slopes, others) in enumerate(run_source(program, parameters, rows)):
        assert [value, *others] == [column[sample] for column in values]
        assert slopes == near(gradients[sample])


# Outputs of every kind


@each_backend
def test_an_output_may_be_a_leaf_a_number_shared_or_listed_twice(backend):
    x, w = leaves("x", "w")
    inner = w * x
    y = tanh(inner)
    outputs = [y, x, w, as_value(2.5), w * w, y, inner, x + w]
    step = trace(outputs, [x], [w]).compile(backend)
    xs = [0.25, -0.5, 1.0]
    ys = [math.tanh(2 * x) for x in xs]
    mean, gradients, others = step([2.0], [xs])
    assert [mean] == near([sum(ys) / 3])
    assert list(gradients) == near([sum((1 - y * y) * x for x, y in zip(xs, ys)) / 3])
    expected = [xs, [2.0] * 3, [2.5] * 3, [4.0] * 3, ys, [2 * x for x in xs], [x + 2 for x in xs]]
    assert [list(column) for column in others] == [near(column) for column in expected]
    assert [list(column) for column in step.values([2.0], [xs])] == [
        near(column) for column in [ys, *expected]
    ]


@each_backend
@pytest.mark.parametrize("first", ["x", "w", "number", "shared"])
def test_the_first_output_may_be_a_leaf_a_number_or_shared(backend, first):
    x, w = leaves("x", "w")
    root = {"x": x, "w": w, "number": as_value(3.0), "shared": w * w}[first]
    step = trace([root, w * x], [x], [w]).compile(backend)
    expected = {"x": (1.5, 0.0), "w": (4.0, 1.0), "number": (3.0, 0.0), "shared": (16.0, 8.0)}[first]
    mean, [gradient], [column] = step([4.0], [[1.0, 2.0]])
    assert (mean, gradient) == expected
    assert list(column) == [4.0, 8.0]
    assert list(step.values([4.0], [[1.0, 2.0]])[1]) == [4.0, 8.0]


@each_backend
@pytest.mark.parametrize("samples", [1, 3, 4, 7, 8, 9, 33, 1030])
def test_columns_of_any_length_do_not_overlap(backend, samples):
    x, w = leaves("x", "w")
    step = trace([w * x, x + 1, x + 2, x + 3], [x], [w]).compile(backend)
    xs = np.arange(samples) / 8
    for _ in range(2):
        _, _, others = step([2.0], [xs])
        assert [list(column) for column in others] == [list(xs + k) for k in (1, 2, 3)]
    assert [len(column) for column in step.values([2.0], [xs])] == [samples] * 4


@each_backend
def test_a_list_of_one_output_has_no_further_columns(backend):
    x, w = leaves("x", "w")
    step = trace([w * x], [x], [w]).compile(backend)
    mean, gradients, others = step([2.0], [[1.0, 3.0]])
    assert (mean, list(gradients), others) == (4.0, [2.0], [])
    [column] = step.values([2.0], [[1.0, 3.0]])
    assert list(column) == [2.0, 6.0]


@each_backend
def test_columns_stay_as_they_are_when_the_program_runs_again(backend):
    x, w = leaves("x", "w")
    step = trace([w * x, x + w], [x], [w]).compile(backend)
    _, _, [column] = step([2.0], [[1.0, 3.0]])
    values = step.values([2.0], [[1.0, 3.0]])
    step([5.0], [[7.0, 8.0]])
    step.values([5.0], [[7.0, 8.0]])
    assert list(column) == [3.0, 5.0]
    assert list(values[0]) == [2.0, 6.0]


# What is not computed


def test_only_the_first_output_is_differentiated():
    x, w = leaves("x", "w")
    program = trace([w * x, exp(w * x)], [x], [w])
    assert [line.name for line in program.of("backward")] == ["d_w"]
    assert [line.needs_grad for line in program.of("forward") if line.op.symbol == "exp"] == [()]


@each_backend
def test_a_derivative_that_does_not_exist_is_no_error_of_values(backend):
    x, w = leaves("x", "w")
    step = trace(sqrt(w * x), [x], [w]).compile(backend)
    assert list(step.values([1.0], [[0.0, 4.0]])) == [0.0, 2.0]
    with pytest.raises(ZeroDivisionError, match="sample 0: the derivative"):
        step([1.0], [[0.0, 4.0]])


@each_backend
def test_a_derivative_of_a_further_output_is_not_needed(backend):
    x, w = leaves("x", "w")
    mean, _, [column] = trace([w * x, sqrt(w * x)], [x], [w]).compile(backend)([1.0], [[0.0, 4.0]])
    assert (mean, list(column)) == (2.0, [0.0, 2.0])


@each_backend
def test_a_further_output_outside_its_domain_is_an_error(backend):
    x, w = leaves("x", "w")
    step = trace([w * x, log(w * x)], [x], [w]).compile(backend)
    for run in step, step.values:
        with pytest.raises(ValueError, match=r"^sample 1: log\(a\) at a = -1.0"):
            run([1.0], [[2.0, -1.0]])


# How it is shown


def test_source_returns_the_further_outputs_in_a_list():
    x, w = leaves("x", "w")
    y = w * x
    y.label = "loss"
    program = trace([y, x, w * w], [x], [w])
    assert "\n    return loss, [d_w], [x, y2]\n" in program.source
    assert run_source(program, [3.0], [[2.0]]) == [(6.0, [2.0], [2.0, 9.0])]
    assert "return loss, [d_w]\n" in trace(y, [x], [w]).source


def test_print_lists_the_outputs():
    x, w = leaves("x", "w")
    program = trace([w * x, x], [x], [w])
    assert repr(program) == "<Program of y, x: 1 input, 1 parameter, 1 line forward, 1 backward>"
    assert str(program).splitlines()[-2:] == ["       output     y", "       output     x"]
    assert (program.root, program.outputs) == ("y", ("y", "x"))


def test_many_outputs_are_printed_in_part():
    [x] = leaves("x")
    text = str(trace([x + k for k in range(1, 300)], [x]))
    assert text.count("\n") < 210
    assert "199 more outputs" in text


# What is refused


def test_a_list_without_outputs_is_refused():
    with pytest.raises(ValueError, match="at least one output"):
        trace([])


@pytest.mark.parametrize("outputs", [2.0, "y", None, [2.0], {1: 2}])
def test_an_output_that_is_not_a_value_is_refused(outputs):
    with pytest.raises(TypeError, match="an output of a program is a Value, not"):
        trace(outputs)


def test_outputs_without_any_parameter_are_refused():
    x, w = leaves("x", "w")
    with pytest.raises(ValueError, match="no output depends on any of the 1 parameters"):
        trace([x * x, x], [x], [w])


def test_leaves_that_are_not_a_list_are_refused():
    x, w = leaves("x", "w")
    with pytest.raises(TypeError, match="inputs is a list of Values, not Value"):
        trace(w * x, x, [w])
