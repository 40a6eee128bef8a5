"""The graphs of a run: the loss of a batch, folded to fit a page, and one neuron to step through."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

from engine import as_value, check_graphviz, draw_dot, play, total
from nn.model.modules import MLP, Neuron
from nn.training.losses import Loss, half_squared_error

__all__ = ["batch", "check", "neuron"]


def check() -> None:
    """Raise an error that names what is missing, before a model is trained."""
    check_graphviz()


def batch(
    model: MLP,
    xs: Sequence[Sequence[float]],
    targets: Sequence[object],
    loss: Loss,
    path: str | os.PathLike[str],
) -> None:
    """Draw the mean loss of some samples with its gradients; operations, neurons and samples are folded."""
    model.zero_grad()
    mean = total([as_value(loss(model(x), target)) for x, target in zip(xs, targets)]) / len(xs)
    mean.label = "loss"
    mean.backward()
    picture = draw_dot(mean, rankdir="TB", fold="batch").pipe("svg", encoding="utf-8")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(picture)
    model.zero_grad()


def neuron(path: str | os.PathLike[str]) -> None:
    """Write a page that steps through the error E = ½ (t - a)² of one neuron, forward and backward."""
    a = Neuron(2, activation="tanh", rng=random.Random(1))([1.0, -2.0])
    error = half_squared_error(a, 1.0)
    error.label = "E"
    play(error, title="One neuron: forward, then backward, edge by edge").save(path)
