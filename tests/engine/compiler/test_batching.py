"""The Python backend computes values that are the same for all samples once, to the same bits."""

import math
import random

import pytest

from engine import Op, Value, log, relu, tanh, total, trace
from nn.model.modules import MLP


def leaves(*names):
    return [Value(0.5, label=name) for name in names]


def parts(program):
    """Return the statements before the loop and those within it."""
    before, _, within = program.compile("python").source.partition("for inputs in samples:")
    return before, within


def test_an_instruction_of_parameters_alone_is_computed_before_the_loop():
    x, w, b = leaves("x", "w", "b")
    penalty = w * w + b * b
    penalty.label = "penalty"
    before, within = parts(trace(tanh(w * x + b) + penalty, [x], [w, b]))
    assert "penalty = " in before
    assert "w*w" not in within
    assert "tanh(" in within


def test_a_part_of_a_gradient_is_computed_before_the_loop():
    x, w = leaves("x", "w")
    before, within = parts(trace(w * x + 0.1 * (w * w), [x], [w]))
    assert "c = 0.1*w" in before
    assert "sum_d_w = count*c" in before
    assert "sum_d_w += x" in within
    assert "0.1*w" not in within


def test_a_gradient_without_an_input_is_multiplied_by_the_number_of_samples():
    x, w, v = leaves("x", "w", "v")
    program = trace(w * x + v * v, [x], [w, v])
    before, within = parts(program)
    assert "sum_d_v = count*d_v" in before
    assert "d_v" not in within.partition("return")[0]
    assert program.compile("python")([2.0, 3.0], [[1.0, 2.0, 3.0]]) == (13.0, [2.0, 6.0])


def test_a_parameter_called_count_is_not_the_number_of_samples():
    x, w = leaves("x", "count")
    assert trace(w * x + w * w, [x], [w]).compile("python")([3.0], [[1.0, 2.0]]) == (13.5, [7.5])


def test_a_part_of_a_branch_is_computed_in_the_branch():
    """It may have no value unless the branch is taken."""
    slopes = "0 if a <= 0 else log(b)", "0 if a <= 0 else a / b"
    guarded = Op("guarded", "0 if a <= 0 else a * log(b)", *slopes)
    x, w = leaves("x", "w")
    step = trace(guarded(x, w), [x], [w]).compile("python")
    assert step([-1.0], [[-2.0]]) == (0.0, [0.0])
    with pytest.raises(ValueError, match="sample 1"):
        step([-1.0], [[-2.0, 3.0]])


def test_a_parameter_outside_a_domain_is_still_named_with_its_sample():
    x, w = leaves("x", "w")
    with pytest.raises(ValueError, match=r"sample 0: log\(a\) at a = -1.0 \(w\)"):
        trace(log(w) * x, [x], [w]).compile("python")([-1.0], [[1.0, 2.0]])


def test_an_output_that_depends_on_no_input_counts_for_every_sample():
    x, w = leaves("x", "w")
    step = trace(w * w, [x], [w]).compile("python")
    assert step([3.0], [[1.0, 2.0]]) == (9.0, [6.0])
    assert step.values([3.0], [[1.0, 2.0]]) == [9.0, 9.0]


def test_labels_that_are_names_of_the_loop_are_renamed():
    x, w = Value(2.0, label="samples"), Value(3.0, label="values")
    y = w * x + w * w
    y.label = "sum0"
    assert trace(y, [x], [w]).compile("python")([3.0], [[2.0]]) == (15.0, [8.0])


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_each_sample_has_the_bits_of_its_graph(activation):
    rng = random.Random(3)
    model = MLP(2, [5, 4, 1], activation, rng=rng)
    x, t = leaves("x0", "x1"), Value(1.0, label="t")

    def loss(x, t):
        return relu(1 - t * model(x)) + 1e-4 * total([p * p for p in model.parameters()])

    step = trace(loss(x, t), [*x, t], model.parameters()).compile("python")
    numbers = [p.data for p in model.parameters()]
    for _ in range(20):
        sample = [rng.gauss(0, 1), rng.gauss(0, 1), rng.choice([-1.0, 1.0])]
        model.zero_grad()
        root = loss([Value(s) for s in sample[:2]], Value(sample[2]))
        root.backward()
        assert step(numbers, [[s] for s in sample]) == (root.data, [p.grad for p in model.parameters()])
    assert math.isfinite(root.data)
