"""explain shows the numbers of the engine in texts of bounded length."""

import math
import random
import re
import sys

import pytest

from engine import (
    Op,
    Value,
    backward_steps,
    exp,
    floor,
    grad,
    leaky_relu,
    maximum,
    ops,
    relu,
    sigmoid,
    tanh,
    topological_order,
    weighted_sum,
)
from engine.core import backward
from engine.core.value import Constant
from engine.view.backward_pass import BackwardPass
from engine.view.explain import explain
from engine.view.phrases import Latex, Plain, names
from nn import MLP
from nn.training.losses import half_squared_error


def flat(explanation):
    """Return the text of an explanation on one line."""
    return " ".join(str(explanation).split())


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
    text = flat(explain(x, y))
    assert "v1 = x · w = -6 (x = 3, w = -2). The edge x → v1 has the local gradient w = -2." in text
    assert "Upstream × local = contribution: 1 · (-2) = -2. The gradient of x becomes 1 + (-2) = -1." in text


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
    assert "gradient of x becomes" not in flat(explain(w, y))


def test_each_edge_of_a_value_that_is_used_twice_is_explained():
    x = Value(3.0, label="x")
    text = flat(explain(x, x * x))
    assert "The 1st edge x → v1 has" in text
    assert "The 2nd edge x → v1 has" in text
    assert "becomes 0 + 3 = 3." in text
    assert "becomes 3 + 3 = 6." in text


def test_a_gradient_with_one_contribution_is_not_shown_as_a_sum(xwy):
    _, w, y = xwy
    assert "The gradient of w becomes 3." in flat(explain(w, y))


def test_of_a_choice_the_case_that_holds_is_shown_with_its_reason():
    x = Value(3.0, label="x")
    text = flat(explain(x, leaky_relu(x)))
    assert "leaky_relu(x) = (0.01 · x if x ≤ 0, else x) = 3" in text
    assert "has the local gradient 1, as x = 3 > 0." in text
    x = Value(-3.0, label="x")
    assert "has the local gradient 0.01, as x = -3 ≤ 0." in flat(explain(x, leaky_relu(x)))
    a, b = Value(2.0, label="a"), Value(1.0, label="b")
    assert "has the local gradient 1, as a = 2 ≥ b = 1." in flat(explain(a, maximum(a, b)))
    x = Value(math.nan, label="x")
    assert "has the local gradient 1, as x = nan." in flat(explain(x, relu(x)))


KINKS = [
    (relu, 0.0, "x = 0 is a kink: the derivative is 0 on the left and 1 on the right; the table picks 0"),
    (leaky_relu, 0.0, "the derivative is 0.01 on the left and 1 on the right; the table picks 0.01"),
    (ops.get_op("abs"), 0.0, "the derivative is -1 on the left and 1 on the right; the table picks 0"),
    (lambda x: maximum(x, 2.0), 2.0, "the derivative is 0 on the left and 1 on the right; the table picks 1"),
    (floor, 3.0, "the function jumps at x = 3 and has no derivative there; the table picks 0"),
]


@pytest.mark.parametrize(("op", "at", "remark"), KINKS)
def test_at_a_kink_both_sides_and_the_choice_are_named(op, at, remark):
    x = Value(at, label="x")
    assert remark in flat(explain(x, op(x)))
    assert remark.split()[-1] == f"{grad(op(x), [x])[0]:.4g}"
    for beside in (at - 0.25, at + 0.25):
        x = Value(beside, label="x")
        assert "table picks" not in flat(explain(x, op(x)))


def test_a_guarded_operation_is_shown_in_the_textbooks_form():
    x, n = Value(2.0, label="x"), Value(3.0, label="n")
    assert "v1 = xⁿ = 8" in flat(explain(x, x**n))
    assert "has the local gradient n · xⁿ⁻¹ = 3 · 2^(3 - 1) = 12." in flat(explain(x, x**n)).replace(
        "2³⁻¹", "2^(3 - 1)"
    )
    assert "σ(x) = 1 / (1 + e⁻ˣ) = 0.8808" in flat(explain(x, sigmoid(x)))
    assert "max(x, n) = 3" in flat(explain(x, maximum(x, n)))
    for word in ("**", "*", "<=", "abs(", "if "):
        assert word not in flat(explain(x, x**n * sigmoid(x) + maximum(x, n)))


def test_a_local_gradient_is_not_written_as_the_derivative_of_the_root():
    x = Value(3.0, label="x")
    y = x * x
    y.label = "y"
    text = flat(explain(x, y))
    assert text.count("∂y/∂x") == 1
    assert text.startswith("∂y/∂x = 6")


