"""A graph that a function builds: what Python decides on Values is checked on every sample."""

import copy
import math
import pickle
import threading

import pytest
from support.backends import each_backend

from engine import GuardError, Value, exp, grad, log, no_grad, relu, sigmoid, trace, weighted_sum


def leaves(*names):
    return [Value(0.5 + 0.25 * i, name) for i, name in enumerate(names)]


def hinge(x, t, w):
    return max(0, 1 - t * (w * x))


def huber(x, t, w):
    e = w * x - t
    return e * e / 2 if abs(e) < 1 else abs(e) - 0.5


def piecewise(x, t, w):
    y = w * x
    return log(y) * t if y > 0 else y * y * t


def truth(x, t, w):
    return w * x if w * x - t else w + t


FUNCTIONS = [hinge, huber, piecewise, truth]
each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
SAMPLES = [(1.0, 1.0), (0.5, -1.0), (-1.0, 1.0), (3.0, 1.0), (0.25, 0.125), (-2.0, -1.0)]


def eager(function, w, samples):
    """The mean and its derivative, from Values that are built anew for each sample."""
    mean = derivative = 0.0
    for x, t in samples:
        v = Value(w)
        y = function(Value(x), Value(t), v)
        if isinstance(y, Value):
            mean, derivative = mean + y.data / len(samples), derivative + grad(y, [v])[0] / len(samples)
    return mean, derivative


@each_backend
@each_function
def test_a_batch_is_computed_as_values_compute_it_or_refused(function, backend):
    w = 0.5
    computed = refused = 0
    for first in SAMPLES:
        x, t, v = Value(first[0], "x"), Value(first[1], "t"), Value(w, "w")
        try:
            program = trace(lambda x, t: function(x, t, v), inputs=[x, t], parameters=[v])  # noqa: B023
        except ValueError:
            continue  # the loss of this sample is a plain number
        step = program.compile(backend)
        for second in SAMPLES:
            batch = [first, second]
            try:
                mean, gradients = step([w], [list(column) for column in zip(*batch)])
            except GuardError as error:
                refused += (error.sample, "test_guards.py" in error.line) == (1, True)
                continue
            computed += 1
            assert (mean, gradients[0]) == pytest.approx(eager(function, w, batch), rel=1e-12)
    assert computed
    assert refused


@each_backend
def test_values_of_outputs_are_guarded_as_well(backend):
    x, w = leaves("x", "w")
    step = trace(lambda x: [max(x, w), x * w], inputs=[x], parameters=[w]).compile(backend)
    first, second = step.values([0.75], [[0.5, -1.0]])
    assert [list(first), list(second)] == [[0.75, 0.75], [0.375, -0.75]]
    with pytest.raises(GuardError, match="sample 2: Python's comparison in .* comes out differently"):
        step.values([0.75], [[0.5, -1.0, 2.0]])
    mean, gradients, [other] = step([0.75], [[0.5, -1.0]])
    assert (mean, list(gradients), list(other)) == (0.75, [1.0], [0.375, -0.75])


@each_backend
def test_a_branch_without_a_value_for_a_sample_fails_by_its_guard(backend):
    x, w = leaves("x", "w")
    step = trace(lambda x: log(w * x) if x > 0 else w * x, inputs=[x], parameters=[w]).compile(backend)
    with pytest.raises(GuardError, match="sample 1"):
        step([1.0], [[1.0, -1.0]])
    with pytest.raises(ValueError, match=r"sample 0: log\(a\)"):  # here the guard holds
        step([0.0], [[1.0, 2.0]])


def test_a_comparison_of_parameters_is_checked_at_each_call():
    x, w, v = leaves("x", "w", "v")
    step = trace(lambda x: x * max(w, v), inputs=[x], parameters=[w, v]).compile("python")
    assert step([1.0, 2.0], [[3.0]]) == (6.0, [0.0, 3.0])
    with pytest.raises(GuardError, match="sample 0"):
        step([2.0, 1.0], [[3.0]])


@pytest.mark.parametrize(
    "compare", [lambda a, b: a < b, lambda a, b: a <= b, lambda a, b: a > b, lambda a, b: a >= b]
)
@pytest.mark.parametrize("number", [1.0, 2.0, 3.0])
def test_every_comparison_keeps_its_meaning_at_equality(compare, number):
    x, w = Value(2.0, "x"), Value(1.0, "w")
    step = trace(lambda x: w * x if compare(x, 2.0) else w - x, inputs=[x], parameters=[w]).compile("python")
    if compare(number, 2.0) == compare(2.0, 2.0):
        step([1.0], [[number]])
    else:
        with pytest.raises(GuardError):
            step([1.0], [[number]])


@pytest.mark.parametrize("read", [lambda v: v.data, lambda v: f"{v.data:.2f}", lambda v: round(v.data)])
def test_a_number_that_is_read_is_listed_by_its_line(read):
    x, w = leaves("x", "w")

    def function(x):
        y = w * x
        read(y)
        return y

    program = trace(function, inputs=[x], parameters=[w])
    assert len(program.reads) == 1
    assert "test_guards.py" in program.reads[0]


@pytest.mark.parametrize("function", [relu, sigmoid, exp, lambda v: weighted_sum([v], [v], 1.0)])
def test_operations_are_no_decisions(function):
    x, w = leaves("x", "w")
    program = trace(lambda x: function(w * x), inputs=[x], parameters=[w])
    assert (program.guards, program.reads) == ((), ())


def test_a_finished_graph_guards_nothing():
    x, w = leaves("x", "w")
    program = trace(max(w * x, 0), inputs=[x], parameters=[w])
    assert program.guards == ()
    assert program.compile("python")([1.0], [[-5.0]]) == (-5.0, [-5.0])


