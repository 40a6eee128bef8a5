"""A wrong slope is found, and named."""

import math

import pytest
from hypothesis import given, settings
from support.graphs import graphs

from engine import Op, Value, check_row, gradcheck, log, ops, relu, tanh, total, weighted_sum
from engine.debug.gradcheck import ROWS, greatest_of, nudge

WRONG = {
    "sign": ("sine", "sin(a)", "-cos(a)"),
    "factor": ("sine", "sin(a)", "2 * cos(a)"),
    "nearly right": ("sine", "sin(a)", "1.0001 * cos(a)"),
    "right at 0 alone": ("sine", "sin(a)", "1 - a"),
    "nought": ("sine", "sin(a)", "0"),
}

# Rows


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_a_wrong_row_is_found_and_named(row):
    op = Op(*row, at=[0.5, -1.5])
    for report in (check_row(op), gradcheck(op, [0.5])):
        assert not report
        assert {edge.what for edge in report.wrong} >= {"sine: ∂y/∂a"} or "sine: ∂y/∂x0" in str(report)


def test_the_table_names_op_edge_point_analytic_and_numeric_slope():
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


def test_what_a_row_picks_at_a_kink_is_checked_too():
    honest = Op("ramp", "a if a > 0 else 0", "1 if a > 0 else 0", at=[-1, 1], kinks={0: 0})
    assert check_row(honest)
    other = Op("ramp", "a if a > 0 else 0", "1 if a > 0 else 0", at=[-1, 1], kinks={0: 0.5})
    report = check_row(other)
    [wrong] = report.wrong
    assert (wrong.what, wrong.at) == ("ramp: ∂y/∂a picked", "0")
    assert (wrong.autograd, wrong.finite_difference) == (0.0, 0.5)


def test_what_is_picked_at_a_kink_lies_between_the_slopes_on_both_sides():
    steep = Op("ramp", "a if a > 0 else 0", "1 if a > 0 else 7 if a >= 0 else 0", at=[-1, 1], kinks={0: 7})
    [wrong] = check_row(steep).wrong
    assert (wrong.what, wrong.at, wrong.autograd) == ("ramp: ∂y/∂a", "0", 7.0)
    assert (wrong.left, wrong.right) == pytest.approx((0.0, 1.0))
    of_b = Op(
        "most", "a if a >= b else b", "a >= b", "3 if a <= b else 0", at=[(2, 1)], kinks={(1, 1): (1, 3)}
    )
    assert [slope.what for slope in check_row(of_b).wrong] == ["most: ∂y/∂b"]


def test_at_the_border_of_a_domain_there_is_no_second_side_to_hold_a_pick_against():
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


def test_the_wrong_edge_is_told_from_the_right_ones_around_it():
    bad = Op("bad", "exp(a)", "a")
    report = gradcheck(lambda x, w: tanh(bad(x * w) + log(x)), [0.5, -2.0])
    wrong_edges = [edge.what for edge in report.edges if not edge.agrees]
    assert wrong_edges == ["bad: ∂y/∂a"]
    assert [slope.what for slope in report.wrong] == ["bad: ∂y/∂a", "x0", "x1"]
    assert "3 WRONG: bad: ∂y/∂a, x0, x1" in report.summary()


def test_labels_name_the_edge():
    bad = Op("bad", "a * b", "a", "b")
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    report = gradcheck(bad, [x, w])
    assert [slope.what for slope in report.wrong] == ["bad: ∂y/∂x", "bad: ∂y/∂w", "x", "w"]


def test_each_edge_of_a_sum_is_told_by_its_place():
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
    assert [slope.what for slope in report.inputs] == ["w", "b"]
    assert report.inputs[0].autograd == pytest.approx(2 * (1 - math.tanh(1.1) ** 2))


def test_an_input_that_plays_no_part_has_slope_0():
    report = gradcheck(lambda x, w: x * 2, [1.0, 2.0])
    assert report
    assert report.inputs[1].autograd == report.inputs[1].finite_difference == 0.0


def test_nothing_is_changed_by_a_check():
    x = Value(0.5)
    x.grad = 7.0
    gradcheck(lambda x: x * x, [x])
    assert (x.data, x.grad) == (0.5, 7.0)


def test_nothing_is_changed_by_a_check_that_fails_on_the_way():
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


def test_at_a_kink_any_slope_between_left_and_right_is_right():
    assert gradcheck(relu, [0.0])
    assert gradcheck(abs, [0.0])
    wrong = Op("ramp", "a if a > 0 else 0", "2 if a >= 0 else 0")
    assert not gradcheck(wrong, [0.0])


def test_a_slope_that_is_a_nan_never_agrees():
    nothing = Op("nothing", "a", "a - a")
    report = gradcheck(nothing, [math.inf])
    assert not report
    assert math.isnan(report.inputs[0].error)


def test_near_the_edge_of_a_domain_a_smaller_nudge_is_used():
    assert gradcheck(log, [1e-7])
    assert gradcheck(ops.sqrt, [1e-9])


