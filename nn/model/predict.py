"""The outputs of a model for many samples: its graph is traced once, compiled, and run for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeAlias
from weakref import WeakKeyDictionary

from engine import Value, get_backend, trace
from nn.validation import Floats, Rows, as_rows

__all__ = ["Prediction", "as_predictions", "compile_outputs", "many"]

Prediction: TypeAlias = "float | list[float]"  # what ``model.predict`` returns


class Model(Protocol):
    """The methods of a model that are needed here; every Module has them."""

    def parameters(self) -> list[Value]: ...

    def predict(self, x: Sequence[float]) -> Prediction: ...

    def _structure(self) -> object: ...

    def __call__(self, x: Sequence[Value]) -> Value | list[Value]: ...


class Kept:
    """The programs of a net, for as long as its structure stays the same."""

    def __init__(self, structure: object) -> None:
        self.structure = structure
        self.n_rows = 0  #: rows that were predicted one by one
        self.programs: dict[str, Outputs] = {}  #: for each backend


#: The rows from which on a program pays: it takes about as long to trace and compile as to predict so many.
PAYS = {"numpy": 100, "python": 1_000}
PAYS_LATER = 5_000  # of the other backends, which compile machine code

_kept: WeakKeyDictionary[Model, Kept] = WeakKeyDictionary()


def many(model: Model, rows: Sequence[Sequence[float]], backend: str) -> list[Prediction]:
    """Return the outputs of a model for each row, after checking the rows.

    Few rows are predicted one by one. The program of a net is kept, until its shape or an activation changes;
    so once there were many rows, few are predicted by the program as well. A model of a class of your own is
    traced at each call, as its attributes may change.
    """
    samples = as_rows(rows, getattr(model, "nin", None))
    get_backend(backend)  # an unknown or missing backend is an error for few rows, too
    if not samples:
        return []
    kept = _kept_of(model)
    program = kept.programs.get(backend)
    if program is None:
        if kept.n_rows + len(samples) < PAYS.get(backend, PAYS_LATER):
            kept.n_rows += len(samples)
            return [model.predict(row) for row in samples]
        program = kept.programs[backend] = Outputs(model, samples[0], backend)
    return program.predict(model, samples)


def _kept_of(model: Model) -> Kept:
    """Return the programs of a model; for a class of your own always none."""
    structure = model._structure()
    if structure is None:
        return Kept(None)
    kept = _kept.get(model)
    if kept is None or kept.structure != structure:
        kept = _kept[model] = Kept(structure)
    return kept


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
    return partial(Outputs(model, x, backend).predict, model)


class Outputs:
    """The program that computes the outputs of a model. It does not hold the model.

    The arguments are those of `compile_outputs`.
    """

    def __init__(self, model: Model, x: Sequence[float], backend: str) -> None:
        inputs = [Value(number, f"x{i}") for i, number in enumerate(x)]
        self.listed = isinstance(model.predict(x), list)

        def build(*leaves: Value) -> list[Value]:
            outputs = model(list(leaves))
            return outputs if isinstance(outputs, list) else [outputs]

        self.values: Callable[[list[float], Rows], Sequence[Floats]] | None = None
        try:
            program = trace(build, inputs, model.parameters())
        except (ArithmeticError, LookupError, TypeError, ValueError):
            get_backend(backend)  # an unknown or missing backend is still an error
            return
        values = program.forward().compile(backend).values
        if not program.reads:
            self.values = values

    def predict(self, model: Model, rows: Sequence[Sequence[float]]) -> list[Prediction]:
        """Return the outputs for each row, one by one if the program cannot compute them."""
        if self.values is not None:
            columns = [list(column) for column in zip(*rows)]
            try:
                return as_predictions(self.values([p.data for p in model.parameters()], columns), self.listed)
            except (ArithmeticError, ValueError):  # a guard failed, or the model itself raises this error
                pass
        return [model.predict(row) for row in rows]


def as_predictions(columns: Sequence[Floats], listed: bool) -> list[Prediction]:
    """Return the prediction for each sample, from one column for each output.

    >>> as_predictions([[1.0, 2.0], [3.0, 4.0]], listed=True)
    [[1.0, 3.0], [2.0, 4.0]]
    """
    lists: list[list[float]] = [c.tolist() if hasattr(c, "tolist") else list(c) for c in columns]
    return [list(row) for row in zip(*lists)] if listed else list(lists[0])
