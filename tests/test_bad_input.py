"""Bad calls raise the right error with a one-line message, and change nothing.

A case consists of a call that a user might type, the type of the error, and some words of its message.
"""

import math

import numpy as np
import pytest

import engine
from engine import ops, topological_order

NAN, INF = math.nan, math.inf


class World:
    """A graph with gradients, and the names that the calls can use."""

    def __init__(self):
        x, w = engine.Value(2.0, label="x"), engine.Value(-3.0, label="w")
        y = engine.tanh(x * w + 1)
        y.backward()
        names = {name: getattr(engine, name) for name in engine.__all__}
        self.names = {**names, "x": x, "w": w, "y": y, "np": np, "nan": NAN, "inf": INF}
        self.root = y

    def state(self):
        graph = [
            (node, node.data, node.grad, node.label, node.op, node.parents, node.local_gradients())
            for node in topological_order(self.root)
        ]
        return graph, dict(ops.table), bool((engine.Value(1.0) * 2).parents)

    def run(self, call):
        return eval(call, self.names)


ENGINE = [
    # Value
    ("Value()", TypeError, "data"),
    ("Value('2')", TypeError, "expected a number, not str: '2'"),
    ("Value(None)", TypeError, "expected a number, not NoneType"),
    ("Value([1.0])", TypeError, "expected a number, not list"),
    ("Value(1j)", TypeError, "expected a number, not complex"),
    ("Value(x)", TypeError, "expected a number, not Value"),
    ("Value(np.array([1.0]))", TypeError, "expected a number, not ndarray"),
    ("Value(10**400)", OverflowError, "int too large"),
    ("Value(1.0, 2)", TypeError, "expected a label or the parents of a node, not int: 2"),
    ("Value(1.0, label=None)", TypeError, "a label is a str, not NoneType"),
    ("Value(1.0, lable='x')", TypeError, "lable"),
    ("Value(1.0, 'x', 2)", TypeError, "a label is a str, not int: 2"),
    ("Value(1.0, (2,))", TypeError, "the parents of a node are Values, not int: 2"),
    ("Value(1.0, (x,), 2)", TypeError, "a label is a str, not int: 2"),
    ("x.exp(2)", TypeError, "exp() takes 1 positional argument but 2 were given"),
    ("x.wobble()", AttributeError, "wobble"),
    ("x.backward(1.0)", TypeError, "argument"),
    # arithmetic
    ("x + 'a'", TypeError, "Value"),
    ("'a' + x", TypeError, "Value"),
    ("x - None", TypeError, "Value"),
    ("x * [1.0]", TypeError, "Value"),
    ("x / 1j", TypeError, "Value"),
    ("x ** {}", TypeError, "Value"),
    ("x % 2", TypeError, "Value"),
    ("x // 2", TypeError, "Value"),
    ("x @ w", TypeError, "Value"),
    ("pow(x, 2, 3)", TypeError, ""),
    ("x < 'a'", TypeError, "expected a number, not str"),
    ("x >= None", TypeError, "expected a number, not NoneType"),
    ("float(x)", TypeError, "Value"),
    ("round(x)", TypeError, "Value"),
    ("x[0]", TypeError, "Value"),
    ("len(x)", TypeError, "Value"),
    ("x / 0", ZeroDivisionError, "a / b at a = 2.0 (x), b = 0.0"),
    ("1 / Value(0.0, 'z')", ZeroDivisionError, "a / b at a = 1.0, b = 0.0 (z)"),
    ("w ** 0.5", ValueError, "a ** b at a = -3.0 (w), b = 0.5"),
    ("w ** x", ValueError, "the derivative ∂/∂b of a ** b"),
    ("0 ** w", ZeroDivisionError, "a ** b at a = 0.0, b = -3.0 (w)"),
    ("Value(1e200, 'big') ** 2", OverflowError, "a ** b at a = 1e+200 (big), b = 2.0"),
    # functions
    ("exp()", TypeError, "exp takes 1 argument, not 0"),
    ("exp(x, w)", TypeError, "exp takes 1 argument, not 2"),
    ("exp('a')", TypeError, "expected a number, not str"),
    ("exp([1.0])", TypeError, "expected a number, not list"),
    ("exp(np.array([1.0, 2.0]))", TypeError, "expected a number, not ndarray"),
    ("exp(Value(1000.0, 'hot'))", OverflowError, "exp(a) at a = 1000.0 (hot)"),
    ("exp(1000)", OverflowError, "exp(a) at a = 1000.0"),
    ("log(0)", ValueError, "log(a) at a = 0.0"),
    ("log(w)", ValueError, "log(a) at a = -3.0 (w)"),
    ("log1p(-1)", ValueError, "log1p(a) at a = -1.0"),
    ("sqrt(w)", ValueError, "sqrt(a) at a = -3.0 (w)"),
    ("sqrt(Value(0.0, 'z'))", ZeroDivisionError, "the derivative ∂/∂a of sqrt(a)"),
    ("sin(inf)", ValueError, "sin(a) at a = inf"),
    ("relu(None)", TypeError, "expected a number, not NoneType"),
    ("maximum(x)", TypeError, "max takes 2 arguments, not 1"),
    ("maximum(x, 'a')", TypeError, "max takes Values and plain numbers, not Value, str"),
    ("maximum([x, w])", TypeError, "max takes 2 arguments, not 1"),
    ("minimum(1, 'a')", TypeError, "expected a number, not str"),
    ("sigmoid(x, k=2)", TypeError, "k"),
    # functions of a list
    ("weighted_sum([x], [])", ValueError, "a weighted sum of 1 weights takes as many inputs, not 0"),
    ("weighted_sum([x, w], [1.0])", ValueError, "a weighted sum of 2 weights takes as many inputs, not 1"),
    ("weighted_sum(x, w)", TypeError, "Value"),
    ("weighted_sum([x])", TypeError, "inputs"),
    ("weighted_sum([x], ['a'])", TypeError, "expected a number, not str"),
    ("weighted_sum([x], [w], None)", TypeError, "expected a number, not NoneType"),
    ("weighted_sum([x], [[w]])", TypeError, "expected a number, not list"),
    ("total(x)", TypeError, "Value"),
    ("total([x, 'a'])", TypeError, "expected a number, not str"),
    ("total([None])", TypeError, "expected a number, not NoneType"),
    ("softmax([])", ValueError, "expected at least one value"),
    ("softmax(x)", TypeError, "Value"),
    ("softmax([x, 'a'])", TypeError, "expected a number, not str"),
    ("log_softmax([])", ValueError, "expected at least one value"),
    ("logsumexp([])", ValueError, "expected at least one value"),
    ("logsumexp([[x]])", TypeError, "expected a number, not list"),
    ("logsumexp(5)", TypeError, "int"),
    # rows
    ("Op()", TypeError, "symbol"),
    ("Op('cube')", TypeError, "formula"),
    ("Op('cube', 'a ** 3')", ValueError, "one partial derivative for each letter"),
    ("Op('cube', 'a ** 3', '3 * x**2')", ValueError, "Op('cube', 'a ** 3', '3 * x**2'): '3 * x**2' is not"),
    ("Op('cube', 'a ** 3', '3 * a**2', '0')", ValueError, "letters a, derivatives 2"),
    ("Op('cube', 'a *', '1')", ValueError, "'a *' is not a formula"),
    ("Op('cube', 'open(\"/etc/passwd\")', '1')", ValueError, "the word 'open' is unknown"),
    ("Op('cube', '__import__(\"os\")', '1')", ValueError, "the word '__import__' is unknown"),
    ("Op('cube', 'a.__class__', '1')", ValueError, "at 'a.__class__'"),
    ("Op('cube', '(lambda: a)()', '1')", ValueError, "is not a formula"),
    ("Op('cube', '[a][0]', '1')", ValueError, "is not a formula"),
    ("Op('cube', 'a if a else 0', '1')", ValueError, "is not a formula"),
    ("Op('cube', '1e999 * a', '1')", ValueError, "the number is too large"),
    ("Op('cube', '-' * 400 + 'a', '1')", ValueError, "at most 60 levels"),
    ("Op('cube', 'a\\n+ 1', '1')", ValueError, "one line"),
    ("Op('cube', 'a \\x00', '1')", ValueError, "one line"),
    ("Op('cube', 3, '1')", TypeError, "a formula is a str, not int"),
    ("Op('cube', 'a ** 3', lambda a: 3)", TypeError, "a formula is a str, not function"),
    ("Op(3, 'a', '1')", TypeError, "a symbol is a str, not int"),
    ("Op('', 'a', '1')", ValueError, "a symbol is one printable word"),
    ("Op('my op', 'a', '1')", ValueError, "a symbol is one printable word"),
    ("Op('a:b', 'a', '1')", ValueError, "without a colon"),
    ("Op('__init__', 'a', '1')", ValueError, "not beginning with _"),
    ("Op('tanh', 'a', '1')", ValueError, "the symbol 'tanh' is taken"),
    ("Op('+', 'a', '1')", ValueError, "the symbol '+' is taken"),
    ("Op('pi', 'a', '1')", ValueError, "the symbol 'pi' is taken"),
    ("Op('cube', 'a ** 3', '3 * a**2', at=['x'])", TypeError, "expected a number, not str"),
    ("Op('cube', 'a ** 3', '3 * a**2', at=[(1, 2)])", ValueError, "a point of this row is 1 number"),
    ("Op('cube', 'a ** 3', '3 * a**2', kinks={0: (1, 2)})", ValueError, "a point of this row is 1 number"),
    ("ops.find('cube')", ValueError, "no operation 'cube'"),
    ("ops.tanh(x, w)", TypeError, "tanh takes 1 argument, not 2"),
    # backward, grad
    ("topological_order(None)", TypeError, "expected a Value, not NoneType"),
    ("topological_order([y])", TypeError, "expected a Value, not list"),
    ("backward_steps(2.0)", TypeError, "expected a Value, not float"),
    ("grad(2.0, [x])", TypeError, "expected a Value, not float"),
    ("grad(y, x)", TypeError, "xs is a list of Values"),
    ("grad(y, None)", TypeError, "xs is a list of Values"),
    ("grad(y, ['x'])", TypeError, "expected a Value, not str"),
    ("grad(y, [x, 2.0])", TypeError, "expected a Value, not float"),
    ("grad(y)", TypeError, "xs"),
    ("no_grad(1)", TypeError, "argument"),
    # checks
    ("gradcheck(tanh, 0.5)", TypeError, "float"),
    ("gradcheck(tanh, ['a'])", TypeError, "expected a number, not str"),
    ("gradcheck(tanh, [0.5, 0.5])", TypeError, "tanh takes 1 argument, not 2"),
    ("gradcheck(lambda v: 2.0, [0.5])", TypeError, "f should return a Value, not float"),
    ("gradcheck(lambda v: [v], [0.5])", TypeError, "f should return a Value, not list"),
    ("gradcheck(None, [0.5])", TypeError, "NoneType"),
    ("gradcheck(tanh, [0.5], eps=0)", ValueError, "eps is a small positive number, not 0"),
    ("gradcheck(tanh, [0.5], eps=-1)", ValueError, "eps is a small positive number, not -1"),
    ("gradcheck(tanh, [x], eps=nan)", ValueError, "eps is a small positive number, not nan"),
    ("gradcheck(log, [w])", ValueError, "log(a) at a = -3.0 (w)"),
    ("check_row(Op('cube', 'a ** 3', '3 * a**2'))", ValueError, "names no points"),
]

CASES = [pytest.param(*case, id=case[0]) for case in ENGINE]


@pytest.mark.parametrize(("call", "error", "words"), CASES)
def test_a_bad_call_raises_a_clear_error_and_changes_nothing(call, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    world = World()
    before = world.state()
    with pytest.raises(error) as caught:
        world.run(call)
    message = str(caught.value)
    assert type(caught.value) is error
    assert words in message
    assert "\n" not in message
    assert 0 < len(message) < 1000
    if "check_row" not in call:  # this call registers a row before it fails
        assert world.state() == before
    assert not list(tmp_path.iterdir())


def test_no_case_is_listed_twice():
    calls = [case[0] for case in ENGINE]
    assert len(calls) == len(set(calls))
