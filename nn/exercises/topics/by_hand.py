"""The first exercises: the derivatives of a small formula, worked out by hand."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

from nn.exercises.checker import Case, Named, Slip, Steps, Topic, as_list, unlike

Numbers: TypeAlias = tuple[float, ...]
POINTS: tuple[Numbers, ...] = ((2.0, -3.0, 10.0, -2.0), (0.5, 4.0, -1.0, 3.0), (-1.5, 2.5, 0.25, 0.5))
FORMULAS = {"by_hand": ("d = a*b + c", "abc"), "chain": ("L = (a*b + c) * f", "abcf")}


def _case(name: str, point: Numbers) -> Case:
    formula, letters = FORMULAS[name]
    numbers = point[: len(letters)]
    top = formula[0]

    def run(solution: object) -> Steps:
        def derivatives() -> Named:
            assert callable(solution)
            given = solution(*numbers)
            values = as_list(given)
            if values is None or len(values) != len(letters):
                return Named([(f"the {len(letters)} derivatives", unlike(given, f"{len(letters)} numbers"))])
            return Named((f"∂{top}/∂{letter}", value) for letter, value in zip(letters, values))

        yield f"{name}(...)", derivatives

    return Case(f"{', '.join(f'{letter} = {x:g}' for letter, x in zip(letters, numbers))}\n{formula}", run)


@cache
def topic(name: str) -> Topic:
    """Return one of the two topics."""
    if name == "by_hand":
        right: object = lambda a, b, c: (b, a, 1.0)  # noqa: E731
        slips: tuple[Slip, ...] = (
            Slip("each factor gets itself", "∂(a·b)/∂a is b, the other factor.", lambda a, b, c: (a, b, 1.0)),
            Slip("c as its own derivative", "d grows as much as c: ∂d/∂c = 1.", lambda a, b, c: (b, a, c)),
            Slip("∂d/∂c is not 0", "d grows as much as c: ∂d/∂c = 1.", lambda a, b, c: (b, a, 0.0)),
            Slip("c stands in the derivatives of a product", "c does not change while a changes.",
                 lambda a, b, c: (b + c, a + c, 1.0)),
            Slip("the value of d", "The derivatives are asked for, and not d.",
                 lambda a, b, c: (a * b + c, a * b + c, a * b + c)),
        )  # fmt: skip
    else:
        right = lambda a, b, c, f: (f * b, f * a, f, a * b + c)  # noqa: E731
        slips = (
            Slip("f is forgotten", "∂L/∂d = f: multiply by it on the way to a, b and c.",
                 lambda a, b, c, f: (b, a, 1.0, a * b + c)),
            Slip("each factor gets itself", "∂(a·b)/∂a is b, the other factor.",
                 lambda a, b, c, f: (f * a, f * b, f, a * b + c)),
            Slip("f as its own derivative", "L = d·f, so ∂L/∂f = d.",
                 lambda a, b, c, f: (f * b, f * a, f, f)),
            Slip("1 as the derivative by f", "L = d·f, so ∂L/∂f = d.",
                 lambda a, b, c, f: (f * b, f * a, f, 1.0)),
            Slip("the derivatives are added along the path", "The chain rule multiplies them.",
                 lambda a, b, c, f: (f + b, f + a, f + 1.0, a * b + c)),
            Slip("d in place of f", "∂L/∂d = f, and ∂L/∂f = d.",
                 lambda a, b, c, f: ((a * b + c) * b, (a * b + c) * a, a * b + c, f)),
        )  # fmt: skip
    return Topic(name, tuple(_case(name, point) for point in POINTS), right, slips)
