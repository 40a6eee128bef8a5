"""The backends as parameters of tests; those whose package is not installed are skipped."""

import importlib.util
import math

import pytest

PACKAGES = {"python": "math", "numpy": "numpy", "llvm": "llvmlite", "jax": "jax", "torch": "torch"}
LIBRARIES = ("jax", "torch")  # they compile slowly, so they run fewer random graphs


def backends(names):
    """Return the parameters of a test for some backends."""
    missing = {name: importlib.util.find_spec(PACKAGES[name]) is None for name in names}
    marks = {name: pytest.mark.skipif(missing[name], reason=f"{name} is not installed") for name in names}
    return [pytest.param(name, marks=marks[name]) for name in names]


each_backend = pytest.mark.parametrize("backend", backends(PACKAGES))
each_fast_backend = pytest.mark.parametrize("backend", backends(sorted(PACKAGES.keys() - {*LIBRARIES})))
each_library = pytest.mark.parametrize("backend", backends(LIBRARIES))


def near(expected, rel=1e-12, size=()):
    """Return the numbers, to within rounding; ``size`` has the terms of sums whose terms cancel."""
    scale = max([abs(x) for x in [*expected, *size] if math.isfinite(x)], default=1.0)
    return pytest.approx(expected, rel=rel, abs=rel * scale, nan_ok=True)