def test_a_note_says_that_shown_numbers_are_rounded():
    x = Value(3.0, label="x")
    assert "four digits" not in str(explain(x, x * 0.5))
    assert str(explain(x, x / 7.0)).endswith("(Numbers are shown to four digits.)")
    assert explain(x, x / 7.0).markdown.endswith("(Numbers are shown to four digits.)")


def test_a_zero_is_shown_without_a_sign():
    x = Value(-0.0, label="x")
    text = flat(explain(x, -x * 0.0))
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
    assert "swish_told(x) = x · σ(x) = 0" in flat(explain(x, swish(x)))


def test_the_derivative_of_a_power_is_simplified():
    x = Value(3.0, label="x")
    assert "local gradient 2 · x = 2 · 3 = 6." in flat(explain(x, x**2))
    assert "local gradient 3 · x² = 3 · 3² = 27." in flat(explain(x, x**3))


# Paths


def test_the_gradient_is_the_sum_over_the_paths(xwy):
    x, _, y = xwy
    text = flat(explain(x, y))
    assert "There are 2 paths from x to y." in text
    assert "- x → v1 → y: (-2) · 1 = -2" in text
    assert "- x → y: 1" in text
    assert "Sum: (-2) + 1 = -1." in text


def test_paths_are_counted_not_followed():
    x = y = Value(1.0, label="x")
    for _ in range(60):
        y = y + y
    text = flat(explain(x, y))
    assert "There are 1,152,921,504,606,846,976 paths" in text
    assert "(1,152,921,504,606,846,976 such paths)" in text
    assert "Sum: 1.153e+18 · 1 = 1.153e+18." in text
    assert "(52 of its 60 edges are left out)" in text
    assert "… 96 steps in between …" in text
    assert len(explain(x, y).markdown.splitlines()) < 60


@pytest.mark.parametrize(("edges", "left_out"), [(8, 0), (9, 0), (10, 2)])
def test_of_a_path_no_single_edge_is_left_out(edges, left_out):
    x = y = Value(0.5, label="x")
    for _ in range(edges):
        y = tanh(y)
    text = flat(explain(x, y))
    assert text.count("…") == (2 if left_out else 0)
    assert ("left out" in text) == bool(left_out)


@pytest.mark.parametrize(("steps", "left_out"), [(24, 0), (25, 0), (26, 2)])
def test_of_the_steps_no_single_one_is_left_out(steps, left_out):
    y = Value(0.5, label="x")
    for _ in range(steps):
        y = tanh(y)
    assert ("in between" in flat(explain(y))) == bool(left_out)


def test_paths_that_are_not_listed_are_counted():
    x = y = Value(1.0, label="x")
    for _ in range(60):
        y = relu(y) + abs(y)
    text = flat(explain(x, y))
    assert "There are 1,152,921,504,606,846,976 paths" in text
    assert "and 1,152,921,504,606,846,968 more. Together: 1.153e+18." in text


def test_equal_paths_are_listed_once_with_their_number():
    x = Value(3.0, label="x")
    text = flat(explain(x, (x * x) * (x * x)))
    assert text.count("27 (2 such paths)") == 2
    assert "Sum: 2 · 27 + 2 · 27 = 108." in text
    text = flat(explain(x, x - x))
    assert "Sum: 1 + (-1) = 0." in text


def test_ten_to_the_power_of_602_paths_are_counted():
    x = y = Value(1e-320, label="x")
    for _ in range(2000):
        y = y - y
    assert "about 1.148e+602 paths" in flat(explain(x, y))


def test_a_graph_of_any_depth_is_explained():
    x = y = Value(1.0, label="x")
    for _ in range(5000):
        y = relu(y)
    assert "A single path" in flat(explain(x, y))
    assert "5,000 steps" in flat(explain(y))


def test_as_many_paths_are_listed_as_were_counted(xwy):
    x, _, _ = xwy
    y = exp(x) * tanh(x) + x * x
    run = BackwardPass(y)
    number, nodes = run.count_paths(x)
    found = [tuple(path) for path in run.paths(x, nodes)]
    assert len(found) == len(set(found)) == number == 4


def test_the_explanation_without_a_path_gives_a_gradient_of_0(xwy):
    x, _, y = xwy
    text = flat(explain(Value(1.0, label="other"), y))
    assert text.startswith("∂y/∂other = 0")
    assert "no path" in text
    assert "no path" in flat(explain(y, x))


