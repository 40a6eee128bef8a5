"""Compare a solution with the right one on small cases, the smallest first, and name the likely slip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from itertools import combinations, islice
from math import isclose, isnan
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from engine import brief, is_number
from nn.exercises.budget import Raised, attempt, limited_steps
from nn.exercises.result import Result

if TYPE_CHECKING:
    from engine import Player

TOLERANCE = 1e-9  # relative, as two right solutions may add in another order
SHARE = (
    0.25  # of the cases that a slip makes wrong, the part that must agree: a second slip may hide the rest
)

LONGEST = 10_000  # results of an iterator, which may have no end
BASIC = frozenset({"+", "*"})  # the operations that every class of nodes has

Steps: TypeAlias = Iterator[tuple[str, Callable[[], object]]]  # the name of each step, and how to run it
Seen: TypeAlias = list[tuple[str, object]]  # the name of each step, and its number, numbers or error


class Named(list[tuple[str, object]]):
    """The numbers of one step, each with its name."""


class Unlike(NamedTuple):
    """A result that is no number, as text."""

    given: str
    wanted: str = ""  #: such as "a list of 2 numbers"


@dataclass(frozen=True, eq=False)
class Case:
    """A small graph, net or data set.

    Attributes:
        text: the case in at most two lines.
        run: takes a solution and iterates over the steps; each call starts from fresh data.
        uses: the operations that the case needs.
        picture: returns the player of the right graph, if the case is one, from a step and its two numbers.
    """

    text: str
    run: Callable[[object], Steps]
    uses: frozenset[str] = frozenset()
    picture: Callable[[str, str, str], Player] | None = None


@dataclass(frozen=True, eq=False)
class Slip:
    """A common mistake.

    Attributes:
        name: its name.
        why: one sentence that explains it.
        solution: a solution that makes it.
        parts: the parts of the right solution that it replaces, if it is built from parts.
    """

    name: str
    why: str
    solution: object
    parts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Topic:
    """An exercise that can be checked.

    Attributes:
        name: its name.
        cases: the cases, the smallest first.
        solution: a right solution.
        slips: the mistakes that are known.
        has: returns the operations that a solution has; None if every case applies.
        build: returns a solution of which some parts are replaced; None if there are no parts.
    """

    name: str
    cases: tuple[Case, ...]
    solution: object
    slips: tuple[Slip, ...]
    has: Callable[[object], frozenset[str]] | None = None
    build: Callable[[Mapping[str, object]], object] | None = None


NOTHING = Slip("nothing is returned", "The function has to return its result.", None)


def check_topic(topic: Topic, mine: object) -> Result:
    """Return the result of the first case in which a solution departs from the right one."""
    has = topic.has(mine) if topic.has else None
    numbers = [i for i, case in enumerate(topic.cases) if has is None or case.uses <= has]
    skipped = sorted(set().union(*(case.uses for case in topic.cases)) - has) if has is not None else []
    for count, i in enumerate(numbers, 1):
        case = topic.cases[i]
        seen = observe(case, mine)
        if wrong := first_difference(seen, _right(topic, i)):
            picture = partial(case.picture, *wrong) if case.picture else None
            if any(name == wrong[0] and _unwritten(x) for name, x in seen):
                return Result(topic.name, False, count, case.text, *wrong, picture=picture, unwritten=True)
            slips = _find_slips(topic, mine, i, numbers, seen) or ([NOTHING] if wrong[1] == "nothing" else [])
            cause = " or ".join(dict.fromkeys(slip.name for slip in slips)) or None
            why = " ".join(dict.fromkeys(slip.why for slip in slips))
            return Result(topic.name, False, count, case.text, *wrong, cause, why, picture=picture)
    return Result(topic.name, True, len(numbers), skipped=tuple(skipped))


def observe(case: Case, solution: object) -> Seen:
    """Return the numbers of each step; an error ends the list."""
    seen: Seen = []
    with limited_steps():
        for name, run in case.run(solution):
            result = attempt(lambda run=run: _settled(run()))  # type: ignore[misc]
            seen += result if isinstance(result, Named) else [(name, result)]
            if isinstance(result, Raised):
                break
    return seen


def _settled(result: object) -> object:
    """Return a result as plain data, by the student's repr, property or generator, while it is limited."""
    if isinstance(result, Named):
        return Named((name, _plain(x)) for name, x in result)
    return _plain(result)


def _plain(x: object) -> object:
    if isinstance(x, Unlike):
        return x
    number = as_number(x)
    return number if number is not None else unlike(x)


def unlike(x: object, wanted: str = "") -> Unlike:
    """Return a result that is no number and no list as the text that a student reads."""
    values = as_list(x)
    if values is not None:
        return Unlike(f"[{', '.join(map(_brief, values[:6]))}{', …' * (len(values) > 6)}]", wanted)
    return Unlike(_brief(x), wanted)


def _brief(x: object) -> str:
    if x is None or x is ...:
        return "nothing" if x is None else "..."
    number = as_number(x)
    try:
        return brief(x) if number is None else shown(number)
    except Exception:  # a student's repr may fail
        return f"an object of the class {type(x).__name__}"


