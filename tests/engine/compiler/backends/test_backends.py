"""Every backend gives the numbers of the graph, for every operation and for random graphs."""

import math
import random
import re
import sys
import threading
from itertools import chain

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.backends import backends, each_backend, each_fast_backend, near
from support.graphs import graphs
from support.table import ROWS

from engine import Op, Value, exp, grad, log, logsumexp, maximum, ops, relu, sqrt, tanh, total, trace
from nn.model.modules import MLP


def leaves(*numbers):
    return [Value(x, label=f"p{i}") for i, x in enumerate(numbers)]


def eager(root, parameters):
    for p in parameters:
        p.grad = 0.0
    root.backward()
    return root.data, [p.grad for p in parameters]


def net(samples=10, activation="tanh"):
    """Return the loss of a net as a program, its parameters, and the columns of some samples."""
    rng = random.Random(1)
    model = MLP(2, [4, 3, 1], activation=activation, rng=rng)
    x, t = leaves(0.5, -0.25), Value(1.0, label="t")
    loss = (model(x) - t) ** 2 + 1e-3 * total([p * p for p in model.parameters()])
    program = trace(loss, inputs=[*x, t], parameters=model.parameters())
    columns = [[rng.gauss(0, 1) for _ in range(samples)] for _ in range(3)]
    return program, [p.data for p in model.parameters()], columns


# The same numbers


@each_backend
@pytest.mark.parametrize("symbol", list(ROWS))
def test_an_operation_gives_the_same_numbers_at_all_its_points(backend, symbol):
    op = ROWS[symbol]
    names = leaves(*op.at[0])
    points = [*op.at, *op.kinks]
    program = trace(op(*names), inputs=names)  # all points at once
    assert list(program.compile(backend).values([], list(zip(*points)))) == near(
        [op.value(*p) for p in points]
    )
    step = trace(op(*names), parameters=names).compile(backend)
    for point in points:
        values = [Value(x) for x in point]
        value, slopes = eager(op(*values), values)
        mean, gradients = step(point)
        assert [mean, *gradients] == near([value, *slopes])


@each_fast_backend
@settings(suppress_health_check=list(HealthCheck), max_examples=40)
@given(graphs())
def test_a_random_graph_gives_the_same_numbers(backend, graph):
    nodes = graph.build()
    parameters, root = nodes[: len(graph.leaves)], nodes[-1]
    if not root.parents:
        return
    value, slopes = eager(root, parameters)
    mean, gradients = trace(root, parameters=parameters).compile(backend)(graph.leaves)
    assert mean == pytest.approx(value, rel=1e-12, abs=1e-12)
    size = max([1.0, *map(abs, slopes)])  # of what was added up, where the terms cancel
    assert list(gradients) == pytest.approx(slopes, rel=1e-12, abs=1e-12 * size)


def one_by_one(graph, samples, varies):
    """Return the root of each sample, and its derivatives by the leaves that do not vary, from Values."""
    values, slopes = [], []
    for sample in samples:
        mine = [Value(x) for x in sample]
        y = graph.build(mine)[-1]
        values.append(y.data)
        slopes.append(grad(y, [leaf for leaf, it in zip(mine, varies) if not it]))
    return values, slopes


def batches(test):
    """Draw random graphs, how far each sample moves the leaves that vary, and which leaves vary."""
    moves = st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=20)
    drawn = given(graphs(), moves, st.lists(st.booleans(), min_size=4))(test)
    return settings(suppress_health_check=list(HealthCheck), max_examples=60)(drawn)


def batch(graph, moves, varies):
    """Return a program of such a graph, its numbers and columns, and the samples one by one."""
    nodes = graph.build()
    leaves, root = nodes[: len(graph.leaves)], nodes[-1]
    inputs = [leaf for leaf, it in zip(leaves, varies) if it]
    parameters = [leaf for leaf, it in zip(leaves, varies) if not it]
    assume(root.parents and (not parameters or any(grad(root, parameters))))
    samples = [[x + move * it for x, it in zip(graph.leaves, varies)] for move in moves]
    columns = [list(column) for column, it in zip(zip(*samples), varies) if it]
    numbers = [leaf.data for leaf in parameters]
    return trace(root, inputs, parameters), numbers, columns, samples if inputs else samples[:1]


