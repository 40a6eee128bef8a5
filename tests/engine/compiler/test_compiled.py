"""A compiled program can be copied and pickled, and leaves nothing behind."""

import copy
import gc
import inspect
import linecache
import math
import pickle

import pytest
from support.backends import each_backend

from engine import CompiledFunction, Op, Value, sigmoid, tanh, total, trace
from nn import MLP


def program():
    x, w = Value(0.5, label="x"), Value(0.75, label="w")
    return trace(sigmoid(tanh(w * x)), [x], [w])


@each_backend
@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda step: pickle.loads(pickle.dumps(step))])
def test_a_copy_computes_the_same(backend, twin):
    step = program().compile(backend)
    expected = step([0.75], [[0.5, -1.0]])
    found = twin(step)([0.75], [[0.5, -1.0]])
    assert (found[0], list(found[1])) == (expected[0], list(expected[1]))
    assert isinstance(step, CompiledFunction)


@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_the_source_is_forgotten_with_the_function(backend):
    if backend == "numpy":
        pytest.importorskip("numpy")
    before = set(linecache.cache)
    step = program().compile(backend)
    step.values([0.75], [[0.5]])
    assert len({*linecache.cache} - before) == 2  # the values have a program of their own
    del step
    gc.collect()
    assert {*linecache.cache} - before == set()


def test_a_traceback_shows_the_source_while_the_function_exists():
    step = program().compile("python")
    assert inspect.getsource(step._steps).startswith("def steps(")


# Labels


@each_backend
@pytest.mark.parametrize("label", ["x̂", "ŵ", "a·b", "π", "if", "where", "lambda", "日本"])
def test_any_label_may_stand_in_a_branch(backend, label):
    guarded_log = Op("guarded_log", "log(a) if a > 1 else 0", "1 / a if a > 1 else 0")
    x, w = Value(2.0, label=label), Value(3.0, label=f"{label} {label}")
    z = w * x
    z.label = f"z{label}"
    step = trace(guarded_log(z) * w, [x], [w]).compile(backend)
    xs = [1.0, -1.0]
    assert list(step.values([3.0], [xs])) == pytest.approx([3 * math.log(3), 0.0], rel=1e-12)
    mean, [gradient] = step([3.0], [xs])
    assert mean == pytest.approx(3 * math.log(3) / 2, rel=1e-12)
    assert gradient == pytest.approx((math.log(3) + 1) / 2, rel=1e-12)


def test_comments_name_the_layers_of_a_net_with_other_labels():
    x = [Value(1.0, label="x0")]
    model = MLP(1, [2, 1])
    for i, p in enumerate(model.parameters()):
        p.label = f"theta{i}"
    y = model(x)
    y.label = "z7_3"
    comments = [
        line.strip() for line in trace(y, x, model.parameters()).source.splitlines() if "# layer" in line
    ]
    assert comments == ["# layer 1", "# layer 2", "# layer 2", "# layer 1"]


# Arguments of find_nonfinite


def test_the_number_of_the_sample_is_data():
    x, w = Value(2.0, label="sample 0"), Value(3.0, label="w")
    found = trace(w * x, [x], [w]).locate_nonfinite([1e300], [[1.0, 1e300]])
    assert (found.sample, found.text) == (1, "y = w*sample_0 is inf at w = 1e+300, sample_0 = 1e+300")


def test_the_message_about_a_long_sum_is_one_short_line():
    w = [Value(1.0, label=f"w{i}") for i in range(1000)]
    found = trace(total([v * v for v in w]), parameters=w).find_nonfinite([1e154] * 1000)
    assert found.startswith("sample 0: y = v1 + v2 + v3")
    assert found.isprintable()
    assert len(found) < 600


def test_arguments_of_find_nonfinite_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"expected 1 parameter \(w\), not 0"):
        program().find_nonfinite([])
    with pytest.raises(TypeError, match="expected a sequence of columns, not float: 2.0"):
        program().find_nonfinite([1.0], 2.0)


def test_the_message_about_a_leaf_keeps_the_label():
    w = Value(2.0, label="an p")
    square = w * w
    square.label = "an parameter"
    with pytest.raises(ValueError, match="^a parameter is a leaf, but Value.*label='an parameter'"):
        trace(w * 2, parameters=[square])


@each_backend
@pytest.mark.parametrize("samples", [2, 3, 7])
def test_a_mean_of_finite_numbers_is_right_even_if_their_sum_overflows(backend, samples):
    x, w = Value(1.0, "x"), Value(1.0, "w")
    step = trace(w * x, inputs=[x], parameters=[w]).compile(backend)
    mean, gradients = step([1.0], [[1.5e308] * samples])
    assert mean == pytest.approx(1.5e308, rel=1e-15)
    assert gradients[0] == pytest.approx(1.5e308, rel=1e-15)
    mean, _, [doubled] = trace([w * x, x * 0.5], inputs=[x], parameters=[w]).compile(backend)(
        [1.0], [[1.5e308] * samples]
    )
    assert mean == pytest.approx(1.5e308, rel=1e-15)
    assert list(doubled) == [0.75e308] * samples


@each_backend
def test_a_mean_that_is_infinite_stays_infinite(backend):
    x, w = Value(1.0, "x"), Value(1.0, "w")
    step = trace(w * x, inputs=[x], parameters=[w]).compile(backend)
    assert step([10.0], [[1.5e308, 1.0, 1.0]])[0] == math.inf
