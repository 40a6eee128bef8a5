"""A formula that is arithmetic is parsed to a tree; any other text is an error and is never run."""

import ast
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.names import name

from engine.formula.arithmetic import BINARY, CONSTANTS, FUNCTIONS
from engine.formula.printers import PythonPrinter
from engine.formula.tree import DEEPEST, LETTERS, LONGEST, Formula, Interpreter

TREES = {
    "a": "a",
    " a ": "a",
    "2": 2.0,
    "-2": -2.0,
    "-(2)": -2.0,
    "-0.0": -0.0,
    "1e-3": 1e-3,
    "1_000": 1000.0,
    "0x10": 16.0,
    "pi": ("pi",),
    "-a": ("neg", "a"),
    "--a": ("neg", ("neg", "a")),
    "a + b": ("+", "a", "b"),
    "a - b": ("-", "a", "b"),
    "a * b": ("*", "a", "b"),
    "a / b": ("/", "a", "b"),
    "a ** b": ("**", "a", "b"),
    "a - b - y": ("-", ("-", "a", "b"), "y"),
    "a - (b - y)": ("-", "a", ("-", "b", "y")),
    "a ** b ** y": ("**", "a", ("**", "b", "y")),
    "-a ** 2": ("neg", ("**", "a", 2.0)),
    "(-a) ** 2": ("**", ("neg", "a"), 2.0),
    "1 - y**2": ("-", 1.0, ("**", "y", 2.0)),
    "exp(a)": ("exp", "a"),
    "a < b": ("if", ("<", "a", "b"), 1.0, 0.0),
    "a <= b": ("if", ("<=", "a", "b"), 1.0, 0.0),
    "a > b": ("if", (">", "a", "b"), 1.0, 0.0),
    "a >= b": ("if", (">=", "a", "b"), 1.0, 0.0),
    "(a > 0) - (a < 0)": ("-", ("if", (">", "a", 0.0), 1.0, 0.0), ("if", ("<", "a", 0.0), 1.0, 0.0)),
    "0 if a <= 0 else a": ("if", ("<=", "a", 0.0), 0.0, "a"),
}

REFUSED = {
    # not Python
    "": "is not a formula",
    "   ": "is not a formula",
    "a +": "is not a formula",
    "(a": "is not a formula",
    "a b": "is not a formula",
    "a = b": "is not a formula",
    "import os": "is not a formula",
    "a; b": "is not a formula",
    "a\0": "is not a formula",
    "a + \ud800": "is not a formula",
    "9" * 5000: "at most 500 characters",
    "(" * 500 + "a" + ")" * 500: "is not a formula",
    # unknown
    "x": "letters a, b, y, at 'x'",
    "A": "letters a, b, y, at 'A'",
    "a + z": "letters a, b, y, at 'z'",
    "e": "at 'e'",
    "inf": "at 'inf'",
    "nan": "at 'nan'",
    "foo(a)": "the word 'foo' is unknown; known are abs, acos, acosh, asin, ",
    "1 + foo(b)": ", at 'foo(b)'",
    "pow(a, b)": "the word 'pow' is unknown",
    "eval(a)": "the word 'eval' is unknown",
    "open(a)": "the word 'open' is unknown",
    "__import__(a)": "the word '__import__' is unknown",
    "a(b)": "the word 'a' is unknown",
    "pi(a)": "the word 'pi' is unknown",
    "exp": "at 'exp'",
    "__builtins__": "at '__builtins__'",
    # wrong number or kind of arguments
    "exp()": "exp takes 1 argument, not 0, at 'exp()'",
    "exp(a, b)": "exp takes 1 argument, not 2",
    "exp(*a)": "at '*a'",
    "exp(x=a)": "at 'exp(x=a)'",
    "exp(a, x=b)": "at 'exp(a, x=b)'",
    "exp(**a)": "at 'exp(**a)'",
    # not arithmetic
    "a.real": "at 'a.real'",
    "a.__class__": "at 'a.__class__'",
    "exp.__globals__": "at 'exp.__globals__'",
    "a.exp()": "at 'a.exp()'",
    "(1.0).hex()": "at ",
    "a[0]": "at 'a[0]'",
    "exp(a)[0]": "at 'exp(a)[0]'",
    "[a][0]": "at ",
    "[a]": "at '[a]'",
    "(a,)": "at '(a,)'",
    "a, b": "at 'a, b'",
    "{a}": "at '{a}'",
    "{a: b}": "at '{a: b}'",
    "lambda: a": "at 'lambda: a'",
    "(lambda a: a)(b)": "at ",
    "[a for a in b]": "at '[a for a in b]'",
    "{a for a in b}": "at ",
    "{a: a for a in b}": "at ",
    "(a for a in b)": "at ",
    "(a := b)": "at 'a := b'",
    "f'{a}'": "at ",
    "'a'": "at \"'a'\"",
    "b'a'": "at ",
    "'a' * 2": "at ",
    "exp('a')": "at ",
    "...": "at '...'",
    "None": "at 'None'",
    "True": "at 'True'",
    "a + True": "at 'True'",
    "1j": "at '1j'",
    "await a": "is not a formula",
    "(yield a)": "at ",
    "a and b": "at 'a and b'",
    "not a": "at 'not a'",
    "+a": "at '+a'",
    "~a": "at '~a'",
    "a // b": "at 'a // b'",
    "a % b": "at 'a % b'",
    "a @ b": "at 'a @ b'",
    "a | b": "at 'a | b'",
    "a & b": "at 'a & b'",
    "a ^ b": "at 'a ^ b'",
    "a << b": "at 'a << b'",
    "a >> b": "at 'a >> b'",
    # comparisons
    "a == b": "compares two things, with < <= > >=, at 'a == b'",
    "a != b": "compares two things, with < <= > >=, at 'a != b'",
    "a is b": "compares two things",
    "a in b": "compares two things",
    "a < b < y": "compares two things",
    "a if b else y": "at 'a if b else y'",
    "a if True else b": "at 'a if True else b'",
    "a if a < b and b < y else y": "at ",
    # numbers without a float
    "1e400": "the number is too large, at '1e400'",
    "1e308": "the number is too large, at '1e308'",
    "-1e400": "the number is too large, at '1e400'",
    "1" + "0" * 400: "the number is too large",
    # too long or too deep
    "(a +\nb)": "one line",
    "a # plus nothing": "one line",
    "a + \\\n b": "one line",
    "a +\tb": "one line",
    "-" * DEEPEST + "a": f"at most {DEEPEST} levels, at 'a'",
    " + ".join("a" * (DEEPEST + 1)): f"at most {DEEPEST} levels",
    "exp(" * DEEPEST + "a" + ")" * DEEPEST: f"at most {DEEPEST} levels",
    "1" + " + 1" * 125: "at most 500 characters",
    "-" * 100_000 + "a": "at most 500 characters",
}


