"""A traced program computes the same numbers as the graph, and its source runs on its own."""

import math
import random
import subprocess
import sys

import pytest
from hypothesis import given
from support.graphs import graphs

from engine import Op, Value, exp, log, maximum, ops, relu, sigmoid, sqrt, tanh, total, weighted_sum
from engine.compiler.identifiers import Identifiers, identifier
from engine.compiler.tracing import trace
from nn.model.modules import MLP, Neuron


def leaves(*numbers):
    return [Value(x, label=f"p{i}") for i, x in enumerate(numbers)]


def stand_alone(program):
    """Return the function that the source defines when it is run on its own."""
    space = {}
    exec(program.source, space)
    return space["step"]


def eager(root, parameters):
    for p in parameters:
        p.grad = 0.0
    root.backward()
    return root.data, [p.grad for p in parameters]


# The lines


def test_a_neuron_reads_as_in_the_textbook():
    x = [Value(1.0, label="x0"), Value(2.0, label="x1")]
    neuron = Neuron(2, activation="tanh")
    program = trace(neuron(x), inputs=x, parameters=neuron.parameters())
    lines = str(program).splitlines()[6:]
    assert [line.split("  ")[-1].strip() for line in lines] == [
        "z = b + w0*x0 + w1*x1",
        "a = tanh(z)",
        "d_z = 1 - a**2",
        "d_w0 = d_z*x0",
        "d_w1 = d_z*x1",
        "d_b = d_z",
    ]


def test_comments_show_where_a_layer_begins():
    x = [Value(1.0, label="x0")]
    model = MLP(1, [2, 1])
    source = trace(model(x) ** 2, inputs=x, parameters=model.parameters()).source
    comments = [line.strip() for line in source.splitlines() if line.strip().startswith("#")]
    there = ["# layer 1", "# layer 2", "# from the last layer to the root"]
    assert [c for c in comments if "layer" in c] == [*there, "# layer 2", "# layer 1"]


def test_an_operation_without_effect_is_left_out():
    x, w = leaves(2.0, 3.0)
    program = trace((w + 0.0) * 1.0 - x, inputs=[x], parameters=[w])
    assert [line.tree for line in program.of("forward")] == ["p1", "v1", ("-", "v2", "p0")]
    assert program.of("backward") == ()
    assert program.gradients == (1.0,)


def test_a_gradient_that_no_parameter_needs_is_not_computed():
    x, w = leaves(2.0, 3.0)
    program = trace(exp(x) * w, inputs=[x], parameters=[w])
    assert [line.name for line in program.of("backward")] == ["d_p1"]


def test_an_unused_parameter_has_the_gradient_zero():
    x, w, idle = leaves(2.0, 3.0, 4.0)
    step = trace(x * w, inputs=[x], parameters=[w, idle]).compile()
    assert step([3.0, 4.0], [[5.0]]) == (15.0, [5.0, 0.0])


def test_the_program_stays_as_it_is_when_the_graph_changes():
    x, w = leaves(2.0, 3.0)
    y = x * w
    step = trace(y, inputs=[x], parameters=[w]).compile()
    x.data = w.data = 100.0
    assert step([3.0], [[2.0]]) == (6.0, [2.0])


def test_an_output_may_be_a_leaf():
    [w] = leaves(2.0)
    assert trace(w, parameters=[w]).compile()([7.0]) == (7.0, [1.0])


def test_a_program_without_parameters_only_predicts():
    [x] = leaves(2.0)
    step = trace(x * x, inputs=[x]).compile()
    assert step([], [[1.0, 2.0]]) == (2.5, [])
    assert step.values([], [[1.0, 2.0]]) == [1.0, 4.0]


def test_a_derivative_is_simplified():
    def slope(text):
        [x] = leaves(0.5)
        source = trace(Op("short_traced", "exp(a)", text)(x), parameters=[x]).source
        return source.partition("    d_p0 = ")[2].partition("\n")[0]

    assert slope("-(-a)") == "p0"
    assert slope("a + -2") == "p0 - 2"
    assert slope("a * -1") == "-p0"


