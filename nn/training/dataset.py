"""The samples of a training run, each checked before any parameter moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar, cast

from engine import Value, as_value, topological_order
from nn.model.modules import Module
from nn.training import losses
from nn.training.losses import Loss
from nn.validation import Floats, Rows, as_floats, as_list, as_outputs, check_finite, expected

if TYPE_CHECKING:
    from numpy import ndarray

__all__ = ["Sample", "Targets", "check_loss", "check_samples"]

T = TypeVar("T")
Targets: TypeAlias = "Sequence[object] | ndarray"  # a loss of your own may take any object as a target


class Sample(NamedTuple):
    """One sample of the data."""

    x: list[float]  #: its inputs
    t: object  #: its target, as the loss takes it
    number: int = 0  #: its place in the data, counted from 0


def check_samples(model: Module, xs: Rows, ys: Targets, loss: Loss) -> list[Sample]:
    """Return the samples as plain Python, each with its target.

    Args:
        model: the model that they are for.
        xs: the samples, a list of lists or an array with one row each.
        ys: their targets, as many; a Value among them counts as its number.
        loss: the loss that they are for.

    Raises:
        ValueError: there are no samples, or not as many targets; a sample has another length than the model
            expects, or a number that is not finite; a target does not fit the loss or the outputs.
        TypeError: a sample or target is made of something other than numbers; the model returns something
            other than a Value or a list of Values.
        The message names the sample, counted from 0, and what was expected.

    >>> from nn.model.modules import MLP
    >>> check_samples(MLP(2, [1]), [[0, 1], [2, 3]], [-1, 3], losses.hinge)
    Traceback (most recent call last):
    ValueError: sample 1: a target of this loss is -1 or 1, not 3
    """
    rows, targets = (
        [entry.tolist() if hasattr(entry, "tolist") else entry for entry in as_list(what, given)]
        for what, given in (
            ("xs is a list with one entry for each sample", xs),
            ("ys is a list with one entry for each sample", ys),
        )
    )
    if len(rows) != len(targets):
        raise ValueError(
            f"expected one target for each sample: {len(rows)} samples in xs, {len(targets)} targets in ys"
        )
    if not rows:
        raise ValueError("expected at least one sample, not an empty list")
    shipped = losses.table.get(losses.name(loss)) is loss
    samples: list[Sample] = []
    nin: int | None = getattr(model, "nin", None)
    blank: float | list[float] | None = None  # outputs of the right shape, on which a target can be tried
    tried: set[object] = set()  # the targets that are plain numbers: many samples have the same
    for i, (x, t) in enumerate(zip(rows, targets)):
        try:
            t = _without_values(t)
            inputs = as_floats(cast("Floats", x), nin)
            nin = nin or len(inputs)
            if not all(map(isfinite, inputs)):
                check_finite("input", inputs)
            check_finite("target", t if isinstance(t, (list, tuple)) else [t])
            key = (type(t), t) if type(t) in (int, float) else None
            if shipped and (key is None or key not in tried):
                if blank is None:
                    y = model.predict(inputs)
                    blank = [0.0] * len(y) if isinstance(y, list) else 0.0
                loss(blank, t)
                tried.add(key)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise type(error)(f"sample {i}: {error}") from None
        samples.append(Sample(inputs, t, i))
    return samples


def _without_values(t: object) -> object:
    """Return a target with its Values as their numbers, so that every backend treats them alike.

    Raises:
        TypeError: a Value was computed from others: eager training would change them, a compiled run not.
    """
    if isinstance(t, (list, tuple)) and any(isinstance(t_k, Value) for t_k in t):
        return [_without_values(t_k) for t_k in t]
    if isinstance(t, Value):
        if t.parents:
            expected("a target is a number, or a Value that was not computed from others: give its .data", t)
        return t.data
    return t


def check_loss(model: Module, samples: Sequence[Sample], loss: Loss) -> int:
    """Raise an error if no sample's loss depends on the model's parameters: then nothing can be learned.

    A loss may return a plain number for some samples, as ``max(0, 1 - t * y)`` does, so the samples are tried
    until one depends on a parameter: usually the first.

    Returns:
        The number of edges in the graph of that sample.

    Raises:
        TypeError: the model returns something other than a Value or a list of Values, or the loss returns
            something other than a Value or a number.
        ValueError: no loss depends on a parameter; for example, it is a plain number for every sample.

    >>> from nn.model.modules import MLP
    >>> check_loss(MLP(1, [1]), [Sample([1.0], 2.0)], lambda y, t: (y.data - t) ** 2)
    ... # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: sample 0: the loss is the plain number ..., and no loss depends on the model's parameters: ...
    """
    parameters = set(model.parameters())
    for sample in samples:
        try:
            y = model(sample.x)
            outputs = _checked(as_outputs, y, sample)
            error = loss(outputs, sample.t)
        except (ArithmeticError, ValueError) as outside:
            outside.add_note(f"at sample {sample.number}")
            raise
        node = _checked(as_value, error, sample)
        order = topological_order(node, parameters)
        learns = node in parameters or any(not parameters.isdisjoint(part.parents) for part in order)
        if learns or not isfinite(node.data):
            # if it is not finite, the first step raises an error that names the cause
            return sum(len(part.parents) for part in order)
        if sample is samples[0]:
            what = "Value that was not computed from them" if isinstance(error, Value) else "plain number"
            found = f"sample {sample.number}: the loss is the {what} {node.data}"
    raise ValueError(
        f"{found}, and no loss depends on the model's parameters: "
        "expected a Value computed from the outputs as they are, not from their .data, and without no_grad"
    )


def _checked(check: Callable[[object], T], x: object, sample: Sample) -> T:
    try:
        return check(x)
    except TypeError as error:
        raise TypeError(f"sample {sample.number}: {error}") from None
