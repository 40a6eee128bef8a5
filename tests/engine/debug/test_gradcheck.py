"""gradcheck and check_row find wrong derivatives, name them, and accept right ones."""

import math
import random

import pytest
from hypothesis import given, settings
from support.graphs import graphs

from engine import (
    Op,
    Value,
    check_row,
    exp,
    grad,
    gradcheck,
    log,
    no_grad,
    ops,
    relu,
    sin,
    tanh,
    total,
    weighted_sum,
)
from engine.debug.gradcheck import ROWS, difference_quotients, greatest_of

WRONG = {
    "sign": ("sine", "sin(a)", "-cos(a)"),
    "factor": ("sine", "sin(a)", "2 * cos(a)"),
    "nearly right": ("sine", "sin(a)", "1.0001 * cos(a)"),
    "right at 0 alone": ("sine", "sin(a)", "1 - a"),
    "zero": ("sine", "sin(a)", "0"),
}

# Rows


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_a_wrong_row_is_found_and_named(row):
    op = Op(*row, at=[0.5, -1.5])
    for report in (check_row(op), gradcheck(op, [0.5])):
        assert not report
        assert {edge.what for edge in report.wrong} >= {"sine: ∂y/∂a"} or "sine: ∂y/∂x0" in str(report)


def test_the_table_names_operation_edge_point_and_both_derivatives():
    op = Op("times", "a * b", "b", "2 * a", at=[(3, 5)])
    report = check_row(op)
    [wrong] = report.wrong
    assert (wrong.what, wrong.at) == ("times: ∂y/∂b", "3, 5")
    assert wrong.autograd == 6.0
    assert wrong.finite_difference == pytest.approx(3.0)
    assert wrong.error == pytest.approx(3.0)
    lines = str(report).splitlines()
    assert lines[0] == "0 inputs and 2 edges checked: 1 WRONG: times: ∂y/∂b"
    assert lines[1].split() == ["at", "autograd", "finite", "difference", "error"]
    assert lines[2].startswith("times: ∂y/∂b  3, 5  6 ")
    assert lines[2].endswith("WRONG")
    assert not lines[3].endswith("WRONG")


def test_the_derivative_that_a_row_picks_at_a_kink_is_checked():
    honest = Op("ramp", "a if a > 0 else 0", "1 if a > 0 else 0", at=[-1, 1], kinks={0: 0})
    assert check_row(honest)
    other = Op("ramp", "a if a > 0 else 0", "1 if a > 0 else 0", at=[-1, 1], kinks={0: 0.5})
    report = check_row(other)
    [wrong] = report.wrong
    assert (wrong.what, wrong.at) == ("ramp: ∂y/∂a picked", "0")
    assert (wrong.autograd, wrong.finite_difference) == (0.0, 0.5)


def test_the_derivative_picked_at_a_kink_lies_between_those_on_both_sides():
    steep = Op("ramp", "a if a > 0 else 0", "1 if a > 0 else 7 if a >= 0 else 0", at=[-1, 1], kinks={0: 7})
    [wrong] = check_row(steep).wrong
    assert (wrong.what, wrong.at, wrong.autograd) == ("ramp: ∂y/∂a", "0", 7.0)
    assert (wrong.left, wrong.right) == pytest.approx((0.0, 1.0))
    of_b = Op(
        "most", "a if a >= b else b", "a >= b", "3 if a <= b else 0", at=[(2, 1)], kinks={(1, 1): (1, 3)}
    )
    assert [row.what for row in check_row(of_b).wrong] == ["most: ∂y/∂b"]


def test_a_pick_at_the_border_of_a_domain_is_checked_without_the_missing_side():
    assert check_row(Op("root", "sqrt(a)", "0 if a <= 0 else 1 / (2 * y)", at=[1, 4], kinks={0: 0}))


def test_a_row_without_points_cannot_be_checked():
    with pytest.raises(ValueError, match=r"the row sine names no points: make it with at=\[...\]"):
        check_row(Op("sine", "sin(a)", "cos(a)"))


