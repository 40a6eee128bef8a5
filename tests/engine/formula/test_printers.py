"""The text of a formula is parsed to the same tree, and its Python gives the same floats."""

import inspect
import math
import re
import struct
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ops
from engine.formula.arithmetic import BINARY, FUNCTIONS
from engine.formula.arithmetic import pow as power
from engine.formula.compile import compile_formula, run_source
from engine.formula.printers import LatexPrinter, MathPrinter, PythonPrinter, StrPrinter, Text, short
from engine.formula.tree import Formula, Interpreter

# Numbers in plain text

SHORT = [
    (2.0, "2"), (-0.5, "-0.5"), (0.0, "0"), (-0.0, "-0.0"), (1e300, "1e+300"), (0.1, "0.1"), (-3.0, "-3"),
    (1e15, "1000000000000000.0"), (999999999999999.0, "999999999999999"), (math.inf, "inf"),
    (5e-324, "5e-324"), (1 / 3, "0.3333333333333333"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "text"), SHORT)
def test_a_whole_number_is_written_without_a_point(x, text):
    assert short(x) == text


@given(st.floats(allow_nan=False))
def test_no_digit_of_a_number_is_lost(x):
    assert struct.pack("d", float(short(x))) == struct.pack("d", x)


def test_a_nan_is_written():
    assert short(math.nan) == "nan"


# Random trees

ROWS = [op for op in ops.table.values() if isinstance(op, ops.Op)]
WORDS = {op.symbol: op.formula for op in ROWS if op.symbol.isidentifier() and op.symbol not in FUNCTIONS}
positive = st.floats(0, 1e300) | st.integers(0, 9).map(float)


def grown(parts):
    pairs = st.tuples(parts, parts)
    test = st.tuples(st.sampled_from(["<", "<=", ">", ">="]), parts, parts)
    operators = st.sampled_from(["+", "-", "*", "/", "**", *BINARY])
    words = st.sampled_from([*sorted(FUNCTIONS.keys() - BINARY), WORDS["sigmoid"], WORDS["relu"]])
    return (
        st.tuples(operators, parts, parts)
        | parts.map(lambda part: -part if isinstance(part, float) else ("neg", part))
        | st.tuples(words, parts)
        | pairs.map(lambda pair: (WORDS["max"], *pair))
        | st.tuples(st.just("if"), test, parts, parts)
    )


trees = st.recursive(st.sampled_from(["a", "b", "y", ("pi",)]) | positive, grown, max_leaves=12)


def made_of(tree):
    """Return a Formula of that tree; its text does not matter."""
    formula = Formula("a", words=WORDS)
    formula.tree, formula.letters = tree, ("a", "b", "y")
    return formula


LETTERS = [Text("a"), Text("b")]


@given(trees)
def test_the_plain_text_of_a_tree_is_read_back_as_the_same_tree(tree):
    text = made_of(tree).interpret(StrPrinter(), LETTERS, Text("y")).text
    if len(text) <= 500:
        assert repr(Formula(text, words=WORDS).tree) == repr(tree)


class Floats(Interpreter):
    """Compute a formula on floats, word by word."""

    def number(self, x):
        return x

    def apply(self, word, *args):
        match word, args:
            case "pi", ():
                return math.pi
            case "neg", (a,):
                return -a
            case "+", (a, b):
                return a + b
            case "-", (a, b):
                return a - b
            case "*", (a, b):
                return a * b
            case "/", (a, b):
                return a / b
            case "**", (a, b):
                return power(a, b)
            case "<", (a, b):
                return a < b
            case "<=", (a, b):
                return a <= b
            case ">", (a, b):
                return a > b
            case ">=", (a, b):
                return a >= b
        return FUNCTIONS[word](*args)

    def choose(self, test, then, other):
        return then() if test else other()


def outcome(f, *args):
    """Return the bits of the float that a call returns, or the type of the error that it raises."""
    try:
        y = f(*args)
    except (ArithmeticError, ValueError) as error:
        return type(error)
    assert type(y) is float
    return struct.pack("d", y) if y == y else "nan"


