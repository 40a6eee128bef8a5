"""The report of the Δ lens: neuron by neuron and weight by weight, as text and as HTML tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple, TypeVar

__all__ = ["DeltaReport", "NeuronRow", "WeightRow"]

SHOWN = 16  # a table shows at most this many rows, the largest; the lists of the report have all

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class NeuronRow:
    """One neuron k, and its Δ_k = -∂E/∂in_k computed in three ways."""

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


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One weight w_jk, and -∂E/∂w_jk computed in two ways."""

    layer: int  #: counted from 1
    index: int  #: k, the neuron that the weight belongs to
    input: int  #: j, the input or the neuron of the layer before
    minus_gradient: float  #: -∂E/∂w_jk from the backward pass
    product: float  #: a_j Δ_k, by hand


class Table(NamedTuple):
    """A formula, and columns of numbers under their headings."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[float | str]]


@dataclass(frozen=True, repr=False)
class DeltaReport:
    """The result of `nn.deltas`, shown as tables in a terminal and in Jupyter.

    Attributes:
        model: the model, as text.
        loss: the name of E.
        error: E, the loss of the sample.
        neurons: one `NeuronRow` for each neuron, from the first layer to the last.
        weights: one `WeightRow` for each weight, in the same order.
        disagreement: the largest difference between autograd and textbook, of neurons and of weights,
            relative to the size of the terms of the sum in question.
        finite_difference_error: the largest difference between autograd and finite difference, relative to
            the largest of the Δ, the outputs and E, from which the finite difference is computed. At a kink,
            autograd may give any number from the left difference to the right one: a number between them is
            not compared, one outside is an error. NaN if nothing could be compared.
        kinks: the rows at a kink.
    """

    model: str
    loss: str
    error: float
    neurons: list[NeuronRow]
    weights: list[WeightRow]
    disagreement: float
    finite_difference_error: float

    @property
    def kinks(self) -> list[NeuronRow]:
        """The neurons at a kink of E, where its derivatives on the left and on the right differ."""
        return [row for row in self.neurons if row.kink is not None]

    def __str__(self) -> str:
        lines = [self._opening()]
        for table in self._tables():
            grid = [table.headings, *([_text(cell) for cell in row] for row in table.rows)]
            widths = [max(map(len, column)) for column in zip(*grid)]
            lines += ["", table.title]
            lines += ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in grid]
        return "\n".join([*lines, "", self._closing()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<p>{escape(self._opening())}</p>"]
        for table in self._tables():
            head = "".join(f"<th>{escape(heading)}</th>" for heading in table.headings)
            rows = [[f"<td>{escape(_text(cell))}</td>" for cell in row] for row in table.rows]
            body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
            caption = f'<caption style="text-align: left">{escape(table.title)}</caption>'
            parts.append(f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        return "".join([*parts, f"<p>{escape(self._closing())}</p>"]).replace("\n", "<br>")

    def _opening(self) -> str:
        return (
            f"{self.model}: E = {self.loss} = {_text(self.error)}\n"
            "Δ_k = -∂E/∂in_k is the error signal of the scalar form,\n"
            "δ_k = ∂E/∂z_k = -Δ_k that of the matrix form; in_k and z_k are one number"
        )

    def _closing(self) -> str:
        return (
            f"Largest relative difference: autograd and textbook {self.disagreement:.1e}, "
            f"autograd and finite difference {self.finite_difference_error:.1e}.{self._kinks()}"
        )

    def _kinks(self) -> str:
        """Return a sentence about the neurons at a kink; "" if there are none."""
        n = len(self.kinks)
        if not n:
            return ""
        which = ", ".join(f"{row.index} of layer {row.layer}" for row in self.kinks[:SHOWN])
        more = f" and {n - SHOWN} more" if n > SHOWN else ""
        return (
            f"\nAt a kink: neuron{'s' * (n > 1)} {which}{more}. The derivatives on the left and on the right "
            "differ there,\nand a finite difference confirms no number between them."
        )

    def _tables(self) -> list[Table]:
        last = self.neurons[-1].layer
        return [*(self._layer(l, l == last) for l in range(last, 0, -1)), self._weights()]

    def _layer(self, l: int, is_last: bool) -> Table:
        i, term = "j", "Σ_k w_jk Δ_k"
        if is_last:
            i, term = "k", "(t_k - a_k)" if self.loss == "half_squared_error" else "(-∂E/∂a_k)"
        which, shown = _largest([n for n in self.neurons if n.layer == l], lambda n: n.autograd, "neuron")
        return Table(
            f"Layer {l}{', the outputs' * is_last}: Δ_{i} = g'(in_{i}) {term}{which}",
            [i, f"in_{i}", f"a_{i}", f"g'(in_{i})", term.strip("()"), f"Δ_{i} autograd", "textbook",
             "finite difference", f"δ_{i} = -Δ_{i}"],
            [[str(n.index), n.z, n.a, n.slope, n.downstream, n.autograd, n.textbook, _difference(n),
              -n.autograd] for n in shown],
        )  # fmt: skip

    def _weights(self) -> Table:
        which, shown = _largest(self.weights, lambda w: w.product, "weight")
        return Table(
            f"Weights: -∂E/∂w_jk = a_j Δ_k; a step moves w_jk by η a_j Δ_k, and b_k by η Δ_k{which}",
            ["w_jk", "-∂E/∂w_jk autograd", "a_j Δ_k textbook"],
            [[f"w{w.layer}_{w.index}_{w.input}", w.minus_gradient, w.product] for w in shown],
        )


def _difference(n: NeuronRow) -> float | str:
    """Return the finite difference of a neuron; at a kink, that on the left and that on the right."""
    if n.kink is None:
        return n.finite_difference
    left, right = map(_text, n.kink)
    return f"kink: {left} left, {right} right"


def _text(cell: float | str) -> str:
    return cell if isinstance(cell, str) else f"{cell + 0.0:.6g}"  # + 0.0 turns -0.0 into 0.0


def _largest(rows: list[Row], size: Callable[[Row], float], noun: str) -> tuple[str, list[Row]]:
    """Return a note ("" if no row is left out), and the SHOWN largest rows in their order."""
    if len(rows) <= SHOWN:
        return "", rows
    chosen = sorted(range(len(rows)), key=lambda i: -abs(size(rows[i])))[:SHOWN]
    return f" (the {SHOWN} largest of {len(rows)} {noun}s)", [rows[i] for i in sorted(chosen)]
