"""What a model says of many samples: its graph is traced once, compiled, and run for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from engine import Value, total, trace
from nn.validation import table

__all__ = ["Answers", "many"]


def many(model: Any, rows: Sequence[Sequence[float]], backend: str) -> list[Any]:
    """The outputs of a model for each row, once they have been checked."""
    samples = table(rows, getattr(model, "nin", None))
    return Answers(model, samples[0], backend)(samples) if samples else []


class Answers:
    """The outputs of a model for plain numbers, as ``model.predict`` gives them, many at a time.

    A program has one root. Of several outputs it is therefore Σ_k pick_k y_k, and each sample goes in once
    for each output that is picked: on arrays. In Python itself `predict` is faster, row after row.

    Args:
        model: whatever is a Module. Where its ``__call__`` has an ``if`` on its data, what it chooses for
            ``x`` is chosen for all: then ask ``model.predict``.
        x: a sample, for which the graph is traced.
        backend: see `engine.trace`.

    Raises:
        ValueError: there is no such backend, or the graph cannot be traced.
        ImportError: the backend needs a package that is not installed.

    >>> from nn.model.modules import Neuron
    >>> neuron = Neuron(1, activation=None, init="zeros")
    >>> answers = Answers(neuron, [1.0], "python")
    >>> neuron.w[0].data = 3.0
    >>> answers([[1.0], [2.0]])
    [3.0, 6.0]
    """

    def __init__(self, model: Any, x: Sequence[float], backend: str) -> None:
        inputs = [Value(number, f"x{i}") for i, number in enumerate(x)]
        outputs = model(inputs)
        self.model, self.parameters = model, model.parameters()
        self.count = len(outputs) if isinstance(outputs, list) else 0
        self._values = None
        if self.count and backend == "python":
            return
        picks = [Value(1.0, f"pick{k}") for k in range(self.count)]
        root = total([pick * y for pick, y in zip(picks, outputs)]) if picks else outputs
        program = trace(root, [*inputs, *picks], self.parameters).forward()
        self._values = program.compile(backend).values

    def __call__(self, rows: Sequence[Sequence[float]]) -> list[Any]:
        """The output, or the list of outputs, for each row."""
        n, numbers = self.count, []
        if self._values is not None:
            columns = picked(rows, n) if n else [list(column) for column in zip(*rows)]
            numbers = list(map(float, self._values([p.data for p in self.parameters], columns)))
        if not numbers or not all(map(isfinite, numbers)):  # 0 times infinity is no 0
            return [self.model.predict(row) for row in rows]
        return [numbers[i : i + n] for i in range(0, len(numbers), n)] if n else numbers


def picked(rows: Sequence[Sequence[float]], n: int) -> list[Any]:
    """The columns of samples that go in n times each, to be asked for one output after another."""
    import numpy as np

    inputs, picks = np.repeat(np.array(rows, float), n, axis=0), np.tile(np.eye(n), (len(rows), 1))
    return list(np.ascontiguousarray(np.hstack([inputs, picks]).T))