numbers = st.floats() | st.integers(-3, 3).map(float)


@given(trees, numbers, numbers, numbers)
def test_the_python_of_a_tree_computes_its_value_bit_for_bit(tree, a, b, y):
    formula = made_of(tree)
    assert outcome(compile_formula(formula), a, b, y) == outcome(formula.interpret, Floats(), [a, b], y)


# StrPrinter


@pytest.mark.parametrize(
    ("text", "written"),
    {
        "1-y**2": "1 - y ** 2",
        "a-(b-y)": "a - (b - y)",
        "(a-b)-y": "a - b - y",
        "a*(b*y)": "a * (b * y)",
        "a/(b*y)": "a / (b * y)",
        "(a+b)*y": "(a + b) * y",
        "-(a+b)": "-(a + b)",
        "-(a*b)": "-(a * b)",
        "-a*b": "-a * b",
        "(-a)**2": "(-a) ** 2",
        "-a**2": "-a ** 2",
        "(-2)**a": "(-2) ** a",
        "a**-b": "a ** -b",
        "(a**b)**y": "(a ** b) ** y",
        "a**b**y": "a ** (b ** y)",
        "a - -2": "a - -2",
        "exp(a+1)/2": "exp(a + 1) / 2",
        "(a if a<b else b)+1": "(a if a < b else b) + 1",
        "max(a,0)": "max(a, 0)",
        "2*pi": "2 * pi",
    }.items(),
)
def test_brackets_are_written_only_where_the_tree_needs_them(text, written):
    written_by_us = Formula(text, words=WORDS).interpret(StrPrinter(), LETTERS, Text("y"))
    assert written_by_us.text in (written, written.replace("a ** (b ** y)", "a ** b ** y"))


def test_a_letter_is_replaced_as_a_whole():
    names = [Text("x + 1", binds=2), Text("-w", binds=4)]
    assert Formula("a * b").interpret(StrPrinter(), names).text == "(x + 1) * -w"
    assert Formula("b ** 2").interpret(StrPrinter(), names).text == "(-w) ** 2"


# Python


def test_a_compiled_row_has_only_float_numbers_and_gives_floats():
    for text in ("2", "0 if a < 1 else a", "max(a, 0)", "2 * 3", "2 ** 3", "(2 - 2) * 3", "abs(-2)"):
        formula = Formula(text, words=WORDS)
        y = compile_formula(formula)(*[-1.0 for _ in formula.letters])
        assert type(y) is float, text


def test_a_power_of_large_numbers_overflows_at_once():
    for text in ("10 ** 400 * 0", "(2 * 5) ** 400 * 0", "10 ** (20 * 20) * 0", "max(10, 1) ** 400 * 0"):
        with pytest.raises(OverflowError):  # with ints, the result would be 0
            compile_formula(Formula(text, words=WORDS))()


def test_a_row_may_call_a_row_of_any_name():
    twice = Formula("2 * a", name="f")
    assert compile_formula(Formula("f(a) + 1", words={"f": twice}))(3.0) == 7.0


def test_a_row_may_call_rows_that_call_rows():
    twice = Formula("2 * a", name="twice")
    four = Formula("twice(twice(a))", words={"twice": twice}, name="four")
    assert (
        compile_formula(Formula("four(a) + twice(b)", words={"four": four, "twice": twice}))(1.0, 10.0)
        == 24.0
    )


def test_a_function_takes_the_letters_that_the_formula_uses():
    assert compile_formula(Formula("y - b"))(1.0, 10.0) == 9.0  # b, then y
    assert compile_formula(Formula("pi"))() == math.pi


@pytest.mark.parametrize("a", [-8.0, -1e-300, -math.pi])
@pytest.mark.parametrize("b", [0.5, 1 / 3, -1.5])
def test_a_root_of_a_negative_number_is_an_error_and_not_complex(a, b):
    with pytest.raises(ValueError, match="a negative number has no real power that is not whole"):
        power(a, b)
    with pytest.raises(ValueError, match="no real power"):
        compile_formula(Formula("a ** b"))(a, b)


