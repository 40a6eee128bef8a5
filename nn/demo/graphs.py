"""The graphs of a run: the loss of a batch, folded to fit a page, and one neuron to step through."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import check_graphviz, draw_dot, play, total
from nn.model.modules import MLP, Neuron
from nn.training.losses import half_squared_error

__all__ = ["batch", "check", "neuron"]


def check() -> None:
    """Raise the error that says what is missing, before anything has been learned in vain."""
    check_graphviz()


def batch(
    model: MLP, xs: Sequence[Any], targets: Sequence[Any], loss: Any, path: str | os.PathLike[str]
) -> None:
    """The mean loss of some samples, with its gradients: operations, neurons and samples folded together."""
    model.zero_grad()
    mean = total([loss(model(x), target) for x, target in zip(xs, targets)]) / len(xs)
    mean.label = "loss"
    mean.backward()
    picture = draw_dot(mean, rankdir="TB", fold="batch").pipe("svg", encoding="utf-8")
    Path(path).write_text(picture, encoding="utf-8")
    model.zero_grad()


def neuron(path: str | os.PathLike[str]) -> None:
    """A page that steps through the error E = ½ (t - a)² of one neuron, forward and backward."""
    a = Neuron(2, activation="tanh", rng=random.Random(1))([1.0, -2.0])
    error = half_squared_error(a, 1.0)
    error.label = "E"
    play(error, title="One neuron: forward, then backward, edge by edge").save(path)
