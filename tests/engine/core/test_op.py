"""A row of the table is registered completely or not at all; the rest of the engine then uses it."""

import copy
import math
import pickle
import subprocess
import sys
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.names import name

from engine import Op, Value, grad, gradcheck, no_grad, ops
from engine.core.checks import as_point
from engine.core.op import Evaluator, Operation, get_op, rows, shipped, word_operations
from engine.formula.arithmetic import FUNCTIONS
from engine.formula.tree import Formula, Interpreter

CUBE = ("cube", "a ** 3", "3 * a**2")

# Bad rows

REFUSED = {
    ("cube", "a ** 3", "3 * x**2"): "'3 * x**2' is not a formula",
    ("cube", "x ** 3", "3 * x**2"): "'x ** 3' is not a formula",
    ("cube", "a ** ", "3"): "'a ** ' is not a formula",
    ("cube", "a ** 3", ""): "'' is not a formula",
    ("cube", "cubed(a)", "1"): "the word 'cubed' is unknown",
    ("cube", "a * cube(a)", "1"): "the word 'cube' is unknown",
    ("cube", "y + a", "1"): "letters a, b, at 'y'",
    ("cube", "a ** 3", "3 * b**2"): "letters a, y, at 'b'",
    ("cube", "__import__('os').system('true')", "1"): "is not a formula",
    ("cube", "a.__class__", "1"): "is not a formula",
    ("cube", "a ** 3", "(lambda: 1)()"): "is not a formula",
    ("cube", "a ** 3"): "one partial derivative for each letter: letters a, derivatives 0",
    ("cube", "a ** 3", "3 * a**2", "0"): "one partial derivative for each letter: letters a, derivatives 2",
    ("cube", "a * b", "b"): "at 'b'",
    ("cube", "a * b", "b", "a", "0"): "one partial derivative for each letter: letters a, b, derivatives 3",
    ("cube", "2 * pi", "0"): "one partial derivative for each letter: letters none, derivatives 1",
    ("cube", "2 * pi"): "one partial derivative for each letter: letters none, derivatives 0",
    ("cube", "b ** 3", "3 * b**2"): "at 'b'",
    ("cube", "b + 1", "0", "1"): "one partial derivative for each letter: letters b, derivatives 2",
    ("", "a", "1"): "one printable word",
    (" ", "a", "1"): "one printable word",
    ("my cube", "a", "1"): "one printable word",
    ("cube ", "a", "1"): "one printable word",
    ("a\nb", "a", "1"): "one printable word",
    ("\ud800", "a", "1"): "one printable word",
    ("\u200b", "a", "1"): "one printable word",
    ("std::cube", "a", "1"): "without a colon",
    ("_cube", "a", "1"): "not beginning with _",
    ("__class__", "a", "1"): "not beginning with _",
    ("a", "a", "1"): "the symbol 'a' is taken",
    ("b", "a", "1"): "the symbol 'b' is taken",
    ("y", "a", "1"): "the symbol 'y' is taken",
    ("pi", "a", "1"): "the symbol 'pi' is taken",
    ("inf", "a", "1"): "the symbol 'inf' is taken",
    ("nan", "a", "1"): "the symbol 'nan' is taken",
    ("pow", "a", "1"): "the symbol 'pow' is taken",
    ("lambda", "a", "1"): "the symbol 'lambda' is taken",
    ("True", "a", "1"): "the symbol 'True' is taken",
}
TYPES = {
    (None, "a", "1"): "a symbol is a str, not NoneType",
    (3, "a", "1"): "a symbol is a str, not int",
    (b"cube", "a", "1"): "a symbol is a str, not bytes",
    ("cube", None, "1"): "a formula is a str, not NoneType",
    ("cube", math.exp, "1"): "a formula is a str, not builtin_function_or_method",
    ("cube", "a", 1): "a formula is a str, not int",
    ("cube", "a", lambda a: 1): "a formula is a str, not function",
}
POINTS = [
    ({"at": [(1, 2)]}, ValueError, "a point of this row is 1 number, not (1, 2)"),
    ({"at": [()]}, ValueError, "a point of this row is 1 number, not ()"),
    ({"at": ["1"]}, TypeError, "expected a number, not str: '1'"),
    ({"at": [None]}, TypeError, "expected a number, not NoneType"),
    ({"at": 2}, TypeError, "int"),
    ({"kinks": {(0, 0): 0}}, ValueError, "a point of this row is 1 number, not (0, 0)"),
    ({"kinks": {0: (0, 0)}}, ValueError, "a point of this row is 1 number, not (0, 0)"),
    ({"kinks": {0: "0"}}, TypeError, "expected a number, not str: '0'"),
    ({"kinks": [0]}, TypeError, "sequence"),
]


