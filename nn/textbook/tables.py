"""Tables of numbers with formulas as headings: as text, HTML, LaTeX and CSV."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby
from math import isfinite, log10
from typing import NamedTuple, TypeAlias

__all__ = ["Cell", "Column", "Table", "decimals"]

Cell: TypeAlias = "float | str"

DIGITS = 4  # significant digits of the smallest number of a column
MOST_DECIMALS = 8  # a column that needs more decimals is written with powers of ten

# These formulas are headings and titles. Longer ones come first, as a part of one may be another.
LATEX = {
    "from j": r"\text{from } j",
    "to k": r"\text{to } k",
    "-∂E/∂in_k": r"-\frac{\partial E}{\partial \mathit{in}_k}",
    "-∂E/∂w_jk": r"-\frac{\partial E}{\partial w_{jk}}",
    "-∂E/∂a_k": r"-\frac{\partial E}{\partial a_k}",
    "∂E/∂z_k": r"\frac{\partial E}{\partial z_k}",
    "Σ_k w_jk Δ_k": r"\sum_k w_{jk} \Delta_k",
    "Σ_n a_j Δ_k": r"\sum_n a_j \Delta_k",
    "Σ_n": r"\sum_n",
    "in_": r"\mathit{in}_",
    "w_jk": "w_{jk}",
    "Δ_": r"\Delta_",
    "δ_": r"\delta_",
    "·": r"\cdot",
}


class Column(NamedTuple):
    """A column: its heading, its cells, and the heading that it shares with the columns beside it."""

    heading: str
    cells: Sequence[Cell]
    group: str = ""
    is_words: bool = False  #: whether the heading is a word and not a formula

    def texts(self) -> list[str]:
        """Return the cells as texts; the numbers have equal decimals.

        >>> Column("a", [0.5, -12.25, "kink", 0.0]).texts()
        ['0.50', '-12.25', 'kink', '0.00']
        """
        form = decimals([cell for cell in self.cells if isinstance(cell, float)])
        return [cell if isinstance(cell, str) else form(cell) for cell in self.cells]


def decimals(numbers: Sequence[float]) -> Callable[[float], str]:
    """Return a function that writes each of the numbers with the same number of decimals.

    >>> [decimals([0.17551, 0.186816])(x) for x in (0.17551, 0.186816)]
    ['0.1755', '0.1868']
    >>> decimals([1.0, 1e-12])(1e-12), decimals([1.0, -0.0])(-0.0)
    ('1.000e-12', '0')
    """
    sizes = [abs(x) for x in numbers if isfinite(x) and x]
    needed = DIGITS - 1 - int(log10(min(sizes)) // 1) if sizes else 0
    if needed > MOST_DECIMALS or max(sizes, default=0.0) >= 1e7:
        return lambda x: f"{x + 0.0:.{DIGITS - 1}e}"
    places = max(needed, 0)
    while places and all(float(f"{x:.{places - 1}f}") == x for x in numbers if isfinite(x)):
        places -= 1

    def form(x: float) -> str:
        return f"{float(f'{x:.{places}f}') + 0.0:.{places}f}"  # + 0.0 turns -0.0 into 0.0

    return form


class Table(NamedTuple):
    """Columns under a title.

    Args:
        title: what the table shows, and its formula.
        columns: the columns; the first ``keys`` of them say what a row is about.
        keys: a table that is too wide is cut into two, and both begin with these columns.
    """

    title: str
    formula: str
    columns: Sequence[Column]
    keys: int = 1

    def text(self, width: int) -> list[str]:
        """Return the lines of the table: one block, or several below each other if the lines are too long."""
        for gap in "  ", " ":
            lines = _block(self.columns, gap)
            if len(lines[0]) <= width:
                break
        else:
            keys, rest = self.columns[: self.keys], self.columns[self.keys :]
            parts = [list(part) for _, part in groupby(rest, lambda column: column.group)]
            blocks = [parts[0], [column for part in parts[1:] for column in part]]
            lines = [line for block in blocks if block for line in [*_block(_filled(keys, block), "  "), ""]][
                :-1
            ]
        head = f"{self.title}  {self.formula}"
        return [*([head] if len(head) <= width else [self.title, self.formula]), *lines]

    def html(self) -> str:
        """Return the table as HTML that takes its colours from the page."""
        spans = [(group, len(list(part))) for group, part in groupby(self.columns, lambda c: c.group)]
        groups = "".join(
            f'<th colspan="{n}" style="{_CENTRED}{_BAR * bool(group)}">{subscripts(group)}</th>'
            for group, n in ((group.strip(), n) for group, n in spans)
        )
        heads = "".join(
            f'<th scope="col" style="{_RIGHT}">{subscripts(column.heading)}</th>' for column in self.columns
        )
        rows = zip(*(column.texts() for column in self.columns))
        cells = [[f'<td style="{_RIGHT}">{subscripts(cell)}</td>' for cell in row] for row in rows]
        body = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
        title = f"{escape(self.title)} {subscripts(self.formula)}"
        caption = f'<caption style="text-align: left; white-space: nowrap">{title}</caption>'
        head = f"<tr>{groups}</tr>" * any(group for group, _ in spans) + f"<tr>{heads}</tr>"
        table = f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table>"
        return f'<div tabindex="0" style="overflow-x: auto; margin: 1em 0">{table}</div>'

    def latex(self) -> str:
        """Return the title, and the table as a displayed array, which KaTeX, MathJax and pdflatex take."""
        shape = "|".join(
            "r" * len(list(part)) for _, part in groupby(self.columns, lambda column: column.group)
        )
        heads = [_latex_heading(column) for column in self.columns]
        rows = [
            [_latex_cell(cell) for cell in row] for row in zip(*(column.texts() for column in self.columns))
        ]
        lines = [" & ".join(row) + r" \\" for row in rows]
        array = [rf"\begin{{array}}{{{shape}}}", " & ".join(heads) + r" \\ \hline", *lines, r"\end{array}"]
        title = f"{self.title} ${to_latex(self.formula)}$" if self.formula else self.title
        return "\n".join([title, r"\[", *array, r"\]"])


_RIGHT = "text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding: 0.2em 0.6em"
_CENTRED = "text-align: center; white-space: nowrap"
_BAR = "; border-bottom: 1px solid currentColor"


def subscripts(formula: str) -> str:
    """Return formulas as HTML: the index of w_jk is a subscript; longer names, such as those of losses, stay.

    >>> subscripts("-∂E/∂w_jk = a_j Δ_k, E_1 = half_squared_error")
    '-∂E/∂w<sub>jk</sub> = a<sub>j</sub> Δ<sub>k</sub>, E<sub>1</sub> = half_squared_error'
    """
    return re.sub(r"\b(in|\w)_([a-z]{1,2}|\d+)\b", r"\1<sub>\2</sub>", escape(formula))


def _block(columns: Sequence[Column], gap: str) -> list[str]:
    """Return the lines of columns side by side, each as wide as its widest cell; a bar parts the groups."""
    parts = [list(part) for _, part in groupby(columns, lambda column: column.group)]
    above, below = [], []
    for part in parts:
        grid = [[column.heading, *column.texts()] for column in part]
        widths = [max(map(len, cells)) for cells in grid]
        rows = [gap.join(cell.rjust(width) for cell, width in zip(row, widths)) for row in zip(*grid)]
        group = part[0].group
        span = max(len(rows[0]), len(group))
        above.append(group.center(span))
        below.append([row.rjust(span) for row in rows])
    lines = [" | ".join(row) for row in zip(*below)]
    return [" | ".join(above), *lines] if any(column.group for column in columns) else lines


def _filled(keys: Sequence[Column], columns: Sequence[Column]) -> list[Column]:
    """Return the columns after the keys, without the rows in which all of them are empty."""
    kept = [
        i for i, row in enumerate(zip(*(column.cells for column in columns))) if any(x != "" for x in row)
    ]
    return [column._replace(cells=[column.cells[i] for i in kept]) for column in (*keys, *columns)]


def _latex_heading(column: Column) -> str:
    formula = rf"\text{{{column.heading}}}" if column.is_words else to_latex(column.heading)
    return rf"{to_latex(column.group)}\text{{ {column.heading}}}" if column.group.strip() else formula


def to_latex(formula: str) -> str:
    r"""Return one of the formulas of the lens in LaTeX.

    >>> to_latex("Δ_j = g'(in_j) · Σ_k w_jk Δ_k")
    "\\Delta_j = g'(\\mathit{in}_j) \\cdot \\sum_k w_{jk} \\Delta_k"
    """
    for text, latex in LATEX.items():
        formula = formula.replace(text, latex)
    return formula


def _latex_cell(cell: str) -> str:
    mantissa, e, exponent = cell.partition("e")
    if e and exponent.lstrip("+-").isdigit():
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    if cell in ("inf", "-inf"):
        return cell.replace("inf", r"\infty")
    return cell if cell.lstrip("-").replace(".", "", 1).isdigit() or not cell else rf"\text{{{cell}}}"
