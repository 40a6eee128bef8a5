"""A sample of a program once more in plain floats, node by node, to say where it went wrong.

The fast backends only notice that something did. The words for it, and the type of the error, are the eager
ones: they come from the operation itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.compiler.source import Source
from engine.core.op import Evaluator
from engine.formula.tree import Tree, interpret

if TYPE_CHECKING:
    from engine.compiler.program import Line, Program


def complain(program: Program, parameters: Sequence[float], columns: Sequence[Sequence[float]]) -> None:
    """Raise the error that Values would raise, for the first sample that leaves a domain; or return."""
    for i, leaves in enumerate(samples(program, parameters, columns)):
        try:
            for _ in results(program, leaves):
                pass
        except (ArithmeticError, ValueError) as error:
            raise type(error)(f"sample {i}: {error}") from None


def find_nonfinite(
    program: Program, parameters: Sequence[float], columns: Sequence[Sequence[float]]
) -> str | None:
    """The first line that is infinite or NaN, in the first sample that has one: in words, or None."""
    for i, leaves in enumerate(samples(program, parameters, columns)):
        for name, x in leaves.items():
            if not math.isfinite(x):
                return f"sample {i}: {name} is {x}"
        known = dict(leaves)
        try:
            for line, y in results(program, known):
                if not math.isfinite(y):
                    return f"sample {i}: {Source().statement(line.name, line.tree)} is {y}{at(line, known)}"
        except (ArithmeticError, ValueError) as error:
            return f"sample {i}: {error}"
    return None


def samples(
    program: Program, parameters: Sequence[float], columns: Sequence[Sequence[float]]
) -> Iterator[dict[str, float]]:
    """What goes in, by name, for each sample in turn."""
    shared = dict(zip(program.parameters, parameters))
    for row in zip(*columns) if columns else [()]:
        yield {**shared, **dict(zip(program.inputs, row))}


def results(program: Program, known: dict[str, float]) -> Iterator[tuple[Line, float]]:
    """Every line with its number, computed as Values compute it; ``known`` grows by each."""
    for line in program.lines:
        if line.kind == "backward":
            y = interpret(line.tree, Evaluator(), known)
        elif line.op is not None:
            data = [known[arg] if isinstance(arg, str) else arg for arg in line.args]
            try:
                y = line.op.value(*data)
                for position in line.asked:
                    line.op.derivative(position, Evaluator(), data, y)
            except (ArithmeticError, ValueError) as error:
                labels = [arg if isinstance(arg, str) else "" for arg in line.args]
                raise line.op.domain_error(error, data, labels) from None
        else:
            continue
        known[line.name] = y
        yield line, y


def at(line: Line, known: Mapping[str, float]) -> str:
    """The numbers that a line was computed from."""
    names = dict.fromkeys(mentioned(line.tree))
    listed = [f"{name} = {known[name]}" for name in names][:8]
    return f" at {', '.join(listed)}" if listed else ""


def mentioned(tree: Tree) -> Iterator[str]:
    """The names in a tree, from left to right."""
    todo: list[Any] = [tree]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, tuple):
            todo += reversed(part[1:])


def operations(tree: Tree) -> int:
    """How many operations a formula has; a word that has a formula of its own counts as ten."""
    todo, found = [tree], 1
    while todo:
        part = todo.pop()
        if isinstance(part, tuple):
            found += 1 if isinstance(part[0], str) else 10
            todo += part[1:]
    return found
