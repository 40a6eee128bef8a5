"""The check of a student's Value: right ones pass, and each slip is found and named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.students import CLOSURES, TAPE, TUPLES, execute, planted

from engine import Player, Value
from nn.exercises import check
from nn.exercises.topics.graphs import OPERATIONS

ORDER = """            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                topo.append(v)
"""
SLIPS = [  # the style, the right line, the wrong one, and the name of the slip
    (CLOSURES, "self.grad += out.grad\n            other.grad += out.grad",
     "self.grad = out.grad\n            other.grad = out.grad", "= where += is needed"),
    (CLOSURES, "            self.grad += other.data * out.grad\n            other.grad += self.data * out.grad",  # noqa: E501
     "            self.grad += self.data * out.grad\n            other.grad += other.data * out.grad",
     "each factor gets itself"),
    (CLOSURES, "        self.grad = 1.0\n", "", "the root's gradient is not set to 1"),
    (CLOSURES, "reversed(topo)", "topo", "the order is not reversed"),
    (CLOSURES, "for v in reversed(topo):\n            v._backward()",
     "def walk(v):\n            v._backward()\n            for c in v._prev:\n                walk(c)\n        walk(self)",  # noqa: E501
     "no topological order"),
    (CLOSURES, ORDER, ORDER.replace("                topo.append(v)\n", "").replace(
        "visited.add(v)\n", "visited.add(v)\n                topo.insert(0, v)\n"),
     "children are not all visited before their parents"),
    (CLOSURES, "self.grad += n * self.data ** (n - 1) * out.grad", "self.grad += self.data ** (n - 1) * out.grad",  # noqa: E501
     "the exponent is missing as a factor"),
    (CLOSURES, "n * self.data ** (n - 1)", "n * self.data ** n", "the exponent does not fall by one"),
    (CLOSURES, "self.grad += out.data * out.grad", "self.grad += self.data * out.grad",
     "exp's local gradient from its input"),
    (CLOSURES, "(1 - t ** 2) * out.grad", "(1 - self.data ** 2) * out.grad", "tanh's local gradient from its input"),  # noqa: E501
    (CLOSURES, "(1 - t ** 2) * out.grad", "(1 - t) * out.grad", "tanh's local gradient without the square"),
    (CLOSURES, "(1 - t ** 2) * out.grad", "(1 - math.tanh(t) ** 2) * out.grad",
     "tanh's local gradient is taken at the result"),
    (CLOSURES, "(out.data > 0) * out.grad", "out.grad", "relu passes every gradient on"),
    (CLOSURES, "(out.data > 0) * out.grad", "out.data * out.grad", "relu's local gradient is its result"),
    (CLOSURES, "max(0.0, self.data)", "self.data", "relu lets negative numbers through"),
    (CLOSURES, "    def __radd__(self, other):\n        return self + other\n", "", "no __radd__"),
    (CLOSURES, "    def __rmul__(self, other):\n        return self * other\n", "", "no __rmul__"),
    (CLOSURES, "    def __rsub__(self, other):\n        return (-self) + other\n", "", "no __rsub__"),
    (CLOSURES, "    def __rtruediv__(self, other):\n        return self ** -1 * other\n", "", "no __rtruediv__"),  # noqa: E501
    (CLOSURES, "    def __radd__(self, other):\n        return self + other",
     "    def __radd__(self, other):\n        return other + self", "__radd__ calls itself"),
    (CLOSURES, "    def __rmul__(self, other):\n        return self * other",
     "    def __rmul__(self, other):\n        return other * self", "__rmul__ calls itself"),
    (CLOSURES, "return (-self) + other", "return self - other", "__rsub__ in the wrong order"),
    (CLOSURES, "return self ** -1 * other", "return self / other", "__rtruediv__ in the wrong order"),
    (TUPLES, "return Value(self.data + other.data, (self, other), (1.0, 1.0))",
     "return Value(self.data + other.data, (self, other), (1.0, 1.0)),", "+ returns a tuple"),
    (TUPLES, "return Value(self.data + other.data, (self, other), (1.0, 1.0))",
     "Value(self.data + other.data, (self, other), (1.0, 1.0))", "+ returns nothing"),
    (TUPLES, "return Value(self.data * other.data", "Value(self.data * other.data", "* returns nothing"),
    (TUPLES, "parent.grad += v.grad * local", "parent.grad += local", "the upstream gradient is forgotten"),
    (TUPLES, "parent.grad += v.grad * local", "parent.grad += v.grad", "the local gradient is forgotten"),
    (TUPLES, "parent.grad += v.grad * local", "parent.grad += v.grad + local",
     "the local gradient is added to the upstream gradient"),
    (TUPLES, "parent.grad += v.grad * local", "parent.grad = v.grad * local", "= where += is needed"),
    (TUPLES, "(other.data, self.data)", "(1.0, 1.0)", "1 as the local gradient of *"),
    (TUPLES, "(1.0, -1.0)", "(1.0, 1.0)", "the sign of the second parent of -"),
    (TUPLES, "(-1.0,)", "(1.0,)", "the sign of the local gradient of -a"),
    (TUPLES, "-y / other.data)", "-y)", "the square is missing in the local gradient of /"),
    (TUPLES, "-y / other.data)", "y / other.data)", "the sign of the local gradient of /"),
    (TUPLES, "(self,), (y,))", "(self,), (1.0,))", "1 as the local gradient of exp"),
    (TUPLES, "(1 / self.data,)", "(log(self.data),)", "log's local gradient is the logarithm"),
    (TUPLES, "(y * (1 - y),)", "(self.data * (1 - self.data),)", "sigmoid's local gradient from its input"),
    (TUPLES, "self.data - other.data,", "other.data - self.data,", "a - b in the wrong order"),
    (TUPLES, "return x if isinstance(x, Value) else Value(x)", "return x", "an operator expects a node"),
    (TUPLES, "float(data), 0.0, parents", "float(data), 1.0, parents", "the gradient starts at 1"),
    (TUPLES, "for parent, local in zip(v.parents, v.local):\n                parent.grad",
     "for parent, local in dict(zip(v.parents, v.local)).items():\n                waiting[parent] -= "
     "v.parents.count(parent) - 1\n                parent.grad", "a set of parents"),
    (TAPE, "(b, a))", "(a, b))", "each factor gets itself"),
    (TAPE, "y.slope = 1", "y.slope = 0", "the root's gradient is not set to 1"),
    (TAPE, "result.slope * partial", "result.slope + partial", "the local gradient is added to the upstream gradient"),  # noqa: E501
]  # fmt: skip


RESET = "        for v in topo:\n            if v._prev:\n                v.grad = 0.0\n"


@pytest.mark.parametrize(("wrong", "cause"), [
    ("", "the gradients between are left over from the first pass"),
    (RESET.replace("            if v._prev:\n    ", ""), "the gradients of the leaves are set to 0"),
])  # fmt: skip
def test_a_second_backward_pass_is_part_of_the_check(wrong, cause):
    result = checked(planted(CLOSURES, RESET, wrong))
    assert (result.passed, result.cause) == (False, cause)
    assert result.graph.count("backward()") == 2


def options(space):
    if "Number" not in space:
        return space["Value"], {}
    return space["Number"], {"data": "value", "grad": "slope", "backward": space["differentiate"]}


def checked(space, **more):
    mine, given_options = options(space)
    return check("value", mine, **given_options, **more)


@pytest.mark.parametrize("text", [CLOSURES, TUPLES, TAPE], ids=["closures", "tuples", "tape"])
def test_right_code_of_every_style_passes(text):
    assert checked(execute(text)).passed


def test_the_engine_itself_passes():
    assert check("value", Value)


@pytest.mark.parametrize(
    ("text", "right", "wrong", "cause"), SLIPS, ids=[f"{i}-{s[3]}" for i, s in enumerate(SLIPS)]
)
def test_a_slip_is_found_and_named(text, right, wrong, cause):
    result = checked(planted(text, right, wrong))
    assert (result.passed, result.cause) == (False, cause)
    assert result.graph
    assert result.step
    assert result.yours != result.right


def test_an_untouched_stub_fails():
    class Stub:
        def __init__(self, data):
            pass

        def __add__(self, other):
            pass

        def __mul__(self, other):
            pass

        def backward(self):
            pass

    result = check("value", Stub)
    assert not result
    assert "attribute 'data'" in result.yours


def test_of_two_slips_one_is_named_and_then_the_other():
    pairs = [SLIPS[0], SLIPS[9]]
    text = CLOSURES
    for _, right, wrong, _ in pairs:
        text = text.replace(right, wrong)
    first = checked(execute(text))
    assert first.cause in {slip[3] for slip in pairs}
    _, right, wrong, other = next(slip for slip in pairs if slip[3] != first.cause)
    assert checked(planted(CLOSURES, right, wrong)).cause == other


def test_an_unknown_slip_has_its_graph_and_no_cause():
    result = checked(planted(TUPLES, "(1 - y * y,)", "(1 - y * y + 0.01,)"))
    assert result.cause is None
    assert result.graph == "a = 2\nv1 = tanh(a)"
    assert result.step == "a.grad"


def test_the_smallest_graph_of_a_missing_order_has_two_operations():
    _, right, wrong, _ = SLIPS[4]
    assert checked(planted(CLOSURES, right, wrong)).graph == "a = 2\nv1 = a + a; v2 = v1 + v1"


def test_a_first_version_with_plus_and_times_is_checked_for_these_alone():
    class Mine:
        def __init__(self, data, parents=(), local=()):
            self.data, self.grad, self.parents, self.local = data, 0.0, parents, local

        def __add__(self, other):
            return Mine(self.data + other.data, (self, other), (1.0, 1.0))

        def __mul__(self, other):
            return Mine(self.data * other.data, (self, other), (other.data, self.data))

        def backward(self):
            order = []

            def visit(v):
                if v not in order:
                    for parent in v.parents:
                        visit(parent)
                    order.append(v)

            visit(self)
            for v in order:
                v.grad = 0.0 if v.parents else v.grad
            self.grad = 1.0
            for v in order[::-1]:
                for parent, local in zip(v.parents, v.local):
                    parent.grad += v.grad * local

    result = check("value", Mine)
    assert result.passed
    assert "sum" in result.skipped
    assert check("value", Mine, operations=["+", "*", "number + v"]).cause == "no __radd__"
    assert "Not checked" not in str(check("value", Mine, operations=["+", "*"]))


def test_an_endless_loop_ends_and_is_named():
    space = planted(CLOSURES, "        build(self)\n", "        while True: pass\n")
    assert "endless loop" in checked(space).yours


def test_an_error_shows_the_student_line_and_no_traceback():
    result = checked(planted(CLOSURES, "t = math.tanh(self.data)", "t = math.tanh(self.dat)"))
    assert "t = math.tanh(self.dat)" in result.yours
    assert "nn/exercises" not in str(result)


def test_the_result_plays_the_graph_that_failed():
    result = checked(planted(*SLIPS[0][:3]))
    player = result.play()
    assert isinstance(player, Player)
    assert player.title == f"{result.step}: yours {result.yours}, right {result.right}"
    with pytest.raises(ValueError, match="the check passed"):
        checked(execute(TUPLES)).play()


@pytest.mark.parametrize(("right", "wrong", "step"), [
    ("self.data - other.data,", "other.data - self.data,", 1),  # forward
    ("self.grad = 1.0", "self.grad = 2.0", 2),  # the root's gradient
    ("(1 - y * y,)", "(1 - y,)", 3),  # its first edge
    ("parent.grad += v.grad * local", "parent.grad = v.grad * local", 4),  # its second edge
])  # fmt: skip
def test_the_player_opens_at_the_step_that_is_wrong(right, wrong, step):
    assert checked(planted(TUPLES, right, wrong)).play().story["start"] == step


BODIES = {  # right ways to write a part, of which a variant takes one each
    "order": [
        "order, seen = [], set()\n        def visit(v):\n            if id(v) not in seen:\n                seen.add(id(v))\n"  # noqa: E501
        "                for p in v.parents:\n                    visit(p)\n                order.append(v)\n        visit(self)",  # noqa: E501
        "order, todo = [], [(self, False)]\n        while todo:\n            v, done = todo.pop()\n"
        "            if done:\n                if v not in order:\n                    order.append(v)\n"
        "            elif v not in order:\n                todo.append((v, True))\n"
        "                todo += [(p, False) for p in v.parents]",
    ],
    "spread": [
        "for p, d in zip(v.parents, v.local):\n                p.grad += v.grad * d",
        "for i in range(len(v.parents)):\n                v.parents[i].grad = v.parents[i].grad + d(v, i)",
    ],
    "sub": ["self + (-other)", "self + other * -1", "Value.of(other).__neg__() + self",
            "Value(self.data - Value.of(other).data, (self, Value.of(other)), (1, -1))"],
    "neg": ["self * -1", "Value(-self.data, (self,), (-1,))", "0 - self"],
    "div": ["self * Value.of(other) ** -1",
            "(lambda o: Value(self.data / o.data, (self, o), (1 / o.data, -self.data / o.data ** 2)))(Value.of(other))"],  # noqa: E501
    "pow": ["Value(self.data ** n, (self,), (n * self.data ** (n - 1),))",
            "Value(self.data ** n, (self,), (n * self.data ** n / self.data,))"],
    "radd": ["self + other", "Value.of(other) + self"],
    "rmul": ["self * other", "Value.of(other) * self"],
    "tanh": ["(lambda y: Value(y, (self,), (1 - y ** 2,)))(tanh(self.data))",
             "((self * 2).exp() - 1) / ((self * 2).exp() + 1)",
             "Value(tanh(self.data), (self,), (1 / cosh(self.data) ** 2,))"],
    "relu": ["Value(max(0, self.data), (self,), (int(self.data > 0),))",
             "Value(self.data, (self,), (1.0,)) if self.data > 0 else Value(0.0, (self,), (0.0,))"],
    "exp": ["Value(exp(self.data), (self,), (exp(self.data),))",
            "(lambda y: Value(y, [self], [y]))(exp(self.data))",
            "Value(2.718281828459045 ** self.data, (self,), (2.718281828459045 ** self.data,))"],
    "zero": ["0.0", "0"],
    "slots": ["pass", "__slots__ = ('data', 'grad', 'parents', 'local')"],
    "again": ["v.grad = 0 if v.parents else v.grad", "if v is not self and len(v.parents) > 0: v.grad = 0.0",
              "v.grad *= not v.parents"],
}  # fmt: skip

VARIANT = """
from math import cosh, exp, tanh

