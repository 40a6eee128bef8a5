"""Worksheets: their numbers against the textbook and autograd, and the marks of right and wrong answers."""

import random
import shutil
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Value
from nn import textbook
from nn.textbook.worksheets import ACTIVATIONS, check_worksheet, worksheet

SHAPES = [(1, 1), (2, 2, 1), (2, 3, 2), (3, 2, 2, 1)]


def layers(sheet, shape, activation):
    g = sheet.given
    return [
        (
            [[g[f"w{l}_{j}_{k}"] for j in range(m)] for k in range(n)],
            [g[f"b{l}_{k}"] for k in range(n)],
            activation,
        )
        for l, (m, n) in enumerate(pairwise(shape), 1)
    ]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_the_answers_are_those_of_the_textbook(seed, shape, activation):
    sheet = worksheet(seed, shape, activation)
    x = [sheet.given[f"x_{j}"] for j in range(shape[0])]
    t = [sheet.given[f"t_{k}"] for k in range(shape[-1])]
    net, answers = layers(sheet, shape, activation), sheet.answers
    zs, outs = textbook.forward(net, x)
    deltas, steps = textbook.deltas(net, x, t), textbook.gradients(net, x, t)
    new = textbook.update(net, steps, 0.5)
    for l in range(1, len(shape)):
        for k in range(shape[l]):
            assert answers[f"in{l}_{k}"] == pytest.approx(zs[l - 1][k], rel=1e-12)
            assert answers[f"a{l}_{k}"] == pytest.approx(outs[l - 1][k], rel=1e-12)
            assert answers[f"Δ{l}_{k}"] == pytest.approx(deltas[l - 1][k], rel=1e-12)
            assert answers[f"-∂E/∂b{l}_{k}"] == pytest.approx(steps[l - 1][1][k], rel=1e-12)
            assert answers[f"new b{l}_{k}"] == pytest.approx(new[l - 1][1][k], rel=1e-12)
            for j in range(shape[l - 1]):
                assert answers[f"-∂E/∂w{l}_{j}_{k}"] == pytest.approx(steps[l - 1][0][k][j], rel=1e-12)
                assert answers[f"new w{l}_{j}_{k}"] == pytest.approx(new[l - 1][0][k][j], rel=1e-12)


@given(st.integers(0, 10**6))
def test_the_answers_to_a_graph_are_those_of_autograd(seed):
    sheet = worksheet(seed, graph=True)
    nodes = {name: Value(x) for name, x in sheet.given.items()}
    for line in sheet.task.partition(".\n")[0].split("; "):
        name, _, a, sign, b = line.split()
        nodes[name] = nodes[a] * nodes[b] if sign == "·" else nodes[a] + nodes[b]
    nodes["L"].backward()
    answers = sheet.answers
    assert answers["L"] == nodes["L"].data
    assert {name for name in nodes if f"∂L/∂{name}" in answers} == set(nodes)
    for name, node in nodes.items():
        assert answers[f"∂L/∂{name}"] == node.grad


@pytest.mark.parametrize("seed", range(5))
def test_the_rule_for_a_gradient_does_not_name_that_gradient_for_a_local_one(seed):
    rules = {question.name: question.rule for question in worksheet(seed, graph=True).questions}
    gradients = {name: rule for name, rule in rules.items() if name[0] == "∂" and rule != "1"}
    assert len(gradients) >= 6
    for name, rule in gradients.items():
        assert name not in rule
        assert rule.count("∂") == 2 * rule.count("local(")


def test_a_seed_gives_one_sheet_and_another_seed_another():
    assert str(worksheet(3)) == str(worksheet(3))
    assert len({str(worksheet(seed)) for seed in range(20)}) == 20
    assert len({str(worksheet(seed, graph=True)) for seed in range(20)}) > 15


@given(st.integers(0, 10**6), st.sampled_from([False, True]))
def test_right_answers_rounded_to_four_digits_are_right(seed, graph):
    answers = {name: float(f"{x:.4g}") for name, x in worksheet(seed, graph=graph).answers.items()}
    marks = check_worksheet(seed, answers, graph=graph)
    assert marks
    assert marks.first_wrong is None


def test_the_first_wrong_number_is_named_and_what_follows_from_it_is_consistent():
    sheet = worksheet(4)
    wrong = sheet.answers["Δ2_0"] + 1.0
    follows = sheet.solve({"Δ2_0": wrong}) | {"Δ2_0": wrong}
    marks = check_worksheet(4, follows)
    assert marks.first_wrong == "Δ2_0"
    assert marks.wrong == ("Δ2_0",)
    assert "-∂E/∂b2_0" in marks.consistent
    assert "Wrong only because of an earlier number" in str(marks)


