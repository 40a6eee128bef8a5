"""Plain numbers: which objects count as one, and how they become floats."""

import subprocess
import sys
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import numpy as np
import pytest

from engine.core.scalar import as_float, is_number


class Side(IntEnum):
    LEFT = -1


NUMBERS = [
    (2, 2.0), (True, 1.0), (False, 0.0), (-0.5, -0.5), (10**300, 1e300), (Side.LEFT, -1.0),
    (np.float64(0.1), 0.1), (np.float32(0.1), 0.10000000149011612), (np.float16(0.5), 0.5),
    (np.longdouble(0.5), 0.5), (np.int64(-3), -3.0), (np.uint8(200), 200.0), (np.bool_(True), 1.0),
    (np.array(2.5), 2.5), (np.array(3), 3.0),
]  # fmt: skip
each_number = pytest.mark.parametrize(("x", "expected"), NUMBERS, ids=lambda x: f"{type(x).__name__}-{x}")

OTHERS = [
    None, "2", b"2", 1j, [1.0], (1.0,), {}, object(), int, Decimal(1), Fraction(1, 2), np.complex128(1),
    np.array([1.0]), np.array(1j), np.str_("1"), np.datetime64("2026-01-01"), np.timedelta64(1, "s"),
]  # fmt: skip
each_other = pytest.mark.parametrize("x", OTHERS, ids=lambda x: type(x).__name__)


@each_number
def test_a_plain_number_becomes_a_float(x, expected):
    assert is_number(x)
    assert as_float(x) == expected
    assert type(as_float(x)) is float


@each_other
def test_an_error_names_the_type_of_anything_that_is_not_a_number(x):
    assert not is_number(x)
    with pytest.raises(TypeError, match=f"expected a number, not {type(x).__name__}: "):
        as_float(x)


def test_an_error_shows_only_the_beginning_of_a_long_text():
    with pytest.raises(TypeError) as caught:
        as_float("x" * 1000)
    assert len(str(caught.value)) < 120


def test_an_int_beyond_the_floats_overflows_as_in_python():
    with pytest.raises(OverflowError):
        as_float(10**400)


def test_nan_and_infinities_pass():
    assert as_float(float("inf")) == float("inf")
    assert as_float(float("nan")) != as_float(float("nan"))


def test_is_number_does_not_import_numpy():
    program = """
import sys
from engine.core.scalar import is_number
assert not is_number("2")
assert "numpy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