def d(v, i):
    return v.grad * v.local[i]

class Value:
    {slots}
    def __init__(self, data, parents=(), local=()):
        self.data, self.grad, self.parents, self.local = data, {zero}, parents, local
    @staticmethod
    def of(x):
        return x if isinstance(x, Value) else Value(x)
    def __add__(self, other):
        other = Value.of(other)
        return Value(self.data + other.data, (self, other), (1, 1))
    def __mul__(self, other):
        other = Value.of(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))
    def __sub__(self, other):
        return {sub}
    def __neg__(self):
        return {neg}
    def __truediv__(self, other):
        return {div}
    def __pow__(self, n):
        return {pow}
    def __radd__(self, other):
        return {radd}
    def __rmul__(self, other):
        return {rmul}
    def __rsub__(self, other):
        return Value(other, (), ()) + self * -1
    def __rtruediv__(self, other):
        return Value.of(other) / self
    def exp(self):
        return {exp}
    def tanh(self):
        return {tanh}
    def relu(self):
        return {relu}
    def backward(self):
        {order}
        for v in order:
            {again}
        self.grad = 1
        for v in reversed(order):
            {spread}
"""


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries({part: st.sampled_from(ways) for part, ways in BODIES.items()}),
    st.sets(st.sampled_from([*OPERATIONS.keys() - {"log", "sigmoid"}]), max_size=4),
)
def test_right_variants_are_never_refused(parts, some):
    if parts["neg"] == "0 - self":
        parts["sub"] = BODIES["sub"][1]  # a - b must not call -b, which calls 0 - b
    assert check("value", execute(VARIANT.format(**parts))["Value"], operations=["+", "*", *some])


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="no topic 'vallue' .did you mean value"):
        check("vallue", Value)
    with pytest.raises(TypeError, match="takes no option 'date'"):
        check("value", Value, date="x")
    with pytest.raises(TypeError, match="class of nodes"):
        check("value", 3)
    with pytest.raises(ValueError, match="no operation 'plus'"):
        check("value", Value, operations=["plus"])
    with pytest.raises(TypeError, match="attribute or a function"):
        check("value", Value, data=3)


def test_the_first_step_that_is_not_written_is_named():
    class Half:
        def __init__(self, data, parents=()):
            self.data, self.grad, self.parents = data, 0.0, parents

        def __add__(self, other):
            return Half(self.data + other.data, (self, other))

        def __mul__(self, other):
            return Half(self.data * other.data, (self, other))

        def backward(self):
            raise NotImplementedError("write this")

    result = check("value", Half)
    assert result.unwritten
    assert result.step == "v1.grad after v1.backward()"
    assert result.cause is None