def test_two_independent_mistakes_are_both_wrong():
    answers = worksheet(4).answers
    marks = check_worksheet(4, answers | {"in1_0": answers["in1_0"] + 1, "new b2_0": 99.0})
    assert marks.first_wrong == "in1_0"
    assert "new b2_0" in marks.wrong


def test_missing_numbers_are_listed_and_ascii_names_are_taken():
    answers = worksheet(2).answers
    marks = check_worksheet(2, {"delta2_0": answers["Δ2_0"], "-dE/db2_0": answers["-∂E/∂b2_0"]})
    assert marks.right == ("Δ2_0", "-∂E/∂b2_0")
    assert "E" in marks.missing
    assert not marks


def test_the_solution_page_has_every_number_and_the_sheet_none():
    sheet = worksheet(5)
    empty, solved = sheet.to_markdown(), sheet.to_markdown(solution=True)
    assert empty.count("|  |") == len(sheet.questions)
    assert solved.count("|  |") == 0
    assert "solution" in solved


def test_latex_is_plain_ascii():
    for sheet in worksheet(1), worksheet(1, activation="sigmoid"), worksheet(1, graph=True):
        for solution in False, True:
            assert sheet.to_latex(solution).isascii()


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_latex_compiles(tmp_path):
    (tmp_path / "sheet.tex").write_text(worksheet(1).to_latex(), "utf-8")
    subprocess.run(["pdflatex", "-interaction=batchmode", "sheet.tex"], cwd=tmp_path, check=True)


@pytest.mark.parametrize(("arguments", "options", "error", "said"), [
    (("one",), {}, TypeError, "a seed"),
    ((1, 3), {}, TypeError, "a net"),
    ((1, [2]), {}, ValueError, "at least one layer"),
    ((1, [2, 0]), {}, ValueError, "layer's size"),
    ((1,), {"activation": "rellu"}, ValueError, "did you mean relu"),
    ((1,), {"rate": float("nan")}, TypeError, "learning rate"),
    ((1,), {"rate": 1e300}, ValueError, "use a smaller net or rate"),
    ((1, [2, 1_000_000]), {}, ValueError, "at most 500 weights, not 2,000,000"),
])  # fmt: skip
def test_bad_arguments_are_refused(arguments, options, error, said):
    with pytest.raises(error, match=said):
        worksheet(*arguments, **options)


def test_bad_answers_are_refused():
    with pytest.raises(ValueError, match="does not ask for 'Δ9_0'"):
        check_worksheet(1, {"Δ9_0": 1.0})
    with pytest.raises(TypeError, match="the answer E is a number"):
        check_worksheet(1, {"E": "1"})


def test_answers_of_another_kind_or_given_twice_are_refused():
    with pytest.raises(TypeError, match="expected the answers, a dict of names and numbers, not list"):
        check_worksheet(1, [1.0, 2.0])
    with pytest.raises(ValueError, match="the answer Δ2_0 is given twice, the second time as 'delta2_0'"):
        check_worksheet(1, {"D2_0": 1.0, "delta2_0": 1.0})
    assert check_worksheet(1, {" E ": worksheet(1).answers["E"]}).right == ("E",)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("answer", [1e200, -1e200, float("inf"), float("-inf"), float("nan")])
def test_a_wild_answer_is_wrong_and_raises_nothing(activation, answer):
    names = worksheet(1, activation=activation).answers
    for name in names:
        assert name in check_worksheet(1, {name: answer}, activation=activation).wrong


@pytest.mark.parametrize(("activation", "told"), [("relu", False), ("tanh", True), ("sigmoid", True)])
def test_a_sheet_says_how_to_round_where_numbers_have_no_end(activation, told):
    sheet = worksheet(1, activation=activation)
    assert ("four digits" in str(sheet), "four digits" in sheet.to_latex()) == (told, told)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@given(seed=st.integers(0, 10**6))
def test_numbers_that_are_rounded_on_the_way_are_right_or_consistent(seed, activation):
    sheet, answers = worksheet(seed, activation=activation), {}
    for question in sheet.questions:
        answers[question.name] = float(f"{sheet.solve(answers)[question.name]:.4g}")
    assert not check_worksheet(seed, answers, activation=activation).wrong


def test_seeds_do_not_touch_the_module_random():
    random.seed(1)
    first = random.random()
    random.seed(1)
    worksheet(7)
    assert random.random() == first
