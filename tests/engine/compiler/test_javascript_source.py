"""A program as a JavaScript module gives the numbers of Python, and fails with the words of Python."""

import json
import math
import random
import subprocess
import unicodedata
from itertools import chain

import pytest
from hypothesis import HealthCheck, assume, given, settings
from support.graphs import graphs
from support.javascript import NODE, Node, in_node

from engine import Op, Value, exp, log, relu, sigmoid, softmax, sqrt, tanh, total, trace, weighted_sum
from nn import MLP, losses

pytestmark = in_node


@pytest.fixture(scope="module")
def machine():
    with Node() as process:
        yield process


def call(machine, program, expression):
    """Return what an expression gives in the scope of the module."""
    body = program.javascript.replace("\nexport ", "\n")
    return machine.run(f"'use strict';\n{body}\nreturn {expression};")


def leaves(*names):
    return [Value(0.5, label=name) for name in names]


def error_of(function, *args):
    with pytest.raises((ArithmeticError, ValueError)) as caught:
        function(*args)
    return {"error": str(caught.value)}


# The numbers


def test_600_random_graphs_give_the_numbers_of_python(machine):
    errors = []

    @settings(max_examples=600, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(graphs())
    def compare(graph):
        nodes = graph.build()
        assume(graph.steps)
        inputs, parameters = nodes[:1], nodes[1 : len(graph.leaves)]
        outputs = [nodes[-1], nodes[len(graph.leaves)]]
        try:
            program = trace(outputs, inputs, parameters)
        except ValueError:  # the root depends on no parameter
            program = trace(outputs, [], [*inputs, *parameters])
        data = [node.data for node in nodes[: len(graph.leaves)]]
        inner = len(program.inputs)
        columns = [[x, x] for x in data[:inner]]
        mean, gradients, others = program.compile("python")(data[inner:], columns)
        expected = [mean, *gradients, *(x for column in others for x in column)]
        batch = f"{data[inner:]}, {columns}"
        one = f"{data[inner:]}, {data[:inner]}"
        calls = f"[steps({batch}), step({one}), values({batch})]"
        [mean, gradients, others], first, values = call(machine, program, calls)
        got = [mean, *gradients, *(x for column in others for x in column)]
        assert len(got) == len(expected)
        errors.append(max(abs(a - b) / max(1.0, abs(b)) for a, b in zip(got, expected)))
        assert first == [mean, gradients, [column[0] for column in others]]
        assert values == [[mean] * max(1, inner * 2), *others]

    compare()
    exact = sum(error == 0 for error in errors)
    assert len(errors) >= 600
    assert max(errors) <= 1e-12
    assert exact >= 0.8 * len(errors), f"{exact} of {len(errors)} to the last bit, worst {max(errors)}"


@pytest.mark.parametrize("loss", ["hinge", "half_squared_error", "binary_cross_entropy"])
def test_a_net_gives_the_numbers_of_the_python_backend_over_a_batch(loss, machine):
    random.seed(5)
    model = MLP(2, [4, 3, 1], activation="tanh", output="sigmoid")
    x, t = leaves("x0", "x1"), Value(1.0, label="t")
    root = getattr(losses, loss)(model(x), t)
    program = trace(root, [*x, t], model.parameters())
    parameters = [p.data for p in model.parameters()]
    columns = [[random.uniform(-1, 1) for _ in range(20)] for _ in range(2)] + [[1.0, 0.0] * 10]
    mean, gradients = program.compile("python")(parameters, columns)
    got = call(machine, program, f"steps({parameters}, {columns})")
    assert got[0] == pytest.approx(mean, rel=1e-14)
    assert got[1] == pytest.approx(gradients, rel=1e-13, abs=1e-16)
    assert call(machine, program, f"values({parameters}, {columns})") == pytest.approx(
        program.compile("python").values(parameters, columns), rel=1e-14
    )


def test_each_sample_takes_its_own_branch(machine):
    x, w = leaves("x", "w")
    program = trace(relu(w * x), [x], [w])
    assert call(machine, program, "steps([2], [[-1, 1, 3]])") == [8 / 3, [4 / 3]]


def test_operations_of_many_arguments_and_of_your_own_are_written(machine):
    x, w = leaves("x", "w")
    swish = Op("swish_js", "a * sigmoid(a)", "sigmoid(a) + y * (1 - sigmoid(a))")
    outputs = [swish(w * x), *softmax([w, x, w * x])]
    program = trace(outputs, [x], [w])
    mean, gradients, others = program.compile()([0.75], [[0.5, 2.0]])
    got = call(machine, program, "steps([0.75], [[0.5, 2]])")
    assert [got[0], *got[1]] == pytest.approx([mean, *gradients], rel=1e-14)
    assert list(chain(*got[2])) == pytest.approx(list(chain(*others)), rel=1e-14)


def test_outputs_may_be_leaves_numbers_and_the_same(machine):
    x, w = leaves("x", "w")
    program = trace([w, x, x + 0.0, w * w], [x], [w])
    assert call(machine, program, "steps([2], [[3, 4]])") == [
        2.0,
        [1.0],
        [[3.0, 4.0], [3.0, 4.0], [4.0, 4.0]],
    ]
    assert call(machine, program, "names") == {
        "inputs": ["x"], "parameters": ["w"], "outputs": list(program.outputs),
    }  # fmt: skip


def test_a_program_without_inputs_has_one_sample(machine):
    [w] = leaves("w")
    program = trace(w * w, parameters=[w])
    assert call(machine, program, "[step([3], []), steps([3], []), values([3], [])]") == [
        [9.0, [6.0]], [9.0, [6.0]], [9.0],
    ]  # fmt: skip


def test_a_program_without_parameters_only_predicts(machine):
    [x] = leaves("x")
    assert call(machine, trace(x * x, [x]), "steps([], [[1, 2]])") == [2.5, []]


def test_a_typed_array_is_a_column(machine):
    x, w = leaves("x", "w")
    program = trace(w * x, [x], [w])
    taken = "steps(Float64Array.of(2), [Float64Array.of(1, 2)]), step([2], Float64Array.of(1))"
    assert call(machine, program, f"[{taken}]") == [[3.0, [1.5]], [2.0, [1.0]]]


def test_a_very_long_sum_is_one_statement(machine):
    w = [Value(1.0, label=f"w{i}") for i in range(2000)]
    program = trace(weighted_sum(w, w), parameters=w)
    assert call(machine, program, f"steps({[1.0] * 2000}, [])[0]") == 2000.0


def test_a_module_runs_in_node_as_it_is(tmp_path):
    x, w = leaves("x", "w")
    (tmp_path / "net.mjs").write_text(trace(tanh(w * x), [x], [w]).javascript, encoding="utf-8")
    (tmp_path / "use.mjs").write_text(
        'import { step } from "./net.mjs";\nconsole.log(JSON.stringify(step([0.5], [1])));\n',
        encoding="utf-8",
    )
    done = subprocess.run([NODE, tmp_path / "use.mjs"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [math.tanh(0.5), [1 - math.tanh(0.5) ** 2]]


# Errors


@pytest.mark.parametrize(
    ("make", "data"),
    [
        (lambda w, x: sqrt(w * x), -2.0), (lambda w, x: sqrt(w * x), 0.0), (lambda w, x: log(w * x), -1.0),
        (lambda w, x: w / x, 0.0), (lambda w, x: exp(w * x), 1e4), (lambda w, x: (w * x) ** 0.5, -1.0),
        (lambda w, x: (w * x) ** 2, 1e200), (lambda w, x: sigmoid(w) + log(x * x), 0.0),
        (lambda w, x: relu(log(w * x)), -1.0), (lambda w, x: total([x, w]) / (x - 2 * w), 2.0),
    ],
)  # fmt: skip
def test_where_python_raises_the_words_are_those_of_python(make, data, machine):
    x, w = leaves("x", "w")
    program = trace(make(w, x), [x], [w])
    expected = error_of(program.compile(), [1.0], [[0.5, data]])
    assert expected["error"].startswith("sample 1: ")
    assert call(machine, program, f"steps([1], [[0.5, {data}]])") == expected
    expected["error"] = expected["error"].removeprefix("sample 1: ")
    assert call(machine, program, f"step([1], [{data}])") == expected


def test_the_values_need_no_derivative(machine):
    x, w = leaves("x", "w")
    x.data = 3.0
    program = trace(sqrt(w * x), [x], [w])
    assert call(machine, program, "values([1], [[4, 0]])") == [2.0, 0.0]
    later = trace([sqrt(w * x), log(x - 1)], [x], [w])
    expected = error_of(later.compile().values, [1.0], [[0.0]])
    assert call(machine, later, "values([1], [[0]])") == expected


def test_a_comparison_that_comes_out_differently_is_an_error(machine):
    x, w = leaves("x", "w")

    def choose(x):
        y = w * x
        return log(y) if x * 2 > 1 else -y

    x.data = 2.0
    program = trace(choose, [x], [w])
    assert call(machine, program, "steps([1], [[1, 3]])")[0] == pytest.approx(math.log(3) / 2)
    for data in (0.25, -1.0):
        expected = error_of(program.compile(), [1.0], [[2.0, data]])
        assert "sample 1: Python's comparison in" in expected["error"]
        assert call(machine, program, f"steps([1], [[2, {data}]])") == expected
        assert call(machine, program, f"values([1], [[2, {data}]])") == expected


@pytest.mark.parametrize(
    ("parameters", "columns"),
    [([1.0, 2.0], [[1.0]]), ([1.0], []), ([math.nan], [[1.0]]), ([1.0], [[1.0, math.nan]]), ([1.0], [[]])],
)
def test_wrong_arguments_are_refused_in_the_words_of_python(parameters, columns, machine):
    x, w = leaves("x", "w")
    program = trace(w * x, [x], [w])
    expected = error_of(program.compile(), parameters, columns)
    assert call(machine, program, f"steps({json.dumps(parameters)}, {json.dumps(columns)})") == expected


def test_wrong_arguments_are_named(machine):
    x, w = leaves("x", "w")
    program = trace(w * x, [x], [w])
    for arguments, words in [
        ('["a"], [1]', "the parameters: expected a number, not string: a"),
        ("[1], [1, 2]", "expected 1 input (x), not 2"),
        ("[1], [undefined]", "the inputs: expected a number, not undefined: undefined"),
    ]:
        assert call(machine, program, f"step({arguments})") == {"error": words}
    two = trace(w * x, [x, w])
    expected = error_of(two.compile(), [], [[1.0], [1.0, 2.0]])
    assert call(machine, two, "steps([], [[1], [1, 2]])") == expected


# Names


@pytest.mark.parametrize(
    "label",
    ["new", "class", "let", "await", "eval", "arguments", "Math", "undefined", "sample", "columns", "t", "t0",
     "f0", "names", "sigmoid", "pow", "divide", "values", "total", "__proto__", "constructor", "Δ", "σ′",
     "w₁", "漢字", "</script><script>", "<b>", "`${x}`", "'); throw 1; //", "a\nb", "\u2028", "\ud800", "",
     "x" * 300],
)  # fmt: skip
def test_any_label_becomes_a_name(label, machine):
    x, w = leaves(label, label)
    y = sigmoid(w * x) / x
    y.label = label
    program = trace([y, *softmax([x, w])], [x], [w])
    mean, gradients, others = program.compile()([0.75], [[0.5]])
    got = call(machine, program, "steps([0.75], [[0.5]])")
    assert [got[0], *got[1], *chain(*got[2])] == pytest.approx([mean, *gradients, *chain(*others)], rel=1e-14)
    assert call(machine, program, "steps([1], [[0]])") == error_of(program.compile(), [1.0], [[0.0]])
    assert "</" not in program.javascript
    program.javascript.encode("utf-8")


def test_every_letter_of_a_name_is_legal_in_javascript(machine):
    letters = [chr(c) for c in range(0x80, 0x20000) if chr(c).isidentifier() and not 0xD800 <= c < 0xE000]
    letters = [c for c in letters if unicodedata.normalize("NFKC", c).isidentifier()]
    for start in range(0, len(letters), 4000):
        some = letters[start : start + 4000]
        w = [Value(1.0, label=c) for c in some]
        program = trace(weighted_sum(w[:1], w[:1]), w[1:], w[:1])
        assert call(machine, program, f"values([2], {[[1.0]] * (len(w) - 1)})") == [4.0]
