"""Values and gradients are those that others have published."""

from fractions import Fraction

import pytest

from engine import Value, relu


def test_the_example_in_the_readme_of_micrograd():
    """https://github.com/karpathy/micrograd, which prints 24.7041, 138.8338 and 645.5773."""
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert [f"{number:.4f}" for number in (g.data, a.grad, b.grad)] == ["24.7041", "138.8338", "645.5773"]
    exact = (Fraction(2421, 98), Fraction(47620, 343), Fraction(221433, 343))
    for found, fraction in zip((g.data, a.grad, b.grad), exact):
        assert found == pytest.approx(float(fraction), rel=1e-15)


def test_the_sanity_check_in_the_tests_of_micrograd():
    """https://github.com/karpathy/micrograd/blob/master/test/test_engine.py, worked out by hand."""
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = relu(z) + z * x
    h = relu(z * z)
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)


def test_the_circuit_of_cs231n():
    """https://cs231n.github.io/optimization-2/: f = (x + y) z at (-2, 5, -4)."""
    x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    f = (x + y) * z
    f.backward()
    assert (f.data, x.grad, y.grad, z.grad) == (-12.0, -4.0, -4.0, 3.0)