def test_a_real_power_is_that_of_python():
    assert power(-2.0, 3.0) == -8.0
    assert power(0.0, 0.0) == 1.0
    assert type(power(2, 3)) is float
    with pytest.raises(ZeroDivisionError):
        power(0.0, -1.0)
    with pytest.raises(OverflowError):
        power(1e200, 2.0)


def test_the_source_of_a_formula_can_be_read():
    f = compile_formula(Formula("1 - exp(a)"))
    assert re.fullmatch(r"def _formula\(a\): return 1(\.0)? - exp\(a\)", inspect.getsource(f).strip())


def test_a_traceback_shows_the_line_of_the_formula():
    f = compile_formula(Formula("log(a)"))
    with pytest.raises(ValueError, match=r"math domain error|expected a positive input") as caught:
        f(-1.0)
    shown = "".join(traceback.format_tb(caught.tb))
    assert "return log(a)" in shown
    assert "<log(a) #" in shown


def test_two_sources_with_the_same_name_are_distinct():
    first, second = (run_source(f"def f(): return {n}", "the same", {})["f"] for n in (1, 2))
    assert "return 1" in inspect.getsource(first)
    assert "return 2" in inspect.getsource(second)


def test_the_python_printer_lists_the_operations_that_its_text_calls():
    python = PythonPrinter()
    python.write(Formula("sigmoid(a) + exp(a)", words=WORDS))
    assert python.called == {"sigmoid": WORDS["sigmoid"]}


# LaTeX


def plain_brackets(latex):
    return latex.replace(r"\left(", "(").replace(r"\right)", ")")


@pytest.mark.parametrize(
    ("text", "latex"),
    {
        "a": "a",
        "2": "2",
        "0.5": "0.5",
        "1e-9": r"1 \cdot 10^{-9}",
        "pi": r"\pi",
        "a + b": "a + b",
        "a - (b - y)": r"a - \left(b - y\right)",
        "a * b": r"a \, b",
        "2 * a": r"2 \, a",
        "a * 2": r"a \cdot 2",
        "2 * 3": r"2 \cdot 3",
        "a * -b": r"a \, \left(-b\right)",
        "(a + b) * y": r"\left(a + b\right) \, y",
        "a / b": r"\frac{a}{b}",
        "(a + 1) / (b - 1)": r"\frac{a + 1}{b - 1}",
        "-a": "-a",
        "-(a + b)": r"-\left(a + b\right)",
        "a ** b": "a^{b}",
        "a ** (b + 1)": "a^{b + 1}",
        "(a + b) ** 2": r"\left(a + b\right)^{2}",
        "(a / b) ** 2": r"\left(\frac{a}{b}\right)^{2}",
        "(-a) ** 2": r"\left(-a\right)^{2}",
        "exp(a)": "e^{a}",
        "exp(a) ** 2": r"\left(e^{a}\right)^{2}",
        "exp(-(a * a))": r"e^{-\left(a \, a\right)}",
        "sqrt(a + 1)": r"\sqrt{a + 1}",
        "abs(a)": r"\left|a\right|",
        "log(a)": r"\ln\left(a\right)",
        "tanh(a)": r"\tanh\left(a\right)",
        "log1p(a)": r"\operatorname{log1p}\left(a\right)",
        "sigmoid(a)": r"\sigma\left(a\right)",
        "leaky_relu(a)": r"\operatorname{leaky\_relu}\left(a\right)",
        "max(a, b)": r"\max\left(a, b\right)",
        "0 if a <= 0 else a": r"\begin{cases} 0 & \text{if } a \le 0 \\ a & \text{else} \end{cases}",
        "(-2) ** a": r"\left(-2\right)^{a}",
        "a * -2": r"a \, \left(-2\right)",
        "-2 * a": r"-2 \, a",
        "2 * (a + b)": r"2 \cdot \left(a + b\right)",
        "12 * (a + b)": r"12 \cdot \left(a + b\right)",
        "a * 12.5": r"a \cdot 12.5",
        "a * (b * y)": r"a \, \left(b \, y\right)",
        "-a * b": r"-a \, b",
        "(a ** b) ** 2": r"\left(a^{b}\right)^{2}",
        "1e-9 ** 2": r"\left(1 \cdot 10^{-9}\right)^{2}",
        "1e-9 * a": r"1 \cdot 10^{-9} \, a",
        "a - (b - y) - 1": r"a - \left(b - y\right) - 1",
        "a < b": r"\begin{cases} 1 & \text{if } a < b \\ 0 & \text{else} \end{cases}",
    }.items(),
)
def test_latex_is_written_as_in_a_book(text, latex):
    written = Formula(text, words=WORDS).interpret(LatexPrinter(), LETTERS, Text("y")).text
    assert plain_brackets(written) == plain_brackets(latex)


