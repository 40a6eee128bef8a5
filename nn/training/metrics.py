"""Helpers for a training loop of your own: the accuracy of a model, and batches of samples."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import cast

from nn.model.modules import Module
from nn.training import losses
from nn.training.dataset import Targets, check_samples
from nn.training.losses import Loss
from nn.validation import Rng, Rows, as_list, count, expected, generator, is_list

__all__ = ["accuracy", "batches"]


def accuracy(model: Module, xs: Rows, ys: Targets, loss: str | Loss | None = None) -> float:
    """Return the fraction of the samples that a model predicts correctly, from 0.0 to 1.0.

    Args:
        model: a Module.
        xs: the samples, a list of lists of numbers, or an array with one row each.
        ys: the target of each, as the loss takes it.
        loss: which outputs are correct. "cross_entropy": the greatest one is that of the class; "hinge" and
            "binary_cross_entropy": each is above 0 where its target is 1. None stands for cross_entropy if
            the model has several outputs, and for one of the others, by the targets, if it has one.

    Raises:
        ValueError: the loss has no classes, or a sample or target does not fit; the message names it.
        TypeError: the model is not a Module, or a sample not a list of numbers.

    >>> from nn.model.modules import MLP
    >>> model = MLP(1, [1], init="zeros")
    >>> model.layers[0].neurons[0].w[0].data = 2.0
    >>> accuracy(model, [[1.0], [-1.0], [3.0], [-5.0]], [1, -1, 1, 1])
    0.75
    """
    if not isinstance(model, Module):
        expected("expected a model, a Module", model)
    if loss is None:
        rows, targets = as_list("xs is a list", xs), as_list("ys is a list", ys)
        several = bool(rows) and isinstance(model.predict(cast("list[float]", rows[0])), list)
        zeros = not any(t == -1 for target in targets for t in (target if is_list(target) else [target]))
        loss = "cross_entropy" if several else "binary_cross_entropy" if zeros else "hinge"
    found = losses.get_loss(loss)
    samples = check_samples(model, xs, ys, found)
    if losses.decide(found, samples[0].t) is None:
        classifying = "hinge, binary_cross_entropy or cross_entropy"
        raise ValueError(f"the loss {losses.name(found)} has no classes; expected {classifying}")
    backend = "numpy" if find_spec("numpy") else "python"
    predictions = model.predict_many([sample.x for sample in samples], backend)
    pairs = zip(predictions, samples)
    n_correct = sum(losses.decide(found, y) == losses.decide(found, sample.t) for y, sample in pairs)
    return n_correct / len(samples)


def batches(
    xs: Rows, ys: Targets, size: int, rng: Rng | None = None
) -> Iterator[tuple[list[object], list[object]]]:
    """Return an iterator over the samples in a new order, as batches ``(xs, ys)``; the last may be smaller.

    Args:
        xs: the samples, a list, or an array with one row each.
        ys: the target of each.
        size: the number of samples in a batch.
        rng: shuffles as random.Random does; None for the module `random`.

    Raises:
        ValueError: size is not a whole number of at least 1, or there are not as many targets as samples.
        TypeError: xs or ys is not a list, or rng no source of random numbers.

    >>> import random
    >>> for xs, ys in batches([[0.0], [1.0], [2.0]], [0, 1, 2], size=2, rng=random.Random(1)):
    ...     print(xs, ys)
    [[1.0], [2.0]] [1, 2]
    [[0.0]] [0]
    """
    rows, targets = as_list("xs is a list of samples", xs), as_list("ys is a list of targets", ys)
    if len(rows) != len(targets):
        raise ValueError(
            f"expected one target for each sample: {len(rows)} samples in xs, {len(targets)} targets in ys"
        )
    size, order = count("size", size), list(range(len(rows)))
    generator(rng).shuffle(order)
    parts = (order[first : first + size] for first in range(0, len(order), size))
    return (([rows[i] for i in part], [targets[i] for i in part]) for part in parts)
