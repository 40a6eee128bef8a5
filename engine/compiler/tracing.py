"""From Values to a program: check what is asked for, and read the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.compiler.graph import Graph, read_graph
from engine.compiler.guards import Decisions, noting_decisions
from engine.compiler.program import Program
from engine.core.collector import collector_paused
from engine.core.messages import brief
from engine.core.scalar import is_number
from engine.core.value import Value, as_value


def trace(
    outputs: Value | Sequence[Value] | Callable[..., Value | Sequence[Value]],
    inputs: Sequence[Value] = (),
    parameters: Sequence[Value] = (),
) -> Program:
    """Return the graph of one sample as a program: it computes the outputs, and the gradient of the first.

    The program of a finished graph computes what was recorded: the branch of each Python ``if`` and the
    number of rounds of each loop are fixed. (``relu``, ``maximum`` and every other operation choose anew for
    each sample.) A plain number stays the number that it is.

    A function is called with the inputs, to build the graph. Each comparison that Python makes on Values
    meanwhile becomes a guard: the compiled program checks it on every sample, and raises a `GuardError` where
    it comes out differently. A number that is read cannot be checked: ``program.reads`` lists the lines.

    Args:
        outputs: what to compute for each sample: a Value, such as its loss, or a list of Values, of which the
            first is differentiated; or a function of the inputs that returns either.
        inputs: the leaves that differ from sample to sample, in the order of the columns; targets, too.
        parameters: the leaves that all samples share, with respect to which the first output is
            differentiated.

    Returns:
        The Program. It holds no Value: the graph may be dropped, and its numbers changed.

    Raises:
        TypeError: an output is not a Value, or an input or a parameter is not.
        ValueError: a leaf of the graph is neither input nor parameter nor a plain number; one is listed
            twice or is not a leaf; there is no output; or the outputs depend on none of the parameters.

    >>> x, w = Value(2.0, label="x"), Value(3.0, label="w")
    >>> y = w * x
    >>> step = trace(y + 1, inputs=[x], parameters=[w]).compile("python")
    >>> step([3.0], [[1.0, 2.0, 6.0]])
    (10.0, [3.0])
    >>> step = trace([y + 1, y], inputs=[x], parameters=[w]).compile("python")
    >>> step([3.0], [[1.0, 2.0, 6.0]])
    (10.0, [3.0], [[3.0, 6.0, 18.0]])
    """
    with collector_paused():
        return _trace(outputs, inputs, parameters)


def _trace(
    outputs: Value | Sequence[Value] | Callable[..., Value | Sequence[Value]],
    inputs: Sequence[Value],
    parameters: Sequence[Value],
) -> Program:
    """Return the program, as `trace` documents it."""
    inputs, parameters = _leaves("input", inputs), _leaves("parameter", parameters)
    decisions = Decisions()
    if callable(outputs):
        with noting_decisions(inputs, parameters) as decisions:
            outputs = _lifted(outputs(*inputs))
    many = isinstance(outputs, (list, tuple))
    roots = tuple(outputs) if isinstance(outputs, (list, tuple)) else (outputs,)
    for output in roots:
        if not isinstance(output, Value):
            raise TypeError(
                f"an output of a program is a Value, not {type(output).__name__}: {brief(output)}"
            )
    if not roots:
        raise ValueError("a program has at least one output; the list of outputs is empty")
    if both := set(inputs).intersection(parameters):
        first = next(v for v in inputs if v in both)
        raise ValueError(f"{brief(first)} is listed both as an input and as a parameter")
    graph = read_graph(roots, inputs, parameters, decisions.guards, many, decisions.reads)
    if parameters and not _any_depends(graph):
        which = "no output depends on any" if many else f"{brief(roots[0])} depends on none"
        raise ValueError(f"{which} of the {len(parameters)} parameters: nothing can be learned")
    return Program(graph)


def _any_depends(graph: Graph) -> bool:
    """Return whether an output depends on a parameter."""
    if graph.requires_grad[graph.outputs[0]]:
        return True
    depends = {*graph.parameters}
    for node, parents in enumerate(graph.args):
        if not depends.isdisjoint(parents):
            depends.add(node)
    return not depends.isdisjoint(graph.outputs)


def _leaves(kind: str, values: Sequence[Value]) -> tuple[Value, ...]:
    """Return the leaves of one kind, after checking them."""
    article = {"input": "an", "parameter": "a"}[kind]
    if isinstance(values, (Value, str)) or not hasattr(values, "__iter__"):
        raise TypeError(f"{kind}s is a list of Values, not {type(values).__name__}: {brief(values)}")
    leaves = tuple(values)
    for v in leaves:
        if not isinstance(v, Value):
            raise TypeError(f"{kind}s are Values, not {type(v).__name__}: {brief(v)}")
        if v.parents or v.constant:
            why = f"was computed, by {v.op}" if v.parents else "is a plain number of an expression"
            raise ValueError(f"{article} {kind} is a leaf, but {brief(v)} {why}")
    if len(set(leaves)) < len(leaves):
        twice = next(v for i, v in enumerate(leaves) if v in leaves[:i])
        raise ValueError(f"{brief(twice)} is listed twice among the {kind}s")
    return leaves


def _lifted(outputs: Value | Sequence[Value]) -> Value | Sequence[Value]:
    """Return what a function gave, with Values for its plain numbers, such as the 0 of ``max(0, x)``."""
    if isinstance(outputs, (list, tuple)):
        return [as_value(output) if is_number(output) else output for output in outputs]
    return as_value(outputs) if is_number(outputs) else outputs