@pytest.mark.parametrize(
    ("x", "latex"),
    [(2.0, "2"), (-0.5, "-0.5"), (1e300, r"1 \cdot 10^{300}"), (-1.5e-9, r"-1.5 \cdot 10^{-9}"),
     (math.inf, r"\infty"), (-math.inf, r"-\infty")],
)  # fmt: skip
def test_a_number_in_latex_has_a_power_of_ten_and_a_sign_for_infinity(x, latex):
    assert LatexPrinter().number(x).text == latex


def test_a_negative_number_in_latex_is_bracketed_where_a_negative_letter_is():
    args = [LatexPrinter().number(-2.0), LatexPrinter().number(-3.0)]
    assert plain_brackets(Formula("a * b").interpret(LatexPrinter(), args).text) == r"-2 \cdot (-3)"
    assert plain_brackets(Formula("a ** 2").interpret(LatexPrinter(), args).text) == "(-2)^{2}"
    assert (
        plain_brackets(
            Formula("b * a").interpret(LatexPrinter(), [Text("x"), LatexPrinter().number(3.0)]).text
        )
        == r"3 \, x"
    )


@pytest.mark.parametrize(
    ("text", "latex"),
    {
        "a - b": "x - (-2)",
        "a + b": "x + (-2)",
        "a - b * a": r"x - (-2 \, x)",
        "a + -a": "x + (-x)",
        "b - a": "-2 - x",
        "a - (a - b)": "x - (x - (-2))",
        "-(-a)": "-(-x)",
        "-b": "-(-2)",
        "-(b * a)": r"-(-2 \, x)",
        "-(a - b)": "-(x - (-2))",
        "1 if a < b else 0": r"\begin{cases} 1 & \text{if } x < -2 \\ 0 & \text{else} \end{cases}",
    }.items(),
)
def test_two_signs_never_meet_in_latex(text, latex):
    args = [Text("x"), LatexPrinter().number(-2.0)]
    assert plain_brackets(Formula(text).interpret(LatexPrinter(), args).text) == latex


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.symbol)
def test_the_latex_of_every_row_is_balanced(op):
    for formula in (op.formula, *op.partials):
        latex = formula.interpret(LatexPrinter(), LETTERS, Text("y")).text
        assert latex.count("{") == latex.count("}")
        assert latex.count(r"\left") == latex.count(r"\right")
        assert latex.count("(") == latex.count(")")


LATEX = {
    "floor(a) + ceil(a)": r"\left\lfloor{x}\right\rfloor + \left\lceil{x}\right\rceil",
    "asin(a)": r"\arcsin\left(x\right)",
    "acosh(a)": r"\operatorname{arcosh}\left(x\right)",
    "sinh(a)": r"\sinh\left(x\right)",
    "sign(a)": r"\operatorname{sgn}\left(x\right)",
    "atan2(a, a)": r"\operatorname{atan2}\left(x, x\right)",
}


