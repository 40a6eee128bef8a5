"""Neural networks of Values: nets, losses, optimisers, and the textbook's own backpropagation beside them."""

from nn import data, textbook
from nn.model import initializers as init
from nn.model.modules import MLP, Layer, Module, Neuron
from nn.model.serialization import load, save
from nn.textbook.lens import DeltaReport, deltas
from nn.training import losses
from nn.training.fit import fit
from nn.training.history import Epoch, History
from nn.training.optim import SGD, Adam, Optimizer

__all__ = [
    "Module", "Neuron", "Layer", "MLP",
    "SGD", "Adam", "Optimizer",
    "fit", "History", "Epoch",
    "deltas", "DeltaReport",
    "save", "load",
    "init", "losses", "data", "textbook",
]  # fmt: skip