def test_the_gradient_of_a_value_with_respect_to_itself_is_explained_as_1(xwy):
    assert str(explain(xwy[0], xwy[0])) == (
        "∂x/∂x = 1, where x = 3.\n\nThe derivative of x with respect to itself is 1: ∂x/∂x = 1."
    )


def test_a_plain_number_has_no_gradient():
    x, two = Value(3.0, label="x"), Constant(2.0, "two")
    assert flat(explain(two, x * two)).endswith("two is a plain number, which has no gradient.")


def test_the_gradient_of_an_inner_node_is_explained(xwy):
    y = xwy[2]
    assert flat(explain(y.parents[0], y)).startswith("∂y/∂v1 = 1")


# The whole pass


def test_for_a_single_argument_the_whole_pass_is_explained_in_order(xwy):
    text = str(explain(xwy[2]))
    assert text.startswith("The backward pass starts at y, with ∂y/∂y = 1.\nIt takes 4 steps, one")
    assert "It takes 1 step, one" in flat(explain(relu(xwy[0])))
    assert explain(xwy[2]).latex == r"\frac{\partial y}{\partial y} = 1"
    assert re.findall(r"gradient of (\w+) becomes", " ".join(text.split())) == ["v1", "x", "x", "w"]


# In the textbook's terms


@pytest.mark.parametrize("atomic", [False, True], ids=["weighted sums", "single operations"])
def test_a_hidden_neuron_is_explained_in_the_textbooks_terms(atomic):
    model, loss = net(atomic)
    order = {node.label: node for node in topological_order(loss)}
    w = model.layers[0].neurons[0].w[1]
    d, d0, d1 = grad(loss, [order[name] for name in ("z1_0", "z2_0", "z2_1")])
    text = flat(explain(w, loss))
    assert "Δ_j = -∂E/∂z1_0:" in text
    assert "g'(in_j) = 1 - a1_0² = 1 - " in text
    assert "Σ_k w_jk Δ_k = w2_0_0 · Δ2_0 + w2_0_1 · Δ2_1 = " in text
    assert f"{-d0:.4g}" in text
    assert f"{-d1:.4g}" in text
    assert "So Δ1_0 = g'(in_j) · Σ_k w_jk Δ_k = " in text
    assert f"= {-d:.4g}." in text
    assert "So -∂E/∂w1_1_0 = a_i · Δ_j = x1 · Δ1_0 = (-2) · " in text
    assert f"= {-grad(loss, [w])[0]:.4g}." in text


@pytest.mark.parametrize("which", ["preactivation", "activation"])
def test_a_neuron_itself_is_explained_in_the_same_terms(which):
    model = MLP(2, [2, 1], "tanh", rng=random.Random(0))
    y = model([1.0, 2.0])
    a = next(node for node in topological_order(y) if node.label == "a1_0")
    z = a.parents[0]
    text = flat(explain(z if which == "preactivation" else a, y))
    meaning = "in_j = z1_0, a_j = a1_0, Δ_j = -∂z2_0/∂z1_0 (here z2_0 takes the place of E):"
    assert f"In the textbook's terms, where {meaning}" in text
    assert "It feeds 1 neuron. Its signal comes back over the weight: Σ_k w_jk Δ_k = w2_0_0 · Δ2_0 = " in text
    [gradient] = grad(y, [z])
    assert text.endswith(f"= {-gradient:.4g}. (Numbers are shown to four digits.)")


def test_an_output_neuron_gets_its_error_from_the_loss():
    model, loss = net()
    text = flat(explain(model.layers[1].neurons[0].b, loss))
    a = next(node for node in topological_order(loss) if node.label == "a2_0")
    error = f"t_k - a_k = 1 - ({a.data:.4g}) = {1 - a.data:.4g}"
    assert f"It is an output node, so its error is {error}. This is -∂E/∂a2_0." in text


def test_a_bias_is_a_weight_whose_input_is_1():
    model, loss = net()
    b = model.layers[1].neurons[0].b
    text = flat(explain(b, loss))
    assert "A bias is a weight whose input is 1: -∂E/∂b2_0 = 1 · Δ2_0 = 1 · " in text


def test_a_neuron_without_activation_has_the_derivative_1():
    model = MLP(1, [1], rng=random.Random(0))
    y = model([2.0])
    assert "no activation, so g'(in_k) = 1" in flat(explain(model.layers[0].neurons[0].w[0], y))


