"""explain shows the numbers of the engine in texts of bounded length."""

import math
import random
import re
import sys

import pytest

from engine import Op, Value, backward_steps, exp, grad, ops, relu, tanh, topological_order, weighted_sum
from engine.core import backward
from engine.core.value import Constant
from engine.view.backward_pass import BackwardPass
from engine.view.explain import explain
from engine.view.phrases import Latex, Plain, names
from nn import MLP
from nn.training.losses import half_squared_error


@pytest.fixture
def xwy():
    x, w = Value(3.0, label="x"), Value(-2.0, label="w")
    y = x * w + x
    y.label = "y"
    return x, w, y


def net(atomic=False):
    model = MLP(2, [2, 2], activation="tanh", output="tanh", rng=random.Random(1), atomic=atomic)
    loss = half_squared_error(model([1.0, -2.0]), [1, 0])
    loss.label = "E"
    return model, loss


# The steps


def test_a_step_shows_formula_numbers_local_gradient_and_contribution(xwy):
    x, _, y = xwy
    text = str(explain(x, y))
    assert "v1 = x * w = -6 (x = 3, w = -2). The edge x → v1 has the local gradient w = -2." in text
    assert "Upstream × local = contribution: 1 × (-2) = -2. The gradient of x becomes 1 + (-2) = -1." in text


def test_the_steps_are_those_of_the_backward_pass_and_do_not_change_the_graph(xwy):
    x, w, y = xwy
    y.backward()
    before = [node.grad for node in topological_order(y)]
    run = BackwardPass(y)
    explain(x, y)
    assert [node.grad for node in topological_order(y)] == before
    last = {step.edge.parent: step.edge.total for step in run.steps}
    assert [last[node] for node in (x, w)] == grad(y, [x, w]) == [run.gradients[node] for node in (x, w)]
    assert all(step.before + step.edge.contribution == step.edge.total for step in run.steps)
    x.grad = w.grad = 0.0
    assert [step.edge for step in run.steps] == list(backward_steps(y))


def test_an_earlier_gradient_of_a_leaf_is_not_included(xwy):
    x, _, y = xwy
    x.grad = 100.0
    assert next(step for step in BackwardPass(y).steps if step.edge.parent is x).before == 0.0


def test_only_the_steps_on_the_paths_are_explained(xwy):
    _, w, y = xwy
    assert "gradient of x becomes" not in str(explain(w, y))


def test_each_edge_of_a_value_that_is_used_twice_is_explained():
    x = Value(3.0, label="x")
    text = str(explain(x, x * x))
    assert "The 1st edge x → v1 has" in text
    assert "The 2nd edge x → v1 has" in text
    assert "becomes 0 + 3 = 3." in text
    assert "becomes 3 + 3 = 6." in text


def test_a_gradient_with_one_contribution_is_not_shown_as_a_sum(xwy):
    _, w, y = xwy
    assert "The gradient of w becomes 3." in str(explain(w, y))


def test_a_choice_is_shown_in_brackets_and_without_its_numbers():
    x = Value(3.0, label="x")
    text = str(explain(x, relu(x)))
    assert "relu(x) = (0 if x <= 0 else x) = 3" in text
    assert "the local gradient (0 if x <= 0 else 1) = 1." in text


def test_a_zero_is_shown_without_a_sign():
    x = Value(-0.0, label="x")
    text = str(explain(x, -x * 0.0))
    assert not re.search(r"-0(?![.\d])", text)


@pytest.mark.parametrize("symbol", [symbol for symbol, op in ops.table.items() if getattr(op, "at", None)])
def test_every_row_of_the_table_is_explained(symbol):
    op = ops.table[symbol]
    args = [Value(x) for x in op.at[0]]
    y = op(*args)
    for arg, local in zip(args, y.local_gradients(), strict=True):
        story = explain(arg, y)
        assert f"= {local:.4g}" in str(story)
        assert story.markdown.count("$") % 2 == 0
        assert story.markdown.count("{") == story.markdown.count("}")


