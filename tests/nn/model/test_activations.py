"""Which functions a neuron may apply."""

import pytest

from engine import Op, Value, ops
from nn import Neuron
from nn.model.activations import apply, find, symbol

UNARY = [name for name, op in ops.table.items() if isinstance(op, Op) and len(op.partials) == 1]


@pytest.mark.parametrize("name", UNARY)
def test_every_operation_of_one_argument_is_an_activation(name):
    neuron = Neuron(1, activation=name, init="zeros")
    neuron.b.data = 0.5
    assert neuron([0.0]).data == neuron.predict([0.0]) == ops.table[name].value(0.5)


def test_an_op_is_an_activation_and_so_is_its_name():
    cubed = Op("cubed_activation", "a ** 3", "3 * a**2")
    assert find("cubed_activation") is find(cubed) is cubed
    neuron = Neuron(1, activation=cubed, init="zeros")
    neuron.b.data = 2.0
    assert neuron([0.0]).data == 8.0


def test_none_is_no_operation():
    assert find(None) is None
    assert symbol(None) is None
    assert apply(None, 0.3) == 0.3


@pytest.mark.parametrize("name", ["swoosh", "", "+", "max", "Σ"])
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(
        ValueError, match=r"unknown activation .*: operations of one argument are neg, exp, .*gelu"
    ):
        find(name)


def test_an_op_of_two_arguments_is_no_activation():
    with pytest.raises(ValueError, match="unknown activation 'max'"):
        find(ops.maximum)


@pytest.mark.parametrize("activation", [3, True, abs, ["relu"]])
def test_what_is_no_name_and_no_op_is_refused(activation):
    with pytest.raises(TypeError, match="an activation is a name, an Op or None"):
        find(activation)


@pytest.mark.parametrize(("name", "z", "error"), [("log", 0.0, ValueError), ("exp", 1e4, OverflowError)])
def test_outside_its_domain_the_formula_and_the_number_are_told_in_floats_too(name, z, error):
    with pytest.raises(error) as recorded:
        find(name)(Value(z))
    with pytest.raises(error) as plain:
        apply(find(name), z)
    assert str(plain.value) == str(recorded.value)
