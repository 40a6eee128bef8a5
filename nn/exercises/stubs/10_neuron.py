"""Exercise 10: one neuron.

Return tanh(b + Σ_j w_j x_j), from a list of weights, a list of inputs and a bias.
"""


def neuron(w, x, b):
    return ...