@pytest.mark.parametrize(("text", "tree"), TREES.items(), ids=TREES)
def test_arithmetic_is_read_as_a_tree(text, tree):
    assert Formula(text).tree == tree
    assert repr(Formula(text).tree) == repr(tree)  # -0.0 is not 0.0


@pytest.mark.parametrize("word", FUNCTIONS)
def test_every_function_of_the_language_is_a_word(word):
    letters = "ab" if word in BINARY else "a"
    assert Formula(f"{word}({', '.join(letters)})").tree == (word, *letters)


@pytest.mark.parametrize(("text", "words"), REFUSED.items(), ids=map(name, REFUSED))
def test_a_text_that_is_not_arithmetic_is_an_error(text, words):
    with pytest.raises(ValueError, match="is not a formula") as caught:
        Formula(text)
    assert words in str(caught.value)
    assert repr(text) in str(caught.value) or len(text) > 500


@pytest.mark.parametrize("text", [None, 2, b"a", ["a"], ast.parse("a")], ids=lambda text: type(text).__name__)
def test_a_formula_that_is_not_a_str_is_an_error(text):
    with pytest.raises(TypeError, match=f"a formula is a str, not {type(text).__name__}"):
        Formula(text)


def test_the_error_for_a_formula_is_one_short_line():
    for text in REFUSED:
        with pytest.raises(ValueError, match="is not a formula") as caught:
            Formula(text)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 700


def test_a_tree_may_have_the_stated_depth():
    assert Formula("-" * (DEEPEST - 1) + "a").letters == ("a",)


def test_a_text_may_have_the_stated_length():
    longest = "1 * a".ljust(LONGEST - 4, " ") + " * b"
    assert len(longest) == LONGEST
    assert Formula(longest).tree == ("*", ("*", 1.0, "a"), "b")
    with pytest.raises(ValueError, match=f"at most {LONGEST} characters"):
        Formula(longest.replace(" * b", "  * b"))


@pytest.mark.parametrize("text", ["a +", "(a", "a b", "import os"])
def test_a_syntax_error_has_the_message_of_python(text):
    with pytest.raises(SyntaxError) as error:
        ast.parse(text, mode="eval")
    with pytest.raises(ValueError, match="is not a formula") as caught:
        Formula(text)
    assert str(caught.value) == f"{text!r} is not a formula: {error.value.msg}"


def test_the_default_name_of_a_formula_is_empty():
    assert Formula("a").name == ""


def test_a_letter_that_is_not_allowed_is_an_error():
    assert Formula("a", letters="a").tree == "a"
    with pytest.raises(ValueError, match=r"in the letters a, at 'b'"):
        Formula("a + b", letters="a")


def test_the_letters_of_a_formula_are_listed_in_their_order():
    assert Formula("y + b").letters == ("b", "y")
    assert Formula("b * a - b").letters == ("a", "b")
    assert Formula("1 if b < 2 else exp(a)").letters == ("a", "b")
    assert Formula("2 * pi").letters == ()


