"""Nodes that recur in a graph, wired in the same way: one function computes such a pattern as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np

from engine.core.op import Operation

LARGEST = 32  # nodes of a pattern
FREQUENT = 200  # how often a pattern occurs at least: compiling its functions takes tenths of a second
SHARE = 100  # of so many nodes of a graph, at least one begins the pattern: so there are only some patterns
SHORT = 8  # nodes of a run that may become part of a pattern: for a longer run, a loop is as good

Run = tuple[int, int, int]  # a kind, the first node, and the number of nodes
Wired = tuple[tuple[int, ...], tuple[int, ...]]  # a pattern: its kinds, and the arguments of its nodes


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

    first: int  #: the position of the first node
    pattern: int
    args: Sequence[int]  #: the positions of the arguments
    times: int = 1  #: how often the pattern occurs; the number of arguments if a loop runs over them


class Finder:
    """Finds the patterns of a graph.

    First the sequences of kinds that recur are found: the most frequent pair of neighbours becomes one
    sequence, and so on. Then the occurrences of a sequence that are wired in the same way become a pattern.
    Where there are too few of them, the two parts of the sequence may be patterns.

    Args:
        kinds: the kinds of nodes.
        args: the positions of the parents of all nodes.
        starts: where the parents of each node begin in ``args``, and where the last ones end.
    """

    def __init__(self, kinds: Sequence[Kind], args: Sequence[int], starts: Sequence[int]) -> None:
        self._kinds, self._args, self._starts = kinds, args, starts
        self._frequent = max(FREQUENT, len(starts) // SHARE)
        self._contents: list[tuple[int, ...]] = [()]  # the kinds of each sequence; 0 is none
        self._numbers: dict[tuple[int, ...], int] = {}
        self._parts: dict[int, tuple[int, int]] = {}
        self._known: dict[Wired, int] = {}

    def elements(self, runs: Sequence[Run]) -> list[Element]:
        """Return what computes some runs of nodes."""
        done: list[Element] = []
        sequences: list[int] = []
        for kind, first, count in runs:
            short = count <= SHORT and self._kinds[kind].arity
            sequences.append(self._sequence((kind,) * count) if short else 0)
            if not short:
                done += self._loops(kind, first, count)
        left = self._merged(np.array(sequences, dtype=np.int64), np.array([first for _, first, _ in runs]))
        while left:
            wired = [self._wired(*it) for it in left]
            counts = Counter([pattern for pattern, _ in wired])
            rare: list[tuple[int, int]] = []
            for (sequence, first), (pattern, args) in zip(left, wired):
                contents = self._contents[sequence]
                if pattern in self._known or (counts[pattern] >= self._frequent and len(contents) > 1):
                    done.append(Element(first, self._number(pattern), args))
                elif sequence in self._parts:
                    one, other = self._parts[sequence]
                    rare += (one, first), (other, first + len(self._contents[one]))
                else:
                    done += self._loops(contents[0], first, len(contents))
            left = rare
        return sorted(done)

    def _merged(self, sequences: np.ndarray, firsts: np.ndarray) -> list[tuple[int, int]]:
        """Return longer sequences that recur, and the first node of each."""
        while True:
            one, other = sequences[:-1], sequences[1:]
            sizes = np.array([len(it) for it in self._contents])[sequences]
            alone = (one == 0) | (other == 0) | (one == other) | (sizes[:-1] + sizes[1:] > LARGEST)
            base = len(self._contents)
            pairs = np.where(alone, 0, one * base + other)
            found, places, counts = np.unique(pairs, return_inverse=True, return_counts=True)
            ranks: np.ndarray = np.empty(len(found), dtype=np.int64)
            ranks[np.argsort(counts, kind="stable")] = np.arange(len(found))
            ranks[(found == 0) | (counts < self._frequent)] = -1
            rank = np.concatenate(([-1], ranks[places], [-1]))
            chosen = np.flatnonzero((rank[1:-1] > rank[:-2]) & (rank[1:-1] > rank[2:]))
            if not len(chosen):
                return [(it, first) for it, first in zip(sequences.tolist(), firsts.tolist()) if it]
            chosen_pairs = pairs[chosen].tolist()
            joined = {pair: self._joined(*divmod(pair, base)) for pair in dict.fromkeys(chosen_pairs)}
            sequences[chosen] = [joined[pair] for pair in chosen_pairs]
            sequences, firsts = np.delete(sequences, chosen + 1), np.delete(firsts, chosen + 1)

    def _joined(self, one: int, other: int) -> int:
        """Return the sequence of two others."""
        sequence = self._sequence(self._contents[one] + self._contents[other])
        self._parts.setdefault(sequence, (one, other))
        return sequence

    def _sequence(self, kinds: tuple[int, ...]) -> int:
        """Return the number of a sequence of kinds."""
        if kinds not in self._numbers:
            self._numbers[kinds] = len(self._contents)
            self._contents.append(kinds)
        return self._numbers[kinds]

    def _wired(self, sequence: int, first: int) -> tuple[Wired, list[int]]:
        """Return the pattern of a sequence at its place, and the positions of the arguments."""
        kinds = self._contents[sequence]
        seen: dict[int, int] = {}
        args = self._args[self._starts[first] : self._starts[first + len(kinds)]]
        wiring = [first - p - 1 if p >= first else seen.setdefault(p, len(seen)) for p in args]
        return (kinds, tuple(wiring)), list(seen)

    def _loops(self, kind: int, first: int, count: int) -> list[Element]:
        """Return what computes some nodes one after the other."""
        arity = self._kinds[kind].arity
        pattern = self._number(((kind,), tuple(range(arity))))
        starts = self._starts[first : first + count + 1]
        if arity:
            return [Element(first, pattern, self._args[starts[0] : starts[-1]], count)]
        return [
            Element(first + i, pattern, self._args[start:end], end - start)
            for i, (start, end) in enumerate(pairwise(starts))
        ]

    def _number(self, pattern: Wired) -> int:
        return self._known.setdefault(pattern, len(self._known))

    def found(self, elements: Iterable[Element], used: np.ndarray) -> list[Pattern]:
        """Return the patterns.

        Args:
            elements: all elements of the graph.
            used: for each node, whether it is an argument of an element, or an output.
        """
        outside = [np.array([len(kinds) == 1] * len(kinds)) for kinds, _ in self._known]
        for it in elements:
            flags = outside[it.pattern]
            flags |= used[it.first : it.first + len(flags)]
        return [Pattern(self._steps(*it), tuple(flags.tolist())) for it, flags in zip(self._known, outside)]

    def _steps(self, kinds: Sequence[int], wiring: Sequence[int]) -> tuple[Step, ...]:
        """Return the nodes of a pattern."""
        places = iter(wiring)
        return tuple(
            [Step(it, tuple(islice(places, it.arity))) for it in map(self._kinds.__getitem__, kinds)]
        )