@each_fast_backend
@batches
def test_a_random_graph_of_many_samples_gives_the_numbers_of_each(backend, graph, moves, varies):
    program, numbers, columns, samples = batch(graph, moves, varies)
    try:
        values, slopes = one_by_one(graph, samples, varies)
    except (ArithmeticError, ValueError):
        assume(False)
    step = program.compile(backend)
    mean, gradients = step(numbers, columns)
    assert [mean] == near([sum(values) / len(values)], size=values)
    assert list(gradients) == near([sum(them) / len(them) for them in zip(*slopes)], size=chain(*slopes))
    assert list(step.values(numbers, columns)) == near(values)


@pytest.mark.parametrize("backend", backends(["numpy", "llvm"]))
@batches
def test_a_random_graph_outside_a_domain_raises_the_error_of_python(backend, graph, moves, varies):
    program, numbers, columns, _ = batch(graph, moves, varies)
    step, python = program.compile(backend), program.compile("python")
    for run, run_python in (step, python), (step.values, python.values):
        try:
            run_python(numbers, columns)
        except (ArithmeticError, ValueError) as error:
            with pytest.raises(type(error), match=re.escape(str(error))):
                run(numbers, columns)
        else:
            run(numbers, columns)  # and raises nothing
            assert list(step.values(numbers, columns)) == near(python.values(numbers, columns))


@each_backend
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "gelu"])
def test_a_net_gives_the_same_numbers(backend, activation):
    program, parameters, columns = net(activation=activation)
    mean, gradients = program.compile("python")(parameters, columns)
    found, slopes = program.compile(backend)(parameters, columns)
    assert [found, *slopes] == near([mean, *gradients])


@each_backend
def test_an_op_of_your_own_compiles(backend):
    swish = Op("swish", "a * sigmoid(a)", "sigmoid(a) + y * (1 - sigmoid(a))")
    x, w = leaves(0.5, 0.75)
    y = swish(w * x)
    value, slopes = eager(y, [w])
    mean, gradients = trace(y, inputs=[x], parameters=[w]).compile(backend)([0.75], [[0.5]])
    assert [mean, *gradients] == near([value, *slopes])


@each_backend
def test_log_sum_exp_compiles_with_its_maximum(backend):
    logits = leaves(1000.0, -1000.0, 0.0)
    step = trace(logsumexp(logits), inputs=logits).compile(backend)
    columns = [[1000.0, 0.0, -1e4], [0.0, 1000.0, -1e4], [0.0, 0.0, -1e4]]
    assert list(step.values([], columns)) == near([1000.0, 1000.0, -1e4 + math.log(3)])


# Samples


@each_fast_backend
@pytest.mark.parametrize("samples", [*range(1, 18), 22, 31, 32, 33, 63, 64, 65, 71, 128, 130])
def test_any_number_of_samples_is_computed(backend, samples):
    program, parameters, columns = net(samples)
    mean, gradients = program.compile("python")(parameters, columns)
    found, slopes = program.compile(backend)(parameters, columns)
    assert [found, *slopes] == near([mean, *gradients])
    values = program.compile(backend).values(parameters, columns)
    assert sum(values) / samples == pytest.approx(mean, rel=1e-12)
    assert len(values) == samples


@each_fast_backend
def test_the_mean_does_not_depend_on_how_the_samples_are_divided(backend):
    program, parameters, columns = net(3000)
    step = program.compile(backend)
    whole = step(parameters, columns)
    parts = [step(parameters, [c[i : i + 500] for c in columns]) for i in range(0, 3000, 500)]
    assert whole[0] == pytest.approx(sum(mean for mean, _ in parts) / 6, rel=1e-12)
    assert list(whole[1]) == near([sum(slopes) / 6 for slopes in zip(*(g for _, g in parts))])


@each_backend
def test_a_program_without_inputs_is_one_sample(backend):
    [w] = leaves(2.0)
    mean, gradients = trace(exp(w) * 2, parameters=[w]).compile(backend)([1.0])
    assert [mean, *gradients] == near([2 * math.e, 2 * math.e])


@each_backend
def test_a_gradient_may_be_a_number(backend):
    x, w, b, idle = leaves(2.0, 3.0, 1.0, 1.0)
    mean, gradients = trace(w * x + b, [x], [w, b, idle]).compile(backend)([3.0, 1.0, 9.0], [[1.0, 3.0]])
    assert [mean, *gradients] == [7.0, 2.0, 1.0, 0.0]


@each_backend
def test_an_output_may_depend_on_no_input(backend):
    x, w = leaves(2.0, 3.0)
    step = trace(w * w, [x], [w]).compile(backend)
    assert [*step([3.0], [[1.0, 2.0]])[1]] == [6.0]
    assert [*step.values([3.0], [[1.0, 2.0]])] == [9.0, 9.0]


