"""The command ``chalkgrad exercises``: list, begin, check, watch, hint, next, solution and reset."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from time import sleep

from nn.exercises.course import Course, exercise, exercises

EVERY = 0.5  # seconds between two looks at a file


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    p = argparse.ArgumentParser(
        prog="chalkgrad exercises",
        description="Write autograd and backpropagation yourself, in twenty small exercises.",
    )
    p.add_argument("--folder", default="exercises", help="your solutions (default: exercises)")
    actions = p.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="list the exercises (the default)")
    begin = actions.add_parser("begin", help="go to an exercise; write its file if there is none")
    begin.add_argument("exercise", nargs="?", help="a name or number (default: the current one)")
    for name, text in ("check", "check a file"), ("watch", "check a file whenever it is saved"):
        action = actions.add_parser(name, help=text)
        action.add_argument("file", nargs="?", help="a file or a name (default: the current exercise)")
    actions.add_parser("hint", help="show a hint for the current exercise; each call shows a clearer one")
    actions.add_parser("next", help="go to the next exercise, once the current one has passed")
    solution = actions.add_parser("solution", help="show another solution, once yours has passed")
    solution.add_argument("exercise", nargs="?", help="a name or number (default: the current one)")
    reset = actions.add_parser("reset", help="begin an exercise anew; your file is kept as .bak")
    reset.add_argument("exercise", help="a name or number")
    return p


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status: 1 if a check failed, 2 for an error."""
    options = parser().parse_args(arguments)
    course = Course(options.folder)
    try:
        return _run(course, options)
    except (OSError, ValueError) as error:
        print(f"chalkgrad exercises: {error}")
        return 2
    except KeyboardInterrupt:
        return 130


def _run(course: Course, options: argparse.Namespace) -> int:
    action = options.action or "list"
    if action in ("check", "watch"):
        e = exercise(options.file) if options.file else course.current()
        given = Path(options.file) if options.file and Path(options.file).exists() else course.folder / e.file
        if not given.exists():
            raise ValueError(f"there is no file {given}; chalkgrad exercises begin {e.name} writes it")
        return _check(course, e.number, given) if action == "check" else _watch(course, e.number, given)
    if action == "list":
        _list(course)
    elif action == "begin":
        _begun(course, course.begin(options.exercise))
    elif action == "next":
        _begun(course, course.next())
    elif action == "reset":
        _begun(course, course.reset(options.exercise))
    elif action == "hint":
        print(course.hint())
    else:
        print(course.solution(options.exercise), end="")
    return 0


def _list(course: Course) -> None:
    passed, current = course.passed(), course.current()
    for e in exercises():
        mark = "passed" if e.name in passed else "here" if e == current else ""
        print(f"{e.number:3}  {e.name:20} {mark:7} {e.title}")
    print(f"{len(passed)} of {len(exercises())} passed. {_further(course)}".rstrip())


def _further(course: Course) -> str:
    """Return a sentence with the command that comes next; "" after the last exercise."""
    e, passed = course.current(), course.passed()
    left = [other.name for other in exercises() if other.name not in passed]
    if e.name in passed:
        last = e.number == len(exercises())
        return f"chalkgrad exercises {f'begin {left[0]}' if last else 'next'} goes on." if left else ""
    path = course.folder / e.file
    return _edit(path) if path.exists() else f"chalkgrad exercises begin writes {e.file}."


def _edit(path: Path) -> str:
    return f"Edit {path}, then: chalkgrad exercises check"


def _begun(course: Course, path: Path) -> None:
    e = course.current()
    print(f"Exercise {e.number}: {e.title}\n{_edit(path)}")


def _check(course: Course, number: int, path: Path) -> int:
    result = course.check(number, path)
    print(result)
    if result.passed:
        name = exercise(number).name
        print(f"chalkgrad exercises solution {name} shows another solution. {_further(course)}".rstrip())
    return int(not result.passed)


def _watch(course: Course, number: int, path: Path) -> int:
    """Check a file now and whenever it is saved, until it passes or Ctrl-C is pressed."""
    print(f"Watching {path}; Ctrl-C ends.")
    seen = None
    while True:
        changed = path.stat().st_mtime_ns
        if changed != seen:
            seen = changed
            if not _check(course, number, path):
                return 0
        sleep(EVERY)
