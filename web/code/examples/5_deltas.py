"""The Δ of each neuron, computed in three ways."""

import random

from nn import MLP, deltas

random.seed(1)
model = MLP(2, [2, 1], activation="sigmoid", output="sigmoid")

deltas(model, [0.5, -1.0], 1.0)
