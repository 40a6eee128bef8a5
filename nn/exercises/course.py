"""The exercises of the course, in order, and the place that a student has reached."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine import brief, did_you_mean, write_whole
from nn.exercises.process import check_file
from nn.exercises.result import Result

__all__ = ["Course", "Exercise", "exercise", "exercises", "hint"]

HOME = Path(__file__).parent
PLACE = ".progress.json"


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        number: its place in the course, from 1.
        name: its name.
        title: its title.
        topic: the topic of its check.
        options: the options of its check.
        hints: three hints, each clearer than the one before.
    """

    number: int
    name: str
    title: str
    topic: str
    options: Mapping[str, object]
    hints: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name of its file.

        >>> exercise("backward").file
        '05_backward.py'
        """
        return f"{self.number:02}_{self.name}.py"

    @property
    def stub(self) -> str:
        """The text of the file with which a student begins."""
        return (HOME / "stubs" / self.file).read_text("utf-8")

    @property
    def solution(self) -> str:
        """The text of a good solution."""
        return (HOME / "solutions" / self.file).read_text("utf-8")


@cache
def exercises() -> tuple[Exercise, ...]:
    """Return the exercises in order.

    >>> [e.name for e in exercises()][:3]
    ['by_hand', 'chain', 'operation']
    """
    listed = tomllib.loads((HOME / "course.toml").read_text("utf-8"))["exercise"]
    return tuple(
        Exercise(i, e["name"], e["title"], e["topic"], e.get("options", {}), tuple(e["hints"]))
        for i, e in enumerate(listed, 1)
    )


def exercise(name: str | int) -> Exercise:
    """Return one exercise.

    Args:
        name: its name, its number, or its file.

    Raises:
        ValueError: there is no such exercise.

    >>> exercise(5).title
    'the chain rule over a graph'
    """
    wanted = str(name)
    for e in exercises():
        if wanted in (e.name, str(e.number), f"{e.number:02}", e.file) or Path(wanted).name == e.file:
            return e
    names = [e.name for e in exercises()]
    raise ValueError(f"there is no exercise {wanted!r}{did_you_mean(wanted, names)}; there are {len(names)}")


def hint(name: str | int, level: int = 1) -> str:
    """Return a hint.

    Args:
        name: the exercise.
        level: 1, 2 or 3; a hint of a higher level is clearer.

    Raises:
        ValueError: there is no such exercise or hint.

    >>> hint("backward")
    'Begin at the root: ∂L/∂L = 1.'
    """
    hints = exercise(name).hints
    if level not in range(1, len(hints) + 1):
        raise ValueError(f"there are hints from 1 to {len(hints)}, not {brief(level)}")
    return hints[level - 1]


class Course:
    """A folder with a student's solutions, and the place that the student has reached.

    Args:
        folder: the folder; it is created with the first exercise.

    >>> import tempfile
    >>> course = Course(tempfile.mkdtemp())
    >>> course.current().name, course.begin().name
    ('by_hand', '01_by_hand.py')
    >>> print(course.check(1))
    by_hand: not done yet. The first step that is not written: the 3 derivatives
    """

    def __init__(self, folder: str | Path = "exercises") -> None:
        self.folder = Path(folder)

    def _read(self) -> dict[str, object]:
        try:
            place = json.loads((self.folder / PLACE).read_text("utf-8"))
        except (OSError, ValueError):
            return {}  # a lost place costs a student nothing: the files are there
        return place if isinstance(place, dict) else {}

    def _write(self, **changes: object) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / PLACE, json.dumps(self._read() | changes))

    def passed(self) -> list[str]:
        """Return the names of the exercises that have passed."""
        found = self._read().get("passed", [])
        return [e.name for e in exercises() if isinstance(found, list) and e.name in found]

    def current(self) -> Exercise:
        """Return the exercise that the student is at."""
        at = self._read().get("current", 1)
        return exercises()[at - 1] if isinstance(at, int) and 0 < at <= len(exercises()) else exercises()[0]

    def begin(self, name: str | int | None = None) -> Path:
        """Go to an exercise, and return its file; the stub is written if there is no file yet.

        Args:
            name: the exercise; the current one if left out.
        """
        e = exercise(name) if name is not None else self.current()
        path = self.folder / e.file
        self._write(current=e.number, hints=0)
        if not path.exists():
            write_whole(path, e.stub)
        return path

    def next(self) -> Path:
        """Go to the exercise after the current one.

        Raises:
            ValueError: the current one has not passed, or is the last.
        """
        e = self.current()
        if e.name not in self.passed():
            raise ValueError(f"exercise {e.number} ({e.name}) has not passed yet; begin goes to any exercise")
        if e.number == len(exercises()):
            raise ValueError("that was the last exercise")
        return self.begin(e.number + 1)

    def check(self, name: str | int | None = None, path: str | Path | None = None) -> Result:
        """Check the file of an exercise, and remember if it passed."""
        e = exercise(name) if name is not None else self.current()
        result = check_file(e.topic, path or self.folder / e.file, **e.options)
        if result.passed and e.name not in self.passed():
            self._write(passed=[*self.passed(), e.name])
        return result

    def hint(self) -> str:
        """Return the next hint of the current exercise; the last one again at the end."""
        e, given = self.current(), self._read().get("hints", 0)
        level = max(1, min((given if isinstance(given, int) else 0) + 1, len(e.hints)))
        self._write(hints=level)
        return f"Hint {level} of {len(e.hints)}: {e.hints[level - 1]}"

    def solution(self, name: str | int | None = None) -> str:
        """Return a good solution of an exercise that has passed.

        Raises:
            ValueError: it has not passed yet.
        """
        e = exercise(name) if name is not None else self.current()
        if e.name not in self.passed():
            raise ValueError(f"a solution of exercise {e.number} ({e.name}) is shown once yours has passed")
        return e.solution

    def reset(self, name: str | int) -> Path:
        """Begin an exercise anew; the student's file is kept beside it, with the suffix .bak."""
        e = exercise(name)
        path = self.folder / e.file
        if path.exists():
            path.replace(path.with_suffix(".bak"))
        self._write(passed=[other for other in self.passed() if other != e.name])
        return self.begin(e.number)
