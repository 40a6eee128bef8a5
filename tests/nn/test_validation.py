"""Checks of arguments."""

import pytest

from engine import Value
from nn.validation import InputValues, as_floats, as_inputs, count


def test_plain_numbers_become_labelled_constants():
    x = as_inputs([1, 2.5, True], 3)
    assert [(v.data, v.label, v.constant) for v in x] == [
        (1.0, "x0", True),
        (2.5, "x1", True),
        (1.0, "x2", True),
    ]


def test_values_are_returned_as_they_are():
    v = Value(3.0, label="mine")
    x = as_inputs([v, 1.0], 2)
    assert x[0] is v
    assert x[0].label == "mine"


def test_checked_inputs_are_not_checked_again():
    x = as_inputs([1.0], 1)
    assert type(x) is InputValues
    assert as_inputs(x, 1) is x


def test_arrays_and_their_numbers_are_plain_numbers():
    numpy = pytest.importorskip("numpy")
    assert as_floats(numpy.array([1, 2], dtype=numpy.int8), 2) == [1.0, 2.0]
    assert [v.data for v in as_inputs(numpy.array([0.5, 1.5]), 2)] == [0.5, 1.5]


@pytest.mark.parametrize("enter", [as_inputs, as_floats])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([1.0], ValueError, "expected 2 inputs, got 1"),
        ([1.0, 2.0, 3.0], ValueError, "expected 2 inputs, got 3"),
        ([], ValueError, "expected 2 inputs, got 0"),
        (1.0, TypeError, "a sample is a list of 2 numbers, not float: 1.0"),
        (None, TypeError, "a sample is a list of 2 numbers, not NoneType"),
        ("12", TypeError, "a sample is a list of 2 numbers, not str: '12'"),
        ({1: 2, 3: 4}, TypeError, "a sample is a list of 2 numbers, not dict"),
        (Value(1.0), TypeError, "a sample is a list of 2 numbers, not Value"),
        ([1.0, "2"], TypeError, "not str: '2'"),
        ([1.0, None], TypeError, "not NoneType"),
        ([1.0, [2.0]], TypeError, "not list"),
        ([1.0, 2j], TypeError, "not complex"),
    ],
)
def test_a_sample_that_is_no_list_of_numbers_is_refused(enter, x, error, message):
    with pytest.raises(error, match=message):
        enter(x, 2)


def test_checked_inputs_of_another_length_are_refused():
    with pytest.raises(ValueError, match="expected 3 inputs, got 2"):
        as_inputs(as_inputs([1.0, 2.0], 2), 3)


def test_values_are_refused_as_plain_numbers():
    with pytest.raises(TypeError, match="Value"):
        as_floats([Value(1.0)], 1)


def test_a_count_is_a_whole_number_of_at_least_one():
    assert count("n", 3) == 3


def test_a_count_may_come_from_numpy():
    numpy = pytest.importorskip("numpy")
    assert type(count("n", numpy.int64(3))) is int


@pytest.mark.parametrize("n", [0, -1, 1.0, True, "3", None, [1]])
def test_anything_else_is_refused_as_a_count(n):
    with pytest.raises(ValueError, match="nin is a whole number of at least 1, not"):
        count("nin", n)
