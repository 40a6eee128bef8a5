"""The engines to compare, and the training step that all of them run.

minigrad crashes on plain numbers in an expression, so every number here is a Value. The other engines would
convert plain numbers to Values.
"""

from __future__ import annotations

import itertools
import math
import random
import sys
from collections.abc import Callable
from functools import reduce
from operator import add, mul
from typing import Any

import tuples

OURS, PEER, FRAGILE = "chalkgrad", "micrograd", "minigrad (C)"
SHAPE, SAMPLES = [2, 16, 16, 1], 100

Step = tuple[list[Any], Callable[[], None]]  # the parameters of a net, and one training step of it


def values() -> dict[str, Any]:
    """Return the Value class of every engine that is installed, by name."""
    found: dict[str, Any] = {}
    try:
        from micrograd.engine import Value

        found[PEER] = Value
    except ImportError:
        sys.exit("micrograd is missing: make bench, or pip install 'chalkgrad[bench]'")
    try:
        from minigrad import Value

        found[FRAGILE] = Value
    except ImportError:
        print("minigrad is not installed: measuring without it", file=sys.stderr)
    from engine import Value

    return {**found, "microgpt's style": tuples.Value, OURS: Value}


def moons() -> tuple[list[list[float]], list[float]]:
    """Return two interleaved half circles, noise 0.1, labelled -1 and 1."""
    rng, xs, ys = random.Random(1337), [], []
    for i in range(SAMPLES):
        angle, second = math.pi * (i // 2) / (SAMPLES // 2 - 1), i % 2
        x, y = (1 - math.cos(angle), 0.5 - math.sin(angle)) if second else (math.cos(angle), math.sin(angle))
        xs.append([x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)])
        ys.append(2.0 * second - 1.0)
    return xs, ys


def binary_step(value: Any, xs: list[list[float]], ys: list[float]) -> Step:
    """Return the step of a net of single + and * nodes of any Value class, as in micrograd's demo."""
    rng = random.Random(1337)
    layers = [
        [([value(rng.uniform(-1, 1)) for _ in range(nin)], value(0.0)) for _ in range(nout)]
        for nin, nout in itertools.pairwise(SHAPE)
    ]
    parameters = [p for layer in layers for w, b in layer for p in (*w, b)]

    def model(x: list[Any]) -> Any:
        for layer in layers:
            z = [reduce(add, map(mul, w, x), b) for w, b in layer]
            x = z if layer is layers[-1] else [zi.relu() for zi in z]
        return x[0]

    def step() -> None:
        scores = [model([value(xi) for xi in x]) for x in xs]
        losses = [(value(1.0) + value(-y) * score).relu() for y, score in zip(ys, scores)]
        data, weights = reduce(add, losses), reduce(add, map(mul, parameters, parameters))
        loss = data * value(1.0 / len(losses)) + weights * value(1e-4)
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        for p in parameters:
            p.data -= 0.1 * p.grad

    return parameters, step


def our_step(xs: list[list[float]], ys: list[float]) -> Step:
    """Return the same step as chalkgrad's users write it: weighted sums, a loss, an optimiser."""
    from engine import total
    from nn import MLP, SGD, losses

    model = MLP(SHAPE[0], SHAPE[1:], rng=random.Random(1337))
    parameters = model.parameters()
    optimizer = SGD(parameters, lr=0.1)

    def step() -> None:
        data = total([losses.hinge(model(x), y) for x, y in zip(xs, ys)]) * (1.0 / len(xs))
        loss = data + 1e-4 * total([p * p for p in parameters])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return parameters, step


def steps() -> dict[str, Step]:
    """Return the step of every engine, after checking that all compute micrograd's gradients."""
    xs, ys = moons()
    built = {name: binary_step(value, xs, ys) for name, value in values().items()}
    built[f"{OURS}, the same graph"] = built.pop(OURS)
    built[OURS] = our_step(xs, ys)
    for _, step in built.values():
        step()
    expected = [p.grad for p in built[PEER][0]]
    for name, (parameters, _) in built.items():
        error = max(abs(p.grad - e) for p, e in zip(parameters, expected, strict=True))
        if not error <= 1e-12 * max(map(abs, expected)):
            sys.exit(f"{name} disagrees with {PEER}: a gradient differs by {error:.1e}")
    return built