def test_the_same_comparison_in_a_loop_is_checked_once_for_each_value():
    x, w = leaves("x", "w")

    def function(x):
        y = w * x
        while y < 10:
            y = y * 2
        return y

    program = trace(function, inputs=[x], parameters=[w])
    assert len(program.guards) == 6
    assert program.compile("python")([0.75], [[0.5]])[0] == 0.375 * 32
    with pytest.raises(GuardError):
        program.compile("python")([0.75], [[0.05]])


def test_the_leaves_are_plain_values_afterwards_even_after_an_error():
    x, w = leaves("x", "w")
    trace(lambda x: max(0, w * x), inputs=[x], parameters=[w])
    assert (type(x), type(w)) == (Value, Value)

    def broken(x):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        trace(broken, inputs=[x], parameters=[w])
    assert (type(x), type(w)) == (Value, Value)
    y = w * x
    assert type(y) is Value


def test_a_loss_that_is_a_plain_number_is_refused():
    x, w = leaves("x", "w")
    with pytest.raises(ValueError, match="depends on none of the 1 parameters"):
        trace(lambda x: max(0, -(w * x)), inputs=[x], parameters=[w])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda step: pickle.loads(pickle.dumps(step))])
def test_copies_of_the_compiled_function_are_guarded(copied):
    x, w = leaves("x", "w")
    step = copied(trace(lambda x: max(0, w * x), inputs=[x], parameters=[w]).compile("python"))
    assert step([1.0], [[2.0]]) == (2.0, [2.0])
    with pytest.raises(GuardError):
        step([1.0], [[-2.0]])


def test_a_nan_is_compared_as_python_compares_it():
    x, w = leaves("x", "w")
    program = trace(lambda x: w * x if x < math.inf else w, inputs=[x], parameters=[w])
    with pytest.raises(ValueError, match="NaN"):
        program.compile("python")([1.0], [[math.nan]])


def test_programs_without_comparisons_are_the_backends_own_functions():
    x, w = leaves("x", "w")
    step = trace(lambda x: w * x, inputs=[x], parameters=[w]).compile("python")
    assert type(step).__name__ == "PythonFunction"


def test_an_input_is_compared_with_numbers_as_the_number_that_it_stands_for():
    x, w = Value(1.0, "x"), Value(2.0, "w")
    program = trace(lambda x: w * x if x == 1 else w - x, inputs=[x], parameters=[w])
    step = program.compile("python")
    assert step([2.0], [[1.0]]) == (2.0, [1.0])
    with pytest.raises(GuardError):
        step([2.0], [[1.0, 0.0]])
    assert trace(lambda x: w * x if x in (0, 1) else w, inputs=[x], parameters=[w]).guards
    assert (w == 2.0) is False  # a parameter is a Value: == is identity


@pytest.mark.parametrize("use", [
    lambda x, w: [1.0, 5.0, 7.0][x] * w, lambda x, w: int(x) * w, lambda x, w: float(x) * w,
    lambda x, w: round(x) * w, lambda x, w: grad(w**3, [w])[0] * w, lambda x, w: float(f"{w:.9f}") * w,
    lambda x, w: len(repr(w)) * w, lambda x, w: w.tanh().local_gradients()[0] * w,
    lambda x, w: w.tanh().pullback(2.0)[0] * w, lambda x, w: w * (1.0 + w.grad),
])  # fmt: skip
def test_every_way_to_a_plain_number_is_noted_as_a_read(use):
    x, w = Value(1.0, "x"), Value(2.0, "w")
    assert trace(lambda x: use(x, w), inputs=[x], parameters=[w]).reads


def test_a_number_computed_under_no_grad_is_noted_as_a_read():
    x, w = Value(1.0, "x"), Value(2.0, "w")

    def function(x):
        with no_grad():
            scale = w * x + 1
        return w * x * scale

    assert trace(function, inputs=[x], parameters=[w]).reads


def test_an_error_that_python_may_catch_is_noted_as_a_read():
    x, w = Value(-1.0, "x"), Value(2.0, "w")

    def function(x):
        try:
            return log(w * x)
        except ValueError:
            return w * x

    assert trace(function, inputs=[x], parameters=[w]).reads


def test_a_constant_on_the_left_of_a_comparison_is_guarded_too():
    x, w = Value(0.5, "x"), Value(2.0, "w")
    with no_grad():
        limit = Value(0.5) * 2
    step = trace(lambda x: w * x if limit > x else w * 100, inputs=[x], parameters=[w]).compile()
    with pytest.raises(GuardError):
        step([2.0], [[5.0]])


def test_a_derivative_that_is_a_value_is_no_read():
    x, w = Value(0.5, "x"), Value(2.0, "w")
    program = trace(lambda x: grad(w * x * x, [x], create_graph=True)[0], inputs=[x], parameters=[w])
    assert (program.reads, program.guards) == ((), ())
    assert program.compile()([2.0], [[3.0]]) == (12.0, [6.0])


def test_a_leaf_of_a_class_of_the_users_own_is_not_traced():
    class Mine(Value):
        def __mul__(self, other):
            return Value.__mul__(self, other) * 2.0

    x, w = Value(1.0, "x"), Mine(0.5, label="w")
    program = trace(lambda x: w * x, inputs=[x], parameters=[w])
    assert program.reads
    assert type(w) is Mine


def test_threads_that_trace_the_same_parameters_take_turns():
    w = Value(2.0, "w")
    programs = []

    def work():
        x = Value(1.0, "x")
        programs.append(trace(lambda x: max(0, sum([w * x] * 50)), inputs=[x], parameters=[w]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(program.guards) for program in programs] == [1] * 8
    assert type(w) is Value
