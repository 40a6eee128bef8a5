"""The outputs of a model for many samples: its graph is traced once, compiled, and run for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from engine import Value, get_backend, trace
from nn.validation import Floats, as_rows

__all__ = ["Prediction", "as_predictions", "compile_outputs", "many"]

Prediction: TypeAlias = "float | list[float]"  # what ``model.predict`` returns


class Model(Protocol):
    """The methods of a model that are needed here; every Module has them."""

    def parameters(self) -> list[Value]: ...

    def predict(self, x: Sequence[float]) -> Prediction: ...

    def __call__(self, x: Sequence[Value]) -> Value | list[Value]: ...


def many(model: Model, rows: Sequence[Sequence[float]], backend: str) -> list[Prediction]:
    """Return the outputs of a model for each row, after checking the rows."""
    samples = as_rows(rows, getattr(model, "nin", None))
    return compile_outputs(model, samples[0], backend)(samples) if samples else []


def compile_outputs(
    model: Model, x: Sequence[float], backend: str
) -> Callable[[Sequence[Sequence[float]]], list[Prediction]]:
    """Compile a model to a function of many rows, which returns what ``model.predict`` returns for each.

    Where Python compares Values in the model, the program checks the comparison on every row. If one comes
    out differently, or if the model reads the number of a Value, the rows are predicted one by one.

    Args:
        model: any Module.
        x: a sample, for which the graph is traced.
        backend: see `engine.trace`.

    Raises:
        ValueError: there is no such backend, or the graph cannot be traced.
        ImportError: the backend needs a package that is not installed.

    >>> from nn.model.modules import Neuron
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> predict = compile_outputs(neuron, [1.0], "python")
    >>> neuron.w[0].data = 3.0
    >>> predict([[1.0], [2.0]])
    [3.0, 6.0]
    """
    inputs, parameters = [Value(number, f"x{i}") for i, number in enumerate(x)], model.parameters()
    listed = isinstance(model.predict(x), list)

    def build(*leaves: Value) -> list[Value]:
        outputs = model(list(leaves))
        return outputs if isinstance(outputs, list) else [outputs]

    def one_by_one(rows: Sequence[Sequence[float]]) -> list[Prediction]:
        return [model.predict(row) for row in rows]

    try:
        program = trace(build, inputs, parameters)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        get_backend(backend)  # an unknown or missing backend is still an error
        return one_by_one
    values = program.forward().compile(backend).values
    if program.reads:
        return one_by_one

    def predict(rows: Sequence[Sequence[float]]) -> list[Prediction]:
        try:
            columns = values([p.data for p in parameters], [list(column) for column in zip(*rows)])
        except (ArithmeticError, ValueError):  # a guard failed, or the model itself raises this error
            return one_by_one(rows)
        return as_predictions(columns, listed)

    return predict


def as_predictions(columns: Sequence[Floats], listed: bool) -> list[Prediction]:
    """Return the prediction for each sample, from one column for each output.

    >>> as_predictions([[1.0, 2.0], [3.0, 4.0]], listed=True)
    [[1.0, 3.0], [2.0, 4.0]]
    """
    lists: list[list[float]] = [c.tolist() if hasattr(c, "tolist") else list(c) for c in columns]
    return [list(row) for row in zip(*lists)] if listed else list(lists[0])
