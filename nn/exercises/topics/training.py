"""Exercises on training: the loop, an initializer, and an operation with its derivative."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias

from engine import Value, did_you_mean, ops
from nn.exercises.budget import limited_steps
from nn.exercises.checker import Case, Slip, Steps, Topic, as_number, unlike

Loss: TypeAlias = Callable[[], Value]
Loop: TypeAlias = Callable[[Loss, list[Value], float, int], object]


# The training loop


class Problem(NamedTuple):
    """A loss to minimise."""

    text: str
    start: tuple[float, ...]
    loss: Callable[..., Value]
    steps: int


PROBLEMS = (
    Problem("L = (w - 3)², w = 0, one step with learning rate 0.1", (0.0,), lambda w: (w - 3) ** 2, 1),
    Problem("L = (w - 3)², w = 0, two steps with learning rate 0.1", (0.0,), lambda w: (w - 3) ** 2, 2),
    Problem(
        "L = (w·2 + b - 1)², w = 0.5, b = -1, three steps with learning rate 0.1",
        (0.5, -1.0),
        lambda w, b: (w * 2 + b - 1) ** 2,
        3,
    ),
)


def _loop_case(problem: Problem) -> Case:
    def run(solution: object) -> Steps:
        parameters = [Value(x, label=name) for x, name in zip(problem.start, "wb")]

        def train() -> float:
            assert callable(solution)
            solution(lambda: problem.loss(*parameters), parameters, 0.1, problem.steps)
            return parameters[0].data

        yield "w after training", train
        for p in parameters[1:]:
            yield f"{p.label} after training", lambda p=p: p.data  # type: ignore[misc]

    return Case(problem.text, run)


def _loop(
    zero: bool = True,
    sign: float = -1.0,
    rate_used: bool = True,
    once: bool = False,
    more: int = 0,
    order: str = "zbu",
) -> Loop:
    """Return a training loop of which a slip changes one part; order has zero_grad, backward, update."""

    def train(loss: Loss, parameters: list[Value], rate: float, steps: int) -> None:
        kept = loss() if once else None
        for _ in range(steps + more):
            for part in order:
                if part == "z" and zero:
                    for p in parameters:
                        p.grad = 0.0
                elif part == "b":
                    (kept or loss()).backward()
                elif part == "u":
                    for p in parameters:
                        p.data += sign * (rate if rate_used else 1.0) * p.grad

    return train


def _loop_slip(name: str, why: str, **parts: object) -> Slip:
    return Slip(name, why, _build_loop(parts), parts)


def _build_loop(parts: Mapping[str, object]) -> Loop:
    return _loop(**parts)  # type: ignore[arg-type]


LOOP_SLIPS = (
    _loop_slip(
        "no zero_grad",
        "The gradients of the steps add up unless they are set to 0 before each backward.",
        zero=False,
    ),
    _loop_slip("a step uphill", "The gradient points uphill: p.data -= rate * p.grad.", sign=1.0),
    Slip("the learning rate is forgotten", "p.data -= rate * p.grad.", _loop(rate_used=False)),
    _loop_slip(
        "the parameters never move",
        "Each step needs all three, in this order: zero_grad, backward, update.",
        order="zb",
    ),
    _loop_slip(
        "the loss is computed once", "Each step needs a new graph, as the parameters have moved.", once=True
    ),
    _loop_slip("one step too many", "range(steps) has as many numbers as there are steps.", more=1),
    _loop_slip(
        "one step too few",
        "range(steps) has as many numbers as there are steps; and the update comes after "
        "backward, or the first step has no gradient.",
        more=-1,
    ),
    _loop_slip("backward twice", "A second backward pass adds the same gradients again.", order="zbbu"),
    Slip(
        "only the first parameter moves",
        "Every parameter makes a step.",
        lambda loss, ps, rate, steps: _loop()(loss, ps[:1], rate, steps),
    ),
)


@lru_cache(maxsize=1)
def loop_topic() -> Topic:
    """Return the topic of the training loop."""
    return Topic("training_loop", tuple(map(_loop_case, PROBLEMS)), _loop(), LOOP_SLIPS, build=_build_loop)


# The initializer

DRAWS = 10_000
BLOCK = 100  # draws that share one limit of steps
MEAN_ERROR, VARIANCE_ERROR = 5.0, 0.08  # in standard errors, and relative: a right draw misses by less
VARIANCES: dict[str, Callable[[int, int], float]] = {
    "uniform": lambda nin, nout: 1 / 3,
    "normal": lambda nin, nout: 1.0,
    "xavier": lambda nin, nout: 2 / (nin + nout),
    "he": lambda nin, nout: 2 / nin,
    "lecun": lambda nin, nout: 1 / nin,
}
SHAPES = ((3, 5), (16, 4), (100, 10))


class Draws(NamedTuple):
    """Numbers with this mean and variance, in place of an initializer."""

    mean: Callable[[int, int], float]
    variance: Callable[[int, int], float]


def _draws_case(right: Draws, others: list[Draws], nin: int, nout: int) -> Case:
    """Return a case in which a mean or a variance near an expected one counts as that one."""

    def run(solution: object) -> Steps:
        if isinstance(solution, Draws):
            yield "the mean", lambda: solution.mean(nin, nout)
            yield "the variance", lambda: solution.variance(nin, nout)
            return
        rng, numbers = random.Random(1), list[float]()

        def mean() -> object:
            assert callable(solution)
            for start in range(0, DRAWS, BLOCK):
                with limited_steps(each=not start):
                    for _ in range(BLOCK):
                        drawn = solution(rng, nin, nout)
                        number = as_number(drawn)
                        if number is None:
                            return unlike(drawn, "one number")
                        numbers.append(number)
            found = sum(numbers) / DRAWS
            error = MEAN_ERROR * math.sqrt(max(_variance(numbers), 1e-300) / DRAWS)
            expected = [d.mean(nin, nout) for d in (right, *others)]
            return next((m for m in expected if abs(m - found) <= error), found)

        def variance() -> float:
            found = _variance(numbers)
            expected = [d.variance(nin, nout) for d in (right, *others)]
            return next((v for v in expected if abs(v - found) <= VARIANCE_ERROR * v), found)

        yield "the mean", mean
        yield "the variance", variance

    return Case(f"{DRAWS:,} weights of a neuron with {nin} inputs, in a layer of {nout}", run)


def _variance(numbers: list[float]) -> float:
    mean = sum(numbers) / len(numbers)
    return sum((x - mean) ** 2 for x in numbers) / len(numbers)


@cache
def initializer_topic(name: str) -> Topic:
    """Return the topic of one initializer.

    Raises:
        ValueError: there is no such initializer.
    """
    if name not in VARIANCES:
        hint = did_you_mean(name, VARIANCES) or f"; expected one of {', '.join(VARIANCES)}"
        raise ValueError(f"there is no initializer {name!r}{hint}")
    var = VARIANCES[name]

    def zero(nin: int, nout: int) -> float:
        return 0.0

    right = Draws(zero, var)
    slips = (
        Slip("all weights are equal", "Equal neurons stay equal: draw each weight anew.", Draws(zero, zero)),
        Slip(
            "the variance in place of the standard deviation",
            "random.gauss takes the standard deviation, the root of the variance.",
            Draws(zero, lambda nin, nout: var(nin, nout) ** 2),
        ),
        Slip(
            "the standard deviation as the limit of the uniform numbers",
            "Uniform numbers in ±r have the variance r²/3.",
            Draws(zero, lambda nin, nout: var(nin, nout) / 3),
        ),
        Slip(
            "nout in place of nin",
            "The variance depends on the number of inputs.",
            Draws(zero, lambda nin, nout: var(nout, nin)),
        ),
        Slip(
            "only positive weights",
            "The mean of the weights is 0: draw between -r and r.",
            Draws(lambda nin, nout: math.sqrt(3 * var(nin, nout)) / 2, lambda nin, nout: var(nin, nout) / 4),
        ),
        *(
            Slip(f"the variance of {other}", f"{name} has another variance.", Draws(zero, variance))
            for other, variance in VARIANCES.items()
            if other != name
        ),
    )
    others = [slip.solution for slip in slips if isinstance(slip.solution, Draws)]
    cases = tuple(_draws_case(right, others, nin, nout) for nin, nout in SHAPES)
    return Topic("initializer", cases, right, slips)


# An operation with its derivative

Functions: TypeAlias = tuple[Callable[[float], object], Callable[[float], object]]
POINTS = (2.0, 0.5, -0.5, -2.0, 3.0)


def _point_case(x: float) -> Case:
    def run(solution: object) -> Steps:
        assert isinstance(solution, tuple)
        f, derivative = solution
        yield f"f({x:g})", lambda: f(x)
        yield f"f'({x:g})", lambda: derivative(x)

    return Case(f"x = {x:g}", run)


def _derivative(function: Callable[[Value], Value]) -> Callable[[float], float]:
    def derivative(x: float) -> float:
        v = Value(x)
        function(v).backward()
        return v.grad

    return derivative


@cache
def operation_topic(name: str) -> Topic:
    """Return the topic of one operation.

    Raises:
        ValueError: there is no such operation of one argument.
    """
    known = {op.symbol: op for op in vars(ops).values() if hasattr(op, "formula") and len(op.partials) == 1}
    if name not in known:
        hint = did_you_mean(name, known) or f"; expected one of {', '.join(sorted(known))}"
        raise ValueError(f"there is no operation {name!r} of one argument{hint}")
    op = known[name]

    def f(x: float) -> float:
        y: Value = op(Value(x))
        return y.data

    df = _derivative(op)
    slips = (
        Slip(
            "x stands in the place of f(x)",
            "The derivative is written with the result y = f(x), and not with x.",
            (f, lambda x: op.local_gradient(0, [x], x)),
        ),
        Slip("the derivative is taken at the result", "f' takes x, and not f(x).", (f, lambda x: df(f(x)))),
        Slip("the sign of the derivative", "The derivative has the other sign.", (f, lambda x: -df(x))),
        Slip("the function in place of its derivative", "f' is not f.", (f, f)),
        Slip("1 as the derivative", "The derivative depends on x.", (f, lambda x: 1.0)),
        Slip("0 as the derivative", "The derivative depends on x.", (f, lambda x: 0.0)),
        Slip("x as the derivative", "The derivative is another function of x.", (f, lambda x: x)),
        Slip(
            "the reciprocal of the derivative", "The derivative is one over that.", (f, lambda x: 1 / df(x))
        ),
        Slip("the sign of the function", "f(x) has the other sign.", (lambda x: -f(x), df)),
        Slip("x as the function", "f(x) is not x.", (lambda x: x, df)),
    )
    cases = tuple(case for case in map(_point_case, POINTS) if _inside(case, (f, df)))
    return Topic("operation", cases, (f, df), slips)


def _inside(case: Case, solution: object) -> bool:
    try:
        return all(isinstance(run(), float) for _, run in case.run(solution))
    except (ArithmeticError, ValueError):
        return False
