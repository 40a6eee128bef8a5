"""Run a student's code so that an endless loop ends, and an error shows the student's lines only."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from _typeshed import TraceFunction

STEPS = 1_000_000  # instructions of Python that one small case may take; right code takes a few thousand
OURS = tuple(str(Path(__file__).parents[2] / package) + os.sep for package in ("engine", "nn"))
LIBRARIES = {os.path.dirname(os.__file__), *map(sysconfig.get_path, ("purelib", "platlib"))}
OTHERS = (*OURS, *(path + os.sep for path in LIBRARIES), "<frozen")


class OutOfSteps(BaseException):
    """The code ran too many instructions. An ``except Exception`` of the student does not catch it."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"the code was stopped after {steps:,} instructions")


class Raised(NamedTuple):
    """An exception of a student's code."""

    kind: str  #: the name of its type
    message: str  #: its first line, if it has one
    where: str = ""  #: the student's line that raised it

    def __str__(self) -> str:
        return f"{self.kind}{self.message and f': {self.message}'}{self.where and f' ({self.where})'}"


def attempt(function: Callable[[], object]) -> object:
    """Return the result of a function, or `Raised` if it raises an exception.

    >>> attempt(lambda: 1 + 1)
    2
    >>> attempt(lambda: [][0]).kind
    'IndexError'
    """
    try:
        return function()
    except KeyboardInterrupt:
        raise
    except OutOfSteps as error:
        return Raised("endless loop", str(error))
    except BaseException as error:  # SystemExit, too: a check never ends the student's session
        return raised(error)


def raised(error: BaseException) -> Raised:
    """Return the parts of an exception that a student reads."""
    return Raised(type(error).__name__, _first_line(error), _own_line(error.__traceback__))


def _first_line(error: BaseException) -> str:
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # a student's exception may have a __str__ that fails
        lines = []
    return lines[0] if lines else ""


@contextmanager
def limited_steps(steps: int = STEPS, each: bool = True) -> Iterator[None]:
    """Raise `OutOfSteps` in the student's code inside after so many instructions.

    Lines are not counted instead, as ``while True: pass`` is one line that begins once. Of functions of
    Python's library and of packages, only the calls count. The limit of recursion is restored at the end.

    Args:
        steps: how many.
        each: count every instruction; otherwise lines, which is faster.
    """
    left, usual, depth = steps, sys.gettrace(), sys.getrecursionlimit()

    def each_step(frame: FrameType, event: str, arg: object) -> TraceFunction | None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OutOfSteps(steps)
        if frame.f_code.co_filename.startswith(OTHERS):
            return None
        frame.f_trace_opcodes = each
        return each_step

    sys.settrace(each_step)
    try:
        yield
    finally:
        sys.settrace(usual)
        sys.setrecursionlimit(depth)


def _own_line(traceback: TracebackType | None) -> str:
    """Return the last line of the student's own code in a traceback, or nothing if there is none."""
    found = ""
    while traceback is not None:
        file, number = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        line = linecache.getline(file, number).strip()
        if line and not file.startswith(OTHERS):
            found = f"line {number}: {line}"
        traceback = traceback.tb_next
    return found