def first_difference(mine: Seen, right: Seen) -> tuple[str, str, str] | None:
    """Return the first step that differs, with both results as text; None if all agree."""
    for (step, yours), (name, theirs) in zip(mine, right):
        if not _equal(yours, theirs):
            wanted = shown(theirs) if name == step else f"{name} = {shown(theirs)}"
            return step, shown(yours), (isinstance(yours, Unlike) and yours.wanted) or wanted
    return None


def _unwritten(x: object) -> bool:
    """Return whether a step gave what a stub gives: ``...`` or a NotImplementedError."""
    if isinstance(x, Raised):
        return x.kind == "NotImplementedError"
    return isinstance(x, Unlike) and x.given == "..."


def _equal(a: object, b: object) -> bool:
    if isinstance(a, Raised) and isinstance(b, Raised):
        # the message of a TypeError names the student's class; that of an AttributeError tells what it met
        return a.kind == b.kind and (a.kind != "AttributeError" or a.message == b.message)
    if isinstance(a, float) and isinstance(b, float):
        return (isnan(a) and isnan(b)) or isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-12)
    return type(a) is type(b) and a == b


def as_number(x: object) -> float | None:
    """Return a number as a float, also the number of a node or of an array of one number; None if it is none.

    >>> as_number(2), as_number("2"), as_number([2.0])
    (2.0, None, None)
    """
    if type(x) is float:
        return x
    for candidate in x, getattr(x, "data", None):
        if getattr(candidate, "size", None) == 1 and hasattr(candidate, "item"):
            candidate = candidate.item()
        if is_number(candidate) or isinstance(candidate, (Fraction, Decimal)):
            with suppress(OverflowError, ValueError):  # an integer may be too large for a float
                return float(candidate)
    return None


def as_list(x: object) -> list[object] | None:
    """Return a list, a tuple, an array or what an iterator gives as a list; None if it is none.

    >>> as_list(range(2)), as_list(x for x in "ab"), as_list("ab")
    ([0, 1], ['a', 'b'], None)
    """
    if isinstance(x, (str, bytes, Raised, Unlike)):
        return None
    is_array = hasattr(x, "ndim") and x.ndim > 0
    if isinstance(x, Iterable) and (is_array or isinstance(x, (Sequence, Iterator, ValuesView, KeysView))):
        return list(islice(x, LONGEST))
    return None


def as_lists(x: object) -> object:
    """Return nested lists, tuples, arrays and iterators as lists; an array of one number stays as it is."""
    values = as_list(x) if getattr(x, "size", None) != 1 else None
    return x if values is None else [as_lists(value) for value in values]


def shown(x: object) -> str:
    """Return a settled result as text."""
    if isinstance(x, float):
        return f"{x + 0.0:.6g}"  # no -0
    return x.given if isinstance(x, Unlike) else str(x)


# The likely cause is the slip that gives the student's numbers


def _find_slips(topic: Topic, mine: object, failed: int, numbers: Sequence[int], failure: Seen) -> list[Slip]:
    """Return the slip that gives the numbers of a solution, also if a second slip changes other cases.

    The slip must agree on the smallest case that fails; if none does, on the smallest one of + and * alone,
    as a student may build other operations from these. Of those that do, it is the one that agrees on the
    largest share of the cases that it makes wrong. There are several if no case tells them apart.

    If none of these gives all numbers of the solution, a pair of slips may do. The first of the pair is then
    returned: the other one is found once that is mended.
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

    def single(slips: Sequence[Slip]) -> list[Slip]:
        basic = (i for i in numbers if i > failed and topic.cases[i].uses <= BASIC)
        for start in failed, next((i for i in basic if first_difference(seen(i), _right(topic, i))), None):
            if start is not None:
                uses = topic.cases[start].uses | BASIC
                near = [i for i in numbers if topic.cases[i].uses <= uses]
                if found := best([slip for slip in slips if agrees(slip, start)], near):
                    return found if len(found) == 1 else best(found, numbers) or found
        return []

    def explains(slip: Slip) -> bool:
        return all(agrees(slip, i) for i in numbers)

    found = single(topic.slips)
    if not any(map(explains, found)):
        pairs = [pair for pair in _pairs(topic) if agrees(pair.both, failed) and explains(pair.both)]
        if pairs and not any(slip in pair for slip in found for pair in pairs):
            return [Slip(first.name, f"{first.why} There is a second slip: mend this one first.", None)
                    for first in dict.fromkeys(pair.first for pair in pairs)]  # fmt: skip
        found = [slip for slip in found if any(slip in pair for pair in pairs)] or found
    return found


class Pair(NamedTuple):
    """Two slips at once."""

    first: Slip
    second: Slip
    both: Slip


@cache
def _pairs(topic: Topic) -> list[Pair]:
    """Return the pairs of slips that replace different parts of the right solution."""
    return [
        Pair(a, b, Slip(f"{a.name}; {b.name}", "", topic.build({**a.parts, **b.parts})))
        for a, b in combinations([slip for slip in topic.slips if slip.parts], 2)
        if topic.build and a.parts.keys().isdisjoint(b.parts)
    ]


@cache
def _right(topic: Topic, i: int) -> Seen:
    """Return the right numbers of a case."""
    return observe(topic.cases[i], topic.solution)


@cache
def _slipped(topic: Topic, slip: Slip, i: int) -> Seen:
    """Return the numbers of a case with a slip."""
    return observe(topic.cases[i], slip.solution)
