"""Activation functions."""

import pytest
from support.table import ROWS

from engine import Op, Value, ops
from nn import Neuron
from nn.model.activations import apply, get_activation, symbol

UNARY = [name for name, op in ROWS.items() if len(op.partials) == 1]


@pytest.mark.parametrize("name", UNARY)
def test_every_operation_of_one_argument_is_an_activation(name):
    neuron = Neuron(1, activation=name, init="zeros")
    [z] = ops.table[name].at[-1]
    neuron.b.data = z
    assert neuron([0.0]).data == neuron.predict([0.0]) == ops.table[name].value(z)


def test_an_op_is_an_activation_and_so_is_its_name():
    cubed = Op("cubed_activation", "a ** 3", "3 * a**2")
    assert get_activation("cubed_activation") is get_activation(cubed) is cubed
    neuron = Neuron(1, activation=cubed, init="zeros")
    neuron.b.data = 2.0
    assert neuron([0.0]).data == 8.0


def test_none_means_no_activation():
    assert get_activation(None) is None
    assert symbol(None) is None
    assert apply(None, 0.3) == 0.3


@pytest.mark.parametrize("name", ["swoosh", "", "+", "max", "Σ"])
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(
        ValueError, match=r"unknown activation .*: operations of one argument are neg, exp, .*gelu"
    ):
        get_activation(name)


def test_an_op_of_two_arguments_is_refused():
    with pytest.raises(ValueError, match="unknown activation 'max'"):
        get_activation(ops.maximum)


@pytest.mark.parametrize("activation", [3, True, abs, ["relu"]])
def test_an_activation_that_is_neither_a_name_nor_an_op_is_refused(activation):
    with pytest.raises(TypeError, match="an activation is a name, an Op or None"):
        get_activation(activation)


@pytest.mark.parametrize(("name", "z", "error"), [("log", 0.0, ValueError), ("exp", 1e4, OverflowError)])
def test_domain_errors_on_floats_name_the_formula_and_the_number(name, z, error):
    with pytest.raises(error) as recorded:
        get_activation(name)(Value(z))
    with pytest.raises(error) as plain:
        apply(get_activation(name), z)
    assert str(plain.value) == str(recorded.value)
