"""Program: a traced graph that users can print, read and compile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Self, TypeVar

from engine.compiler.backends import TOO_LONG, get_backend, warn_if_too_long
from engine.compiler.compiled import Columns, CompiledFunction, Numbers, check_counts
from engine.compiler.graph import Graph
from engine.compiler.guarded import GuardedFunction
from engine.compiler.identifiers import Identifiers
from engine.compiler.interpreter import NonFinite, find_nonfinite, interpret_program
from engine.compiler.ir import IR, Instruction
from engine.compiler.javascript_source import javascript_source
from engine.compiler.lines import Lines, name_leaves, write_lines
from engine.compiler.matrices import Matrices
from engine.compiler.matrix_source import matrix_source
from engine.compiler.source import RESERVED, listing, source
from engine.core.collector import collector_paused
from engine.formula.tree import Interpreter, Tree

T = TypeVar("T")
NAMED = 6  # outputs that repr names


class Program(IR):
    """A traced graph, as `trace` returns it. It never changes; ``print(program)`` shows its instructions.

    Attributes:
        lines: the inputs, the parameters, one instruction for each operation, then the gradients.
        inputs, parameters: the names of those instructions, in order.
        outputs: the name of each output; a number, if the output is constant.
        root: the first of them.
        gradients: for each parameter, the name of the derivative of ``root``; a number, if it is constant.

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

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __getattr__(self, name: str) -> object:
        """Write the lines when one of them is first read."""
        if name not in Lines._fields:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
            )
        if name == "inputs":  # errors about columns name them
            vars(self)[name] = tuple(name_leaves(self.graph, Identifiers(RESERVED), "input"))
        else:
            vars(self).update(write_lines(self.graph)._asdict())
        return vars(self)[name]

    def __setattr__(self, name: str, value: object) -> None:
        if name != "graph" or name in vars(self):
            raise AttributeError(f"a program never changes, so its {name!r} cannot be set")
        super().__setattr__(name, value)

    def __reduce__(self) -> tuple[type[Self], tuple[Graph]]:
        return type(self), (self.graph,)

    def forward(self) -> Self:
        return type(self)(self.graph.forward())

    def guarded(self) -> Self:
        return type(self)(self.graph.guarded())

    @property
    def lines(self) -> tuple[Instruction, ...]:
        """The instructions."""
        return self.instructions

    @property
    def root(self) -> Tree:
        """The name of the first output; a number, if it is constant."""
        return self.outputs[0]

    def __repr__(self) -> str:
        def many(n: int, what: str) -> str:
            return f"{n} {what}{'s' * (n != 1)}"

        names = ", ".join(map(str, self.outputs[:NAMED])) + ", …" * (len(self.outputs) > NAMED)
        ends = f"{many(len(self.inputs), 'input')}, {many(len(self.parameters), 'parameter')}"
        ways = f"{many(len(self.of('forward')), 'line')} forward, {len(self.of('backward'))} backward"
        return f"<Program of {names}: {ends}, {ways}>"

    def __str__(self) -> str:
        return listing(self, repr(self))

    def __copy__(self) -> Program:
        return self

    def __deepcopy__(self, memo: object) -> Program:
        return self  # it never changes

    @cached_property
    def source(self) -> str:
        '''The program as the source of a function, ``step(parameters, inputs) -> (value, gradients)``.

        Each operation is done in the same order and on the same numbers as in the graph, so the results are
        the same to the last bit. A program traced from a list of outputs returns ``(value, gradients,
        others)``.

        >>> from engine import Value, trace
        >>> x, w = Value(1.0, label="x"), Value(0.5, label="w")
        >>> print(trace((w * x) ** 2, inputs=[x], parameters=[w]).source)
        """y of one sample, and its derivative with respect to each parameter."""
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

    @cached_property
    def matrices(self) -> str:
        '''The program as NumPy on matrices, found in the graph of single numbers: samples are columns.

        Nodes that do the same to different numbers are one array, and the weighted sums of a layer are one
        matrix product. Where all nodes of a kind belong to one layer, the names are the textbook's: W, b, Z,
        A, and D for δ. The function takes the matrices of parameters, the rows of inputs, and the number of
        samples. The gradients that it returns are sums over the samples.

        >>> from engine import Value, tanh, total, trace, weighted_sum
        >>> x, w, v = (Value(1.0, label=label) for label in "xwv")
        >>> y = total(tanh(weighted_sum([weight], [x])) for weight in (w, v))
        >>> print(trace(y, inputs=[x], parameters=[w, v]).matrices)
        """The program on arrays: samples are columns."""
        <BLANKLINE>
        from numpy import tanh
        <BLANKLINE>
        <BLANKLINE>
        def step(parameters, inputs, samples=1):
            [x] = inputs
            [w] = parameters
        <BLANKLINE>
            # forward: one column for each sample
            V1 = w @ x
            V2 = tanh(V1)
            y = V2.sum(0, keepdims=True)
        <BLANKLINE>
            # backward: D is δ, and dW is ∂/∂W of the sum over the samples
            d_V1 = 1 - V2**2
            dw = d_V1 @ x.T
        <BLANKLINE>
            return y, [dw], []
        <BLANKLINE>
        '''
        return matrix_source(Matrices(self.families))

    @cached_property
    def javascript(self) -> str:
        """The program as a JavaScript module, which a page or Node imports.

        It exports four names. The names of its numbers are those of this program; a name that JavaScript
        reserves has another one inside.

        - ``step(parameters, inputs)`` takes one sample and returns ``[value, gradients]``; for a program of
          many outputs ``[value, gradients, others]``.
        - ``steps(parameters, columns)`` takes B samples, as a compiled program does, and returns
          ``[mean, gradients]``; for many outputs also the B values of each further output.
        - ``values(parameters, columns)`` runs no backward pass and returns the B values of the output; for
          many outputs, a list with those of each.
        - ``names`` has the names of the inputs, the parameters and the outputs, in order.

        Numbers outside a domain throw a RangeError with the message of Python. Operations are done in the
        same order as in Python; where JavaScript's functions differ in the last digit, so do the results.
        A sum over the samples that overflows is infinite.

        >>> from engine import Value, trace
        >>> x, w = Value(1.0, label="x"), Value(0.5, label="new")
        >>> module = trace(w * x + 1, inputs=[x], parameters=[w]).javascript
        >>> print(module[module.index("function batch") : module.index("function forward")])
        function batch(parameters, columns, samples, where) {
          let sample = 0;
          const [new_2] = parameters;
          let sum_d_new = 0;
          let total = 0;
          for (; sample < samples; sample++) {
            const x = columns[0][sample];
            const v1 = new_2 * x;
            const y = v1 + 1;
            total += y;
            sum_d_new += x;
          }
          return [total / samples, [sum_d_new / samples]];
        }
        <BLANKLINE>
        <BLANKLINE>
        """
        return javascript_source(self)

    def read(self, interpreter: Interpreter[T], leaves: Mapping[str, T]) -> tuple[T, list[T]]:
        """Return the first output and its gradients, computed by ``interpreter``.

        Args:
            interpreter: computes each operation, for example on numbers of another type.
            leaves: for each name of an input or a parameter, its number or what stands for it.
        """
        outputs, gradients = interpret_program(self, interpreter, leaves)
        return outputs[0], gradients

    def find_nonfinite(self, parameters: Numbers, columns: Columns = ()) -> str | None:
        """Return a text about the first infinite or NaN result in the first sample that has one, or None.

        Args:
            parameters, columns: see `CompiledFunction`.

        >>> from engine import Value, trace
        >>> w = Value(2.0, label="w")
        >>> trace(w * w, parameters=[w]).find_nonfinite([1e200])
        'sample 0: y = w*w is inf at w = 1e+200'
        """
        found = self.locate_nonfinite(parameters, columns)
        return None if found is None else str(found)

    def locate_nonfinite(self, parameters: Numbers, columns: Columns = ()) -> NonFinite | None:
        """Return the same as `find_nonfinite`, as a pair: the number of the sample, and the text.

        >>> from engine import Value, trace
        >>> w = Value(2.0, label="w")
        >>> trace(w * w, parameters=[w]).locate_nonfinite([1e200])
        NonFinite(sample=0, text='y = w*w is inf at w = 1e+200')
        """
        check_counts(self, parameters, columns)
        rows: Sequence[Sequence[float]] = [list(map(float, column)) for column in columns]
        return find_nonfinite(self, list(map(float, parameters)), rows)

    def compile(self, backend: str = "python") -> CompiledFunction:
        """Compile the program to a function that runs it on many samples.

        Args:
            backend: ``python`` (no dependency), ``numpy`` (over columns), ``llvm`` (machine code),
                ``jax`` or ``torch``.

        Returns:
            A function ``step(parameters, columns) -> (mean, gradients)``: see `CompiledFunction`.

        Warns:
            UserWarning: the program is so long that the backend takes minutes to compile it; the message
                names a better one.

        Raises:
            ValueError: there is no such backend.
            ImportError: the backend needs a package that is not installed; the message names the extra.
        """
        function = get_backend(backend)
        if backend in TOO_LONG and not (backend == "jax" and self.families.pays()):
            warn_if_too_long(backend, self.count_operations())
        with collector_paused():
            return GuardedFunction(self, function) if self.graph.guards else function(self)
