"""Tables in CSV files: the columns are features, and the last one is the class of each row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from io import StringIO
from math import isfinite
from typing import NamedTuple, NoReturn

from engine import brief

__all__ = ["Table", "read_csv"]

DELIMITERS = ",;\t"


class Table(NamedTuple):
    """The content of a CSV file. Its first two entries are ``xs`` and ``ys``, as of the other data sets.

    >>> xs, ys, *_ = Table([[4.0], [2.0]], [1, 0], ["bird", "dog"], ["legs"], "animal")
    >>> xs, ys
    ([[4.0], [2.0]], [1, 0])
    """

    xs: list[list[float]]  #: one list of features for each row
    ys: list[int]  #: the class of each row: its place in ``classes``
    classes: list[
        str
    ]  #: the names of the classes: whole numbers in their order, or names in that of the alphabet
    features: list[str]  #: the names of the columns but the last: those of the header, or "column 1", ...
    target: str  #: the name of the last column


class Line(NamedTuple):
    """The fields of one row, and the number of its line, counted from 1."""

    number: int
    fields: list[str]


def read_csv(path: str | os.PathLike[str]) -> Table:
    """Read a table for classification from a CSV file.

    The fields are separated by commas, semicolons or tabs (the first line decides) and may be quoted; the
    encoding is UTF-8. Empty lines are ignored. The first line is a header if no field but the last is a
    number; also if the fields before the last are 0, 1, 2, ... (as pandas writes them) and the last field
    occurs in no other line. The last column is the target: names of classes, or whole numbers. Numbers with
    a fraction are refused as classes, and so are values that occur, on average, in fewer than two rows.

    Args:
        path: the file.

    Returns:
        A `Table`.

    Raises:
        ValueError: the file is no such table. The message names the file and, for a bad row, its line.
        OSError: the file cannot be read.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "animals.csv")
    ...     _ = file.write_text("legs,weight,animal\\n4,31,dog\\n2,0.02,bird\\n4,25,dog\\n2,0.05,bird\\n")
    ...     xs, ys, classes, features, target = read_csv(file)
    >>> xs, ys, classes
    ([[4.0, 31.0], [2.0, 0.02], [4.0, 25.0], [2.0, 0.05]], [1, 0, 1, 0], ['bird', 'dog'])
    >>> features, target
    (['legs', 'weight'], 'animal')
    """
    name = os.path.basename(os.fspath(path))
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return _table(list(_lines(file.read())))
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: expected text in UTF-8: {error.reason} at byte {error.start}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _lines(text: str) -> Iterator[Line]:
    """Return an iterator over the rows that are not empty."""
    import csv  # seldom needed: slow to import

    first = next((line for line in text.split("\n") if line.strip()), "")
    delimiter = max(DELIMITERS, key=lambda d: (first.count(d), d != ","))  # ";" before ",": 1,5;2,5;a
    rows, end = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True), 0
    while True:
        start = end + 1
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"line {start}: {error}") from None
        end = rows.line_num
        fields = [field.strip() for field in fields]
        if any(fields):
            yield Line(start, fields)


def _table(lines: Sequence[Line]) -> Table:
    if not lines:
        raise ValueError("expected a table, not an empty file")
    first = lines[0]
    n = len(first.fields)
    if n < 2:
        raise ValueError(
            f"line {first.number}: expected at least two columns, the last with the class, not {n}"
        )
    names = [f"column {k + 1}" for k in range(n)]
    if _is_header(lines):
        lines, names = lines[1:], first.fields
        for k, name in enumerate(names):
            if not name:
                _refuse(
                    first, f"column {k + 1} has no name (if it numbers the rows, remove it: it is no feature)"
                )
    for line in lines:
        if len(line.fields) != n:
            _refuse(line, f"expected {n} fields, as in line {first.number}, not {len(line.fields)}")
    xs = [[_feature(line, k, names) for k in range(n - 1)] for line in lines]
    ys, classes = _classes(lines, names[-1])
    return Table(xs, ys, classes, names[:-1], names[-1])


def _is_header(lines: Sequence[Line]) -> bool:
    """Return whether the first line has the names of the columns."""
    *features, target = lines[0].fields
    if not any(map(_is_number, features)):
        return True
    numbered = features == [str(k) for k in range(len(features))]
    return numbered and not _is_number(target) and all(target not in line.fields[-1:] for line in lines[1:])


def _feature(line: Line, k: int, names: Sequence[str]) -> float:
    """Return the number in column k of a line."""
    field = line.fields[k]
    column = names[k] if names[k] == f"column {k + 1}" else f"column {k + 1} ({brief(names[k])})"
    if not field:
        _refuse(line, f"{column} is empty; expected a number")
    if not _is_number(field):
        hint = " (write a decimal point, not a comma)" if _is_number(field.replace(",", ".")) else ""
        _refuse(line, f"{column} is {brief(field)}; expected a number{hint}")
    number = float(field)
    if not isfinite(number):
        _refuse(line, f"{column} is {number}; expected a finite number")
    return number


def _classes(lines: Sequence[Line], column: str) -> tuple[list[int], list[str]]:
    """Return the class of each line, and the names of the classes."""
    found = []
    for line in lines:
        field = line.fields[-1]
        if not field:
            _refuse(line, "the last column is empty; expected the class: a name or a whole number")
        if _is_number(field):
            if not float(field).is_integer():
                _refuse(
                    line, f"the last column is {brief(field)}; expected the class: a name or a whole number"
                )
            field = str(int(float(field)))
        found.append(field)
    whole = all(map(_is_number, found))
    classes = sorted(set(found), key=int) if whole else sorted(set(found))
    if len(classes) < 2:
        what = f"the one class {brief(classes[0])}" if classes else "no row"
        raise ValueError(f"the last column, {brief(column)}, has {what}; expected at least two classes")
    if 2 * len(classes) > len(found):
        raise ValueError(
            f"the last column, {brief(column)}, has {len(classes)} different values in {len(found)} rows, "
            "too many for classes"
        )
    place = {name: k for k, name in enumerate(classes)}
    return [place[name] for name in found], classes


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # Python's 1_000


def _refuse(line: Line, why: str) -> NoReturn:
    raise ValueError(f"line {line.number}: {why}")
