"""One gradient, told in words: every step of the chain rule, and the sum over the paths."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from engine.core.backward import Contribution, backward_steps, topological_order
from engine.core.grad import grad
from engine.core.value import Value
from engine.view.neuron_terms import in_textbook_terms
from engine.view.paths import Edge, count_paths, paths, written
from engine.view.phrases import Math, Plain, names

STEPS = 24  # steps that are told; of more, the first and the last
PATHS = 8  # paths that are listed
LONG = 8  # edges of a path that are told; of more, the first and the last

Story = Callable[[Plain], list[str]]  # told twice: in plain text and in Markdown


class Explanation:
    """What `explain` tells: as text with str(), as Markdown with formulas in Jupyter.

    Attributes:
        text: in plain text.
        markdown: in Markdown, with its mathematics in LaTeX.
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


class Told(NamedTuple):
    """A step of the backward pass, and the parent's gradient before it."""

    step: Contribution
    before: float


def explain(leaf: Value, root: Value | None = None) -> Explanation:
    """Tell how a gradient comes about. Nothing is differentiated for it, and no gradient is written.

    Args:
        leaf: the Value whose gradient is wanted, a leaf or not. If it is the only one, the whole backward
            pass from it is told, in order.
        root: what is to be differentiated.

    Returns:
        An Explanation. Of each step: the row of the operation, the numbers put in, the local gradient, and
        upstream × local = contribution; then the gradient as the sum over its paths. Long ones are shortened
        in the middle, and counted. For a neuron (its z and a, its weights and bias), the same in the
        textbook's terms: Δ_k, g'(in_k), Σ w Δ.

    Raises:
        TypeError: one of them is not a Value.

    >>> x = Value(3.0, label="x")
    >>> y = x * x
    >>> y.label = "y"
    >>> print(explain(x, y))  # doctest: +ELLIPSIS
    ∂y/∂x = 6, where x = 3, y = 9.
    <BLANKLINE>
    Step by step, from y back to x:
    <BLANKLINE>
    1. y = x * x = 9 (x = 3), so ∂y/∂x = x = 3 through its 1st x. Upstream ...
    2. y = x * x = 9 (x = 3), so ∂y/∂x = x = 3 through its 2nd x. Upstream ...
    <BLANKLINE>
    x reaches y by 2 paths. Along each, the local gradients multiply; over the paths, they add up:
    <BLANKLINE>
    - x → y: 3
    - x → y: 3
    <BLANKLINE>
    Sum: 3 + 3 = 6.
    """
    story = the_pass(leaf) if root is None else one_gradient(leaf, root)
    called = names([*topological_order(leaf if root is None else root), leaf])
    plain, mathematical = story(Plain(called)), story(Math(called))
    return Explanation("\n".join(plain), "\n".join(mathematical), mathematical[0].split("$")[1])


def the_pass(root: Value) -> Story:
    """The whole backward pass, in order."""
    every = list(steps(root))

    def story(pen: Plain) -> list[str]:
        end = pen.math(pen.name(root))
        lines = [f"{pen.math(f'{pen.d(root, root)} = 1')}: with this the backward pass from {end} begins."]
        if every:
            lines += [f"It takes {len(every):,} step{'s' * (len(every) > 1)}, one for each edge:", ""]
        return lines + list(numbered(pen, every))

    return story


def one_gradient(leaf: Value, root: Value) -> Story:
    """One gradient: every step on the way to it, the sum over the paths, and the textbook's terms."""
    [gradient] = grad(root, [leaf])
    number, nodes = count_paths(leaf, root)
    way = set(nodes)
    every = [told for told in steps(root) if told.step.parent in way]
    listed = list(islice(paths(leaf, root, nodes), PATHS))

    def story(pen: Plain) -> list[str]:
        start, end = pen.math(pen.name(leaf)), pen.math(pen.name(root))
        lines = [
            f"{pen.math(f'{pen.d(root, leaf)} = {pen.number(gradient)}')}, where {pen.now([leaf, root])}."
        ]
        if not number:
            return [*lines, "", f"{end} does not depend on {start}: there is no path between them."]
        if leaf is root:
            return [*lines, "", "What grows by a little grows by just that: the chain rule begins with 1."]
        lines += ["", f"Step by step, from {end} back to {start}:", "", *numbered(pen, every)]
        if number == 1:
            lines += [
                "",
                f"A single path leads from {start} to {end}. Along it, the local gradients multiply:",
            ]
        else:
            lines += ["", f"{start} reaches {end} by {written(number)} paths."]
            lines[-1] += " Along each, the local gradients multiply; over the paths, they add up:"
        lines += ["", *(f"- {path(pen, leaf, edges)}" for edges in listed)]
        if number > len(listed):
            lines += [f"- and {written(number - len(listed))} more."]
            lines += ["", f"Together: {pen.math(pen.number(gradient))}."]
        elif number > 1:
            products = " + ".join(pen.term(math.prod(map(local, edges))) for edges in listed)
            lines += ["", f"Sum: {pen.math(f'{products} = {pen.number(gradient)}')}."]
        return [*lines, *in_textbook_terms(pen, leaf, root)]

    return story


