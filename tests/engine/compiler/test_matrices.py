"""The matrices found in a graph give the numbers of its lines."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.backends import backends, near

from engine import Value, exp, log, logsumexp, maximum, ops, relu, softmax, tanh, total, trace, weighted_sum
from engine.compiler.families import Families
from engine.compiler.matrices import Block
from engine.core.op import rows
from nn import MLP, losses

np = pytest.importorskip("numpy")

each_array_backend = pytest.mark.parametrize("backend", backends(("numpy", "jax", "torch")))


def leaves(letter, count):
    return [Value(0.1 * (i + 1), label=f"{letter}{i}") for i in range(count)]


def neurons(weights, inputs, biases):
    """Return one weighted sum for each row of weights."""
    return [weighted_sum(row, inputs, b) for row, b in zip(weights, biases)]


def rows_of(values, width):
    return [values[i : i + width] for i in range(0, len(values), width)]


def draw_numbers(parameters, inputs, samples, seed=0):
    random.seed(seed)
    draw = lambda n: [random.uniform(-1.5, 1.5) for _ in range(n)]  # noqa: E731
    return draw(parameters), [draw(samples) for _ in range(inputs)]


def check(program, backend="numpy", samples=5, seed=0, folded=True):
    """Compare matrices with lines, on outputs and on gradients, and return the families."""
    assert program.families.pays() == folded
    numbers, columns = draw_numbers(len(program.parameters), len(program.inputs), samples, seed)
    expected = program.compile("python")(numbers, columns)
    found = program.compile(backend)(np.array(numbers), np.array(columns))
    assert [float(found[0])] == near([expected[0]])
    assert list(map(float, found[1])) == near(expected[1])
    for column, exact in zip(found[2:] and found[2], expected[2:] and expected[2], strict=True):
        assert list(map(float, column)) == near(exact)
    return program.families


# Nets


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("loss", ["half_squared_error", "mean_squared_error", "cross_entropy", "hinge"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "silu", "elu", None])
def test_a_net_is_the_same_in_matrices(activation, loss, atomic):
    model = MLP(3, [4, 4, 3], activation=activation, rng=random.Random(1), atomic=atomic)
    x, t = leaves("x", 3), [Value(1.0), Value(0.0), Value(0.0)]
    if loss == "hinge":
        t = [Value(1.0), Value(-1.0), Value(1.0)]
    outputs = model(x)
    program = trace([losses.get_loss(loss)(outputs, t), *outputs], [*x, *t], model.parameters())
    check(program)


@pytest.mark.parametrize("atomic", [False, True])
def test_a_layer_is_one_family_for_z_and_one_for_a(atomic):
    model = MLP(2, [16, 16, 1], activation="tanh", rng=random.Random(1), atomic=atomic)
    x = leaves("x", 2)
    families = trace(model(x), x, model.parameters()).families.families
    assert [(f.op.symbol, len(f.members), f.product) for f in families] == [
        ("Σwa", 16, True), ("tanh", 16, False), ("Σwa", 16, True), ("tanh", 16, False), ("Σwa", 1, True),
    ]  # fmt: skip


@each_array_backend
def test_a_library_runs_the_matrices(backend):
    model = MLP(3, [4, 3], activation="sigmoid", rng=random.Random(1))
    x, t = leaves("x", 3), leaves("t", 3)
    program = trace([losses.cross_entropy(model(x), 1), *softmax(model(x))], [*x, *t], model.parameters())
    check(program, backend)


# The text


def test_matrices_are_printed_with_the_names_of_the_textbook():
    model = MLP(2, [3, 2], activation="tanh", rng=random.Random(1))
    x, t = leaves("x", 2), leaves("t", 2)
    text = trace(losses.half_squared_error(model(x), t), [*x, *t], model.parameters()).matrices
    for line in (
        "Z1 = W1 @ A0 + b1", "A1 = tanh(Z1)", "Z2 = W2 @ A1 + b2", "D1 = (W2.T @ D2)*(1 - A1**2)",
        "dW1 = D1 @ A0.T", "db1 = D1.sum(1, keepdims=True)",
    ):  # fmt: skip
        assert f"    {line}\n" in text


def test_each_gradient_stands_under_the_layer_of_its_parameters():
    model = MLP(2, [3, 2], activation="tanh", rng=random.Random(1))
    x, t = leaves("x", 2), leaves("t", 2)
    text = trace(losses.half_squared_error(model(x), t), [*x, *t], model.parameters()).matrices
    _, *layers = text.partition("# backward")[2].split("    # layer ")
    found = {
        (layer[0], line.split()[0]) for layer in layers for line in layer.splitlines()[1:] if "=" in line
    }
    assert found >= {("1", "D1"), ("1", "dW1"), ("1", "db1"), ("2", "D2"), ("2", "dW2"), ("2", "db2")}


def test_matrices_run_as_printed():
    model = MLP(2, [3, 1], activation="relu", rng=random.Random(1))
    x, t = leaves("x", 2), leaves("t", 1)
    program = trace(losses.half_squared_error(model(x), t), [*x, *t], model.parameters())
    numbers, columns = draw_numbers(13, 3, 4)
    names = {}
    exec(program.matrices, names)
    first, second = np.array(numbers[:9]).reshape(3, 3), np.array(numbers[9:])[None]
    blocks = [first[:, :2], first[:, 2:], second[:, :3], second[:, 3:]]
    inputs = [np.array(columns[:2]), np.array(columns[2:])]
    values, gradients, others = names["step"](blocks, inputs, 4)
    mean, expected = program.compile("python")(numbers, columns)
    assert [values.mean()] == near([mean])
    found = [*np.hstack(gradients[:2]).ravel(), *np.hstack(gradients[2:]).ravel()]
    assert [x / 4 for x in found] == near(expected)
    assert others == []


# Every operation


@pytest.mark.parametrize("symbol", rows())
def test_every_operation_is_the_same_in_matrices(symbol):
    op = ops.table[symbol]
    points = [*op.at, *op.kinks] * 6
    x = [Value(1.0, label="x")]
    w = [Value(number) for point in points for number in point]
    nodes = [op(*[v * x[0] for v in args]) for args in rows_of(w, len(points[0]))]
    program = trace([total(nodes), *nodes[:2]], x, w)
    assert program.families.pays()
    numbers, columns = [v.data for v in w], [[1.0, 1.0 - 1e-9, 1.0]]
    expected = program.compile("python")(numbers, columns)
    found = program.compile("numpy")(numbers, np.array(columns))
    assert [found[0], *found[1]] == near([expected[0], *expected[1]])
    assert [list(column) for column in found[2]] == [near(exact) for exact in expected[2]]


# Graphs that are nearly regular


def test_shared_weights_add_their_gradients():
    w, x = leaves("w", 6), leaves("x", 3)
    hidden = list(map(tanh, neurons(rows_of(w, 3), x, [0.0, 0.0])))
    again = list(map(tanh, neurons(rows_of(w, 2), hidden, [0.0] * 3)))
    check(trace(total(again), x, w))


def test_one_weight_may_stand_at_many_places():
    w, x = leaves("w", 3), leaves("x", 4)
    rows = [[w[0]] * 4, [w[1], w[0], w[2], w[1]], [w[2]] * 4]
    check(trace(total(map(tanh, neurons(rows, x, [w[0]] * 3))), x, w))


def test_a_recurrent_net_uses_its_weights_at_each_step():
    u, w, b, x = leaves("u", 9), leaves("w", 9), leaves("b", 3), leaves("x", 9)
    state = [0.0] * 3
    for inputs in rows_of(x, 3):
        below = neurons(rows_of(u, 3), inputs, b)
        state = [tanh(z + s) for z, s in zip(below, neurons(rows_of(w, 3), state, [0.0] * 3))]
    check(trace(total(s * s for s in state), x, [*u, *w, *b]))


def test_permuted_inputs_are_another_product():
    w, x = leaves("w", 16), leaves("x", 4)
    rows = rows_of(w, 4)
    zs = neurons(rows[:2], x, [0.0] * 2) + neurons(rows[2:], [x[2], x[0], x[3], x[1]], [0.0] * 2)
    check(trace(total(map(tanh, zs)), x, w))


def test_permuted_activations_are_rows_of_the_same_family():
    w, x = leaves("w", 24), leaves("x", 2)
    hidden = list(map(tanh, neurons(rows_of(w[:8], 2), x, [0.0] * 4)))
    mixed = [hidden[2], hidden[0], hidden[3], hidden[1]]
    check(trace(total(map(relu, neurons(rows_of(w[8:], 4), mixed, [0.5] * 4))), x, w))


def test_one_odd_neuron_is_a_family_of_its_own():
    w, x = leaves("w", 28), leaves("x", 4)
    zs = neurons(rows_of(w[:16], 4), x, [0.0] * 4)
    hidden = [tanh(zs[0]), relu(zs[1]), tanh(zs[2]), tanh(zs[3])]
    families = check(trace(total(neurons(rows_of(w[16:], 4), hidden, [0.0] * 3)), x, w))
    assert [len(f.members) for f in families.families if f.op is ops.relu] == [1]


def test_a_parent_may_stand_twice():
    w, x = leaves("w", 12), leaves("x", 3)
    zs = neurons(rows_of(w, 3), x, [0.0] * 4)
    nodes = [z * z for z in zs]
    check(trace(total([*nodes, nodes[0], nodes[0], zs[1]]), x, w))


def test_all_members_may_have_one_parent():
    w, x = leaves("w", 8), leaves("x", 8)
    shared = exp(w[0] * x[0])
    check(trace(total([shared * tanh(v) + w[1] for v in x]), x, w))


def test_a_part_that_is_the_same_for_all_samples_is_summed():
    w, x = leaves("w", 16), leaves("x", 4)
    penalty = total(v * v for v in w)
    zs = neurons(rows_of(w, 4), x, [0.0] * 4)
    check(trace([total(map(tanh, zs)) + 0.1 * penalty, penalty, zs[2]], x, w))


def test_an_output_may_be_the_same_for_all_samples():
    w, x = leaves("w", 16), leaves("x", 4)
    layer = neurons(rows_of(w, 4), [1.0, 2.0, 3.0, 4.0], w[:4])
    check(trace([total(map(tanh, layer)), x[0] * w[0]], x, w))


def test_samples_may_enter_by_the_bias():
    w, x = leaves("w", 12), leaves("x", 4)
    zs = neurons(rows_of(w, 3), w[:3], x)
    check(trace(total(z * z for z in zs), x, w))


def test_weights_may_be_plain_numbers():
    w, x = leaves("w", 12), leaves("x", 3)
    hidden = list(map(tanh, neurons(rows_of(w, 3), x, [0.0] * 4)))
    fixed = [[1.0, -1.0, 0.5, 2.0], [0.0, 1.0, 3.0, -2.0]]
    check(trace(total(map(exp, neurons(fixed, hidden, [1.0, 2.0]))), x, w))


def test_weights_may_be_activations():
    w, x = leaves("w", 16), leaves("x", 4)
    zs = neurons(rows_of(w, 4), x, [0.0] * 4)
    check(trace(weighted_sum(softmax(zs), list(map(tanh, zs))), x, w))


def test_a_chain_of_maxima_gives_the_gradient_to_the_first_greatest():
    w, x = leaves("w", 16), leaves("x", 4)
    zs = neurons([*rows_of(w[:12], 4), w[:4]], x, [0.0] * 4)
    greatest = zs[0]
    for z in zs[1:]:
        greatest = maximum(greatest, z)
    check(trace([greatest, total(zs)], x, w))


@each_array_backend
def test_logsumexp_of_infinite_and_of_equal_numbers_is_that_of_the_lines(backend):
    x, w = leaves("x", 3), leaves("w", 3)
    program = trace(logsumexp([v * a for v, a in zip(w, x)]), x, w)
    assert program.families.pays()
    lines, matrices = program.compile("python"), program.compile(backend)
    samples = list(itertools.product([math.inf, -math.inf, 1.0, 1e308, 0.0], repeat=3))
    columns = [list(column) for column in zip(*samples)]
    ones, exactly = [1.0] * 3, {"rel": 1e-12, "abs": 0.0, "nan_ok": True}
    assert list(matrices.values(ones, columns)) == pytest.approx(lines.values(ones, columns), **exactly)
    for sample in samples:
        one = [[number] for number in sample]
        (mean, gradients), expected = matrices(ones, one), lines(ones, one)
        assert [float(mean), *map(float, gradients)] == pytest.approx([expected[0], *expected[1]], **exactly)


def test_logsumexp_is_exact_for_numbers_of_any_size():
    w, x = leaves("w", 16), leaves("x", 4)
    program = trace(logsumexp([1000 * z for z in neurons(rows_of(w, 4), x, [0.0] * 4)]), x, w)
    check(program)


def test_powers_with_different_exponents_are_different_families():
    w, x = leaves("w", 8), leaves("x", 4)
    zs = neurons(rows_of(w, 4) * 2, x, [2.0] * 4)
    check(trace(total(z**n for z, n in zip(zs, [2, 3, 2, 3])), x, w))


def test_a_node_of_a_further_output_alone_adds_nothing():
    w, x = leaves("w", 12), leaves("x", 3)
    zs = neurons(rows_of(w, 3), x, [0.0] * 4)
    program = trace([total(map(exp, zs[:2])), *map(exp, zs[2:])], x, w)
    check(program)


def test_guards_are_checked_on_matrices():
    w, x = leaves("w", 16), leaves("x", 4)

    def loss(*x):
        zs = neurons(rows_of(w, 4), x, [0.0] * 4)
        return total([z if z > 0 else -z for z in zs])

    program = trace(loss, x, w)
    assert program.guarded().families.pays()
    step = program.compile("numpy")
    numbers = [0.5] * 16
    assert step(numbers, [[1.0, 2.0]] * 4)[0] == 12.0
    with pytest.raises(ValueError, match="sample 1: Python's comparison"):
        step(numbers, [[1.0, -2.0]] * 4)


@pytest.mark.parametrize("backend", backends(("numpy", "jax")))
def test_a_domain_error_names_the_sample_and_the_node(backend):
    w, x = leaves("w", 16), leaves("x", 4)
    program = trace(total(map(log, neurons(rows_of(w, 4), x, [0.0] * 4))), x, w)
    assert program.families.pays()
    step, numbers = program.compile(backend), [0.5] * 16
    assert math.isfinite(step(numbers, [[1.0, 2.0, 3.0]] * 4)[0])
    with pytest.raises(ValueError, match=r"^sample 2: log\(a\) at a = -2.0 \(v1\)"):
        step(numbers, [[1.0, 2.0, -1.0]] * 4)


def test_a_graph_of_single_nodes_keeps_its_lines():
    w, x = leaves("w", 2), leaves("x", 2)
    y = tanh(w[0] * x[0]) + exp(w[1]) / (2 + x[1] ** 2)
    check(trace(y, x, w), folded=False)


# Random graphs of layers


@st.composite
def layered(draw):
    """Draw the shape of a graph: for each layer its size, and which earlier rows it takes."""
    sizes = draw(st.lists(st.integers(2, 5), min_size=2, max_size=4))
    return [(n, [draw(st.integers(0, 100)) for _ in range(draw(st.integers(2, 5)))]) for n in sizes]


@settings(max_examples=60, deadline=None)
@given(layered(), st.integers(0, 10**6), st.booleans())
def test_random_layers_are_the_same_in_matrices(layers, seed, own):
    rng = random.Random(seed)
    w, x = leaves("w", 30), leaves("x", 4)
    known = [*x, *w[:3]]
    symbols = ["tanh", "relu", "sigmoid", "sin", "abs", "softplus"]
    for size, picks in layers:
        inputs = [known[i % len(known)] for i in picks]
        at = iter(rng.sample(w, 30) if own else w)
        zs = neurons(
            [[next(at) for _ in inputs] for _ in range(size)], inputs, rng.choices([*w, 0.5], k=size)
        )
        known += [ops.get_op(rng.choice(symbols[:2]))(z) for z in zs]
        known += [a * rng.choice(known) for a in known[-2:]]
    outputs = [total(known), *rng.sample(known[7:], 2)]
    program = trace(outputs, x, w)
    numbers, columns = draw_numbers(30, 4, 3, seed)
    expected = program.compile("python")(numbers, columns)
    step = program.compile("numpy")
    found = step(np.array(numbers), np.array(columns))
    assert [found[0], *found[1]] == near([expected[0], *expected[1]])
    for column, exact in zip(found[2], expected[2]):
        assert list(column) == near(exact)


# The parts


def test_a_block_of_regular_positions_has_a_first_one_and_a_distance():
    assert Block("W", ((1, 2), (4, 5), (7, 8))).regular() == (1, 3)
    assert Block("W", ((1, 2), (4, 5), (6, 7))).regular() is None
    assert Block("W", ((2, 1), (4, 3))).regular() is None


def test_chains_are_folded_only_where_no_other_node_uses_their_links():
    w, x = leaves("w", 4), leaves("x", 4)
    y = w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + w[3]
    assert [f.op for f in Families(trace(y, x, w).graph).families] == [ops.weighted_sum]
    link = w[0] * x[0] + w[1] * x[1]
    y = (link + w[2] * x[2] + w[3]) * link
    assert ops.mul in [f.op for f in Families(trace(y, x, w).graph).families]


def test_columns_may_be_one_array_or_many():
    w, x = leaves("w", 16), leaves("x", 4)
    program = trace(total(map(tanh, neurons(rows_of(w, 4), x, [0.0] * 4))), x, w)
    step = program.compile("numpy")
    numbers, columns = draw_numbers(16, 4, 3)
    expected, gradients = step(numbers, columns)
    found, arrays = step(np.array(numbers), np.array(columns))
    assert (found, list(arrays)) == (expected, list(gradients))
    with pytest.raises(ValueError, match="column x2: sample 1 is NaN"):
        step(numbers, np.array([[1.0, 1.0], [1.0, 1.0], [1.0, math.nan], [1.0, 1.0]]))
    with pytest.raises(ValueError, match="expected 4 columns"):
        step(numbers, np.ones((3, 2)))