def test_a_number_without_a_value_is_an_error_of_the_run_and_not_of_the_trace():
    [x] = leaves(0.5)
    program = trace(
        Op("never_traced", "a if a > 0 else log(-1)", "1 if a > 0 else log(-1)")(x), parameters=[x]
    )
    step = program.compile()
    assert step([2.0]) == (2.0, [1.0])
    with pytest.raises(ValueError, match="sample 0"):
        step([-2.0])


def test_the_forward_pass_alone_gives_the_same_values():
    x, w = leaves(2.0, 3.0)
    program = trace(x * w + exp(w), inputs=[x], parameters=[w])
    alone = program.forward()
    columns = [[1.0, 2.0, 5.0]]
    assert alone.compile().values([3.0], columns) == program.compile().values([3.0], columns)
    assert alone.of("backward") == ()


# The numbers


@given(graphs())
def test_source_gives_the_numbers_of_the_graph_to_the_last_bit(graph):
    nodes = graph.build()
    parameters, root = nodes[: len(graph.leaves)], nodes[-1]
    program = trace(root, parameters=parameters) if root.parents else trace(root, [], [root])
    if not root.parents:
        return
    step = stand_alone(program)
    assert step([p.data for p in parameters], []) == eager(root, parameters)


def test_source_gives_the_numbers_of_a_net_to_the_last_bit():
    random.seed(3)
    model = MLP(3, [5, 4, 1], activation="gelu", output="sigmoid")
    x, t = leaves(0.3, -1.2, 2.0), Value(1.0, label="t")
    loss = (model(x) - t) ** 2 + 1e-3 * total([p * p for p in model.parameters()])
    step = stand_alone(trace(loss, inputs=[*x, t], parameters=model.parameters()))
    numbers = [p.data for p in model.parameters()]
    assert step(numbers, [0.3, -1.2, 2.0, 1.0]) == eager(loss, model.parameters())


def test_each_sample_takes_its_own_branch():
    x, w = leaves(2.0, 3.0)
    step = trace(relu(w * x) + maximum(x, w), inputs=[x], parameters=[w]).compile()
    assert step.values([1.0], [[-2.0, 2.0]]) == [1.0, 4.0]
    assert step([1.0], [[-2.0]]) == (1.0, [1.0])
    assert step([1.0], [[2.0]]) == (4.0, [2.0])


def test_the_branch_not_taken_is_not_evaluated():
    x, w = leaves(0.0, 1.0)
    step = trace(sigmoid(w * x), inputs=[x], parameters=[w]).compile()
    assert step.values([1.0], [[-1e6, 1e6]]) == [0.0, 1.0]


def test_an_op_of_your_own_is_written_from_its_formula():
    swish = Op("swish", "a * sigmoid(a)", "sigmoid(a) + y * (1 - sigmoid(a))")
    x, w = leaves(0.5, 0.75)
    y = swish(w * x)
    program = trace(y, inputs=[x], parameters=[w])
    assert "def swish(a):\n    return a*sigmoid(a)\n" in program.source
    assert stand_alone(program)([0.75], [0.5]) == eager(y, [w])


def test_two_operations_of_one_name_are_distinguished():
    x, w = leaves(2.0, 3.0)
    first = Op("mine", "a * 2", "2")(w)
    y = Op("mine", "a * 3", "3")(first * x)
    step = trace(y, inputs=[x], parameters=[w]).compile()
    assert step([1.0], [[1.0]]) == (6.0, [6.0])


def test_an_operation_whose_symbol_is_not_a_name_is_written_out():
    x, w = leaves(2.0, 3.0)
    program = trace(Op("⊕", "a + 2 * b", "1", "2")(x, w), inputs=[x], parameters=[w])
    assert program.of("forward")[0].tree == ("+", "p0", ("*", 2.0, "p1"))


