"""Neural networks of Values: nets, losses, optimizers, and the textbook's backpropagation to compare with."""

from typing import TYPE_CHECKING

import nn.parts  # noqa: F401  (it checks that engine and nn belong together)
from engine import Value, did_you_mean
from nn import data, plots, textbook
from nn.model import initializers as init
from nn.model.modules import MLP, Layer, Module, Neuron
from nn.model.serialization import load, save
from nn.training import losses
from nn.training.fit import fit
from nn.training.history import Epoch, History
from nn.training.metrics import accuracy, batches
from nn.training.optim import SGD, Adam, Optimizer, clip_gradients

if TYPE_CHECKING:
    from nn.textbook.lens import DeltaReport, deltas

__all__ = [
    "Module", "Neuron", "Layer", "MLP",
    "SGD", "Adam", "Optimizer", "clip_gradients",
    "fit", "History", "Epoch", "accuracy", "batches",
    "deltas", "DeltaReport",
    "save", "load",
    "init", "losses", "data", "plots", "textbook",
    "Value",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Import the lens when it is first used: its tables take longer to import than the rest of nn."""
    if name not in ("deltas", "DeltaReport"):
        raise AttributeError(f"module 'nn' has no attribute {name!r}{did_you_mean(name, __all__)}")
    from nn.textbook import lens

    return getattr(lens, name)