# Functions


def test_a_right_function_passes():
    report = gradcheck(lambda x, w, b: tanh(w * x + b) ** 2, [0.5, -2.0, 0.1])
    assert report
    assert (len(report.inputs), report.wrong) == (3, [])
    assert report.summary() == "3 inputs and 6 edges checked: all agree"


def test_only_the_wrong_edge_is_reported_among_right_edges():
    bad = Op("bad", "exp(a)", "a")
    report = gradcheck(lambda x, w: tanh(bad(x * w) + log(x)), [0.5, -2.0])
    wrong_edges = [edge.what for edge in report.edges if not edge.agrees]
    assert wrong_edges == ["bad: ∂y/∂a"]
    assert [row.what for row in report.wrong] == ["bad: ∂y/∂a", "x0", "x1"]
    assert "3 WRONG: bad: ∂y/∂a, x0, x1" in report.summary()


def test_labels_name_the_edge():
    bad = Op("bad", "a * b", "a", "b")
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    report = gradcheck(bad, [x, w])
    assert [row.what for row in report.wrong] == ["bad: ∂y/∂x", "bad: ∂y/∂w", "x", "w"]


def test_each_edge_of_a_sum_is_named_by_its_position():
    report = gradcheck(lambda *xs: weighted_sum(xs[:2], xs[2:4], xs[4]), [1.0, 2.0, 3.0, 4.0, 5.0])
    assert report
    assert [edge.what for edge in report.edges] == [f"Σwa: ∂y/∂x{i}" for i in range(5)]
    x = Value(3.0)
    unnamed = gradcheck(lambda x: total([x * 1, x * 2, x * 3]), [x]).edges[-3:]
    assert [edge.what for edge in unnamed] == ["Σ: ∂y/∂parent 0", "Σ: ∂y/∂parent 1", "Σ: ∂y/∂parent 2"]


def test_the_parameters_that_a_function_reads_can_be_checked():
    w, b = Value(0.5, label="w"), Value(0.1, label="b")
    report = gradcheck(lambda *_: tanh(w * 2.0 + b), [w, b])
    assert report
    assert [row.what for row in report.inputs] == ["w", "b"]
    assert report.inputs[0].autograd == pytest.approx(2 * (1 - math.tanh(1.1) ** 2))


def test_an_input_that_is_not_used_has_gradient_0():
    report = gradcheck(lambda x, w: x * 2, [1.0, 2.0])
    assert report
    assert report.inputs[1].autograd == report.inputs[1].finite_difference == 0.0


def test_a_check_changes_nothing():
    x = Value(0.5)
    x.grad = 7.0
    gradcheck(lambda x: x * x, [x])
    assert (x.data, x.grad) == (0.5, 7.0)


def test_a_check_that_raises_an_error_changes_nothing():
    x, calls = Value(0.5), []

    def f(x):
        calls.append(x.data)
        if len(calls) > 2:
            raise KeyError("mine")
        return x * x

    with pytest.raises(KeyError, match="mine"):
        gradcheck(f, [x])
    assert x.data == 0.5
    assert x.data not in calls[1:2] or len(calls) == 3


def test_at_a_kink_any_gradient_between_left_and_right_agrees():
    assert gradcheck(relu, [0.0])
    assert gradcheck(abs, [0.0])
    wrong = Op("ramp", "a if a > 0 else 0", "2 if a >= 0 else 0")
    assert not gradcheck(wrong, [0.0])


def test_a_gradient_that_is_nan_never_agrees():
    nothing = Op("nothing", "a", "a - a")
    report = gradcheck(nothing, [math.inf])
    assert not report
    assert math.isnan(report.inputs[0].error)


def test_near_the_border_of_a_domain_a_smaller_step_is_used():
    assert gradcheck(log, [1e-7])
    assert gradcheck(ops.sqrt, [1e-9])


