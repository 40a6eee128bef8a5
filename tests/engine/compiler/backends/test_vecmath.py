"""The series of machine code are correct to 2 units in the last place, and at the ends of their domains."""

import functools
import math
import random
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest

from engine import Value, ops, total, trace

pytest.importorskip("llvmlite")
from engine.compiler.backends.llvm.builder import LANES

ROOT = Path(__file__).parents[4]
ANYWHERE = [2.0**n for n in range(-1074, 1024, 7)]


def ranges(word):
    """Return points of the domain: the whole range, near 0, and where the series meet."""
    rng = random.Random(word)
    near = [rng.uniform(-1, 1) for _ in range(400)]
    tiny = [sign * rng.uniform(1, 2) * 2.0**-n for n in range(1, 1074, 5) for sign in (-1, 1)]
    logs = [rng.uniform(1, 2) * x for x in ANYWHERE] + [1 + x / 3 for x in near] + [5e-324, 1e308]
    return {
        "exp": near + tiny + [rng.uniform(-745, 709.7) for _ in range(400)],
        "expm1": near + tiny + [rng.uniform(-50, 709.7) for _ in range(400)],
        "log": logs,
        "log1p": near + tiny + logs,
        "tanh": near + tiny + [rng.uniform(-25, 25) for _ in range(400)],
    }[word]


@functools.cache
def step_of(word):
    x = Value(0.5, label="x")
    return trace(ops.table[word](x), [x]).compile("llvm")


@pytest.mark.parametrize("word", ["exp", "expm1", "log", "log1p", "tanh"])
def test_a_series_is_correct_to_two_units_in_the_last_place(word):
    points = ranges(word)
    with mpmath.workprec(160):
        for x, y in zip(points, step_of(word).values([], [points])):
            exact = getattr(mpmath, word)(mpmath.mpf(x))
            assert abs(mpmath.mpf(float(y)) - exact) <= 2 * math.ulp(float(exact)), (word, x, y)


@pytest.mark.parametrize("word", ["exp", "expm1", "log", "log1p", "tanh", "sin", "sqrt", "erfc"])
@pytest.mark.parametrize("x", [0.0, -0.0, math.inf, -math.inf, 1e308, -1e308, 710.0, -746.0, -1.0, 5e-324])
def test_extreme_arguments_give_the_results_of_python(word, x):
    step = step_of(word)
    try:
        expected = ops.table[word].value(x)
    except (ArithmeticError, ValueError) as error:
        with pytest.raises(type(error), match="sample 0: "):
            step([], [[x]])
    else:
        y = step.values([], [[x]])[0]
        assert y == expected
        assert np.signbit(y) == np.signbit(expected)


def larger(nodes):
    """Return the program of a random graph of so many nodes, and its arguments."""
    rng = random.Random(1)
    x, p = Value(0.5, label="x"), [Value(rng.uniform(0.5, 1), label=f"w{i}") for i in range(20)]
    made = [x, *p]
    some = [lambda a, b: a * b, lambda a, b: ops.tanh(a) + b, lambda a, b: ops.exp(-a * a)]
    for _ in range(nodes):
        made.append(rng.choice(some)(rng.choice(made), rng.choice(made)))
    program = trace(made[-1] + total(made[-40:]), [x], p)
    return program, [v.data for v in p], [[rng.uniform(-1, 1) for _ in range(11)]]


def test_a_larger_program_divided_into_functions_computes_the_same(monkeypatch):
    from engine.compiler.backends.llvm import driver as llvm

    program, numbers, columns = larger(300)
    mean, gradients = program.compile("python")(numbers, columns)
    for cut, many in ((1, 10**6), (30, 0), (10**6, 10**6)):
        monkeypatch.setattr(llvm, "CUT", cut)
        monkeypatch.setattr(llvm, "MANY", many)
        found = program.compile("llvm")(numbers, columns)
        assert found[0] == pytest.approx(mean, rel=1e-12)
        assert found[1] == pytest.approx(gradients, rel=1e-12, abs=1e-12)


def test_the_text_grows_linearly_and_functions_stay_short():
    from engine.compiler.backends.llvm.module import Assembly

    cost, longest = [], []
    for nodes in (1_000, 4_000):
        program, *_ = larger(nodes)
        plan = Assembly(program, 200)
        functions = f"{plan.lines}{plan.frame}".split("define ")
        cost.append(sum(map(len, functions)) / program.count_operations())
        longest.append(max(function.count("\n") for function in functions))
    assert cost[1] < 1.2 * cost[0]
    assert longest[1] < 1.2 * longest[0]


OTHER_WIDTH = """
import sys
import llvmlite.binding as llvm
import pytest

wide, features = sys.argv[1] == "8", llvm.get_host_cpu_features
llvm.get_host_cpu_features = lambda: {"avx512f": wide}
from engine.compiler.backends.llvm import builder
llvm.get_host_cpu_features = features
assert f"{builder.LANES}" == sys.argv[1]
files = [f"tests/engine/compiler/backends/test_{name}.py" for name in ("backends", "vecmath")]
loaded = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
sys.exit(pytest.main(["-q", *loaded, "-k", "(llvm or vecmath) and not other_width", *files]))
"""


def test_it_runs_with_vectors_of_the_other_width():
    command = [sys.executable, "-c", OTHER_WIDTH, str({4: 8, 8: 4}[LANES])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