def test_a_weight_that_many_samples_share_is_explained_for_three_of_them():
    model, _ = net()
    w = model.layers[0].neurons[0].w[0]
    loss = sum(half_squared_error(model([float(i), 1.0]), [0, 0]) for i in range(10))
    text = flat(explain(w, loss))
    assert text.count("In the textbook's terms") == 3
    assert [f"terms for sample {n}," in text for n in range(1, 5)] == [True, True, True, False]
    assert "likewise for 7 more samples." in text
    [gradient] = grad(loss, [w])
    whole = f"-∂{names(topological_order(loss))[loss]}/∂w1_0_0 = {-gradient:.4g}"
    assert f"The shares of the 10 samples add up to {-gradient:.4g}, which is {whole}." in text
    text = flat(explain(w, loss + 0.5 * w * w))
    assert f"The shares of the 10 samples add up to {-gradient:.4g}; other paths add the rest of -∂" in text


def test_one_more_sample_is_written_in_the_singular():
    model, _ = net()
    w = model.layers[0].neurons[0].w[0]
    loss = sum(half_squared_error(model([float(i), 1.0]), [0, 0]) for i in range(4))
    assert "likewise for 1 more sample." in flat(explain(w, loss))


@pytest.mark.parametrize("atomic", [False, True], ids=["weighted sums", "single operations"])
def test_with_any_labels_a_neuron_is_explained_with_the_same_numbers(atomic):
    model, _ = net(atomic)

    def numbers(loss):
        found = []
        for node in [*model.parameters(), *topological_order(loss)]:
            text = flat(explain(node, loss))
            _, _, terms = text.partition("In the textbook's terms")
            found.append((re.findall(r" (\(?-?\d[\d.e-]*\)?)(?=[ .,])", terms), terms.count("- ")))
        return found

    loss = sum(half_squared_error(model([float(i), 1.0]), [0, 0]) for i in range(2))
    before = numbers(loss)
    for i, node in enumerate(topological_order(loss)):
        node.label = ("z1_0", "w", "nonsense", "b9_9", "a2_0#2", "node")[i % 6]
    assert sum(bool(lines) for _, lines in before) >= 20
    assert numbers(loss) == before


def test_the_nodes_of_several_samples_have_the_number_of_the_sample():
    model, _ = net()
    loss = sum(half_squared_error(model([float(i), 1.0]), [0, 0]) for i in range(2))
    story = explain(model.layers[0].neurons[1].w[0], loss)
    text = flat(story)
    for n in "⁽¹⁾", "⁽²⁾":
        assert f"where in_j = z1_1{n}, a_j = a1_1{n}, Δ_j = -∂" in text
        assert f"w2_1_0 · Δ2_0{n} + w2_1_1 · Δ2_1{n} = " in text
        assert f"a_i · Δ_j = x0{n} · Δ1_1{n} = " in text
    assert "#" not in text
    assert r"\Delta_{1,1}^{(2)}" in story.markdown
    assert r"z_{1,1}^{(2)}" in story.markdown
    assert "w_{1,0,1}^" not in story.markdown


@pytest.mark.parametrize("atomic", [False, True], ids=["weighted sums", "single operations"])
def test_every_name_of_a_batch_belongs_to_one_sample(atomic):
    model, _ = net(atomic)
    x = [Value(1.0, label="x0"), 2.0]
    loss = sum(half_squared_error(model(x), [t, 0]) for t in range(3))
    called = names(topological_order(loss))
    named = [name for node, name in called.items() if node.label or not node.constant]
    assert len(set(named)) == len(named)
    assert called[x[0]] == "x0"
    for node, name in called.items():
        if node.role and node.role.kind in "za":
            assert name[:-3] == node.label
            assert {called[p][-3:] for p in node.parents if p.role and p.role.kind == "z"} <= {name[-3:]}


def test_with_one_sample_no_sample_is_numbered():
    model, loss = net()
    for node in [*model.parameters(), *topological_order(loss)]:
        assert not set("⁽#") & set(str(explain(node, loss)))


def test_a_mean_of_squared_errors_shows_its_factor():
    model, _ = net()
    outputs = model([1.0, -2.0])
    loss = ((outputs[0] - 1.0) ** 2 + (outputs[1] - 0.0) ** 2) / 2.0 * 3.0
    text = flat(explain(model.layers[1].neurons[0].b, loss))
    a = outputs[0].data
    assert f"so its error is 3 · (t_k - a_k) = 3 · (1 - ({a:.4g})) = {3 * (1 - a):.4g}. This is -∂" in text