def test_a_row_of_the_users_own_is_explained():
    swish = Op("swish_told", "a * sigmoid(a)", "sigmoid(a) + y * (1 - sigmoid(a))")
    x = Value(0.0, label="x")
    assert "swish_told(x) = x * sigmoid(x) = 0" in str(explain(x, swish(x)))


def test_the_derivative_of_a_power_is_simplified():
    x = Value(3.0, label="x")
    assert "local gradient 2 * x = 2 * 3 = 6." in str(explain(x, x**2))
    assert "local gradient 3 * x ** 2 = 3 * 3 ** 2 = 27." in str(explain(x, x**3))


# Paths


def test_the_gradient_is_the_sum_over_the_paths(xwy):
    x, _, y = xwy
    text = str(explain(x, y))
    assert "There are 2 paths from x to y." in text
    assert "- x → v1 → y: (-2) × 1 = -2" in text
    assert "- x → y: 1" in text
    assert "Sum: (-2) + 1 = -1." in text


def test_paths_are_counted_not_followed():
    x = y = Value(1.0, label="x")
    for _ in range(60):
        y = y + y
    text = str(explain(x, y))
    assert "There are 1,152,921,504,606,846,976 paths" in text
    assert "and 1,152,921,504,606,846,968 more." in text
    assert "(52 of its 60 edges are left out)" in text
    assert "… 96 steps in between …" in text
    assert len(text.splitlines()) < 60


def test_ten_to_the_power_of_602_paths_are_counted():
    x = y = Value(1e-320, label="x")
    for _ in range(2000):
        y = y - y
    assert "about 1.148e+602 paths" in str(explain(x, y))


def test_a_graph_of_any_depth_is_explained():
    x = y = Value(1.0, label="x")
    for _ in range(5000):
        y = relu(y)
    assert "A single path" in str(explain(x, y))
    assert "5,000 steps" in str(explain(y))


def test_as_many_paths_are_listed_as_were_counted(xwy):
    x, _, _ = xwy
    y = exp(x) * tanh(x) + x * x
    run = BackwardPass(y)
    number, nodes = run.count_paths(x)
    found = [tuple(path) for path in run.paths(x, nodes)]
    assert len(found) == len(set(found)) == number == 4


def test_the_explanation_without_a_path_gives_a_gradient_of_0(xwy):
    x, _, y = xwy
    text = str(explain(Value(1.0, label="other"), y))
    assert text.startswith("∂y/∂other = 0")
    assert "no path" in text
    assert "no path" in str(explain(y, x))


def test_the_gradient_of_a_value_with_respect_to_itself_is_explained_as_1(xwy):
    assert str(explain(xwy[0], xwy[0])) == (
        "∂x/∂x = 1, where x = 3.\n\nThe derivative of x with respect to itself is 1: ∂x/∂x = 1."
    )


def test_a_plain_number_has_no_gradient():
    x, two = Value(3.0, label="x"), Constant(2.0, "two")
    assert str(explain(two, x * two)).endswith("two is a plain number, which has no gradient.")


def test_the_gradient_of_an_inner_node_is_explained(xwy):
    y = xwy[2]
    assert str(explain(y.parents[0], y)).startswith("∂y/∂v1 = 1")


# The whole pass


def test_for_a_single_argument_the_whole_pass_is_explained_in_order(xwy):
    text = str(explain(xwy[2]))
    assert text.startswith("The backward pass starts at y, with ∂y/∂y = 1.\nIt takes 4 steps, one")
    assert "It takes 1 step, one" in str(explain(relu(xwy[0])))
    assert explain(xwy[2]).latex == r"\frac{\partial y}{\partial y} = 1"
    assert re.findall(r"gradient of (\w+) becomes", text) == ["v1", "x", "x", "w"]


# In the textbook's terms


