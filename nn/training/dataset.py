"""The samples that a model is to learn from, looked at one by one before any parameter moves."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple

from engine import is_number
from nn.model.modules import Module
from nn.training import losses
from nn.training.losses import Loss
from nn.validation import floats

__all__ = ["Sample", "checked"]


class Sample(NamedTuple):
    """One sample of the data."""

    x: list[float]  #: its inputs
    t: Any  #: its target, as the loss takes it
    number: int = 0  #: its place in the data, counted from 0


def checked(model: Module, xs: Any, ys: Any, loss: Loss) -> list[Sample]:
    """The samples as plain Python, each with its target.

    Args:
        model: the model that they are for.
        xs: the samples, a list of lists or an array with one row each.
        ys: their targets, as many.
        loss: the loss that they are for.

    Raises:
        ValueError: there are no samples, or not as many targets; a sample has another length than the model
            expects, or a number that is not finite; a target does not fit the loss or the outputs.
        TypeError: a sample or target is made of something other than numbers.
        The message says which sample, counted from 0, and what was expected.

    >>> from nn.model.modules import MLP
    >>> checked(MLP(2, [1]), [[0, 1], [2, 3]], [-1, 3], losses.hinge)
    Traceback (most recent call last):
    ValueError: sample 1: a target of this loss is -1 or 1, not 3
    """
    xs, ys = _rows("xs", xs), _rows("ys", ys)
    if len(xs) != len(ys):
        raise ValueError(
            f"expected one target for each sample: {len(xs)} samples in xs, {len(ys)} targets in ys"
        )
    if not xs:
        raise ValueError("expected at least one sample, not an empty list")
    samples: list[Sample] = []
    blank: Any = None  # outputs of the right shape, on which a target can be tried
    for i, (x, t) in enumerate(zip(xs, ys)):
        try:
            inputs = floats(x, getattr(model, "nin", None) or len(xs[0]))
            _finite("input", inputs)
            _finite("target", t if isinstance(t, (list, tuple)) else [t])
            if losses.table.get(losses.name(loss)) is loss:
                if blank is None:
                    y = model.predict(inputs)
                    blank = [0.0] * len(y) if isinstance(y, list) else 0.0
                loss(blank, t)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise type(error)(f"sample {i}: {error}") from None
        samples.append(Sample(inputs, t, i))
    return samples


def _rows(name: str, rows: Any) -> list[Any]:
    """The rows of a list, or of an array as lists."""
    if not hasattr(rows, "__len__") or isinstance(rows, (str, bytes, dict)):
        raise TypeError(
            f"{name} is a list with one entry for each sample, not {type(rows).__name__}: {rows!r:.60}"
        )
    rows = rows.tolist() if hasattr(rows, "tolist") else rows
    return [row.tolist() if hasattr(row, "tolist") else row for row in rows]


def _finite(what: str, numbers: Sequence[Any]) -> None:
    for k, number in enumerate(numbers):
        if is_number(number) and not isfinite(number):
            raise ValueError(f"{what} {k} is {number}; expected a finite number")