@pytest.mark.parametrize(
    "loss",
    [
        lambda a: (a - 1.0) ** 4,  # not a square
        lambda a: (a - 1.0) ** 2 + 0.5 * a,  # not the square alone
        lambda a: (a - a * a) ** 2,  # not a target
        lambda a: (1.0 - a) * a,
    ],
)
def test_any_other_error_is_not_said_to_be_target_minus_activation(loss):
    model = MLP(1, [1], "tanh", output="tanh", rng=random.Random(0))
    a = model([2.0])
    assert "t_k" not in str(explain(model.layers[0].neurons[0].b, loss(a)))


def test_without_a_neuron_the_textbook_is_not_mentioned(xwy):
    assert "textbook" not in flat(explain(xwy[0], xwy[2]))


# Output


def stories():
    """Yield explanations of all kinds."""
    model, loss = net()
    batch = sum(half_squared_error(model([float(i), 1.0]), [0, 0]) for i in range(5))
    for root in loss, batch:
        for node in [*model.parameters(), *topological_order(root)]:
            yield explain(node, root)
        yield explain(root)
    for op in ops.table.values():
        for point in getattr(op, "at", ()):
            args = [Value(x, label=label) for x, label in zip(point, ("alpha", "Δ1_0"), strict=False)]
            yield explain(args[-1], op(*args))


def test_the_text_has_at_most_80_columns():
    for story in stories():
        assert max(map(len, str(story).splitlines())) <= 80
        assert "\u00a0" not in str(story)


def test_the_formulas_are_latex_that_every_renderer_takes():
    known = re.findall(
        "[a-zA-Z]+",
        "frac partial mathit Delta delta sum text to cdot dots sigma left right begin end cases le ge ln "
        "sqrt operatorname infty pi tanh sinh cosh sin cos tan arcsin arccos arctan max min "
        "lfloor rfloor lceil rceil",
    )
    for story in stories():
        for formula in [*re.findall(r"\$(.*?)\$", story.markdown), story.latex]:
            assert formula.isascii(), formula
            assert set(re.findall(r"\\([a-zA-Z]+)", formula)) <= {*known}, formula
            assert formula.count("{") == formula.count("}")
            assert formula.count(r"\left") == formula.count(r"\right")
            assert not re.search(r"\^[^{]|(?<!\\)_[^{jk]", formula), formula
            assert not re.search(r"\^\{[^{}]*\}\^", formula), (
                formula
            )  # a double superscript is an error of TeX


def test_an_explanation_shows_mathematics_and_not_a_program():
    for story in stories():
        assert not re.search(r"\*|--|<=|>=|(?<![\d.])-0(?![.\d²])", str(story)), story


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
    assert flat(explain(x, x * x)).startswith(f"∂v1/∂{label} = 2")


def test_a_label_of_several_lines_is_shown_on_one():
    x = Value(1.0, label="a\nb\x1b")
    assert flat(explain(x, x * x)).startswith("∂v1/∂a b\ufffd = 2")


def test_many_parents_are_named_in_part():
    w = [Value(float(i), label=f"w{i}") for i in range(50)]
    z = weighted_sum(w, [1.0] * 50)
    text = flat(explain(w[49], z))
    assert "Σwa(w0, w1, w2, w3, w4, …, 0) = 1225" in text
    assert len(text) < 500


def test_every_node_has_a_different_name():
    nodes = [Value(1.0, label=label) for label in ("x", "x", "x#2", "v1", "", "", "x")]
    assert len(set(names(nodes).values())) == len(nodes)


def test_digits_at_the_end_of_a_name_are_indices_in_latex():
    pen = Latex({})
    assert [pen.text(name) for name in ("w1_3_0", "x0", "x", "loss", "v12", "Δ1_3")] == [
        "w_{1,3,0}", "x_{0}", "x", r"\text{loss}", "v_{12}", r"\Delta_{1,3}",
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
    assert "The first number that is NaN: v1 = x - x = nan (x = inf)." in flat(explain(x, (x - x) * 2))
    nan = Value(math.nan, label="n")
    assert "The first number that is NaN: n, a leaf." in flat(explain(nan, nan * 2))
    assert "The first number that is NaN: a plain number, in v1 = x · nan" in flat(explain(x, x * math.nan))
    t = Value(0.0, label="t")
    text = flat(explain(t, relu(t) * 1e200 * 1e200))
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
    text = flat(explain(w, w * math.nan + 1.0))
    assert "The first number that is NaN: a plain number, in v1 = w · nan = nan (w = 2)." in text


def test_a_nan_that_is_on_no_path_from_the_leaf_is_not_mentioned():
    text = flat(explain(Value(1.0, label="q"), Value(math.nan, label="w") * 2.0))
    assert "first number that is NaN" not in text
    assert "does not depend on" in text
