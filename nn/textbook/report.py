"""The report of the Δ lens: neuron by neuron and weight by weight, in tables and as data."""

from __future__ import annotations

import csv
import io
import shutil
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from math import isnan
from typing import TypeVar

from engine import brief
from nn.textbook.tables import Cell, Column, Table, subscripts

__all__ = ["BiasRow", "DeltaReport", "NeuronRow", "WeightRow"]

SHOWN = 16  # a layer's table shows at most this many rows, the largest; the lists of the report have all
WEIGHTS = 24  # and so many weights and biases
SAMPLES = 4  # inputs and targets that are shown at most
WIDTH = 80  # columns of the text at least
AGREE = 1e-9  # autograd and textbook agree up to this relative difference,
AGREE_NUDGED = 1e-5  # and autograd and a finite difference up to this one

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class NeuronRow:
    """One neuron k, and its Δ_k = -∂E/∂in_k for one sample, computed in three ways."""

    layer: int  #: counted from 1
    index: int  #: k, its place in the layer, counted from 0
    z: float  #: in_k = b_k + Σ_j w_jk a_j
    a: float  #: a_k = g(in_k)
    slope: float  #: g'(in_k)
    downstream: float  #: Σ w Δ over the next layer; of an output -∂E/∂a_k, so t_k - a_k for ½ Σ (t - a)²
    autograd: float  #: Δ_k from the backward pass
    textbook: float  #: Δ_k = slope × downstream, by hand
    finite_difference: float  #: Δ_k = -(E(in_k + h) - E(in_k - h)) / 2h
    kink: tuple[float, float] | None = (
        None  #: the differences on the left and on the right, where they differ
    )
    target: float | None = None  #: t_k of an output neuron, if the loss has one target for each output
    sample: int = 1  #: n, the number of the sample, counted from 1


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One weight w_jk, and -∂E/∂w_jk computed in two ways."""

    layer: int  #: counted from 1
    index: int  #: k, the neuron that the weight leads to
    input: int  #: j, the input or the neuron of the layer before, where the weight comes from
    minus_gradient: float  #: -∂E/∂w_jk from the backward pass
    product: float  #: a_j Δ_k, by hand; for a batch Σ_n a_j Δ_k
    weight: float  #: w_jk
    a: tuple[float, ...]  #: a_j for each sample
    delta: tuple[float, ...]  #: Δ_k for each sample, by hand


@dataclass(frozen=True, slots=True)
class BiasRow:
    """One bias b_k, the weight of an input of 1, and -∂E/∂b_k computed in two ways."""

    layer: int  #: counted from 1
    index: int  #: k, the neuron of the bias
    minus_gradient: float  #: -∂E/∂b_k from the backward pass
    product: float  #: Δ_k, by hand; for a batch Σ_n Δ_k
    weight: float  #: b_k
    delta: tuple[float, ...]  #: Δ_k for each sample, by hand

    @property
    def a(self) -> tuple[float, ...]:
        """The input of a bias, 1.0 for each sample."""
        return (1.0,) * len(self.delta)


@dataclass(frozen=True, repr=False)
class DeltaReport:
    """The result of `nn.deltas`, shown as tables in a terminal and in Jupyter.

    Attributes:
        model: the model, as text.
        loss: the name of E.
        error: E, the loss of the sample; for a batch E = Σ_n E_n.
        neurons: one `NeuronRow` for each neuron, from the first layer to the last; for a batch, one for each
            neuron and sample.
        weights: one `WeightRow` for each weight, in the same order.
        disagreement: the largest difference between autograd and textbook, of neurons, weights and biases,
            relative to the size of the terms of the sum in question.
        finite_difference_error: the largest difference between autograd and finite difference, relative to
            the largest of the Δ, the outputs and E, from which the finite difference is computed. At a kink,
            autograd may give any number from the left difference to the right one: a number between them is
            not compared, one outside is an error. NaN if nothing could be compared.
        biases: one `BiasRow` for each neuron.
        errors: E_n of each sample.
        inputs: x of each sample.
        targets: t of each sample.
        kinks: the rows at a kink.
    """

    model: str
    loss: str
    error: float
    neurons: list[NeuronRow]
    weights: list[WeightRow]
    disagreement: float
    finite_difference_error: float
    biases: list[BiasRow] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    inputs: list[list[float]] = field(default_factory=list)
    targets: list[object] = field(default_factory=list, compare=False)  # a class and its one-hot list are one

    @property
    def kinks(self) -> list[NeuronRow]:
        """The neurons at a kink of E, where its derivatives on the left and on the right differ."""
        return [row for row in self.neurons if row.kink is not None]

    def __str__(self) -> str:
        """Return the tables as text, as wide as the terminal and at least 80 columns wide."""
        return self.text(max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns))

    __repr__ = __str__

    def text(self, width: int = WIDTH) -> str:
        """Return the tables as text; a table wider than ``width`` columns is cut into two."""
        lines = _filled(self._opening(), width)
        for table in self._tables():
            lines += ["", *table.text(width)]
        return "\n".join([*lines, "", *_filled(self._closing(), width)])

    def _repr_html_(self) -> str:
        model, *opening = self._opening()
        first = "<br>".join([escape(model), *map(subscripts, opening)])
        last = "<br>".join(map(subscripts, self._closing()))
        return "".join([f"<p>{first}</p>", *(table.html() for table in self._tables()), f"<p>{last}</p>"])

    def to_latex(self) -> str:
        """Return the tables in LaTeX, each a title and a displayed array.

        KaTeX, MathJax and pdflatex take it, without any package.
        """
        return "\n\n".join(table.latex() for table in self._tables())

    def to_csv(self, rows: str = "neurons") -> str:
        """Return rows as CSV with a header, with every digit.

        Args:
            rows: ``neurons``, ``weights`` or ``biases``. Numbers of several samples are separated by spaces.

        Raises:
            ValueError: there are no such rows.
        """
        if rows not in ("neurons", "weights", "biases"):
            raise ValueError(f"rows is 'neurons', 'weights' or 'biases', not {brief(rows)}")
        chosen: dict[str, Sequence[NeuronRow | WeightRow | BiasRow]] = {
            "neurons": self.neurons, "weights": self.weights, "biases": self.biases,
        }  # fmt: skip
        out = io.StringIO()
        records = [asdict(row) for row in chosen[rows]]
        writer = csv.DictWriter(out, list(records[0]) if records else [], lineterminator="\n")
        writer.writeheader()
        for record in records:
            writer.writerow({
                name: " ".join(map(repr, cell)) if isinstance(cell, tuple) else cell
                for name, cell in record.items()
            })  # fmt: skip
        return out.getvalue()

    @property
    def _is_batch(self) -> bool:
        return len(self.errors) > 1

    def _opening(self) -> list[str]:
        n = len(self.errors)
        if self._is_batch:
            lines = [
                f"x_{i} = {_short(x)}, t_{i} = {_short(t)}, E_{i} = {_number(e)}"
                for i, (x, t, e) in enumerate(zip(self.inputs[:SAMPLES], self.targets, self.errors), 1)
            ]
            lines += [f"and {n - SAMPLES} more sample{'s' * (n - SAMPLES > 1)}"] * (n > SAMPLES)
            lines += [f"E = Σ_n E_n = {_number(self.error)}, where E_n = {self.loss} of sample n"]
        else:
            x_and_t = [f"x = {_short(x)}, t = {_short(t)}" for x, t in zip(self.inputs, self.targets)]
            lines = [", ".join([*x_and_t, f"E = {self.loss} = {_number(self.error)}"])]
        return [
            self.model,
            *lines,
            "Δ_k = -∂E/∂in_k is the error signal of the scalar form,",
            "δ_k = ∂E/∂z_k = -Δ_k that of the matrix form; in_k and z_k are one number.",
            "By hand: the table's formula. Nudged: -(E(in_k + h) - E(in_k - h)) / 2h.",
        ]

    def _closing(self) -> list[str]:
        """Return whether all values agree, how well, and what was not compared."""
        nudged = [row for row in self.neurons if row.kink is None and not isnan(row.finite_difference)]
        n = len(self.neurons) + len(nudged) + len(self.weights) + len(self.biases)
        fine = self.disagreement <= AGREE and (self.finite_difference_error <= AGREE_NUDGED or not nudged)
        verdict = f"All {n} values agree." if fine else f"NOT all {n} values agree."
        differences = f"autograd and by hand {self.disagreement:.1e}"
        if not isnan(self.finite_difference_error):
            differences += f", autograd and nudged {self.finite_difference_error:.1e}"
        lines = [f"{verdict} Largest relative difference: {differences}."]
        left_out = len(self.neurons) - len(nudged) - len(self.kinks)
        if left_out:
            which = "Δ was" if left_out == 1 else "Δ were"
            lines.append(f"{left_out} {which} not nudged, as E is not defined on both sides.")
        return [*lines, *self._kinks()]

    def _kinks(self) -> list[str]:
        """Return sentences about the neurons at a kink; none if there are none."""
        n = len(self.kinks)
        if not n:
            return []
        which = ", ".join(
            f"{row.index} of layer {row.layer}" + f" (sample {row.sample})" * self._is_batch
            for row in self.kinks[:SHOWN]
        )
        more = f" and {n - SHOWN} more" if n > SHOWN else ""
        sides = "; ".join(
            "kink: {} left, {} right".format(*map(_number, row.kink or ())) for row in self.kinks[:SHOWN]
        )
        return [
            f"At a kink: neuron{'s' * (n > 1)} {which}{more}. The derivatives on the left and on the right "
            f"differ there, and a finite difference confirms no number between them ({sides})."
        ]

    def _tables(self) -> list[Table]:
        last = self.neurons[-1].layer
        return [*(self._layer(l, l == last) for l in range(1, last + 1)), self._weights()]

    def _layer(self, l: int, is_last: bool) -> Table:
        i, term = "j", "Σ_k w_jk Δ_k"
        if is_last:
            i, term = "k", "t_k - a_k" if self.loss == "half_squared_error" else "-∂E/∂a_k"
        rows = sorted((n for n in self.neurons if n.layer == l), key=lambda n: (n.index, n.sample))
        which, shown = _largest(rows, lambda n: n.autograd, "rows" if self._is_batch else "neurons")
        group = f"Δ_{i}"
        factors = [
            Column(f"g'(in_{i})", [n.slope for n in shown]),
            Column(term, [n.downstream for n in shown]),
        ]
        columns = [
            Column(i, [str(n.index) for n in shown]),
            Column("n", [str(n.sample) for n in shown]),
            Column(f"in_{i}", [n.z for n in shown]),
            Column(f"a_{i}", [n.a for n in shown]),
            Column(f"t_{i}", ["" if n.target is None else n.target for n in shown]),
            *(reversed(factors) if is_last else factors),
            Column("by hand", [n.textbook for n in shown], group, True),
            Column("autograd", [n.autograd for n in shown], group, True),
            Column("nudged", [_nudged(n) for n in shown], group, True),
            Column(f"δ_{i}", [-n.autograd for n in shown], " "),
        ]
        if self._is_batch:
            columns = self._with_sums(columns, rows, shown)
        keep = [
            column
            for column in columns
            if (column.heading != "n" or self._is_batch) and (column.heading != f"t_{i}" or any(column.cells))
        ]
        bracket = f"({term})" if " - " in term or term[0] == "-" else term
        return Table(
            f"Layer {l} ({'output' if is_last else 'hidden'}{which and f'; {which}'}).",
            f"Δ_{i} = g'(in_{i}) · {bracket}",
            keep,
            1 + self._is_batch,
        )

    def _with_sums(
        self, columns: list[Column], rows: list[NeuronRow], shown: list[NeuronRow]
    ) -> list[Column]:
        """Return the columns with one row more for each neuron, Σ_n Δ_k over all of its samples."""
        cells: list[list[Cell]] = [[] for _ in columns]
        for at, row in enumerate(shown):
            for column, into in zip(columns, cells):
                into.append(column.cells[at])
            if at + 1 < len(shown) and shown[at + 1].index == row.index:
                continue
            mine = [n for n in rows if n.index == row.index]
            [bias] = [b for b in self.biases if (b.layer, b.index) == (row.layer, row.index)]
            nudged = "" if any(n.kink for n in mine) else sum(n.finite_difference for n in mine)
            sums: dict[str, Cell] = {
                "by hand": bias.product,
                "autograd": bias.minus_gradient,
                "nudged": nudged,
            }
            for column, into in zip(columns, cells):
                if column.heading in sums:
                    into.append(sums[column.heading])
                else:
                    into.append({"n": "Σ_n", columns[0].heading: str(row.index)}.get(column.heading, ""))
            cells[-1][-1] = -bias.minus_gradient
        return [column._replace(cells=into) for column, into in zip(columns, cells)]

    def _weights(self) -> Table:
        biases = {(b.layer, b.index): b for b in self.biases}
        rows: list[WeightRow | BiasRow] = []
        for w, after in zip(self.weights, [*self.weights[1:], None]):
            rows.append(w)
            if after is None or (after.layer, after.index) != (w.layer, w.index):
                rows += [biases[place]] if (place := (w.layer, w.index)) in biases else []
        which, shown = _largest(rows, lambda w: w.product, "weights and biases", WEIGHTS)
        product = "Σ_n a_j Δ_k" if self._is_batch else "a_j Δ_k"
        columns = [
            Column("layer", [str(w.layer) for w in shown], is_words=True),
            Column("from j", [str(w.input) if isinstance(w, WeightRow) else "bias" for w in shown]),
            Column("to k", [str(w.index) for w in shown]),
            Column("w_jk", [w.weight for w in shown]),
        ]
        if not self._is_batch:
            columns += [
                Column("a_j", [w.a[0] for w in shown]),
                Column("Δ_k", [w.delta[0] for w in shown]),
            ]
        columns += [
            Column("by hand", [w.product for w in shown], product, True),
            Column("autograd", [w.minus_gradient for w in shown], "-∂E/∂w_jk", True),
        ]
        note = ", ".join(filter(None, [which, "a bias has the input 1"]))
        return Table(f"Weights ({note}).", f"-∂E/∂w_jk = {product}", columns, 3)


def _nudged(n: NeuronRow) -> Cell:
    return n.finite_difference if n.kink is None else "kink"


def _number(x: float) -> str:
    return f"{x + 0.0:.6g}"  # + 0.0 turns -0.0 into 0.0


def _short(x: object) -> str:
    """Return a sample's inputs or target as text, without the middle of a long list."""
    if not isinstance(x, list):
        return _number(float(x)) if isinstance(x, float) else brief(x)
    numbers = [_number(x_j) for x_j in x]
    return f"[{', '.join(numbers if len(numbers) <= 8 else [*numbers[:6], '…', numbers[-1]])}]"


def _filled(lines: Sequence[str], width: int) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, width, break_on_hyphens=False)]


def _largest(
    rows: list[Row], size: Callable[[Row], float], nouns: str, most: int = SHOWN
) -> tuple[str, list[Row]]:
    """Return a note ("" if no row is left out), and the ``most`` largest rows in their order."""
    if len(rows) <= most:
        return "", rows
    chosen = sorted(range(len(rows)), key=lambda i: -abs(size(rows[i])))[:most]
    return f"the {most} largest of {len(rows)} {nouns}", [rows[i] for i in sorted(chosen)]
