"""The interpreter of the llvm backend gives the numbers and the errors of Values, for graphs of any size."""

import gc
import math
import random
import re
import weakref

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.backends import near
from support.graphs import graphs
from support.table import ROWS

from engine import Value, grad, log, logsumexp, ops, softmax, softplus, tanh, total, trace, weighted_sum
from nn import losses
from nn.model.modules import MLP

pytest.importorskip("llvmlite")
from engine.compiler.backends.llvm import driver, machine, patterns
from engine.compiler.backends.llvm.builder import LANES
from engine.compiler.backends.llvm.interpreter import InterpreterFunction, Memory
from engine.compiler.backends.llvm.nodes import function, module
from engine.compiler.backends.llvm.patterns import Kind, single
from engine.compiler.backends.llvm.tables import FEW, in_runs

SAMPLES = 2 * LANES + 1  # vectors of samples, and one that is left


def leaves(letter, count):
    return [Value(random.Random(i).uniform(-1, 1), label=f"{letter}{i}") for i in range(count)]


def columns(count, samples=SAMPLES):
    rng = random.Random(7)
    return [[rng.uniform(-1, 1) for _ in range(samples)] for _ in range(count)]


def same(program, numbers, given=()):
    """Return the function that interprets a program, after comparing it with the python backend."""
    step, expected = InterpreterFunction(program), program.compile("python")
    found, wanted = step(numbers, given), expected(numbers, given)
    assert [found[0], *found[1]] == near([wanted[0], *wanted[1]])
    for one, other in zip(found[2:], wanted[2:]):
        for column, numbers_of_samples in zip(one, other, strict=True):
            assert list(column) == near(numbers_of_samples)
    outputs, others = step.values(numbers, given), expected.values(numbers, given)
    for column, numbers_of_samples in zip(*((outputs, others) if program.many else ([outputs], [others]))):
        assert list(column) == near(numbers_of_samples)
    return step


@pytest.mark.parametrize("symbol", list(ROWS))
def test_an_operation_gives_the_same_numbers_at_all_its_points(symbol):
    op = ROWS[symbol]
    points = [*op.at, *op.kinks]
    names = [Value(x, f"p{i}") for i, x in enumerate(points[0])]
    step = InterpreterFunction(trace(op(*names), parameters=names))
    expected = trace(op(*names), parameters=names).compile("python")
    for point in points:  # on plain numbers
        mean, gradients = step(point)
        wanted = expected(point)
        assert [mean, *gradients] == near([wanted[0], *wanted[1]])
    w = Value(1.0, "w")  # in the lanes of vectors, one sample a point
    many = (points * LANES)[: LANES * len(points)]
    same(trace(w * op(*names), names, [w]), [1.0], list(zip(*many)))
    some = [[Value(x) for x in point] for point in points * 3]  # one call for several nodes
    flat = [x for point in some for x in point]
    same(trace(total([op(*point) for point in some]), [], flat), [x.data for x in flat])


@settings(suppress_health_check=list(HealthCheck), max_examples=60)
@given(graphs(), st.lists(st.booleans(), min_size=4), st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=9))
def test_a_random_graph_gives_the_numbers_of_each_sample(graph, varies, moves):
    nodes = graph.build()
    names, root = nodes[: len(graph.leaves)], nodes[-1]
    inputs = [leaf for leaf, it in zip(names, varies) if it]
    parameters = [leaf for leaf, it in zip(names, varies) if not it]
    assume(root.parents and (not parameters or any(grad(root, parameters))))
    given = [[leaf.data + move for move in moves] for leaf in inputs]
    program, numbers = trace(root, inputs, parameters), [leaf.data for leaf in parameters]
    try:
        wanted = program.compile("python")(numbers, given)
    except (ArithmeticError, ValueError) as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            InterpreterFunction(program)(numbers, given)
        return
    mean, gradients = InterpreterFunction(program)(numbers, given)
    size = max([1.0, *map(abs, wanted[1])])
    assert mean == pytest.approx(wanted[0], rel=1e-9, abs=1e-9)
    assert list(gradients) == pytest.approx(wanted[1], rel=1e-9, abs=1e-9 * size)


