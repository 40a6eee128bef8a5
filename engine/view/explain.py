"""Explain one gradient in words: every step of the chain rule, and the sum over the paths."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from engine.core.checks import check_value
from engine.core.closures import OwnOperation
from engine.core.value import Value
from engine.view.backward_pass import BackwardPass, Edge, Step, as_pass
from engine.view.neuron_terms import in_textbook_terms
from engine.view.phrases import Latex, Plain, count, names

if TYPE_CHECKING:
    from decimal import Decimal

STEPS = 24  # steps that are written out; of more, the first and the last ones
PATHS = 8  # paths that are listed at most
LONG = 8  # edges of a path that are written out; of more, the first and the last ones
WIDTH = 80  # columns of the plain text
TIED = 32  # characters of a formula that is not broken between two lines

Story = Callable[[Plain], list[str]]  # called twice: for the plain text and for the Markdown


class Explanation:
    """The result of `explain`: str() gives plain text, and Jupyter shows Markdown with formulas.

    Attributes:
        text: the explanation in plain text.
        markdown: the explanation in Markdown, with formulas in LaTeX.
        latex: the gradient as one displayed formula.
    """

    def __init__(self, text: str, markdown: str, latex: str) -> None:
        self.text, self.markdown, self.latex = text, markdown, latex

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return self.markdown

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"


def explain(leaf: Value, root: Value | BackwardPass | None = None) -> Explanation:
    """Explain how a gradient is computed. No ``.grad`` is read or written.

    Args:
        leaf: the Value whose gradient is explained; it need not be a leaf. If it is the only argument, the
            whole backward pass from it is explained, in order.
        root: the Value to differentiate, or a BackwardPass from it, which several explanations can share.

    Returns:
        An Explanation. It gives, for each step, the formula of the operation, its numbers, the local
        gradient, and upstream × local = contribution; then the gradient as the sum over its paths. Long lists
        are shortened in the middle. The gradients of a neuron (its z, a, weights and bias) are also explained
        in the textbook's terms: Δ_k, g'(in_k), Σ w Δ.

    Raises:
        TypeError: an argument is not a Value.
        ValueError: ``root`` was computed under `no_grad`.

    >>> x = Value(3.0, label="x")
    >>> y = x * x
    >>> y.label = "y"
    >>> print(explain(x, y))
    ∂y/∂x = 6, where x = 3, y = 9.
    <BLANKLINE>
    Step by step, from y back to x:
    <BLANKLINE>
    1. y = x · x = 9 (x = 3). The 1st edge x → y has the local gradient x = 3.
       Upstream × local = contribution: 1 · 3 = 3. The gradient of x becomes
       0 + 3 = 3.
    2. y = x · x = 9 (x = 3). The 2nd edge x → y has the local gradient x = 3.
       Upstream × local = contribution: 1 · 3 = 3. The gradient of x becomes
       3 + 3 = 6.
    <BLANKLINE>
    There are 2 paths from x to y. Along each, the local gradients multiply; over
    the paths, they add up:
    <BLANKLINE>
    - x → y: 3 (2 such paths)
    <BLANKLINE>
    Sum: 2 · 3 = 6.
    """
    check_value(leaf)
    run = as_pass(leaf if root is None else root)
    story = _whole_pass(run) if root is None else _one_gradient(leaf, run)
    called = names([*run.order, leaf])
    plain, pen = _Tied(called, run.local_gradients), Latex(called, run.local_gradients)
    formula = f"{pen.d(run.root, leaf)} = {pen.number(run.gradients.get(leaf, 0.0))}"
    return Explanation(_wrapped(_with_note(plain, story)), "\n".join(_with_note(pen, story)), formula)


class _Tied(Plain):
    """Write plain text in which no line ends inside a short formula."""

    def math(self, formula: str) -> str:
        if len(formula) <= TIED:
            return formula.replace(" ", "\u00a0")
        return " =\u00a0".join([
            side.replace(" ", "\u00a0") if len(side) <= 2 * TIED else side for side in formula.split(" = ")
        ])  # fmt: skip


def _wrapped(lines: Sequence[str]) -> str:
    """Return the lines, broken at 80 columns; an item of a list is indented."""
    found = []
    for line in "\n".join(lines).split("\n"):
        line = line.replace(
            "Upstream × local = contribution:", "Upstream\u00a0×\u00a0local =\u00a0contribution:"
        )
        item = re.match(r"- |\d+\. ", line)
        indent = " " * len(item[0]) if item else ""
        found += textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]
    return "\n".join(found).replace("\u00a0", " ")


def _with_note(pen: Plain, story: Story) -> list[str]:
    """Return the lines of a story; a note is added if a number was rounded."""
    lines = story(pen)
    return [*lines, "", "(Numbers are shown to four digits.)"] if pen.rounded else lines


def _whole_pass(run: BackwardPass) -> Story:
    """Return the explanation of a whole backward pass, in order."""

    def story(pen: Plain) -> list[str]:
        start = pen.math(f"{pen.d(run.root, run.root)} = 1")
        lines = [f"The backward pass starts at {pen.math(pen.name(run.root))}, with {start}."]
        if run.steps:
            lines += [f"It takes {count(len(run.steps), 'step')}, one for each edge:", ""]
        return lines + list(_numbered(pen, run.steps))

    return story


def _one_gradient(leaf: Value, run: BackwardPass) -> Story:
    """Return the explanation of one gradient: the steps, the sum over the paths, the textbook's terms."""
    root = run.root
    gradient = run.gradients.get(leaf, 0.0)
    number, nodes = run.count_paths(leaf)
    on_path = set(nodes)
    steps = [step for step in run.steps if step.edge.parent in on_path]
    listed = list(islice(run.distinct_paths(leaf, nodes), PATHS))
    more = number - sum(times for _, times in listed)

    def story(pen: Plain) -> list[str]:
        start, end = pen.math(pen.name(leaf)), pen.math(pen.name(root))
        equation = f"{pen.d(root, leaf)} = {pen.number(gradient)}"
        lines = [f"{pen.math(equation)}, where {pen.now([leaf, root])}."]
        if number and (math.isnan(gradient) or math.isnan(root.data)):
            lines += ["", *_first_nan(pen, run)]
        if not number:
            return [*lines, "", f"{end} does not depend on {start}: there is no path between them."]
        if leaf is root:
            itself = pen.math(f"{pen.d(root, root)} = 1")
            return [*lines, "", f"The derivative of {end} with respect to itself is 1: {itself}."]
        if leaf.constant:
            return [*lines, "", f"{start} is a plain number, which has no gradient."]
        lines += ["", f"Step by step, from {end} back to {start}:", "", *_numbered(pen, steps)]
        if number == 1:
            lines += [
                "",
                f"A single path leads from {start} to {end}. Along it, the local gradients multiply:",
            ]
        else:
            lines += ["", f"There are {_written(number)} paths from {start} to {end}."]
            lines[-1] += " Along each, the local gradients multiply; over the paths, they add up:"
        lines += ["", *(f"- {_path(pen, leaf, edges)}{_such(times)}" for edges, times in listed)]
        if more:
            lines += [f"- and {_written(more)} more.", "", f"Together: {pen.math(pen.number(gradient))}."]
        elif number > 1:
            products = " + ".join(_times(pen, edges, times) for edges, times in listed)
            lines += ["", f"Sum: {pen.math(f'{products} = {pen.number(gradient)}')}."]
        return [*lines, *in_textbook_terms(pen, leaf, run)]

    return story