def test_an_operation_is_a_word_with_as_many_arguments_as_it_has_letters():
    twice, product = Formula("2 * a", name="twice"), Formula("a * b", name="product")
    words = {"twice": twice, "product": product}
    assert Formula("twice(b)", words=words).tree == (twice, "b")
    assert Formula("product(a, 2)", words=words).tree == (product, "a", 2.0)
    with pytest.raises(ValueError, match="product takes 2 arguments, not 1"):
        Formula("product(a)", words=words)
    with pytest.raises(ValueError, match=r"known are .*, product, .*, twice"):
        Formula("thrice(a)", words=words)


# Interpreters


class Spelled(Interpreter):
    """Write each call as nested brackets."""

    def number(self, x):
        return str(x)

    def apply(self, word, *args):
        return f"({' '.join((word, *args))})"


def test_a_formula_is_interpreted_from_the_leaves_up():
    read = Formula("a * exp(-b) + y / 2").interpret(Spelled(), ["A", "B"], "Y")
    assert read == "(+ (* A (exp (neg B))) (/ Y 2.0))"


def test_an_interpreter_without_choose_gets_a_choice_as_the_word_if():
    assert Formula("a if a < b else 0").interpret(Spelled(), ["A", "B"]) == "(if (< A B) A 0.0)"


def test_choose_gets_both_branches_as_functions():
    class Chooses(Spelled):
        def number(self, x):
            assert x != 13, "the branch that was not chosen was interpreted"
            return str(x)

        def choose(self, test, then, other):
            return then()

    assert Formula("a if a < b else 13").interpret(Chooses(), ["A", "B"]) == "A"


def test_a_word_that_is_an_operation_is_interpreted_as_its_formula():
    twice = Formula("2 * a", name="twice")
    read = Formula("twice(twice(b))", words={"twice": twice}).interpret(Spelled(), ["A", "B"])
    assert read == "(* 2.0 (* 2.0 B))"


def test_an_interpreter_may_define_the_call_of_an_operation():
    class Names(Spelled):
        def call(self, formula, *args):
            return self.apply(formula.name, *args)

    twice = Formula("2 * a", name="twice")
    assert Formula("twice(b)", words={"twice": twice}).interpret(Names(), ["A", "B"]) == "(twice B)"


def test_an_interpreter_must_define_number_and_apply():
    with pytest.raises(NotImplementedError):
        Formula("2").interpret(Interpreter(), [])
    with pytest.raises(NotImplementedError):
        Formula("-a").interpret(Interpreter(), ["A"])


def test_a_formula_shows_its_text():
    assert repr(Formula(" 1 - y**2 ")) == "Formula('1 - y**2')"


# Any text is arithmetic or an error

KNOWN = {"+", "-", "*", "/", "**", "<", "<=", ">", ">=", "neg", "if", *FUNCTIONS, *CONSTANTS}
HARMLESS = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.IfExp, ast.Compare, ast.Lt, ast.LtE,
    ast.Gt, ast.GtE, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.UnaryOp, ast.USub, ast.Call,
    ast.Name, ast.Load,
)  # fmt: skip

pieces = st.sampled_from(
    [*LETTERS, *KNOWN, *FUNCTIONS, *"()[]{},.:;=\\'\"#@!%^&|~\n\t\0", "0", "2", "1e9", "9" * 30, " ", "  ",
     "else", "lambda", "for", "in", "is", "not", "and", "or", ":=", "==", "//", "->", "f'", "__", "import",
     "yield", "__class__", "__import__('os')", "exec('1/0')", "print(1)", "True", "None", "1j", "...", "é",
     "ａ", "\ud800"]
)  # fmt: skip
fragments = st.lists(pieces, max_size=25).map("".join) | st.lists(pieces, max_size=25).map(" ".join)


def assert_arithmetic(tree):
    if isinstance(tree, float):
        assert math.isfinite(tree)
    elif isinstance(tree, str):
        assert tree in LETTERS
    else:
        assert tree[0] in KNOWN
        for part in tree[1:]:
            assert_arithmetic(part)


@given(st.text() | fragments)
@example("exp(a).__class__")
@example("(a if a < b else [y for y in a])")
def test_any_text_is_arithmetic_or_a_value_error(text):
    try:
        formula = Formula(text)
    except ValueError:
        return
    assert_arithmetic(formula.tree)


@given(fragments)
@example("a ** -pi if a < 2e9 else -exp(b)")
def test_the_python_of_an_accepted_formula_contains_only_arithmetic(text):
    try:
        formula = Formula(text)
    except ValueError:
        return
    source = ast.parse(PythonPrinter().define(formula, "f"))
    names = {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
    constants = [node.value for node in ast.walk(source) if isinstance(node, ast.Constant)]
    kinds = {type(node) for node in ast.walk(source)} - {ast.Constant}
    assert kinds <= set(HARMLESS)
    assert names <= {*LETTERS, *FUNCTIONS, *CONSTANTS, "pow"}
    assert all(isinstance(constant, (int, float)) for constant in constants)
