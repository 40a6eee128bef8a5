"""Compare a solution with the right one on small cases, the smallest first, and name the likely slip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import isclose, isnan
from typing import TYPE_CHECKING, TypeAlias

from engine import brief, is_number
from nn.exercises.budget import Raised, attempt, limited_steps
from nn.exercises.result import Result

if TYPE_CHECKING:
    from engine import Player

TOLERANCE = 1e-9  # relative, as two right solutions may add in another order
SHARE = (
    0.25  # of the cases that a slip makes wrong, the part that must agree: a second slip may hide the rest
)

BASIC = frozenset({"+", "*"})  # the operations that every class of nodes has

Steps: TypeAlias = Iterator[tuple[str, Callable[[], object]]]  # the name of each step, and how to run it
Seen: TypeAlias = list[tuple[str, object]]  # the name of each step, and its number, numbers or error


class Named(list[tuple[str, object]]):
    """The numbers of one step, each with its name."""


@dataclass(frozen=True, eq=False)
class Case:
    """A small graph, net or data set.

    Attributes:
        text: the case in at most two lines.
        run: takes a solution and iterates over the steps; each call starts from fresh data.
        uses: the operations that the case needs.
        picture: returns the player of the right graph, if the case is one.
    """

    text: str
    run: Callable[[object], Steps]
    uses: frozenset[str] = frozenset()
    picture: Callable[[], Player] | None = None


@dataclass(frozen=True, eq=False)
class Slip:
    """A common mistake: its name, one sentence that explains it, and a solution that makes it."""

    name: str
    why: str
    solution: object


@dataclass(frozen=True, eq=False)
class Topic:
    """An exercise that can be checked.

    Attributes:
        name: its name.
        cases: the cases, the smallest first.
        solution: a right solution.
        slips: the mistakes that are known.
        has: returns the operations that a solution has; None if every case applies.
    """

    name: str
    cases: tuple[Case, ...]
    solution: object
    slips: tuple[Slip, ...]
    has: Callable[[object], frozenset[str]] | None = None


def check_topic(topic: Topic, mine: object) -> Result:
    """Return the result of the first case in which a solution departs from the right one."""
    has = topic.has(mine) if topic.has else None
    numbers = [i for i, case in enumerate(topic.cases) if has is None or case.uses <= has]
    skipped = sorted(set().union(*(case.uses for case in topic.cases)) - has) if has is not None else []
    for count, i in enumerate(numbers, 1):
        case = topic.cases[i]
        seen = observe(case, mine)
        if wrong := first_difference(seen, _right(topic, i)):
            if any(name == wrong[0] and _unwritten(x) for name, x in seen):
                return Result(
                    topic.name, False, count, case.text, *wrong, picture=case.picture, unwritten=True
                )
            slips = _find_slips(topic, mine, i, numbers, seen)
            cause = " or ".join(slip.name for slip in slips) or None
            why = " ".join(dict.fromkeys(slip.why for slip in slips))
            return Result(topic.name, False, count, case.text, *wrong, cause, why, picture=case.picture)
    return Result(topic.name, True, len(numbers), skipped=tuple(skipped))


def observe(case: Case, solution: object) -> Seen:
    """Return the numbers of each step; an error ends the list."""
    seen: Seen = []
    with limited_steps():
        for name, run in case.run(solution):
            result = attempt(run)
            seen += result if isinstance(result, Named) else [(name, result)]
            if isinstance(result, Raised):
                break
    return seen


def first_difference(mine: Seen, right: Seen) -> tuple[str, str, str] | None:
    """Return the first step that differs, with both results as text; None if all agree."""
    for (step, yours), (_, theirs) in zip(mine, right):
        if found := _difference(yours, theirs):
            where, a, b = found
            return f"{step}{where}", a, b
    return None


def _unwritten(x: object) -> bool:
    """Return whether a step gave what a stub gives: ``...`` or a NotImplementedError."""
    return x is ... or (isinstance(x, Raised) and x.kind == "NotImplementedError")


def _difference(yours: object, right: object, where: str = "") -> tuple[str, str, str] | None:
    """Return the place where two results differ, and both as text."""
    if isinstance(right, (list, tuple)) and not isinstance(right, Raised):
        values = as_list(yours)
        if values is None or len(values) != len(right):
            return where, _shown(yours), f"a list of {len(right)}: {_shown(right)}"
        parts = (_difference(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(values, right)))
        return next(filter(None, parts), None)
    return None if _equal(yours, right) else (where, _shown(yours), _shown(right))


def _equal(a: object, b: object) -> bool:
    if isinstance(a, Raised) and isinstance(b, Raised):
        # the message of a TypeError names the student's class; that of an AttributeError tells what it met
        return a.kind == b.kind and (a.kind != "AttributeError" or a.message == b.message)
    x, y = as_number(a), as_number(b)
    if x is None or y is None:
        return type(a) is type(b) and a == b
    return (isnan(x) and isnan(y)) or isclose(x, y, rel_tol=TOLERANCE, abs_tol=1e-12)


def as_number(x: object) -> float | None:
    """Return a number as a float, also the number of a node; None if it is none."""
    if not is_number(x):
        x = getattr(x, "data", None)
    return float(x) if is_number(x) else None


def as_list(x: object) -> list[object] | None:
    """Return a list, a tuple or an array as a list; None if it is none."""
    if isinstance(x, (list, tuple)) and not isinstance(x, Raised):
        return list(x)
    convert = getattr(x, "tolist", None)
    values = convert() if callable(convert) else None
    return values if isinstance(values, list) else None


def _shown(x: object) -> str:
    number, values = as_number(x), as_list(x)
    if values is not None:
        return f"[{', '.join(map(_shown, values[:6]))}{', …' * (len(values) > 6)}]"
    if number is not None:
        return f"{number + 0.0:.6g}"  # no -0
    return str(x) if isinstance(x, (Raised, str)) else brief(x)


# The likely cause is the slip that gives the student's numbers


def _find_slips(topic: Topic, mine: object, failed: int, numbers: Sequence[int], failure: Seen) -> list[Slip]:
    """Return the slip that gives the numbers of a solution, also if a second slip changes other cases.

    The slip must agree on the smallest case that fails; if none does, on the smallest one of + and * alone,
    as a student may build other operations from these. Of those that do, it is the one that agrees on the
    largest share of the cases that it makes wrong. There are several if no case tells them apart.
    """
    cache = {failed: failure}

    def seen(i: int) -> Seen:
        if i not in cache:
            cache[i] = observe(topic.cases[i], mine)
        return cache[i]

    def agrees(slip: Slip, i: int) -> bool:
        wrong = _slipped(topic, slip, i)
        return len(wrong) == len(seen(i)) and first_difference(seen(i), wrong) is None

    def share(slip: Slip, among: Sequence[int]) -> float:
        wrong = [i for i in among if first_difference(_slipped(topic, slip, i), _right(topic, i))]
        return sum(agrees(slip, i) for i in wrong) / max(len(wrong), 1)

    def best(slips: Sequence[Slip], among: Sequence[int]) -> list[Slip]:
        shares = {slip: share(slip, among) for slip in slips}
        most = max(shares.values(), default=0.0)
        return [slip for slip in slips if shares[slip] == most >= SHARE]

    basic = (i for i in numbers if i > failed and topic.cases[i].uses <= BASIC)
    for start in failed, next((i for i in basic if first_difference(seen(i), _right(topic, i))), None):
        if start is not None:
            uses = topic.cases[start].uses | BASIC
            near = [i for i in numbers if topic.cases[i].uses <= uses]
            if found := best([slip for slip in topic.slips if agrees(slip, start)], near):
                return found if len(found) == 1 else best(found, numbers) or found
    return []


@cache
def _right(topic: Topic, i: int) -> Seen:
    """Return the right numbers of a case."""
    return observe(topic.cases[i], topic.solution)


@cache
def _slipped(topic: Topic, slip: Slip, i: int) -> Seen:
    """Return the numbers of a case with a slip."""
    return observe(topic.cases[i], slip.solution)