def _first_nan(pen: Plain, run: BackwardPass) -> list[str]:
    """Return a line about the first node whose number is NaN."""
    node = next((node for node in run.order if math.isnan(node.data)), None)
    if node is None:
        return ["No number of the forward pass is NaN: the NaN comes from infinities in the backward pass."]
    if node.op:
        return [f"The first number that is NaN: {made(pen, node)}."]
    uses = [child for child, _ in run.children[node]]
    where = f", in {made(pen, uses[0])}" if uses and not node.label else ""
    leaf = f"{pen.math(pen.name(node))}, a leaf" if node.label else "a plain number"
    return [f"The first number that is NaN: {leaf}{where}."]


def made(pen: Plain, node: Value) -> str:
    """Return how a node was computed: its formula, and the numbers of its parents."""
    numbers = pen.now(node.parents)
    return pen.math(pen.equation(node)) + (f" ({numbers})" if numbers else "")


def passed_on(pen: Plain, step: Step) -> str:
    """Return sentences about a step: local gradient, contribution, and the parent's new gradient."""
    node, parent, position, upstream, _, contribution, total = step.edge
    local = pen.local_gradients[node][position]
    which = "edge"
    if node.parents.count(parent) > 1:
        which = f"{_ordinal(node.parents[: position + 1].count(parent))} edge"
    edge = pen.math(f"{pen.name(parent)} {pen.to} {pen.name(node)}")
    by = ", by a closure of your own" if isinstance(node.op, OwnOperation) else ""
    product = f"{pen.within(upstream)} {pen.times} {pen.within(local)} = {pen.number(contribution)}"
    result = pen.number(total)
    if not step.only:
        result = f"{pen.term(step.before)} + {pen.term(contribution)} = {result}"
    return (
        f"The {which} {edge} has the local gradient "
        f"{pen.math(pen.local(node, position))}{by}{pen.reasons(node, position)}. "
        f"Upstream × local = contribution: {pen.math(product)}. "
        f"The gradient of {pen.math(pen.name(parent))} becomes {pen.math(result)}."
    )