def test_without_a_possible_step_the_quotients_are_nan():
    left, right, *_ = difference_quotients(math.sqrt, 0.0, 1e-6, scale=1.0)
    assert math.isnan(left)
    assert math.isnan(right)


def test_both_difference_quotients_of_a_line_are_its_slope():
    left, right, noise, *_ = difference_quotients(lambda x: 3 * x, 2.0, 1e-6, scale=6.0)
    assert (left, right) == (pytest.approx(3.0), pytest.approx(3.0))
    assert 0 < noise < 1e-7


def test_curvature_does_not_make_a_right_gradient_wrong():
    assert gradcheck(lambda x: x * x * x, [0.0])
    assert gradcheck(lambda x: (x * 100) ** 3, [0.0])


def test_a_wrong_derivative_is_found_however_small_the_numbers_are():
    tiny = Op("tiny", "1e-30 * a", "2e-30")
    assert not gradcheck(tiny, [0.0])
    assert not gradcheck(tiny, [1e-25])
    assert not check_row(Op("tiny", "1e-30 * a", "0", at=[0, 1]))


def test_large_intermediate_numbers_do_not_make_a_right_gradient_wrong():
    assert gradcheck(lambda x: (x + 1e9) - 1e9, [0.5])


def test_a_wrong_gradient_is_found_despite_an_infinite_intermediate_number():
    bad = Op("bad", "a * a", "a")
    report = gradcheck(lambda x: bad(x) + 1 / Value(math.inf), [0.5])
    assert {row.what for row in report.wrong} >= {"bad: ∂y/∂x0", "x0"}


@settings(max_examples=40)
@given(graphs())
def test_every_graph_of_shipped_operations_passes(graph):
    leaves = [Value(x) for x in graph.leaves]
    assert gradcheck(lambda *xs: graph.build(xs)[-1], leaves)


def test_the_edge_of_a_value_is_checked_and_that_of_a_plain_number_is_not():
    assert [edge.what for edge in gradcheck(lambda x: 2 / x, [0.5]).edges] == ["/: ∂y/∂x0"]
    assert [edge.what for edge in gradcheck(lambda x: x / 2, [0.5]).edges] == ["/: ∂y/∂x0"]


@pytest.mark.parametrize(("x", "h"), [(0.5, 1e-6), (1.0, 1e-6), (-100.0, 1e-4), (0.0, 1e-6)])
def test_the_step_is_relative_to_numbers_greater_than_1_only(x, h):
    points = []
    difference_quotients(lambda x: points.append(x) or x, x, 1e-6, scale=1.0)
    assert sorted(points) == [pytest.approx(x + move * h, abs=h * 1e-6) for move in (-2, -1, 0, 1, 2)]


def test_infinities_and_nan_do_not_count_as_the_greatest_number():
    assert greatest_of([1.0, -3.0, math.inf, math.nan]) == 3.0
    assert greatest_of([math.inf, math.nan]) == 0.0


# Difficult functions


def test_a_function_that_calls_grad_is_checked_by_its_second_derivative():
    def derivative(v):
        return grad(sin(v), [v], create_graph=True)[0]

    for report in (gradcheck(derivative, [0.5]), no_grad()(gradcheck)(derivative, [0.5])):
        assert report
        assert report.inputs[0].finite_difference == pytest.approx(-0.479425538604203)
        assert report.inputs[0].autograd == pytest.approx(-0.479425538604203)


def test_a_function_that_returns_two_numbers_at_one_point_is_refused():
    x, rng = Value(0.5, label="x"), random.Random(0)
    with pytest.raises(ValueError, match=r"f returned 0\.42\d+ and then 0\.37\d+ at the same point"):
        gradcheck(lambda a: a * rng.random(), [x])
    assert x.data == 0.5


def test_a_function_that_is_nan_at_the_point_is_checked_but_does_not_agree():
    assert not gradcheck(lambda x: x * math.nan, [0.5])