@pytest.mark.parametrize("atomic", [False, True], ids=["weighted sums", "single operations"])
def test_a_hidden_neuron_is_explained_in_the_textbooks_terms(atomic):
    model, loss = net(atomic)
    order = {node.label: node for node in topological_order(loss)}
    w = model.layers[0].neurons[0].w[1]
    d, d0, d1 = grad(loss, [order[name] for name in ("z1_0", "z2_0", "z2_1")])
    text = str(explain(w, loss))
    assert "Δ_k = -∂E/∂z1_0" in text
    assert "g'(in_k) = ∂a1_0/∂z1_0 = 1 - a1_0 ** 2" in text
    assert "Σ w Δ = w2_0_0 × Δ2_0 + w2_0_1 × Δ2_1 = " in text
    assert f"{-d0:.4g}" in text
    assert f"{-d1:.4g}" in text
    assert "So Δ1_0 = g'(in_k) × Σ w Δ = " in text
    assert f"= {-d:.4g}." in text
    assert "So -∂E/∂w1_1_0 = a_j × Δ_k = x1 × Δ1_0 = (-2) × " in text
    assert f"= {-grad(loss, [w])[0]:.4g}." in text


@pytest.mark.parametrize("which", ["preactivation", "activation"])
def test_a_neuron_itself_is_explained_in_the_same_terms(which):
    model = MLP(2, [2, 1], "tanh", rng=random.Random(0))
    y = model([1.0, 2.0])
    a = next(node for node in topological_order(y) if node.label == "a1_0")
    z = a.parents[0]
    text = str(explain(z if which == "preactivation" else a, y))
    meaning = "in_k = z1_0, a_k = a1_0, Δ_k = -∂z2_0/∂z1_0 (here z2_0 takes the place of E):"
    assert f"In the textbook's terms, where {meaning}" in text
    assert "It leads to 1 neuron. Its signal comes back over the weight: Σ w Δ = w2_0_0 × Δ2_0 = " in text
    [gradient] = grad(y, [z])
    assert text.endswith(f"= {-gradient:.4g}.")


def test_an_output_neuron_gets_its_error_from_the_loss():
    model, loss = net()
    text = str(explain(model.layers[1].neurons[0].b, loss))
    a = next(node for node in topological_order(loss) if node.label == "a2_0")
    assert f"It is an output node. Its error is -∂E/∂a2_0 = {1 - a.data:.4g}." in text


def test_a_bias_is_a_weight_whose_input_is_1():
    model, loss = net()
    b = model.layers[1].neurons[0].b
    text = str(explain(b, loss))
    assert "A bias is a weight whose input is 1: -∂E/∂b2_0 = a_j × Δ_k = 1 × Δ2_0 = " in text


def test_a_neuron_without_activation_has_the_derivative_1():
    model = MLP(1, [1], rng=random.Random(0))
    y = model([2.0])
    assert "no activation, so g'(in_k) = 1" in str(explain(model.layers[0].neurons[0].w[0], y))


def test_a_weight_that_many_samples_share_is_explained_for_three_of_them():
    model, _ = net()
    w = model.layers[0].neurons[0].w[0]
    loss = sum(half_squared_error(model([float(i), 1.0]), [0, 0]) for i in range(10))
    text = str(explain(w, loss))
    assert text.count("In the textbook's terms") == 3
    assert [f"terms for sample {n}," in text for n in range(1, 5)] == [True, True, True, False]
    assert "likewise for 7 more samples." in text
    [gradient] = grad(loss, [w])
    whole = f"-∂{names(topological_order(loss))[loss]}/∂w1_0_0 = {-gradient:.4g}"
    assert text.endswith(f"The shares of all 10 samples add up to {-gradient:.4g}, which is {whole}.")
    text = str(explain(w, loss + 0.5 * w * w))
    assert f"The shares of all 10 samples add up to {-gradient:.4g}; other paths add the rest of -∂" in text


def test_one_more_sample_is_written_in_the_singular():
    model, _ = net()
    w = model.layers[0].neurons[0].w[0]
    loss = sum(half_squared_error(model([float(i), 1.0]), [0, 0]) for i in range(4))
    assert "likewise for 1 more sample." in str(explain(w, loss))