def test_where_no_nudge_is_possible_nothing_is_said_to_agree():
    left, right, _ = nudge(math.sqrt, 0.0, 1e-6, greatest=1.0)
    assert math.isnan(left)
    assert math.isnan(right)


def test_nudged_to_either_side_a_line_has_its_slope():
    left, right, noise = nudge(lambda x: 3 * x, 2.0, 1e-6, greatest=6.0)
    assert (left, right) == (pytest.approx(3.0), pytest.approx(3.0))
    assert 0 < noise < 1e-7


def test_a_curve_is_no_straight_line_and_a_check_knows_it():
    assert gradcheck(lambda x: x * x * x, [0.0])
    assert gradcheck(lambda x: (x * 100) ** 3, [0.0])


def test_a_wrong_slope_is_found_however_small_the_numbers():
    tiny = Op("tiny", "1e-30 * a", "2e-30")
    assert not gradcheck(tiny, [0.0])
    assert not gradcheck(tiny, [1e-25])
    assert not check_row(Op("tiny", "1e-30 * a", "0", at=[0, 1]))


def test_great_numbers_on_the_way_are_no_alarm():
    assert gradcheck(lambda x: (x + 1e9) - 1e9, [0.5])


def test_an_infinity_on_the_way_does_not_excuse_everything():
    bad = Op("bad", "a * a", "a")
    report = gradcheck(lambda x: bad(x) + 1 / Value(math.inf), [0.5])
    assert {slope.what for slope in report.wrong} >= {"bad: ∂y/∂x0", "x0"}


@settings(max_examples=40)
@given(graphs())
def test_any_graph_of_ours_passes(graph):
    leaves = [Value(x) for x in graph.leaves]
    assert gradcheck(lambda *xs: graph.build(xs)[-1], leaves)


def test_the_slope_of_a_plain_number_is_not_checked_and_that_of_the_value_beside_it_is():
    assert [edge.what for edge in gradcheck(lambda x: 2 / x, [0.5]).edges] == ["/: ∂y/∂x0"]
    assert [edge.what for edge in gradcheck(lambda x: x / 2, [0.5]).edges] == ["/: ∂y/∂x0"]


@pytest.mark.parametrize(("x", "h"), [(0.5, 1e-6), (1.0, 1e-6), (-100.0, 1e-4), (0.0, 1e-6)])
def test_a_nudge_is_relative_to_great_numbers_only(x, h):
    asked = []
    nudge(lambda x: asked.append(x) or 1.0, x, 1e-6, greatest=1.0)
    assert asked == [pytest.approx(x + move, abs=h * 1e-6) for move in (0, -h, h, 2 * h, -2 * h)]


def test_an_infinity_is_not_the_greatest_number():
    assert greatest_of([1.0, -3.0, math.inf, math.nan]) == 3.0
    assert greatest_of([math.inf, math.nan]) == 0.0


# Misuse


@pytest.mark.parametrize("result", [None, 1.0, [Value(1.0)]], ids=repr)
def test_the_function_returns_a_value(result):
    with pytest.raises(TypeError, match=f"f should return a Value, not {type(result).__name__}"):
        gradcheck(lambda x: result, [1.0])


@pytest.mark.parametrize("eps", [0.0, -1e-6, math.nan, math.inf])
def test_a_nudge_is_small_and_positive(eps):
    with pytest.raises(ValueError, match="eps"):
        gradcheck(tanh, [0.5], eps=eps)
    with pytest.raises(ValueError, match="eps"):
        check_row(ops.tanh, eps=eps)


def test_inputs_are_numbers():
    with pytest.raises(TypeError, match="expected a number, not str"):
        gradcheck(tanh, ["x"])


# Shown


def test_a_table_has_a_line_for_each_slope_and_its_columns_stand_in_line():
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


def test_the_greatest_error_stands_first_among_the_wrong_ones():
    worse, bad = Op("worse", "a", "5"), Op("bad", "a", "2")
    lines = str(gradcheck(lambda x: bad(x) + worse(x), [1.0])).splitlines()
    assert [line.partition(":")[0].split()[0] for line in lines[2:5]] == ["x0", "worse", "bad"]


@pytest.mark.parametrize(("count", "at"), [(1, "1, 1, 0"), (2, "1, 1, 1, …"), (3, "1, 1, 1, …")])
def test_of_many_parents_the_first_three_numbers_are_shown(count, at):
    report = gradcheck(lambda x: weighted_sum([x] * count, [Value(1.0)] * count, Value(0.0)), [1.0])
    assert report.edges[0].at == at


def test_a_label_takes_one_line_whatever_is_in_it():
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


def test_a_report_shows_the_wrong_ones_first_and_not_too_many():
    bad = Op("bad", "a * a", "a")
    report = gradcheck(lambda x: total([tanh(x * i) for i in range(100)] + [bad(x)]), [0.3])
    lines = str(report).splitlines()
    assert lines[0].endswith("2 WRONG: bad: ∂y/∂x0, x0")
    assert len(lines) == 2 + ROWS
    assert [line.endswith("WRONG") for line in lines[2:5]] == [True, True, False]
