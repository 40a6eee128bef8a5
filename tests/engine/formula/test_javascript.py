"""JavaScript computes every word as Python does, and fails where Python does, with the same message."""

import itertools
import math

import pytest
from support.javascript import Node, in_node

from engine.formula.arithmetic import BINARY, FUNCTIONS, WORDS, pow
from engine.formula.compile import compile_formula
from engine.formula.javascript import JavaScriptPrinter
from engine.formula.printers import Text
from engine.formula.tree import Formula, interpret

DIFFICULT = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 1e-300, -1e-300, 5e-324, 1e300, -1e300, 1e16, 1e-5,
    709.9, 709.0, 710.0, -745.0, 0.999, 1.001, -0.999, 1.999, 2.001, 27.0, 0.1, math.inf, -math.inf, math.nan,
]  # fmt: skip


@pytest.fixture(scope="module")
def machine():
    with Node() as process:
        yield process


def javascript(tree, **letters):
    """Return a body that computes a tree, with numbers for its letters."""
    printer = JavaScriptPrinter()
    text = interpret(tree, printer, {letter: Text(letter) for letter in letters}).text
    numbers = [f"const {letter} = {printer.number(x).text};" for letter, x in letters.items()]
    return "\n".join([printer.definitions(), *numbers, *printer.constants, f"return {text};"])


def python(function, *args):
    """Return the result of a call, or its error as `Node.run` returns it."""
    try:
        return float(function(*args))
    except (ArithmeticError, ValueError) as error:
        return {"error": str(error.args[-1])}


def same(expected, got, rel=4e-15):
    if isinstance(expected, dict) or isinstance(got, dict) or math.isnan(expected):
        return repr(expected) == repr(got)
    signs = math.copysign(1, expected) == math.copysign(1, got)
    return signs and (expected == got or math.isclose(expected, got, rel_tol=rel, abs_tol=1e-320))


@in_node
@pytest.mark.parametrize("word", sorted({*FUNCTIONS} - BINARY))
def test_each_function_is_that_of_python_at_difficult_points(word, machine):
    for x in DIFFICULT:
        got = machine.run(javascript((word, "a"), a=x))
        assert same(python(FUNCTIONS[word], x), got), (word, x, python(FUNCTIONS[word], x), got)


@in_node
@pytest.mark.parametrize("word", ["+", "-", "*", "/", "**", "atan2"])
def test_each_word_of_two_arguments_is_that_of_python_at_difficult_points(word, machine):
    for a, b in itertools.product(DIFFICULT, DIFFICULT):
        got = machine.run(javascript((word, "a", "b"), a=a, b=b))
        assert same(python(WORDS[word], a, b), got), (word, a, b, python(WORDS[word], a, b), got)


@in_node
@pytest.mark.parametrize("function", ["erf", "erfc"])
def test_the_error_function_has_all_its_digits(function, machine):
    points = [i / 64 for i in range(-400, 401)]
    body = javascript((function, "a"), a=0.0).rpartition("const a")[0]
    got = machine.run(f"{body}\nreturn {points}.map({function});")
    for x, y in zip(points, got, strict=True):
        assert y == pytest.approx(getattr(math, function)(x), rel=4e-15), x


@in_node
@pytest.mark.parametrize(
    ("text", "a"),
    [("-a**2", 3.0), ("-(-a)", 3.0), ("a - (-2)", 3.0), ("a - (1 - a)", 3.0), ("(a - 1) - a", 3.0),
     ("a / (2 / a)", 3.0), ("-(a + 1) * 2", 3.0), ("2**-a", 3.0), ("(-a)**2", 3.0), ("a**2**a", 2.0),
     ("1 if a < 2 else log(a - 3)", 1.0), ("(a > 1) - (a < 1)", 0.5), ("1e300 * a * 10", 1e10),
     ("pi * a", 1.0)],
)  # fmt: skip
def test_brackets_signs_and_choices_keep_their_meaning(text, a, machine):
    formula = Formula(text, "a")
    assert machine.run(javascript(formula.tree, a=a)) == compile_formula(formula)(a)


@in_node
def test_an_operation_whose_name_is_reserved_in_javascript_can_be_called(machine):
    new = Formula("a * 2", "a", name="new")
    both = Formula("new(a) + new(b)", "ab", {"new": new}, name="function")
    assert (
        machine.run(
            javascript(Formula("function(a, new(a))", "a", {"function": both, "new": new}).tree, a=3.0)
        )
        == 18.0
    )


def test_a_result_that_is_used_twice_is_computed_once_outside_of_branches():
    printer = JavaScriptPrinter()
    once = printer.let(printer.apply("exp", Text("a")))
    assert (once.text, printer.constants) == ("t0", ["const t0 = exp(a);"])
    assert printer.let(once) == once
    choice = printer.choose(Text("a > 0"), lambda: printer.let(Text("log(a)")), lambda: Text("0"))
    assert (choice.text, len(printer.constants)) == ("(a > 0 ? log(a) : 0)", 1)


def test_the_words_of_a_page_are_those_of_this_python():
    printer = JavaScriptPrinter()
    printer.apply("**", Text("a"), Text("b"))
    for outside in ((0.0, -1.0), (-1.0, 0.5), (1e200, 2.0)):
        assert python(pow, *outside)["error"] in printer.definitions()
