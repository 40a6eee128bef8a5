"""Nodes that recur in a graph, wired in the same way: one function computes such a pattern as a whole."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.core.op import Operation

LARGEST = 32  # nodes of a pattern
FREQUENT = 200  # how often a pattern occurs at least: compiling a function takes some milliseconds
SHORT = 8  # nodes of a run that may become part of a pattern: for a longer run, a loop is as good


Joined = tuple[tuple[int, ...], tuple[int, ...]]


class Kind(NamedTuple):
    """The nodes that the same functions compute."""

    op: Operation
    arity: int  #: the number of arguments; 0 for many arguments, over which a loop runs
    needs_grad: tuple[int, ...]  #: the positions (of many arguments, the groups) that need a gradient
    numbers: tuple[tuple[int, float], ...] = ()  #: positions of arguments that are plain numbers, and these


class Step(NamedTuple):
    """A node of a pattern."""

    kind: Kind
    args: tuple[int, ...]  #: i stands for argument i of the pattern, and -1 - i for its node i


class Pattern(NamedTuple):
    """Consecutive nodes, whose arguments are nodes before them and among them."""

    steps: tuple[Step, ...]
    used: tuple[bool, ...]  #: for each node, whether nodes outside the pattern use it

    @property
    def arity(self) -> int:
        """The number of arguments; 0 for many arguments, over which a loop runs."""
        return 1 + max([i for step in self.steps for i in step.args], default=-1)


def single(kind: Kind) -> Pattern:
    """Return the pattern of one node."""
    return Pattern((Step(kind, tuple(range(kind.arity))),), (True,))


class Element(NamedTuple):
    """Consecutive nodes that one call computes."""

    pattern: int
    first: int  #: the position of the first node
    args: tuple[int, ...]  #: the positions of the arguments
    count: int = 1  #: of occurrences of the pattern or, if a loop runs over the arguments, of these
    parts: tuple[Element, ...] = ()  #: what computes the same, if the pattern is too rare for a function


class Patterns:
    """The patterns of a graph, by number; the first ones are the single kinds.

    Args:
        kinds: the kinds.
    """

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.steps = [single(kind).steps for kind in kinds]
        self._known: dict[tuple[int, ...], int] = {}

    def find(self, runs: Iterable[Sequence[Element]]) -> list[Element]:
        """Return the elements that compute some runs of nodes, given node by node."""
        elements = [self._run(run) for run in runs]
        while True:
            pairs = [self._joined(*pair) for pair in pairwise(elements)]
            counts = Counter([wiring for wiring, _ in filter(None, pairs)])
            often = [counts[pair[0]] if pair else 0 for pair in pairs]
            often = [count if count >= FREQUENT else 0 for count in often]
            if not any(often):
                break
            elements = list(self._merged(elements, pairs, [*often, 0]))
        counts = Counter([it.pattern for it in elements])
        return [part for it in elements for part in _parts(it, counts)]

    def chosen(
        self, elements: Iterable[Element], used: Sequence[bool]
    ) -> tuple[list[Pattern], dict[int, int]]:
        """Return the patterns of some elements, and the place of each in this list.

        Args:
            elements: all elements of the graph.
            used: for each node, whether it is an argument of an element, or an output.
        """
        numbers: dict[int, int] = {}
        outside: list[list[bool]] = []
        for it in elements:
            steps = self.steps[it.pattern]
            flags = used[it.first : it.first + len(steps)] if len(steps) > 1 else [True]
            if it.pattern not in numbers:
                numbers[it.pattern] = len(outside)
                outside.append(list(flags))
            elif not all(outside[numbers[it.pattern]]):
                before = outside[numbers[it.pattern]]
                before[:] = map(operator.or_, before, flags)
        return [Pattern(self.steps[k], tuple(flags)) for k, flags in zip(numbers, outside)], numbers

    def _run(self, run: Sequence[Element]) -> Element:
        """Return the element that computes a run."""
        first = run[0]
        if len(run) == 1:
            return first
        whole = Element(first.pattern, first.first, sum([it.args for it in run], ()), len(run))
        if len(run) > SHORT:
            return whole
        for it in run[1:]:
            first = self._element(first, it, *_join(first, it))
        return first._replace(parts=(whole,))

    def _joined(self, one: Element, other: Element) -> Joined | None:
        """Return how two elements may be joined; None if they may not."""
        sizes = len(self.steps[one.pattern]), len(self.steps[other.pattern])
        if one.count > 1 or other.count > 1 or one.pattern == other.pattern or sum(sizes) > LARGEST:
            return None
        return _join(one, other)

    def _merged(
        self, elements: Sequence[Element], pairs: Sequence[Joined | None], often: Sequence[int]
    ) -> Iterator[Element]:
        """Iterate over the elements after joining the pairs that are more frequent than the next pairs."""
        skip = False
        for i, it in enumerate(elements):
            if skip:
                skip = False
            elif often[i] and often[i] >= often[i + 1]:
                skip = True
                yield self._element(it, elements[i + 1], *pairs[i])
            else:
                yield it

    def _element(self, one: Element, other: Element, wiring: tuple[int, ...], args: tuple[int, ...]) -> Element:
        """Return two elements as one; the others are explained in `_join`."""
        if wiring not in self._known:
            self._known[wiring] = len(self.steps)
            first, second = self.steps[one.pattern], self.steps[other.pattern]
            moved = [
                Step(kind, tuple([i - len(first) if i < 0 else wiring[2 + i] for i in places]))
                for kind, places in second
            ]
            self.steps.append((*first, *moved))
        return Element(self._known[wiring], one.first, args, 1, (one, other))


def _join(one: Element, other: Element) -> Joined:
    """Return both patterns and what the arguments of the second are in the whole, and the whole's arguments."""
    args, wiring = list(one.args), [one.pattern, other.pattern]
    for p in other.args:
        if p >= one.first:
            wiring.append(one.first - p - 1)
        elif p in args:
            wiring.append(args.index(p))
        else:
            wiring.append(len(args))
            args.append(p)
    return tuple(wiring), tuple(args)


def _parts(element: Element, counts: Mapping[int, int]) -> Iterator[Element]:
    """Iterate over the parts of an element whose patterns are frequent."""
    if element.parts and counts[element.pattern] < FREQUENT:
        for part in element.parts:
            yield from _parts(part, counts)
    else:
        yield element
