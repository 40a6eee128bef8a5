"""The result of a check: passed, or the smallest case that fails, its first wrong step and the cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Player

__all__ = ["Result"]


@dataclass(frozen=True)
class Result:
    """The result of a check. It is true if the check passed.

    Attributes:
        topic: the name of the topic.
        passed: whether every case gave the right numbers.
        cases: how many cases were run, up to the first that failed.
        graph: the smallest case that failed, in at most two lines; empty if none did.
        step: the first step of it that is wrong.
        yours, right: the two numbers of that step, or the error that was raised.
        cause: the name of the likely slip, or None if it is none of those that are known.
        why: one sentence that explains the slip.
        skipped: the operations that were not checked, as the solution has none.
        unwritten: whether that step is not written yet: it raised NotImplementedError, or it is ``...``.
    """

    topic: str
    passed: bool
    cases: int = 0
    graph: str = ""
    step: str = ""
    yours: str = ""
    right: str = ""
    cause: str | None = None
    why: str = ""
    skipped: tuple[str, ...] = ()
    unwritten: bool = False
    picture: Callable[[], Player] | None = field(default=None, compare=False, repr=False)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        if self.passed:
            left_out = f" Not checked, as yours has none: {', '.join(self.skipped)}." if self.skipped else ""
            return f"{self.topic}: passed. All {self.cases} cases agree.{left_out}"
        if self.unwritten:
            return f"{self.topic}: not done yet. The first step that is not written: {self.step}"
        lines = [f"{self.topic}: not yet."]
        if self.graph:
            lines += ["The smallest case that fails:", *(f"    {line}" for line in self.graph.splitlines())]
        if self.step:
            lines.append(f"The first step that is wrong: {self.step}")
        width = max(len("yours"), len("right"))
        lines += [f"    {'yours':{width}}  {self.yours}", f"    {'right':{width}}  {self.right}"]
        if self.cause:
            lines.append(f"The likely cause: {self.cause}. {self.why}")
        return "\n".join(lines)

    __repr__ = __str__

    def play(self) -> Player:
        """Return the player of the right graph of the case that failed, at the step that is wrong.

        Its heading has both numbers.

        Raises:
            ValueError: the check passed, or the case is not a graph.
        """
        if self.picture is None:
            why = "the check passed" if self.passed else f"a case of {self.topic!r} is not a graph"
            raise ValueError(f"there is nothing to play: {why}")
        return self.picture()