@pytest.mark.parametrize("count", [1, 2, FEW // 2, FEW, FEW + 1, 5 * FEW])
@pytest.mark.parametrize("samples", [1, SAMPLES])
def test_operations_of_any_number_of_arguments(count, samples):
    xs, ws, b = leaves("x", count), leaves("w", count), Value(0.5, "b")
    z = weighted_sum(ws, xs, b) + weighted_sum([1.5] * count, ws, 1.0) + weighted_sum([], [], b)
    y = logsumexp([w * x for w, x in zip(ws, xs)]) + total([w * w for w in ws]) * logsumexp(ws) - total(xs)
    program = trace([z * y, z, logsumexp(ws), xs[0], b], xs, [*ws, b])
    same(program, [v.data for v in (*ws, b)], columns(count, samples))


@pytest.mark.parametrize("numbers", [[1000.0] * 12, [-math.inf] * 12, [math.inf, *[1.0] * 11], [*range(12)]])
def test_the_greatest_of_many_numbers_may_be_infinite_or_shared(numbers):
    ws, x = leaves("w", 12), Value(0.0, "x")
    same(trace(logsumexp(ws), [], ws), numbers)
    same(trace(logsumexp([w + x for w in ws]), [x], ws), numbers, [[0.0] * SAMPLES])


def test_a_net_with_shared_terms_and_several_outputs():
    model = MLP(3, [12, 10, 2], activation="tanh", rng=random.Random(1))
    x, t = leaves("x", 3), Value(1.0, "t")
    scores = model(x)
    loss = losses.cross_entropy(scores, 1) * t + 1e-3 * total([p**2 for p in model.parameters()])
    program = trace([loss, *scores, model.parameters()[0]], [*x, t], model.parameters())
    same(program, [p.data for p in model.parameters()], columns(4))


def test_a_graph_without_samples_or_without_parameters():
    w, x = Value(0.5, "w"), Value(0.25, "x")
    same(trace(w * w, [], [w]), [0.5])
    same(trace([w, w * w], [], [w]), [0.5])
    step = InterpreterFunction(trace([tanh(x), x * 2.0], [x]))
    assert step.values([], [[0.25, 0.5]])[1].tolist() == [0.5, 1.0]


@pytest.mark.parametrize("sample", [0, LANES, SAMPLES - 1])
def test_an_error_names_the_sample_and_the_node(sample):
    x, w = Value(1.0, "x"), Value(2.0, "w")
    step = InterpreterFunction(trace(log(w * x) * total([w] * 10), [x], [w]))
    given = [1.0] * SAMPLES
    given[sample] = -1.0
    with pytest.raises(ValueError, match=rf"sample {sample}: log\(a\) at a = -2.0"):
        step([2.0], [given])
    with pytest.raises(ValueError, match=rf"sample {sample}: log\(a\) at a = -2.0"):
        step.values([2.0], [given])
    assert step([2.0], [[1.0] * SAMPLES])[0] == pytest.approx(20.0 * math.log(2.0))


def test_a_derivative_that_is_not_needed_need_not_exist():
    x, w = Value(1.0, "x"), Value(2.0, "w")
    y = ops.sqrt(w * x)
    step = InterpreterFunction(trace(y, [x], [w]))
    assert step.values([2.0], [[0.0] * SAMPLES]).tolist() == [0.0] * SAMPLES
    with pytest.raises(ZeroDivisionError, match="sample 0: the derivative"):
        step([2.0], [[0.0] * SAMPLES])


def test_guards_are_checked_on_every_sample(monkeypatch):
    from engine.compiler.guarded import GuardError

    monkeypatch.setattr(driver, "MANY", -1)
    x, w = Value(1.0, "x"), Value(2.0, "w")
    step = trace(lambda x: max(0, w * x) + max(x, 0.5), [x], [w]).compile("llvm")
    assert step([2.0], [[1.0, 3.0, 0.75]])[0] == pytest.approx(14.25 / 3)
    with pytest.raises(GuardError, match="sample 4"):
        step([2.0], [[1.0] * 4 + [-3.0]])


def test_a_new_graph_needs_no_new_machine_code(monkeypatch):
    def chain(links):
        w = leaves("w", 5)
        node = w[0]
        for i in range(links):
            node = tanh(node * w[i % 5]) + w[(2 * i) % 5]
        return trace(node, parameters=w), [v.data for v in w]

    same(*chain(50))
    monkeypatch.setattr(machine, "engine_of", None)
    same(*chain(120))


def test_a_large_graph_is_interpreted_and_a_small_one_compiled():
    w = leaves("w", 10)
    small = trace(total([tanh(a * b) for a in w for b in w]), parameters=w)
    assert isinstance(small.compile("llvm"), driver.LlvmFunction)
    root = total([tanh(a * b * c) * a + b for a in w for b in w for c in w])
    step = trace(root, parameters=w).compile("llvm")
    assert isinstance(step, InterpreterFunction)
    root.backward()
    mean, gradients = step([v.data for v in w])
    assert [mean, *gradients] == near([root.data, *[v.grad for v in w]])


@pytest.mark.parametrize("width", [1, LANES])
def test_a_square_is_a_product(width):
    square = single(Kind(ops.pow, 2, (0,), ((1, 2.0),)))
    for backward in False, True:
        assert "pow" not in str(machine.compiled(module({"f": function(square, backward, width)}))[0])
    power = single(Kind(ops.pow, 2, (0,)))
    assert "pow" in str(machine.compiled(module({"f": function(power, False, width)}))[0])


def test_numbers_that_are_written_out_give_the_same_results():
    x, w = Value(0.5, "x"), Value(1.5, "w")
    for op in (ops.pow, ops.div, ops.sub, ops.maximum, ops.atan2):
        for number in 1.0, 2.0, 3.0:
            root = (w + x) * 1.0 + op(w * x, number) + op(number, w * x)
            same(trace(root, [x], [w]), [1.5], [[abs(z) + 0.1 for z in columns(1)[0]]])


def periodic(rounds, count=4):
    """Return the last node, and the leaves, of a graph in which the same nodes recur."""
    w = leaves("w", count)
    nodes = list(w)
    for _ in range(rounds):
        nodes += softmax([nodes[-1] * nodes[-3], *nodes[-3:]])
        nodes.append(softplus(nodes[-2] / (1.0 + nodes[-4] * nodes[-4])))
        nodes.append(tanh(nodes[-1] - nodes[-6]) ** 2.0)
    return total(nodes[-3:]), w


def sizes(step):
    """Return the numbers of nodes of the patterns of a function."""
    return sorted(len(pattern.steps) for pattern in step._tables.patterns)


@pytest.mark.parametrize("samples", [1, SAMPLES])
@pytest.mark.parametrize("frequent", [2, 7, 100])
def test_nodes_that_recur_are_computed_by_one_function(monkeypatch, frequent, samples):
    monkeypatch.setattr(patterns, "FREQUENT", frequent)
    root, w = periodic(20)
    step = same(trace([root, w[0] * root], w[:2], w[2:]), [0.25, 0.5], columns(2, samples))
    assert (sizes(step)[-1] > 10) is (frequent < 20)
    root, w = periodic(20)
    step = same(trace(root, [], w), [v.data for v in w])
    first, again = step([1.0, 0.5, -1.0, 0.25]), step([1.0, 0.5, -1.0, 0.25])
    assert first[0] == again[0]
    assert np.array_equal(first[1], again[1])


@settings(suppress_health_check=list(HealthCheck), max_examples=20, deadline=None)
@given(graphs(), st.integers(2, 5), st.booleans())
def test_a_random_graph_several_times_over(graph, times, varies):
    copies = [graph.build() for _ in range(times)]
    names = [leaf for nodes in copies for leaf in nodes[: len(graph.leaves)]]
    root = total([nodes[-1] for nodes in copies])
    assume(all(nodes[-1].parents for nodes in copies) and any(grad(root, names[1:])))
    program, numbers = trace(root, names[:varies], names[varies:]), [leaf.data for leaf in names]
    given = [[numbers[0]] * SAMPLES] * varies
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns, "FREQUENT", 2)
        step = InterpreterFunction(program)
    try:
        wanted = program.compile("python")(numbers[varies:], given)
    except (ArithmeticError, ValueError) as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            step(numbers[varies:], given)
        return
    mean, gradients = step(numbers[varies:], given)
    assert mean == pytest.approx(wanted[0], rel=1e-9, abs=1e-9)
    assert list(gradients) == pytest.approx(wanted[1], rel=1e-9, abs=1e-9 * max([1.0, *map(abs, wanted[1])]))


def test_a_sequence_that_is_wired_in_many_ways_falls_into_its_parts(monkeypatch):
    monkeypatch.setattr(patterns, "FREQUENT", 12)
    w = leaves("w", 3)
    node = w[2]
    for i in range(30):
        node = tanh(node - w[0]) * (node, w[0], w[1])[i % 3]
    step = same(trace(node, parameters=w), [v.data for v in w])
    [found] = [it for it in step._tables.patterns if len(it.steps) > 1]
    assert [it.kind.op.symbol for it in found.steps] == ["tanh", "*"]
    assert [it.args for it in found.steps] == [(0,), (-1, 1)]
    assert found.used == (False, True)


@pytest.mark.parametrize("sample", [0, SAMPLES - 1])
def test_an_error_in_a_pattern_names_the_sample_and_the_node(monkeypatch, sample):
    monkeypatch.setattr(patterns, "FREQUENT", 4)
    x, w = Value(1.0, "x"), Value(2.0, "w")
    node = w * x
    for i in range(8):
        node = log(node) * 0.5 + (2.5 if i < 7 else 1.0)
    step = InterpreterFunction(trace(node, [x], [w]))
    assert sizes(step)[-1] > 1
    given = [1.0] * SAMPLES
    given[sample] = -1.0
    with pytest.raises(ValueError, match=rf"sample {sample}: log\(a\) at a = -2.0"):
        step([2.0], [given])
    wanted = step.program.compile("python")([2.0], [[1.0] * SAMPLES])
    mean, gradients = step([2.0], [[1.0] * SAMPLES])
    assert [mean, *gradients] == near([wanted[0], *wanted[1]])


def test_a_call_after_an_interrupted_one_gives_the_same_gradients(monkeypatch):
    root, w = periodic(3)
    numbers, given = [v.data for v in w[2:]], columns(2)
    step = InterpreterFunction(trace(root, w[:2], w[2:]))
    wanted = step(numbers, given)
    run, passes = Memory.run, iter(range(10))

    def interrupted(memory, graph_pass):
        if next(passes) == 4:
            raise KeyboardInterrupt
        return run(memory, graph_pass)

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            step(numbers, given)
    mean, gradients = step(numbers, given)
    assert (mean, list(gradients)) == (wanted[0], list(wanted[1]))


def test_machine_code_of_patterns_lives_as_long_as_a_graph_needs_it(monkeypatch):
    monkeypatch.setattr(patterns, "FREQUENT", 2)
    root, w = periodic(5, count=5)
    step = InterpreterFunction(trace(root, [], w))
    code = [weakref.ref(code) for code in step._memory(1)._code]
    used = [it for it, pattern in zip(code[::2], step._tables.patterns) if len(pattern.steps) > 1]
    assert used
    del step
    gc.collect()
    assert not any(it() for it in used)
    same(trace(root, [], w), [v.data for v in w])


def test_runs_are_in_topological_order_and_as_long_as_possible():
    args = [(), (0,), (1,), (0,), (3,), (2, 4), (5,)]
    place = [-1, 0, 0, 1, 1, 0, 0]
    runs = list(in_runs(range(1, 7), args, place))
    assert runs == [[1, 2], [3, 4], [5, 6]]


def test_the_arrays_of_a_call_are_its_own():
    x, w = Value(1.0, "x"), Value(2.0, "w")
    step = InterpreterFunction(trace([w * x, x + w], [x], [w]))
    _, first, [sums] = step([2.0], [[1.0] * SAMPLES])
    kept = first.copy(), sums.copy()
    step([3.0], [[5.0] * SAMPLES])
    assert np.array_equal(first, kept[0])
    assert np.array_equal(sums, kept[1])