# Size


def test_a_long_chain_is_traced_and_run():
    x, w = leaves(0.5, 0.75)
    y = w * x
    for _ in range(20_000):
        y = y * 0.5 + w
    assert stand_alone(trace(y, inputs=[x], parameters=[w]))([0.75], [0.5]) == eager(y, [w])


def test_a_sum_has_any_number_of_terms():
    w = leaves(*range(5000))
    y = total(w) + weighted_sum(w, w)
    assert stand_alone(trace(y, parameters=w))([v.data for v in w], []) == eager(y, w)


def test_a_long_program_is_printed_in_part():
    [w] = leaves(1.0)
    y = w
    for _ in range(1000):
        y = y * w
    text = str(trace(y, parameters=[w]))
    assert text.count("\n") < 200
    assert "1,900 more lines" in text


# Names

HOSTILE = [
    "x = 1\nimport os", "'); raise SystemExit #", "a b", "class", "__debug__", "__import__", "λ", "ﬁ", "²",
    "", "exp", "step", "inputs", "parameters", "return", "1x",
    "\N{RIGHT-TO-LEFT OVERRIDE}x", "x" * 500, "d_w", "-",
]  # fmt: skip


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_never_becomes_more_than_a_name(label):
    x, w = Value(2.0, label=label), Value(3.0, label=label)
    y = exp(w * x)
    y.label = label
    program = trace(y, inputs=[x], parameters=[w])
    assert all(line.name.isidentifier() for line in program.lines)
    assert len({line.name for line in program.lines}) == len(program.lines)
    assert stand_alone(program)([3.0], [2.0]) == eager(y, [w])


def test_labels_that_python_normalizes_to_one_name_get_two_names():
    identifiers = Identifiers()
    assert identifiers.give("ﬁ") != identifiers.give("fi")
    assert identifier("w2_0_1") == "w2_0_1"


