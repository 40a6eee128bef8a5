"""Neural networks of Values: nets, losses, optimizers, and the textbook's backpropagation to compare with."""

from importlib import import_module
from typing import TYPE_CHECKING

import nn.parts  # noqa: F401  (it checks that engine and nn belong together)
from engine import Value, did_you_mean
from nn import data
from nn.model import initializers as init
from nn.model.modules import MLP, Layer, Module, Neuron
from nn.model.serialization import load, save
from nn.training import losses
from nn.training.fit import fit
from nn.training.history import Epoch, History
from nn.training.metrics import accuracy, batches
from nn.training.optim import SGD, Adam, Optimizer, clip_gradients

if TYPE_CHECKING:
    from nn import plots, textbook
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


#: The modules of names that are imported when they are first used, as they are slow to import.
_LATE = {
    "deltas": "nn.textbook.lens", "DeltaReport": "nn.textbook.lens",
    "plots": "nn.plots", "textbook": "nn.textbook",
}  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module 'nn' has no attribute {name!r}{did_you_mean(name, __all__)}")
    module = import_module(_LATE[name])
    return getattr(module, name, module)
