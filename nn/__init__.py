"""Neural networks of Values: nets, losses, optimisers, and the textbook's own backpropagation beside them."""

from nn import data, init, losses, textbook
from nn.deltas import DeltaReport, deltas
from nn.history import Epoch, History
from nn.modules import MLP, Layer, Module, Neuron
from nn.optim import SGD, Adam, Optimizer
from nn.save import load, save
from nn.train import fit

__all__ = [
    "Module", "Neuron", "Layer", "MLP",
    "SGD", "Adam", "Optimizer",
    "fit", "History", "Epoch",
    "deltas", "DeltaReport",
    "save", "load",
    "init", "losses", "data", "textbook",
]  # fmt: skip