@each_backend
@pytest.mark.parametrize("word", ["erf", "erfc", "exp", "log", "sqrt", "tanh", "gelu", "relu"])
def test_a_function_of_a_shared_value_counts_for_each_sample(backend, word):
    x, w = leaves(2.0, 0.5)
    y = ops.table[word](w)
    step = trace(y, [x], [w]).compile(backend)
    mean, [slope] = step([0.5], [[1.0, 2.0, 3.0]])
    assert [mean, slope] == near([y.data, *grad(y, [w])])
    mean, [slope] = trace(x * y, [x], [w]).compile(backend)([0.5], [[1.0, 2.0, 6.0]])
    assert [mean, slope] == near([3 * y.data, *(3 * d for d in grad(y, [w]))])


@each_backend
def test_an_output_may_be_an_input(backend):
    [x] = leaves(2.0)
    assert trace(x, [x]).compile(backend)([], [[1.0, 2.0, 6.0]])[0] == 3.0


@each_backend
def test_arrays_of_any_kind_are_accepted(backend):
    program, parameters, columns = net(6)
    step, expected = program.compile(backend), program.compile("python")(parameters, columns)
    table = np.array(columns).T  # its columns are not contiguous
    for given_columns in (list(table.T), list(np.array(columns, order="F")), [np.array(c) for c in columns]):
        found = step(np.array(parameters), given_columns)
        assert [found[0], *found[1]] == near([expected[0], *expected[1]])
    x, w = leaves(1.0, 2.0)
    step = trace(x * w, [x], [w]).compile(backend)
    assert step([2], [np.array([1, 2, 3])])[0] == 4.0
    assert step(np.array([2.0], dtype=np.float32), [np.array([True, False])])[0] == 1.0


# What is refused before anything runs