def test_the_source_needs_nothing_but_python(tmp_path):
    x, w = leaves(0.5, 0.25)
    file = tmp_path / "step.py"
    file.write_text(
        trace(tanh(w * x) ** 0.5, inputs=[x], parameters=[w]).source + "\nprint(step([0.25], [0.5]))\n"
    )
    done = subprocess.run([sys.executable, "-I", str(file)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("(0.35263")


# What is refused


def test_a_leaf_that_is_neither_input_nor_parameter_is_named():
    x, w = leaves(2.0, 3.0)
    with pytest.raises(ValueError, match=r"label='scale'.*neither an input nor a parameter.*plain number"):
        trace(x * w * Value(2.0, label="scale"), inputs=[x], parameters=[w])


def test_an_output_that_depends_on_no_parameter_is_refused():
    x, w = leaves(2.0, 3.0)
    with pytest.raises(ValueError, match="depends on none of the 1 parameters"):
        trace(x * x, inputs=[x], parameters=[w])


@pytest.mark.parametrize(
    ("inputs", "parameters", "error", "says"),
    [
        ([0, 0], [1], ValueError, "listed twice among the inputs"),
        ([0], [1, 1], ValueError, "listed twice among the parameters"),
        ([0, 1], [1], ValueError, "both as an input and as a parameter"),
        ([0, 2], [1], ValueError, "an input is a leaf, but .* was computed"),
        ([0], [1, 2], ValueError, "a parameter is a leaf"),
    ],
)
def test_leaves_that_are_listed_wrongly_are_refused(inputs, parameters, error, says):
    nodes = leaves(2.0, 3.0)
    nodes.append(nodes[0] * nodes[1])
    with pytest.raises(error, match=says):
        trace(nodes[2], [nodes[i] for i in inputs], [nodes[i] for i in parameters])


def test_a_plain_number_is_refused_as_an_output_or_input():
    [w] = leaves(2.0)
    with pytest.raises(TypeError, match="output of a program is a Value, not float: 2.0"):
        trace(2.0, parameters=[w])
    with pytest.raises(TypeError, match="inputs are Values, not float"):
        trace(w * 2, inputs=[2.0], parameters=[w])


def test_an_unknown_backend_is_refused():
    [w] = leaves(2.0)
    with pytest.raises(ValueError, match="no backend 'fortran'; there are python, numpy, llvm, jax, torch"):
        trace(w * 2, parameters=[w]).compile("fortran")


# Domains


def test_an_error_is_that_of_values_with_the_sample():
    x, w = leaves(1.0, 2.0)
    step = trace(relu(log(w * x)), inputs=[x], parameters=[w]).compile()
    with pytest.raises(ValueError, match=r"^sample 2: log\(a\) at a = -2.0 \(v1\): "):
        step([2.0], [[1.0, 2.0, -1.0]])


def test_a_derivative_that_does_not_exist_is_an_error():
    [w] = leaves(4.0)
    step = trace(sqrt(w), parameters=[w]).compile()
    with pytest.raises(ZeroDivisionError, match=r"sample 0: the derivative ∂/∂a of sqrt\(a\)"):
        step([0.0])


@pytest.mark.parametrize(("base", "exponent"), [(-8.0, 1 / 3), (-1e300, 1.5), (-1e-300, 0.5)])
def test_a_real_power_of_a_negative_number_is_an_error_as_for_values(base, exponent):
    x, w = leaves(2.0, 0.5)
    step = trace(x**w, inputs=[x], parameters=[w]).compile()
    with pytest.raises(ValueError, match="a negative number has no real power that is not whole"):
        step([exponent], [[base]])


def test_whole_numbers_of_a_formula_are_computed_as_floats():
    big = "999999999999999"
    odd = Op("odd", f"a + {big} * {big} * {big} - 10 ** 300 * 7 ** 9", "1")
    [w] = leaves(1.0)
    y = odd(w)
    assert trace(y, parameters=[w]).compile()([1.0])[0] == y.data


def test_infinity_is_allowed_where_values_allow_it():
    x, w = leaves(1.0, 2.0)
    program = trace(w * x, inputs=[x], parameters=[w])
    assert program.compile()([2.0], [[math.inf]]) == (math.inf, [math.inf])
    assert program.compile()([1e300], [[1e300]]) == (math.inf, [1e300])


def test_the_first_line_that_is_not_finite_is_found():
    x, w = leaves(1.0, 2.0)
    program = trace(tanh(w * x), inputs=[x], parameters=[w])
    assert (
        program.find_nonfinite([1e300], [[1.0, 1e300]])
        == "sample 1: v1 = p1*p0 is inf at p1 = 1e+300, p0 = 1e+300"
    )
    assert program.find_nonfinite([1.0], [[1.0]]) is None
    assert program.find_nonfinite([1.0], [[1.0, math.nan]]) == "sample 1: p0 is nan"


def test_find_nonfinite_returns_a_domain_error():
    x, w = leaves(1.0, 2.0)
    program = trace(log(w * x), inputs=[x], parameters=[w])
    found = program.find_nonfinite([1.0], [[1.0, -1.0]])
    assert found.startswith("sample 1: log(a) at a = -1.0 (v1): ")


def test_a_source_with_functions_that_math_does_not_have_runs_on_its_own():
    x = Value(-1.5)
    program = trace(ops.floor(x) + 10 * ops.ceil(x) + 100 * ops.sign(x), inputs=[x])
    space = {}
    exec(program.source, space)
    assert space["step"]([], [-1.5])[0] == -2 - 10 - 100
    assert space["floor"](math.inf) == space["ceil"](math.inf) == math.inf
    assert all(math.isnan(space[word](math.nan)) for word in ("floor", "ceil", "sign"))