def steps(root: Value) -> Iterator[Told]:
    """The steps of ``root.backward()`` from gradients of zero; the graph keeps its own gradients."""
    return rehearsal(root)[1]


def rehearsal(root: Value) -> tuple[Value, Iterator[Told]]:
    """A twin of the graph, and the steps of its backward pass, told of the graph itself.

    As the steps are taken, the twin gets its gradients.
    """
    import copy  # here, as it is slow to import

    order = topological_order(root)
    memo: dict[int, object] = {
        id(node): type(node)(node.data, node.label) for node in order if not node.parents
    }
    twin = copy.deepcopy(root, memo)
    own = dict(zip(topological_order(twin), order, strict=True))

    def told() -> Iterator[Told]:
        before = dict.fromkeys(order, 0.0)
        for step in backward_steps(twin):
            node, parent = own[step.node], own[step.parent]
            yield Told(step._replace(node=node, parent=parent), before[parent])
            before[parent] = step.total

    return twin, told()


def sentence(pen: Plain, told: Told) -> str:
    """One step: the row, the numbers put in, the local gradient, the contribution, and what it adds up to."""
    return f"{made(pen, told.step.node)}, {passed_on(pen, told)}"


def made(pen: Plain, node: Value) -> str:
    """How a node got its number: the row, and the numbers put in."""
    given = pen.now(node.parents)
    return pen.math(pen.equation(node)) + (f" ({given})" if given else "")


def passed_on(pen: Plain, told: Told) -> str:
    """What it passes on to a parent: the local gradient, the contribution, and what that adds up to."""
    (node, parent, position, upstream, local, contribution, total), before = told
    which = ""
    if node.parents.count(parent) > 1:
        which = (
            f" through its {ordinal(node.parents[: position + 1].count(parent))} {pen.math(pen.name(parent))}"
        )
    product = f"{pen.within(upstream)} {pen.times} {pen.within(local)} = {pen.number(contribution)}"
    added = f"{pen.term(before)} + {pen.term(contribution)} = {pen.number(total)}"
    return (
        f"so {pen.math(pen.slope(node, position))}{which}. "
        f"Upstream × local = contribution: {pen.math(product)}. "
        f"The gradient of {pen.math(pen.name(parent))} becomes {pen.math(added)}."
    )


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, ..."""
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def numbered(pen: Plain, every: Sequence[Told]) -> Iterator[str]:
    """The steps as a numbered list, without the middle of a long one."""
    left_out = len(every) - STEPS
    for i, told in enumerate(every, 1):
        if left_out <= 0 or i <= STEPS // 2 or i > left_out + STEPS // 2:
            yield f"{i}. {sentence(pen, told)}"
        elif i == STEPS // 2 + 1:
            yield f"\n… {left_out:,} steps in between …\n"


def path(pen: Plain, leaf: Value, edges: Sequence[Edge]) -> str:
    """A path: the nodes on it, and the product of its local gradients; without the middle of a long one."""
    left_out, half = len(edges) - LONG, LONG // 2
    nodes, factors = [pen.name(leaf)], []
    for edge in edges if left_out <= 0 else (*edges[:half], None, *edges[-half:]):
        nodes.append(pen.name(edge[0]) if edge else pen.dots)
        factors.append(pen.within(local(edge)) if edge else pen.dots)
    product = f" {pen.times} ".join(factors)
    if len(edges) > 1:
        product += f" = {pen.number(math.prod(map(local, edges)))}"
    note = f" ({left_out:,} of its {len(edges):,} edges are left out)" if left_out > 0 else ""
    return f"{pen.math(f' {pen.to} '.join(nodes))}: {pen.math(product)}{note}"


def local(edge: Edge) -> float:
    """∂node/∂parent of an edge."""
    node, position = edge
    return node.local_gradients()[position]