@each_backend
@pytest.mark.parametrize(
    ("parameters", "columns", "error", "says"),
    [
        ([1.0], [[1.0], [1.0]], ValueError, r"expected 2 parameters \(p2, p3\), not 1"),
        ([1.0, 2.0], [[1.0]], ValueError, r"expected 2 columns \(p0, p1\), not 1"),
        ([1.0, 2.0], [[1.0], [1.0, 2.0]], ValueError, "differ in length: p0: 1, p1: 2"),
        ([1.0, 2.0], [[], []], ValueError, "empty"),
        ([1.0, math.nan], [[1.0], [1.0]], ValueError, "the parameters: p3 is NaN"),
        ([1.0, 2.0], [[1.0, 2.0], [1.0, math.nan]], ValueError, "column p1: sample 1 is NaN"),
        ([1.0, 2.0], [[1.0], np.array([math.nan])], ValueError, "column p1: sample 0 is NaN"),
        ([1.0, "2"], [[1.0], [1.0]], TypeError, "the parameters: expected a number, not str"),
        ([1.0, 2.0], [[1.0], ["1"]], TypeError, "column p1: expected a number, not str"),
        ([1.0, 2.0], [[1.0], np.array([1j])], TypeError, "column p1: expected"),
        ([1.0, 2.0], [[1.0], np.ones((1, 1))], ValueError, "one dimension"),
        ([1.0, 2.0], [[1.0], 3.0], TypeError, "column p1: expected a sequence of numbers, not float"),
        ([1.0, 2.0], "ab", TypeError, "expected a sequence of columns, not str"),
        (3.0, [[1.0], [1.0]], TypeError, "expected a sequence of parameters, not float"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(backend, parameters, columns, error, says):
    x, y, v, w = leaves(1.0, 2.0, 3.0, 4.0)
    step = trace(v * x + w * y, [x, y], [v, w]).compile(backend)
    with pytest.raises(error, match=says):
        step(parameters, columns)
    assert step([1.0, 2.0], [[1.0], [1.0]])[0] == 3.0


# Domains


@each_backend
def test_an_error_that_a_later_node_would_hide_is_raised(backend):
    x, w = leaves(1.0, 2.0)
    step = trace(relu(log(w * x)), [x], [w]).compile(backend)
    with pytest.raises(ValueError, match=r"^sample 5: log\(a\) at a = -2.0 \(v1\)"):
        step([2.0], [[1.0, 2.0, 1.0, 2.0, 3.0, -1.0]])


@each_backend
def test_an_overflow_within_a_formula_is_raised(backend):
    naive = Op("naive", "1 / (1 + exp(-a))", "y * (1 - y)")
    x, w = leaves(1.0, 2.0)
    step = trace(naive(w * x), [x], [w]).compile(backend)
    with pytest.raises(OverflowError, match=r"sample 1: 1 / \(1 \+ exp\(-a\)\) at a = -1000.0"):
        step([1.0], [[0.0, -1000.0]])


@each_backend
def test_an_error_in_a_shared_value_is_raised(backend):
    x, w = leaves(1.0, 2.0)
    step = trace(x + sqrt(w), [x], [w]).compile(backend)
    with pytest.raises(ZeroDivisionError, match=r"sample 0: the derivative ∂/∂a of sqrt\(a\)"):
        step([0.0], [[1.0]])


@each_backend
def test_the_branch_that_is_not_taken_raises_nothing(backend):
    x, w = leaves(0.0, 1.0)
    careful = Op("careful", "log(a) if a > 1 else 0 * a", "1 / a if a > 0 else 0")
    step = trace(careful(w * x) + maximum(x, w), [x], [w]).compile(backend)
    assert [*step.values([1.0], [[-1.0, 0.0, math.e]])] == near([1.0, 1.0, 1 + math.e])
    assert np.isfinite(step([1.0], [[-1.0, 0.0, 3.0]])[1]).all()


@each_backend
def test_within_a_branch_that_is_not_taken_no_branch_raises_anything(backend):
    nested = Op(
        "nested",
        "(log(a) if a > -5 else a) if a > 0 else (1 / (a - 2) if a < 3 else a)",
        "(1 / a if a > -5 else 1) if a > 0 else (-1 / (a - 2) ** 2 if a < 3 else 1)",
    )
    x, w = leaves(2.0, 1.0)
    points = [2.0, -1.0, 0.5, 0.0]
    step = trace(nested(w * x), [x], [w]).compile(backend)
    assert list(step.values([1.0], [points])) == near([nested.value(a) for a in points])
    slopes = [grad(nested(Value(a) * w), [w])[0] for a in points]
    assert list(step([1.0], [points])[1]) == near([sum(slopes) / 4])


@each_backend
def test_alarms_do_not_disturb_the_sums_of_products(backend):
    x, y, z, v, w = leaves(0.5, 0.25, -0.5, 0.3, 0.7)
    step = trace(exp(v * x) + (w * z) * tanh(y), [x, y, z], [v, w]).compile(backend)
    mean, gradients = step([0.3, 0.7], [[0.5], [0.25], [-0.5]])
    e, t = math.exp(0.15), math.tanh(0.25)
    assert [mean, *gradients] == near([e - 0.35 * t, 0.5 * e, -0.5 * t])


@each_backend
def test_infinity_is_allowed_where_values_allow_it(backend):
    x, w = leaves(1.0, 2.0)
    step = trace(tanh(exp(w * x)), [x], [w]).compile(backend)
    assert [*step.values([2.0], [[math.inf, -math.inf]])] == [1.0, 0.0]
    product = trace(w * x, [x], [w]).compile(backend)
    mean, gradients = product([1e300], [[1e300]])
    assert [mean, *gradients] == [math.inf, 1e300]


# One step at a time


@each_backend
def test_threads_may_call_one_function(backend):
    program, parameters, columns = net(40)
    step = program.compile(backend)
    batches = [[[x + shift for x in c] for c in columns] for shift in (0.0, 1.0, 2.0)]
    expected = [step(parameters, batch)[0] for batch in batches]
    found = [[], [], []]

    def work(i):
        found[i] = [step(parameters, batches[i])[0] for _ in range(30)]

    threads = [threading.Thread(target=work, args=[i]) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(set(found[i]) == {expected[i]} for i in range(3))


def test_the_error_for_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    for name in [name for name in sys.modules if name.startswith("engine.compiler.backends.llvm")]:
        monkeypatch.delitem(sys.modules, name)
    [w] = leaves(2.0)
    with pytest.raises(ImportError, match=r"pip install 'chalkgrad\[llvm\]'"):
        trace(w * w, parameters=[w]).compile("llvm")


def test_a_warning_names_a_better_backend_for_a_long_program():
    from engine.compiler import backends

    backends.warn_if_too_long("llvm", 1_000)
    with pytest.warns(UserWarning, match="5,000 operations .* backend='llvm' is the better one"):
        backends.warn_if_too_long("jax", 5_000)
