"""Exercise 10: one neuron.

Return the number tanh(b + Σ_j w_j x_j): w is a list of weights, x a list of as many inputs, b the
bias.
"""


def neuron(w, x, b):
    return ...