@pytest.mark.parametrize(("text", "latex"), LATEX.items(), ids=LATEX)
def test_latex_uses_the_names_of_the_field(text, latex):
    assert Formula(text).interpret(LatexPrinter(), [Text("x")]).text == latex


# Mathematics in one line


@pytest.mark.parametrize(
    ("text", "written"),
    {
        "a * b": "a · b",
        "a ** 2": "a²",
        "a ** -1": "a⁻¹",
        "a ** b": "aᵇ",
        "b * a ** (b - 1)": "b · aᵇ⁻¹",
        "a ** 1.5": "a^1.5",
        "a ** (a * b)": "a^(a · b)",
        "(a + b) ** 2": "(a + b)²",
        "(-a) ** 2": "(-a)²",
        "(a ** b) ** 2": "(aᵇ)²",
        "-a ** 2": "-a²",
        "a - -2": "a - (-2)",
        "-(-a)": "-(-a)",
        "a + -b": "a + (-b)",
        "-(0 * a)": "-(0 · a)",
        "-0.0 + a": "0 + a",
        "1 / (1 + exp(-a))": "1 / (1 + e⁻ᵃ)",
        "exp(a + 1.5)": "e^(a + 1.5)",
        "exp(tanh(a))": "e^tanh(a)",
        "sqrt(a)": "√a",
        "sqrt(2 * pi)": "√(2 · π)",
        "abs(a + b)": "|a + b|",
        "floor(a)": "⌊a⌋",
        "log(a)": "ln(a)",
        "sigmoid(a)": "σ(a)",
        "max(a, 0)": "max(a, 0)",
        "0 if a <= 0 else a": "0 if a ≤ 0, else a",
        "(a if a >= b else b) + 1": "(a if a ≥ b, else b) + 1",
    }.items(),
)
def test_mathematics_in_one_line_has_superscripts_and_no_sign_of_a_program(text, written):
    formula = Formula(text, words=WORDS)
    assert formula.interpret(MathPrinter(), LETTERS, Text("y")).text == written


@given(trees)
def test_mathematics_has_no_stars_and_no_two_signs_in_a_row(tree):
    text = made_of(tree).interpret(MathPrinter(), LETTERS, Text("y")).text
    assert "*" not in text
    assert "--" not in text
    assert not re.search(r"[-+·/] -", text)


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.symbol)
def test_the_textbooks_form_of_a_row_has_the_numbers_of_the_row(op):
    for point in op.at:
        y = op.value(*point)
        assert op.textbook(Floats(), point) == pytest.approx(y, rel=1e-9)
        for position in range(len(point)):
            expected = op.local_gradient(position, point, y)
            found = op.textbook_derivative(position, Floats(), point, y)
            assert found == pytest.approx(expected, rel=1e-9)


FORMS = {
    "sigmoid": "1 / (1 + e⁻ˣ)", "relu": "max(0, x)", "softplus": "ln(1 + eˣ)", "silu": "x · σ(x)",
    "abs": "|x|", "log1p": "ln(1 + x)", "elu": "x if x > 0, else eˣ - 1",
}  # fmt: skip


@pytest.mark.parametrize("symbol", FORMS)
def test_a_guarded_row_is_shown_as_in_a_textbook(symbol):
    assert ops.get_op(symbol).textbook(MathPrinter(), [Text("x")]).text == FORMS[symbol]


def test_a_textbooks_form_has_a_text_for_y_and_for_each_derivative():
    with pytest.raises(ValueError, match="textbook has 2 texts, of y and its derivatives, not 1"):
        ops.Op("half_written", "2 * a", "2", textbook=("2 * a",))
    with pytest.raises(TypeError, match="textbook is a list of texts, of y and its derivatives, not '2"):
        ops.Op("half_written", "2 * a", "2", textbook="2 * a")
    with pytest.raises(ValueError, match="'2 [*] c' is not a formula"):
        ops.Op("half_written", "2 * a", "2", textbook=("2 * c", "2"))
    assert "half_written" not in ops.table