@pytest.mark.parametrize(("row", "words"), REFUSED.items(), ids=map(name, REFUSED))
def test_the_error_for_a_bad_row_shows_the_row_and_nothing_is_registered(row, words):
    before = dict(ops.table)
    with pytest.raises(ValueError, match="^Op") as caught:
        Op(*row)
    assert str(caught.value).startswith(f"Op({', '.join(map(repr, row))}): ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ops.table == before


@pytest.mark.parametrize(("row", "words"), TYPES.items(), ids=name)
def test_a_row_that_is_not_made_of_str_is_a_type_error(row, words):
    before = dict(ops.table)
    with pytest.raises(TypeError, match=words):
        Op(*row)
    assert ops.table == before


@pytest.mark.parametrize(("named", "error", "words"), POINTS, ids=lambda it: repr(it)[:40])
def test_the_points_of_a_row_have_a_number_for_each_letter(named, error, words):
    before = dict(ops.table)
    with pytest.raises(error) as caught:
        Op(*CUBE, **named)
    assert str(caught.value).startswith(f"Op({', '.join(map(repr, CUBE))}): ")
    assert words in str(caught.value)
    assert ops.table == before


@pytest.mark.parametrize("symbol", sorted(shipped))
def test_the_symbol_of_a_shipped_row_cannot_be_taken(symbol):
    before = get_op(symbol)
    with pytest.raises(ValueError, match="is taken; choose another"):
        Op(symbol, "2 * a", "2")
    assert get_op(symbol) is before


def test_the_error_for_a_very_long_row_is_short():
    with pytest.raises(ValueError, match="is not a formula") as caught:
        Op("cube", "a" * 100_000, "1" * 100_000)
    assert len(str(caught.value)) < 2000


texts = st.text(max_size=30) | st.sampled_from(["a", "b", "1", "a * b", "cube", "exp(a)", "a.b", "y"])


@given(texts, texts, st.lists(texts, max_size=3))
def test_any_texts_make_a_row_or_a_value_error(symbol, formula, partials):
    before = dict(ops.table)
    try:
        op = Op(symbol, formula, *partials)
    except ValueError:
        assert ops.table == before
    else:
        assert ops.table == {**before, symbol: op}
    ops.table.clear()
    ops.table.update(before)


# Good rows


def test_a_row_may_be_made_again_in_a_notebook():
    Op("cube", "a ** 2", "2 * a")
    second = Op(*CUBE)
    assert get_op("cube") is second
    assert Value(2.0).cube().data == 8.0


def test_a_graph_keeps_the_row_that_made_it():
    first = Op("cube", "a * a", "2 * a")
    x = Value(3.0)
    y = first(x)
    Op(*CUBE)
    [dy] = grad(y, [x], create_graph=True)
    assert (y.op, dy.data) == (first, 6.0)


def test_one_row_gives_the_value_and_derivatives_of_any_order():
    cube = Op(*CUBE)
    x = Value(2.0)
    y = cube(x)
    assert (y.data, y.local_gradients(), y.op, y.parents) == (8.0, (12.0,), cube, (x,))
    [first] = grad(y, [x], create_graph=True)
    [second] = grad(first, [x], create_graph=True)
    [third] = grad(second, [x])
    assert (first.data, second.data, third) == (12.0, 12.0, 6.0)


def test_one_row_gives_a_method_and_a_word_for_later_rows():
    Op(*CUBE)
    sixth = Op("sixth", "cube(a) * cube(a)", "6 * a**5")
    assert Value(2.0).cube().data == 8.0
    assert sixth(Value(2.0)).data == 64.0
    assert gradcheck(sixth, [1.5])


def test_a_row_of_two_letters_takes_numbers_on_either_side():
    hypot = Op("hypot", "sqrt(a**2 + b**2)", "a / y", "b / y")
    assert hypot(Value(3.0), 4).local_gradients() == (0.6, 0.0)
    assert hypot(3, Value(4.0)).local_gradients() == (0.0, 0.8)
    assert hypot(3, 4) == 5.0


def test_an_earlier_row_keeps_the_word_that_it_was_made_with():
    Op("base", "2 * a", "2")
    user = Op("user", "base(a)", "2")
    Op("base", "3 * a", "3")
    assert user(1.0) == 2.0


@pytest.mark.parametrize("symbol", ["f", "record", "type", "ValueError", "ArithmeticError", "data", "e"])
def test_a_row_may_have_any_name_and_still_be_a_word(symbol):
    inner = Op(symbol, "log(a)", "1 / a")
    outer = Op("outer", f"{symbol}(a) + 1", "1 / a")
    for x in (Value(1.0), 1.0):
        y = outer(x)
        assert getattr(y, "data", y) == 1.0
    assert outer(Value(1.0)).local_gradients() == (1.0,)
    assert (outer(Value(1.0)) * 2).data == 2.0
    with pytest.raises(ValueError, match=r"at a = -1\.0"):
        outer(Value(-1.0))
    assert inner(1.0) == 0.0


def test_a_symbol_need_not_be_an_identifier():
    Op("∛", "a ** (1 / 3)", "1 / (3 * y**2)")
    assert get_op("∛")(Value(8.0)).data == 2.0


def test_a_row_does_not_replace_a_method_of_the_same_name():
    Op("backward", "2 * a", "2")
    Op("label", "2 * a", "2")
    x = Value(3.0, label="x")
    (x * x).backward()
    assert (x.grad, x.label) == (6.0, "x")


def test_the_docstring_of_a_row_gives_its_formula_and_derivatives():
    cube = Op(*CUBE)
    assert cube.__doc__ == "y = a ** 3, with the derivative 3 * a**2."
    assert ops.mul.__doc__ == "y = a * b, with the derivatives b and a."
    assert repr(cube) == "<op cube>"


def test_a_point_of_a_row_of_two_letters_has_two_numbers():
    with pytest.raises(ValueError, match=r"a point of this row is 2 numbers, not 1$"):
        Op("times", "a * b", "b", "a", at=[1])


def test_points_and_kinks_become_tuples_of_floats():
    step = Op("step", "a >= 0", "0", at=[-1, (2,), [3]], kinks={0: 0})
    assert step.at == [(-1.0,), (2.0,), (3.0,)]
    assert step.kinks == {(0.0,): (0.0,)}
    assert as_point((1, 2), 2) == (1.0, 2.0)


# Calls


def test_on_plain_numbers_an_op_is_a_function_of_floats():
    assert type(ops.relu(-1)) is float
    assert ops.relu(2) == 2.0
    assert ops.maximum(2, 3.5) == 3.5


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("x", [1.0, Value(1.0)], ids=["floats", "values"])
def test_an_op_takes_as_many_arguments_as_it_has_letters(count, x):
    with pytest.raises(TypeError, match=rf"^\* takes 2 arguments, not {count}$"):
        ops.mul(*[x] * count)


def test_the_error_of_an_op_of_one_letter_uses_the_singular():
    with pytest.raises(TypeError, match=r"^relu takes 1 argument, not 2$"):
        ops.relu(1.0, 2.0)


@pytest.mark.parametrize(
    ("args", "kind"),
    [
        (("2", 1.0), "str"),
        ((1.0, None), "NoneType"),
        ((Value(1.0), "2"), "Value, str"),
        (([1.0], Value(1.0)), "list, Value"),
    ],
    ids=repr,
)
def test_the_error_of_an_op_names_the_type_of_what_is_not_a_number(args, kind):
    with pytest.raises(TypeError, match=kind):
        ops.mul(*args)


# Outside the domain

DOMAIN = [
    (lambda x: ops.log(x), -1.0, ValueError, "log(a) at a = -1.0{x}: "),
    (lambda x: ops.log(x), 0.0, ValueError, "log(a) at a = 0.0{x}: "),
    (lambda x: ops.log1p(x), -1.0, ValueError, "log1p(a) at a = -1.0{x}: "),
    (lambda x: ops.sqrt(x), -4.0, ValueError, "sqrt(a) at a = -4.0{x}: "),
    (lambda x: ops.sin(x), math.inf, ValueError, "sin(a) at a = inf{x}: "),
    (lambda x: ops.exp(x), 1000.0, OverflowError, "exp(a) at a = 1000.0{x}: "),
    (lambda x: ops.expm1(x), 1000.0, OverflowError, "expm1(a) at a = 1000.0{x}: "),
    (lambda x: ops.div(1, x), 0.0, ZeroDivisionError, "a / b at a = 1.0, b = 0.0{x}: "),
    (lambda x: ops.pow(x, 2), 1e200, OverflowError, "a ** b at a = 1e+200{x}, b = 2.0: "),
    (lambda x: ops.pow(x, -1), 0.0, ZeroDivisionError, "a ** b at a = 0.0{x}, b = -1.0: "),
    (lambda x: ops.pow(x, 0.5), -2.0, ValueError, "a ** b at a = -2.0{x}, b = 0.5: "),
]  # fmt: skip

each_outside = pytest.mark.parametrize(
    ("f", "x", "error", "words"), DOMAIN, ids=lambda it: it if isinstance(it, str) else ""
)


@each_outside
def test_outside_its_domain_an_op_raises_the_error_of_python_with_formula_and_numbers(f, x, error, words):
    with pytest.raises(error) as caught:
        f(x)
    assert type(caught.value) is error
    assert words.format(x="") in str(caught.value)


@each_outside
@pytest.mark.parametrize("context", [nullcontext, no_grad], ids=["recorded", "under no_grad"])
def test_the_error_on_values_names_the_label_too(f, x, error, words, context):
    with context(), pytest.raises(error) as caught:
        f(Value(x, label="speed"))
    assert type(caught.value) is error
    assert words.format(x=" (speed)") in str(caught.value)


@pytest.mark.parametrize(
    ("op", "data", "error", "derivative"),
    [
        (ops.sqrt, (0.0,), ZeroDivisionError, "the derivative ∂/∂a of sqrt(a), which is 1 / (2 * y),"),
        (ops.pow, (-2.0, 2.0), ValueError, "the derivative ∂/∂b of a ** b, which is "),
        (ops.pow, (0.0, 0.0), ValueError, "the derivative ∂/∂b of a ** b, which is "),
        (ops.pow, (0.0, 0.5), ZeroDivisionError, "the derivative ∂/∂a of a ** b, which is "),
        (ops.pow, (1e-310, -0.5), OverflowError, "the derivative ∂/∂a of a ** b, which is "),  # -5e464
    ],
    ids=name,
)
def test_a_missing_derivative_is_an_error_when_recording_but_not_under_no_grad(op, data, error, derivative):
    values = [Value(x, label=f"v{i}") for i, x in enumerate(data)]
    with pytest.raises(error) as caught:
        op(*values)
    assert type(caught.value) is error
    assert derivative in str(caught.value)
    assert f"at a = {data[0]} (v0)" in str(caught.value)
    with no_grad():
        assert op(*values).data == op(*data)


# Look-ups, copies, interpreters


def test_the_error_for_an_unknown_symbol_lists_all_symbols():
    with pytest.raises(ValueError, match=r"no operation 'cube'; there are \+, -, .*Define it with Op"):
        get_op("cube")


@pytest.mark.parametrize("op", list(ops.table.values()), ids=name)
def test_a_copy_of_an_op_is_the_op_itself(op):
    assert copy.deepcopy(op) is op
    assert copy.copy(op) is op
    assert pickle.loads(pickle.dumps(op)) is op
    assert get_op(op.symbol) is op


def test_an_op_that_is_not_defined_here_cannot_be_unpickled():
    Op(*CUBE)
    pickled = pickle.dumps(get_op("cube"))
    del ops.table["cube"]
    with pytest.raises(ValueError, match="no operation 'cube'"):
        pickle.loads(pickled)


class Names(Interpreter):
    def number(self, x):
        return f"{x:g}"

    def apply(self, word, *args):
        return f"{word}({', '.join(args)})"


def test_any_interpreter_reads_a_row_by_forward_and_derivative():
    assert ops.div.forward(Names(), ["p", "q"]) == "/(p, q)"
    assert ops.div.derivative(0, Names(), ["p", "q"], "r") == "/(1, q)"
    assert ops.div.derivative(1, Names(), ["p", "q"], "r") == "/(neg(r), q)"


def test_an_operation_by_hand_must_define_forward_derivative_and_value():
    with pytest.raises(NotImplementedError):
        Operation().forward(Names(), [])
    with pytest.raises(NotImplementedError):
        Operation().derivative(0, Names(), [], "y")
    with pytest.raises(NotImplementedError):
        Operation().value()


def test_the_evaluator_computes_a_formula_on_floats_or_on_values():
    formula = Formula("2 * pi * a if a > b else exp(b)")
    assert formula.interpret(Evaluator(), [2.0, 1.0]) == 2 * math.pi * 2.0
    assert formula.interpret(Evaluator(), [1.0, 1.0]) == math.e
    x = Value(2.0)
    y = formula.interpret(Evaluator(), [x, 1.0])
    assert y.data == 2 * math.pi * 2.0
    assert grad(y, [x]) == [2 * math.pi]


# Rows that were added after version 0.1.0 may be replaced


ADDED = sorted(set(rows()) - shipped)
PROGRAM = """
import sys
from engine import Op, Value, get_op, grad, trace
import engine
symbol, formula, derivative = sys.argv[1:]
theirs = getattr(engine, symbol)
own = Op(symbol, formula, derivative)
x = Value(0.5, label="x")
by_word = Op("caller", f"{symbol}(a) + 1", "y")
print(get_op(symbol) is own, own(x).data, getattr(x, symbol)().data, by_word(x).data)
print(theirs(x).op is theirs, getattr(x, symbol)().op is own)  # the first use of ours takes nothing away
print(trace(by_word(x), inputs=[x]).compile("python").values([], [[0.5]]), grad(own(x), [x]))
"""


@pytest.mark.parametrize("symbol", [s for s in ADDED if len(rows()[s].partials) == 1 and s != "acosh"])
def test_a_row_of_your_own_replaces_one_that_was_added_later(symbol):
    program = [sys.executable, "-c", PROGRAM, symbol, "a * 3", "3"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["True 1.5 1.5 2.5", "True True", "[2.5] [3.0]"], done.stderr


def test_the_words_of_our_rows_keep_their_meaning_when_a_row_is_replaced():
    program = (
        "from engine import Op, Value, sinh, grad\n"
        "Op('cosh', 'a * 100', '100')\n"
        "x = Value(0.5)\n"
        "[dx] = grad(sinh(x), [x], create_graph=True)\n"
        "print(dx.data, *grad(dx, [x]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(math.cosh(0.5)), str(math.sinh(0.5))], done.stderr


def test_every_function_of_formulas_has_an_operation():
    assert {*FUNCTIONS} <= {*word_operations}
    assert all(word_operations[word] is ops.table[word] for word in FUNCTIONS)


def test_the_symbols_of_version_0_1_0_are_taken_and_no_others():
    assert len(shipped) == 27
    added = "acos acosh asin asinh atan atan2 atanh ceil cosh elu floor sign silu sinh"
    assert " ".join(ADDED) == added