def _ordinal(n: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, ..."""
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _numbered(pen: Plain, steps: Sequence[Step]) -> Iterator[str]:
    """Yield the steps as a numbered list, without the middle of a long one."""
    left_out = len(steps) - STEPS
    for i, step in enumerate(steps, 1):
        if left_out <= 1 or i <= STEPS // 2 or i > left_out + STEPS // 2:
            yield f"{i}. {made(pen, step.edge.node)}. {passed_on(pen, step)}"
        elif i == STEPS // 2 + 1:
            yield f"\n… {count(left_out, 'step')} in between …\n"


def _path(pen: Plain, leaf: Value, edges: Sequence[Edge]) -> str:
    """Return a path: its nodes and the product of its local gradients, without the middle of a long one."""
    left_out, half = len(edges) - LONG, LONG // 2  # to leave out a single one would save nothing
    nodes, factors = [pen.name(leaf)], []
    for edge in edges if left_out <= 1 else (*edges[:half], None, *edges[-half:]):
        nodes.append(pen.name(edge[0]) if edge else pen.dots)
        factors.append(pen.within(_local(pen, edge)) if edge else pen.dots)
    product = f" {pen.times} ".join(factors)
    if len(edges) > 1:
        product += f" = {pen.number(_product(pen, edges))}"
    note = f" ({left_out:,} of its {len(edges):,} edges are left out)"
    return f"{pen.math(f' {pen.to} '.join(nodes))}: {pen.math(product)}{note if left_out > 1 else ''}"


def _such(times: int) -> str:
    return f" ({times:,} such paths)" if times > 1 else ""


def _times(pen: Plain, edges: Sequence[Edge], times: int) -> str:
    """Return the product of a path, times the number of such paths."""
    if times == 1:
        return pen.term(_product(pen, edges))
    return f"{pen.number(float(times))} {pen.times} {pen.within(_product(pen, edges))}"


def _local(pen: Plain, edge: Edge) -> float:
    node, position = edge
    return pen.local_gradients[node][position]


def _product(pen: Plain, edges: Sequence[Edge]) -> float:
    return math.prod([_local(pen, edge) for edge in edges])


def _written(number: Decimal) -> str:
    """Return a number of paths as text: exact below 10^28, otherwise rounded.

    >>> from decimal import Decimal
    >>> _written(Decimal(1234)), _written(Decimal(10) ** 40 * 3)
    ('1,234', 'about 3.000e+40')
    """
    return f"{int(number):,}" if number < 10**28 else f"about {number:.3e}"