@pytest.mark.parametrize("atomic", [False, True], ids=["weighted sums", "single operations"])
def test_with_any_labels_a_neuron_is_explained_with_the_same_numbers(atomic):
    model, _ = net(atomic)

    def numbers(loss):
        found = []
        for node in [*model.parameters(), *topological_order(loss)]:
            text = str(explain(node, loss))
            _, _, terms = text.partition("In the textbook's terms")
            found.append((re.findall(r" (\(?-?\d[\d.e-]*\)?)(?=[ .,])", terms), terms.count("\n")))
        return found

    loss = sum(half_squared_error(model([float(i), 1.0]), [0, 0]) for i in range(2))
    before = numbers(loss)
    for i, node in enumerate(topological_order(loss)):
        node.label = ("z1_0", "w", "nonsense", "b9_9", "a2_0#2", "node")[i % 6]
    assert sum(bool(lines) for _, lines in before) >= 20
    assert numbers(loss) == before


def test_without_a_neuron_the_textbook_is_not_mentioned(xwy):
    assert "textbook" not in str(explain(xwy[0], xwy[2]))


# Output


def test_an_explanation_is_shown_as_text_markdown_and_latex(xwy):
    story = explain(xwy[0], xwy[2])
    assert repr(story) == str(story) == story.text
    assert story._repr_markdown_().startswith(r"$\frac{\partial y}{\partial x} = -1$")
    assert story._repr_latex_() == r"$\displaystyle \frac{\partial y}{\partial x} = -1$"


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", "a$b$c", "}\\end{", "`x`", "x|y", "<!--", "&lt;"]
)
def test_in_markdown_no_label_is_markup(label):
    x = Value(1.0, label=label)
    markdown = explain(x, x * x).markdown
    assert not set("<`&") & set(markdown)
    assert markdown.count("$") % 2 == 0
    assert str(explain(x, x * x)).startswith(f"∂v1/∂{label} = 2")


def test_a_label_of_several_lines_is_shown_on_one():
    x = Value(1.0, label="a\nb\x1b")
    assert str(explain(x, x * x)).startswith("∂v1/∂a b\ufffd = 2")


def test_many_parents_are_named_in_part():
    w = [Value(float(i), label=f"w{i}") for i in range(50)]
    z = weighted_sum(w, [1.0] * 50)
    text = str(explain(w[49], z))
    assert "Σwa(w0, w1, w2, w3, w4, …, 0) = 1225" in text
    assert max(map(len, text.splitlines())) < 300


def test_every_node_has_a_different_name():
    nodes = [Value(1.0, label=label) for label in ("x", "x", "x#2", "v1", "", "", "x")]
    assert len(set(names(nodes).values())) == len(nodes)


def test_digits_at_the_end_of_a_name_are_indices_in_latex():
    pen = Latex({})
    assert [pen.text(name) for name in ("w1_3_0", "x0", "x", "loss", "v12", "Δ1_3")] == [
        "w_{1,3,0}", "x_{0}", "x", r"\text{loss}", "v_{12}", "Δ_{1,3}",
    ]  # fmt: skip
    assert pen.number(1.5e-7) == r"1.5 \cdot 10^{-7}"
    assert Plain({}).number(1.5e-7) == "1.5e-07"


EXTREME = [math.nan, math.inf, -math.inf, -0.0, 1e-320, -1e-320, 1e308, 0.0]
LABELS = [
    "",
    "\0",
    "\n",
    "a\nb",
    "<b>&amp;</b>",
    "$x$ `y` \\",
    "😀",
    "x̂",
    "漢_1",
    "_",
    "1",
    "_1",
    "w__1",
    "\ud800",
]


@pytest.mark.parametrize("data", EXTREME, ids=repr)
@pytest.mark.parametrize("symbol", sorted(ops.table))
def test_no_number_crashes_an_explanation(symbol, data):
    op = ops.table[symbol]
    x, w = Value(data, label="x"), Value(2.0, label="w")
    try:
        y = op(x, w) if len(getattr(op, "partials", "ab")) == 2 else op(x)
    except (ArithmeticError, ValueError, TypeError):
        y = x * w * data
    for explanation in (explain(x, y), explain(y), explain(w, y)):
        assert explanation.markdown.count("$") % 2 == 0
        assert explanation.markdown.count("{") == explanation.markdown.count("}")