def test_a_wrong_derivative_of_a_tiny_result_at_a_large_number_is_found():
    assert not gradcheck(Op("wrong_exp", "exp(a)", "1.5 * y"), [-30.0])
    assert not check_row(Op("wrong_exp", "exp(a)", "1.5 * y", at=[-30.0]))
    assert gradcheck(exp, [-30.0])


def test_at_a_kink_the_table_shows_both_sides():
    report = gradcheck(relu, [0.0])
    assert report
    assert report.inputs[0].kink
    assert [line.endswith("kink: left 0, right 1") for line in str(report).splitlines()[2:]] == [True, True]
    wrong = gradcheck(Op("ramp", "a if a > 0 else 0", "2 if a >= 0 else 0"), [0.0])
    assert str(wrong).splitlines()[2].endswith("WRONG, kink: left 0, right 1")


@pytest.mark.parametrize("x", [1e-7, -3e-7, 1.5e-6, -2e-6])
def test_a_kink_nearby_does_not_make_a_right_gradient_wrong(x):
    assert gradcheck(relu, [x])


@pytest.mark.parametrize(("f", "x"), [(log, 4.4e-6), (ops.sqrt, 2e-5), (lambda x: 1 / x, -1.1e-5)])
def test_a_steep_curve_near_a_pole_is_checked_with_a_shorter_step(f, x):
    report = gradcheck(f, [x])
    assert report
    assert not any(row.kink for row in report.inputs)
    assert report.inputs[0].finite_difference == pytest.approx(report.inputs[0].autograd, rel=1e-4)


@pytest.mark.parametrize("slope", [1.0, 1000.0])
def test_a_small_kink_on_a_steep_line_is_a_kink(slope):
    report = gradcheck(lambda x: x * slope + abs(x), [0.0])
    assert report
    assert report.inputs[0].kink


@pytest.mark.parametrize("f", [exp, sin, tanh, lambda x: x**3, lambda x: 1 / x, lambda x: log(x * x)])
def test_a_smooth_function_has_no_kink(f):
    report = gradcheck(f, [0.3])
    assert report
    assert not any(row.kink for row in report.inputs + report.edges)


def test_an_error_that_only_noise_explains_is_marked():
    report = gradcheck(lambda x: (x + 1e13) - 1e13, [0.3])
    [row] = report.inputs
    assert row.agrees
    assert not row.close
    assert "within noise of" in str(report)


@pytest.mark.parametrize("row", ["tanh", "max", "relu"])
def test_a_row_may_be_named_by_its_symbol(row):
    assert check_row(row)


# Bad input


@pytest.mark.parametrize("wrong", [5, None, "Σwa", ops.weighted_sum], ids=repr)
def test_check_row_takes_only_rows_and_symbols(wrong):
    with pytest.raises(TypeError, match=f"expected an Op or its symbol, not {type(wrong).__name__}"):
        check_row(wrong)


def test_the_error_for_an_unknown_row_names_it():
    with pytest.raises(ValueError, match="no operation 'tahn'"):
        check_row("tahn")


def test_gradcheck_takes_only_functions():
    with pytest.raises(TypeError, match="f is a function of Values, not int: 5"):
        gradcheck(5, [1.0])


@pytest.mark.parametrize("x", [0.5, Value(0.5), None], ids=repr)
def test_a_point_that_is_not_a_list_is_an_error(x):
    with pytest.raises(TypeError, match=r"xs is a list, such as \[0\.5\], not " + type(x).__name__):
        gradcheck(sin, x)


@pytest.mark.parametrize("result", [None, 1.0, [Value(1.0)]], ids=repr)
def test_a_function_that_does_not_return_a_value_is_an_error(result):
    with pytest.raises(TypeError, match=f"f should return a Value, not {type(result).__name__}"):
        gradcheck(lambda x: result, [1.0])


