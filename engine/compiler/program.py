"""A traced graph: a flat list of lines, each a formula in the names of the lines above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

from engine.compiler import backends
from engine.compiler.compiled import CompiledFunction
from engine.compiler.interpreter import find_nonfinite, operations
from engine.compiler.source import listing, source
from engine.core.op import Operation
from engine.formula.tree import Interpreter, Tree, interpret

T = TypeVar("T")


class Line(NamedTuple):
    """One line of a program."""

    name: str
    kind: str  #: input, parameter, forward or backward
    tree: Tree  #: its formula, as `engine.formula.tree` reads it, in the names of lines above; a leaf's is its name
    label: str = ""  #: that of the node, as the user wrote it
    op: Operation | None = None  #: of a forward line, the operation,
    args: tuple[Tree, ...] = ()  #: the names of its parents, or the plain numbers that they are,
    asked: tuple[int, ...] = ()  #: and the positions of those whose slope the backward pass needs

    def __repr__(self) -> str:
        return f"<line {self.name}: {self.op.symbol if self.op else self.kind}>"  # a tree may be deep


@dataclass(frozen=True, repr=False, eq=False)
class Program:
    """What `trace` returns. It never changes; ``print(program)`` shows its lines.

    Attributes:
        lines: the inputs, the parameters, one line for each operation, then the gradients.
        inputs, parameters: the names of those lines, in order.
        root: the name of the result (a number, if the root is one).
        gradients: for each parameter the name of its gradient, or the number that it always is.

    >>> from engine import Value, tanh, trace
    >>> x, w, b = Value(1.0, label="x"), Value(0.5, label="w"), Value(0.0, label="b")
    >>> a = tanh(w * x + b)
    >>> a.label = "a"
    >>> print(trace(a, inputs=[x], parameters=[w, b]))
    <Program of a: 1 input, 2 parameters, 3 lines forward, 3 backward>
        0  input      x
        1  parameter  w
        2  parameter  b
        3  forward    v1 = w*x
        4  forward    v2 = v1 + b
        5  forward    a = tanh(v2)
        6  backward   d_v2 = 1 - a**2
        7  backward   d_b = d_v2
        8  backward   d_w = d_v2*x
    """

    lines: tuple[Line, ...]
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    root: Tree
    gradients: tuple[Tree, ...]

    def __repr__(self) -> str:
        def many(n: int, what: str) -> str:
            return f"{n} {what}{'s' * (n != 1)}"

        ends = f"{many(len(self.inputs), 'input')}, {many(len(self.parameters), 'parameter')}"
        ways = f"{many(len(self.of('forward')), 'line')} forward, {len(self.of('backward'))} backward"
        return f"<Program of {self.root}: {ends}, {ways}>"

    def __str__(self) -> str:
        return listing(self)

    def of(self, kind: str) -> tuple[Line, ...]:
        """The lines of one kind: input, parameter, forward or backward."""
        return tuple(line for line in self.lines if line.kind == kind)

    @cached_property
    def source(self) -> str:
        '''The program as Python to be read, and run: ``step(parameters, inputs) -> (value, gradients)``.

        Each operation is done in the same order and on the same numbers as in the graph, so that the results
        are the same to the last bit.

        >>> from engine import Value, trace
        >>> x, w = Value(1.0, label="x"), Value(0.5, label="w")
        >>> print(trace((w * x) ** 2, inputs=[x], parameters=[w]).source)
        """y of one sample, and its slope in every parameter: a graph as a program."""
        <BLANKLINE>
        <BLANKLINE>
        def step(parameters, inputs):
            [x] = inputs
            [w] = parameters
        <BLANKLINE>
            # forward
            v1 = w*x
            y = v1**2
        <BLANKLINE>
            # backward: d_v stands for ∂y/∂v, so that d_y is 1
            d_v1 = 2*v1
            d_w = d_v1*x
        <BLANKLINE>
            return y, [d_w]
        <BLANKLINE>
        '''
        return source(self)

    def forward(self) -> Program:
        """The same program without its backward pass, for predictions."""
        lines = tuple(line._replace(asked=()) for line in self.lines if line.kind != "backward")
        return replace(self, lines=lines, gradients=())

    def read(self, interpreter: Interpreter[T], leaves: Mapping[str, T]) -> tuple[T, list[T]]:
        """The root and its gradients in the terms of any interpreter, where ``leaves`` says what goes in."""
        known = dict(leaves)
        for line in self.lines:
            if line.kind in ("forward", "backward"):
                known[line.name] = interpret(line.tree, interpreter, known)
        return interpret(self.root, interpreter, known), [
            interpret(tree, interpreter, known) for tree in self.gradients
        ]

    def find_nonfinite(
        self, parameters: Sequence[float], columns: Sequence[Sequence[float]] = ()
    ) -> str | None:
        """The first line that is infinite or NaN, in the first sample that has one: in words; or None.

        >>> from engine import Value, trace
        >>> w = Value(2.0, label="w")
        >>> trace(w * w, parameters=[w]).find_nonfinite([1e200])
        'sample 0: y = w*w is inf at w = 1e+200'
        """
        return find_nonfinite(self, parameters, columns)

    def compile(self, backend: str = "python") -> CompiledFunction:
        """The program as a function of many samples, run by one of the backends.

        Args:
            backend: ``python`` (no dependency), ``numpy`` (over columns), ``llvm`` (machine code),
                ``jax`` or ``torch``.

        Returns:
            ``step(parameters, columns) -> (mean, gradients)``: see `CompiledFunction`.

        Warns:
            UserWarning: the program is so long that the backend takes minutes to compile it; the message
                names a better one.

        Raises:
            ValueError: there is no such backend.
            ImportError: it needs a package that is not installed; the message names the extra.
        """
        make = backends.find(backend)
        backends.advise(backend, sum(operations(line.tree) for line in self.lines))
        step: CompiledFunction = make(self)
        return step