@pytest.mark.parametrize(
    "label", [*LABELS, "m" * 1_000_000, "\n" * 1_000_000], ids=lambda label: repr(label[:9])
)
def test_no_label_crashes_an_explanation(label):
    model = MLP(1, [1, 1], "tanh", rng=random.Random(0))
    y = model([2.0])
    for node in topological_order(y):
        node.label = label
    for node in topological_order(y):
        explanation = explain(node, y)
        assert len(explanation.text) < 20_000
        assert len(explanation.markdown) < 20_000
        assert explanation.markdown.count("$") % 2 == 0


def test_the_first_nan_is_named():
    x = Value(math.inf, label="x")
    assert "The first number that is NaN: v1 = x - x = nan (x = inf)." in str(explain(x, (x - x) * 2))
    nan = Value(math.nan, label="n")
    assert "The first number that is NaN: n, a leaf." in str(explain(nan, nan * 2))
    assert "The first number that is NaN: a plain number, in v1 = x * nan" in str(explain(x, x * math.nan))
    t = Value(0.0, label="t")
    text = str(explain(t, relu(t) * 1e200 * 1e200))
    assert "No number of the forward pass is NaN" in text


@pytest.mark.parametrize(
    "symbol", ["a$b", "<script>", "a&b", "a`b`", "a{b", "q\\", "x|y", "<", ">=", "a_b", "名"]
)
def test_in_markdown_no_symbol_is_markup(symbol):
    op = Op(symbol, "a + 1", "1")
    try:
        markdown = explain(x := Value(1.0, label="x"), op(x)).markdown
    finally:
        del ops.table[symbol]
    assert not set("<`&") & set(markdown)
    assert markdown.count("$") % 2 == 0
    assert markdown.count("{") == markdown.count("}")


@pytest.mark.parametrize("atomic", [False, True], ids=["weighted sums", "single operations"])
def test_the_graph_is_sorted_once_and_differentiated_once(atomic, monkeypatch):
    model, loss = net(atomic)
    sorted_graphs, edges = [], []

    def counted_sort(root):
        sorted_graphs.append(root)
        return topological_order(root)

    def counted_pass(nodes):
        nodes = list(nodes)
        edges.extend(parent for node in nodes for parent in node.parents)
        backward.pass_on(nodes)

    for name, module in sys.modules.items():
        if name.startswith("engine."):
            for function, counted in (("topological_order", counted_sort), ("pass_on", counted_pass)):
                if hasattr(module, function) and module is not backward:
                    monkeypatch.setattr(module, function, counted)
    run = BackwardPass(loss)
    assert len(edges) == len(run.steps) == sum(not p.constant for node in run.order for p in node.parents)
    for node in (*model.parameters(), loss, *loss.parents):
        sorted_graphs.clear()
        edges.clear()
        explain(node, loss)
        assert sorted_graphs == [loss]
        assert len(edges) == len(run.steps)
        explain(node, run)  # an existing pass is not computed again
        assert len(sorted_graphs) == 1
        assert len(edges) == len(run.steps)


@pytest.mark.parametrize("wrong", [(1.0, None), (Value(1.0), 2.0), ("x", Value(1.0))])
def test_explaining_anything_but_values_is_an_error(wrong):
    with pytest.raises(TypeError, match="expected a Value, not"):
        explain(*wrong)


def test_a_nan_that_was_given_as_a_plain_number_is_shown_in_its_operation():
    w = Value(2.0, label="w")
    text = str(explain(w, w * math.nan + 1.0))
    assert "The first number that is NaN: a plain number, in v1 = w * nan = nan (w = 2)." in text


def test_a_nan_that_is_on_no_path_from_the_leaf_is_not_mentioned():
    text = str(explain(Value(1.0, label="q"), Value(math.nan, label="w") * 2.0))
    assert "first number that is NaN" not in text
    assert "does not depend on" in text