@pytest.mark.parametrize("eps", [0.0, -1e-6, math.nan, math.inf])
def test_an_eps_that_is_not_small_and_positive_is_an_error(eps):
    with pytest.raises(ValueError, match="eps"):
        gradcheck(tanh, [0.5], eps=eps)
    with pytest.raises(ValueError, match="eps"):
        check_row(ops.tanh, eps=eps)


def test_an_input_that_is_not_a_number_is_an_error():
    with pytest.raises(TypeError, match="expected a number, not str"):
        gradcheck(tanh, ["x"])


# Output


def test_the_table_has_a_line_for_each_comparison_and_its_columns_are_aligned():
    bad = Op("bad", "a + b", "2", "1")
    x, w = Value(0.0, label="x"), Value(0.0, label="a long name")
    assert str(gradcheck(bad, [x, w])).splitlines() == [
        "2 inputs and 2 edges checked: 2 WRONG: bad: ∂y/∂x, x",
        "                      at    autograd  finite difference  error",
        "x                     0     2         1                  1      WRONG",
        "bad: ∂y/∂x            0, 0  2         1                  1      WRONG",
        "a long name           0     1         1                  0",
        "bad: ∂y/∂a long name  0, 0  1         1                  0",
    ]


def test_the_greatest_error_comes_first_among_the_wrong_ones():
    worse, bad = Op("worse", "a", "5"), Op("bad", "a", "2")
    lines = str(gradcheck(lambda x: bad(x) + worse(x), [1.0])).splitlines()
    assert [line.partition(":")[0].split()[0] for line in lines[2:5]] == ["x0", "worse", "bad"]


@pytest.mark.parametrize(("count", "at"), [(1, "1, 1, 0"), (2, "1, 1, 1, …"), (3, "1, 1, 1, …")])
def test_the_first_three_numbers_of_many_parents_are_shown(count, at):
    report = gradcheck(lambda x: weighted_sum([x] * count, [Value(1.0)] * count, Value(0.0)), [1.0])
    assert report.edges[0].at == at


def test_any_label_is_shown_on_one_line():
    x, w = Value(0.5, label="two\nlines"), Value(2.0, label="w\t")

    def f(x, w):
        y = x * w
        y.label = "y\n"
        return y

    report = gradcheck(f, [x, w])
    assert len(str(report).splitlines()) == 2 + 4
    assert report.edges[0].what == r"*: ∂'y\n'/∂'two\nlines'"
    assert report.inputs[1].what == r"'w\t'"


def test_the_html_is_a_table_of_the_same_cells():
    html = gradcheck(Op("bad", "a", "2"), [Value(1.0, label="x")])._repr_html_()
    numbers = "<td>2</td><td>1</td><td>1</td><td>WRONG</td>"
    head = "<th></th><th>at</th><th>autograd</th><th>finite difference</th><th>error</th><th></th>"
    assert html == (
        "<p>1 input and 1 edge checked: 2 WRONG: bad: ∂y/∂x, x</p><table>"
        f"<tr>{head}</tr><tr><td>x</td><td>1</td>{numbers}</tr>"
        f"<tr><td>bad: ∂y/∂x</td><td>1</td>{numbers}</tr></table>"
    )


def test_a_report_shows_itself_as_text_and_as_html():
    report = gradcheck(tanh, [Value(0.5, label="<b>&")])
    assert repr(report) == str(report)
    html = report._repr_html_()
    assert "&lt;b&gt;&amp;" in html
    assert "<b>&" not in html
    assert html.count("<tr>") == 3
    assert html.count("<td>") == 12


def test_a_report_shows_the_wrong_rows_first_and_a_limited_number():
    bad = Op("bad", "a * a", "a")
    report = gradcheck(lambda x: total([tanh(x * i) for i in range(100)] + [bad(x)]), [0.3])
    lines = str(report).splitlines()
    assert lines[0].endswith("2 WRONG: bad: ∂y/∂x0, x0")
    assert len(lines) == 2 + ROWS
    assert [line.endswith("WRONG") for line in lines[2:5]] == [True, True, False]
