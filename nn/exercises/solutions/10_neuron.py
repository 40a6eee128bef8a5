"""A solution of exercise 10: one neuron."""

from math import tanh


def neuron(w, x, b):
    return tanh(b + sum(w_j * x_j for w_j, x_j in zip(w, x)))
